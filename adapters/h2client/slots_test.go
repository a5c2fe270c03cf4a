package h2client_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"whatsappnode/adapters/h2client"
)

func maxStreams(n uint32) http2.Setting {
	return http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: n}
}

func isRequest(f frame) bool { return f.Type == http2.FrameHeaders }

// queue begins requests one after the other, of which the server takes none.
func (s *script) queue(n int) []*call {
	s.t.Helper()
	var calls []*call
	for i := range n {
		calls = append(calls, s.get(fmt.Sprintf("/%d", i)))
		s.none("there is no slot", isRequest) // it has begun to wait
	}
	return calls
}

func TestSlots(t *testing.T) {
	t.Run("requests wait in the order of their arrival", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			calls := s.queue(5)
			s.settings(maxStreams(1))
			for i, call := range calls {
				f := s.request()
				require.Equal(t, fmt.Sprintf("/%d", i), f.value(":path"))
				s.none("one at a time", isRequest)
				s.reply(f.StreamID, "ok")
				call.answers("ok")
			}
		}, maxStreams(0))
	})
	t.Run("as many as the server says", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			s.queue(9)
			s.settings(maxStreams(2))
			first := s.request().StreamID
			s.request()
			s.none("two at a time", isRequest)
			s.settings(maxStreams(5))
			for range 3 {
				s.request()
			}
			s.none("five at a time", isRequest)
			s.settings(maxStreams(3))
			s.reply(first, "")
			s.none("three at a time, and four are open", isRequest)
			require.Equal(t, 3, s.client.MaxStreams())
		}, maxStreams(0))
	})
	t.Run("one that gives up leaves the queue", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			calls := s.queue(3)
			calls[0].cancel()
			require.ErrorIs(t, calls[0].failure(), context.Canceled)
			calls[1].cancel()
			require.ErrorIs(t, calls[1].failure(), context.Canceled)
			s.silent()
			s.settings(maxStreams(1))
			require.Equal(t, "/2", s.request().value(":path"))
		}, maxStreams(0))
	})
	t.Run("one that is given up gives its slot on", func(t *testing.T) {
		for name, give := range map[string]func(s *script, call *call, id uint32){
			"canceled":      func(s *script, call *call, id uint32) { call.cancel(); s.awaitReset(id) },
			"reset":         func(s *script, _ *call, id uint32) { s.reset(id, http2.ErrCodeInternal) },
			"refused":       func(s *script, _ *call, id uint32) { s.reset(id, http2.ErrCodeRefusedStream) },
			"ended":         func(s *script, _ *call, id uint32) { s.headers(id, true, "200") },
			"ended by DATA": func(s *script, _ *call, id uint32) { s.reply(id, "unread") },
			"malformed":     func(s *script, _ *call, id uint32) { s.headers(id, false, ""); s.awaitReset(id) },
			"closed halfway": func(s *script, call *call, id uint32) {
				s.headers(id, false, "200")
				_ = call.response().Body.Close()
				s.awaitReset(id)
			},
		} {
			t.Run(name, func(t *testing.T) {
				play(t, func(t *testing.T, s *script) {
					one := s.get("/one")
					id := s.request().StreamID
					two := s.get("/two")
					s.none("one at a time", isRequest)
					give(s, one, id)
					f := s.request()
					require.Equal(t, "/two", f.value(":path"))
					s.reply(f.StreamID, "two")
					two.answers("two")
				}, maxStreams(1))
			})
		}
	})
	t.Run("one that is given up while it gets its slot gives it on", func(t *testing.T) {
		for range 50 {
			play(t, func(t *testing.T, s *script) {
				calls := s.queue(3)
				go calls[0].cancel()
				go calls[1].cancel()
				s.settings(maxStreams(1))
				for {
					f := s.request()
					if f.value(":path") == "/2" {
						s.reply(f.StreamID, "last")
						calls[2].answers("last")
						return
					}
					s.awaitReset(f.StreamID)
				}
			}, maxStreams(0))
		}
	})
	t.Run("a stream whose request is not over keeps its slot", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			one := s.postString("x")
			id := s.request().StreamID
			s.get("/two")
			s.none("one at a time", isRequest)
			s.headers(id, true, "200") // the body could not be sent
			one.answers("")
			s.awaitReset(id)
			require.Equal(t, "/two", s.request().value(":path"))
		}, maxStreams(1), initialWindow(0))
	})
	t.Run("waiting ends with the connection", func(t *testing.T) {
		for name, end := range map[string]func(s *script){
			"GOAWAY":       func(s *script) { s.goAway(1, http2.ErrCodeNo) },
			"GOAWAY later": func(s *script) { s.goAway(1<<31-1, http2.ErrCodeNo) },
			"closed":       func(s *script) { _ = s.conn.Close() },
			"closed by us": func(s *script) { _ = s.client.Close() },
			"broken":       func(s *script) { s.frame(http2.FramePing, 0, 1, nil) },
		} {
			t.Run(name, func(t *testing.T) {
				play(t, func(t *testing.T, s *script) {
					for range 3 {
						s.post(strings.NewReader("x"), 1)
					}
					s.none("there is no slot", isRequest)
					end(s)
					for _, call := range s.calls {
						require.ErrorIs(t, call.failure(), h2client.ErrUnusable)
						require.EqualValues(t, 1, call.body.closed.Load())
					}
				}, maxStreams(0))
			})
		}
	})
}
