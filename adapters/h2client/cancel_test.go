package h2client_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// A request can be given up at each stage. What the server knew of it is reset, and the
// others go on.
func TestCancel(t *testing.T) {
	t.Run("before it began", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			req := newRequest(t, "POST", "/", strings.NewReader("hello"), 5).WithContext(ctx)
			require.ErrorIs(t, s.send(req).failure(), context.Canceled)
			s.silent()
			s.alive()
		})
	})
	t.Run("while it waits for a slot", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.postString("hello")
			s.none("there is no slot", isRequest)
			call.cancel()
			require.ErrorIs(t, call.failure(), context.Canceled)
			s.silent()
			s.settings(maxStreams(1))
			s.alive()
		}, maxStreams(0))
	})
	t.Run("while it waits for the stream's window", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.postString("hello")
			id := s.request().StreamID
			s.none("the window is 0", isData)
			call.cancel()
			require.ErrorIs(t, call.failure(), context.Canceled)
			require.Equal(t, http2.ErrCodeCancel, s.awaitReset(id))
			s.silent()
			s.alive()
		}, initialWindow(0))
	})
	t.Run("while it waits for the connection's window", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.postString(strings.Repeat("x", 100_000))
			id := s.request().StreamID
			s.body(id, window)
			call.cancel()
			require.ErrorIs(t, call.failure(), context.Canceled)
			require.Equal(t, http2.ErrCodeCancel, s.awaitReset(id))
			s.update(0, 1<<20)
			s.silent()
			s.alive()
		}, initialWindow(1<<20))
	})
	t.Run("while it waits for its own body", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			r, w := io.Pipe()
			call := s.post(r, -1)
			id := s.request().StreamID
			_, _ = w.Write([]byte("hel"))
			s.body(id, 3)
			call.cancel()
			require.ErrorIs(t, call.failure(), context.Canceled)
			require.Equal(t, http2.ErrCodeCancel, s.awaitReset(id))
			s.alive()
		})
	})
	t.Run("while it waits for the answer", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.postString("hello")
			id := s.request().StreamID
			s.body(id, -1)
			call.cancel()
			require.ErrorIs(t, call.failure(), context.Canceled)
			require.Equal(t, http2.ErrCodeCancel, s.awaitReset(id))
			s.alive()
		})
	})
	t.Run("after 1xx", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.get("/")
			s.request()
			s.headers(1, false, "103")
			synctest.Wait()
			call.cancel()
			require.ErrorIs(t, call.failure(), context.Canceled)
			require.Equal(t, http2.ErrCodeCancel, s.awaitReset(1))
		})
	})
	t.Run("while its answer is read", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.get("/")
			s.request()
			s.headers(1, false, "200")
			resp := call.response()
			failed := make(chan error, 1)
			go func() {
				_, err := resp.Body.Read(make([]byte, 10))
				failed <- err
			}()
			synctest.Wait()
			call.cancel()
			within(t, "reading", func() { require.ErrorIs(t, <-failed, context.Canceled) })
			require.Equal(t, http2.ErrCodeCancel, s.awaitReset(1))
			_, err := resp.Body.Read(make([]byte, 10))
			require.ErrorIs(t, err, context.Canceled)
			s.alive()
		})
	})
	t.Run("while its answer is not read", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.get("/")
			s.request()
			s.headers(1, false, "200")
			resp := call.response()
			call.cancel()
			require.Equal(t, http2.ErrCodeCancel, s.awaitReset(1))
			_, err := resp.Body.Read(make([]byte, 10))
			require.ErrorIs(t, err, context.Canceled)
			s.alive()
		})
	})
	t.Run("when it is over", func(t *testing.T) {
		play(t, func(_ *testing.T, s *script) {
			call := s.get("/")
			s.request()
			s.reply(1, "hi")
			call.answers("hi")
			call.cancel()
			s.silent()
			s.alive()
		})
	})
	t.Run("when all of the answer has come and is not read", func(t *testing.T) {
		play(t, func(_ *testing.T, s *script) {
			call := s.get("/")
			s.request()
			s.reply(1, "hi")
			_ = call.response()
			synctest.Wait()
			call.cancel()
			_, _ = call.read() // either is right, but it ends
			s.silent()         // the stream was over for the server
			s.alive()
		})
	})
	t.Run("by its deadline", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			begin := time.Now()
			call := s.send(newRequest(t, "GET", "/", nil, 0).WithContext(ctx))
			s.request()
			require.ErrorIs(t, call.failure(), context.DeadlineExceeded)
			require.Equal(t, 3*time.Second, time.Since(begin))
			require.Equal(t, http2.ErrCodeCancel, s.awaitReset(1))
		})
	})
	t.Run("by its deadline, in the middle of the answer", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			call := s.send(newRequest(t, "GET", "/", nil, 0).WithContext(ctx))
			s.request()
			s.headers(1, false, "200")
			s.data(1, false, []byte("some"))
			got, err := call.read()
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, "some", got)
		})
	})
	t.Run("while the server reads nothing", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			s.stop()
			var calls []*call
			for range 20 {
				calls = append(calls, s.postString(strings.Repeat("x", 2000)))
			}
			synctest.Wait()
			for _, call := range calls {
				call.cancel()
			}
			for _, call := range calls {
				require.ErrorIs(t, call.failure(), context.Canceled)
			}
			s.resume()
			s.alive()
		})
	})
	t.Run("all at once", func(t *testing.T) {
		play(t, func(_ *testing.T, s *script) {
			for range 100 {
				s.get("/")
			}
			for range 50 {
				s.request()
			}
			for _, call := range s.calls {
				call.cancel()
			}
			for _, call := range s.calls {
				require.ErrorIs(s.t, call.failure(), context.Canceled)
			}
			s.settings(maxStreams(1))
			s.alive()
		}, maxStreams(50))
	})
}
