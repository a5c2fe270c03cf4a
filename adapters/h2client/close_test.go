package h2client_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"whatsappnode/adapters/h2client"
)

func TestClose(t *testing.T) {
	t.Run("breaks everything off", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			open := s.get("/open")
			s.request()
			read, id := s.answer("/read")
			s.data(id, false, []byte("some"))
			sending := s.postString(strings.Repeat("x", 100_000))
			s.request()
			s.settings(maxStreams(3))
			waiting := s.get("/waiting")
			s.none("there is no slot", isRequest)
			within(t, "Close", func() { require.NoError(t, s.client.Close()) })
			require.False(t, s.client.Usable())
			require.NotErrorIs(t, open.failure(), h2client.ErrUnusable, "the server may have acted on it")
			_ = sending.failure()
			require.ErrorIs(t, waiting.failure(), h2client.ErrUnusable)
			_, err := read.read()
			require.Error(t, err)
			s.awaitEnd()
		})
	})
	t.Run("is idempotent, also from many sides", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			var all sync.WaitGroup
			for range 10 {
				all.Go(func() { _ = s.client.Close() })
			}
			within(t, "Close", all.Wait)
			require.NoError(t, s.client.Close())
			require.False(t, s.client.CloseIdle() && s.client.Usable())
		})
	})
	t.Run("nothing goes afterwards", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			_ = s.client.Close()
			call := s.postString("hello")
			require.ErrorIs(t, call.failure(), h2client.ErrUnusable)
			require.EqualValues(t, 1, call.body.closed.Load())
		})
	})
	t.Run("does not wait for a server that reads nothing", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			s.stop()
			for range 20 {
				s.postString(strings.Repeat("x", 3000))
			}
			synctest.Wait()
			within(t, "Close", func() { _ = s.client.Close() })
			for _, call := range s.calls {
				_ = call.failure()
			}
		})
	})
	t.Run("waits until nothing is left", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			slow := &slowToClose{Conn: ours}
			c := h2client.New(slow, h2client.Options{})
			go func() { _, _ = io.Copy(io.Discard, theirs) }()
			within(t, "Close", func() { _ = c.Close() })
			require.True(t, slow.closed.Load())
		})
	})
	t.Run("before the server has said anything", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			c := h2client.New(ours, h2client.Options{})
			within(t, "Close", func() { _ = c.Close() })
			_ = theirs.Close()
		})
	})
	t.Run("on a connection that had ended", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			_ = theirs.Close()
			c := h2client.New(ours, h2client.Options{})
			synctest.Wait()
			require.False(t, c.Usable())
			_, err := c.RoundTrip(newRequest(t, "GET", "/", nil, 0))
			require.ErrorIs(t, err, h2client.ErrUnusable)
			within(t, "Close", func() { _ = c.Close() })
		})
	})
}

// slowToClose is a connection that takes its time to close.
type slowToClose struct {
	net.Conn
	closed atomic.Bool
}

func (s *slowToClose) Close() error {
	err := s.Conn.Close()
	time.Sleep(time.Second)
	s.closed.Store(true)
	return err
}

func TestCloseIdle(t *testing.T) {
	t.Run("says good-bye when nothing is under way", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			s.alive()
			within(t, "CloseIdle", func() { require.True(t, s.client.CloseIdle()) })
			code, told := s.awaitEnd()
			require.True(t, told)
			require.Equal(t, http2.ErrCodeNo, code)
			require.False(t, s.client.Usable())
			require.ErrorIs(t, s.get("/").failure(), h2client.ErrUnusable)
		})
	})
	t.Run("leaves requests alone", func(t *testing.T) {
		for name, begin := range map[string]func(s *script) func(){
			"that wait for their answer": func(s *script) func() {
				call := s.get("/")
				id := s.request().StreamID
				return func() { s.reply(id, "ok"); call.answers("ok") }
			},
			"whose answer is read": func(s *script) func() {
				call, id := s.answer("/")
				return func() { s.data(id, true, []byte("ok")); call.answers("ok") }
			},
			"that wait for a slot": func(s *script) func() {
				s.settings(maxStreams(0))
				call := s.get("/")
				s.none("there is no slot", isRequest)
				return func() {
					s.settings(maxStreams(9))
					s.reply(s.request().StreamID, "ok")
					call.answers("ok")
				}
			},
		} {
			t.Run(name, func(t *testing.T) {
				play(t, func(t *testing.T, s *script) {
					end := begin(s)
					require.False(t, s.client.CloseIdle())
					require.True(t, s.client.Usable())
					s.silent()
					end()
					synctest.Wait()
					require.True(t, s.client.CloseIdle())
				})
			})
		}
	})
	t.Run("does not wait for a server that reads nothing", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			s.stop()
			within(t, "CloseIdle", func() { require.True(t, s.client.CloseIdle()) })
		})
	})
}

// What becomes of requests when the connection ends by itself.
func TestConnectionEnds(t *testing.T) {
	t.Run("while they wait for their answer", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			var calls []*call
			for range 10 {
				calls = append(calls, s.postString("hello"))
				s.body(s.request().StreamID, -1)
			}
			_ = s.conn.Close()
			for _, call := range calls {
				require.NotErrorIs(t, call.failure(), h2client.ErrUnusable, "the server may have acted on it")
			}
			require.False(t, s.client.Usable())
			require.ErrorIs(t, s.get("/").failure(), h2client.ErrUnusable)
		})
	})
	t.Run("what had come is read first", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call, id := s.answer("/")
			s.data(id, false, []byte("some"))
			synctest.Wait()
			_ = s.conn.Close()
			got, err := call.read()
			require.Error(t, err)
			require.Equal(t, "some", got)
		})
	})
	t.Run("a whole answer stays whole", func(t *testing.T) {
		play(t, func(_ *testing.T, s *script) {
			call := s.get("/")
			s.request()
			s.reply(1, "whole")
			synctest.Wait()
			_ = s.conn.Close()
			synctest.Wait()
			call.answers("whole")
		})
	})
}
