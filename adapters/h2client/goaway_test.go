package h2client_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"whatsappnode/adapters/h2client"
)

func TestGoAway(t *testing.T) {
	t.Run("streams above the last one were not acted on, the others go on", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			one, two, three := s.get("/1"), s.get("/2"), s.get("/3")
			byPath := map[string]uint32{}
			for range 3 {
				f := s.request()
				byPath[f.value(":path")] = f.StreamID
			}
			calls := map[uint32]*call{byPath["/1"]: one, byPath["/2"]: two, byPath["/3"]: three}
			s.goAway(3, http2.ErrCodeNo)
			require.ErrorIs(t, calls[5].failure(), h2client.ErrUnusable)
			require.False(t, s.client.Usable())
			require.ErrorIs(t, s.get("/late").failure(), h2client.ErrUnusable)
			s.none("no more requests", isRequest)
			s.reply(1, "one")
			calls[1].answers("one")
			s.reply(3, "two")
			calls[3].answers("two")
		})
	})
	t.Run("in two steps", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			one := s.get("/1")
			s.request()
			two := s.get("/2")
			s.request()
			s.goAway(1<<31-1, http2.ErrCodeNo)
			synctest.Wait()
			require.False(t, s.client.Usable())
			require.ErrorIs(t, s.get("/late").failure(), h2client.ErrUnusable)
			s.goAway(1, http2.ErrCodeNo)
			require.ErrorIs(t, two.failure(), h2client.ErrUnusable)
			s.reply(1, "one")
			one.answers("one")
		})
	})
	t.Run("with an error, streams that were acted on end with the connection", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			one := s.get("/1")
			s.request()
			two := s.get("/2")
			s.request()
			s.goAway(1, http2.ErrCodeInternal)
			_ = s.conn.Close()
			require.ErrorIs(t, two.failure(), h2client.ErrUnusable)
			require.NotErrorIs(t, one.failure(), h2client.ErrUnusable)
		})
	})
	t.Run("with nothing under way the connection is closed", func(t *testing.T) {
		play(t, func(_ *testing.T, s *script) {
			s.alive()
			s.goAway(1, http2.ErrCodeNo)
			s.awaitEnd()
		})
	})
	t.Run("with something under way the connection is closed afterwards", func(t *testing.T) {
		play(t, func(_ *testing.T, s *script) {
			call := s.get("/")
			s.request()
			s.goAway(1, http2.ErrCodeNo)
			s.silent()
			s.reply(1, "ok")
			call.answers("ok")
			s.awaitEnd()
		})
	})
	t.Run("a body that is being sent goes on", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.postString("hello")
			id := s.request().StreamID
			s.goAway(1, http2.ErrCodeNo)
			s.update(id, 5)
			require.Equal(t, "hello", string(s.body(id, -1)))
			s.reply(id, "ok")
			call.answers("ok")
		}, initialWindow(0))
	})
	t.Run("with data for people to read", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.get("/")
			s.request()
			s.frame(http2.FrameGoAway, 0xff, 0, append(make([]byte, 8), "go elsewhere"...))
			require.ErrorIs(t, call.failure(), h2client.ErrUnusable)
		})
	})
	t.Run("a last stream that rises is no reason to break", func(t *testing.T) {
		play(t, func(_ *testing.T, s *script) {
			call := s.get("/")
			s.request()
			s.goAway(1, http2.ErrCodeNo)
			s.goAway(1, http2.ErrCodeNo)
			s.reply(1, "ok")
			call.answers("ok")
		})
	})
}

func TestReset(t *testing.T) {
	for name, c := range map[string]struct {
		code http2.ErrCode
		not  bool // acted on
	}{
		"refused":   {http2.ErrCodeRefusedStream, true},
		"no error":  {http2.ErrCodeNo, false},
		"canceled":  {http2.ErrCodeCancel, false},
		"internal":  {http2.ErrCodeInternal, false},
		"calm down": {http2.ErrCodeEnhanceYourCalm, false},
		"unknown":   {0xdeadbeef, false},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				call := s.postString("hello")
				s.reset(s.request().StreamID, c.code)
				err := call.failure()
				if c.not {
					require.ErrorIs(t, err, h2client.ErrUnusable)
				} else {
					require.NotErrorIs(t, err, h2client.ErrUnusable)
				}
				s.none("a reset is not answered", func(f frame) bool { return f.Type == http2.FrameRSTStream })
				s.alive()
			})
		})
	}
	t.Run("refused after its headers is not sent elsewhere", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.get("/")
			s.request()
			s.headers(1, false, "200")
			resp := call.response()
			s.reset(1, http2.ErrCodeRefusedStream)
			_, err := resp.Body.Read(make([]byte, 1))
			require.Error(t, err)
			require.NotErrorIs(t, err, h2client.ErrUnusable)
			s.alive()
		})
	})
	t.Run("twice", func(t *testing.T) {
		play(t, func(_ *testing.T, s *script) {
			call := s.get("/")
			s.request()
			s.reset(1, http2.ErrCodeCancel)
			s.reset(1, http2.ErrCodeCancel)
			_ = call.failure()
			s.alive()
		})
	})
}
