package h2client_test

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/h2client"
)

// Whatever ends a connection that is busy, each request is told what became of it.

func TestCloseWhileBusy(t *testing.T) {
	everywhere(t, func(t *testing.T, plain bool) {
		s := newServer(t, plain, http.HTTP2Config{MaxConcurrentStreams: 10}, echo)
		for round := range 10 {
			c := s.dial(t)
			_, err := whole(c, s.request(t.Context(), "/", "")) // the server's SETTINGS have come
			require.NoError(t, err)
			content := large(20_000)
			var answered atomic.Int32
			var closing atomic.Bool
			enough := make(chan struct{})
			go func() {
				<-enough
				closing.Store(true)
				_ = c.Close()
			}()
			together(30, func(int) {
				for {
					got, err := whole(c, s.request(t.Context(), "/", content))
					if err != nil {
						assert.True(t, closing.Load(), "%v", err)
						return
					}
					assert.True(t, content == got, "cut off without an error")
					if answered.Add(1) == int32(round*10+1) {
						close(enough)
					}
				}
			})
		}
	})
}

// CloseIdle may come between any two steps of a request, and breaks none off.
func TestCloseIdleBreaksNothingOff(t *testing.T) {
	s := newServer(t, true, http.HTTP2Config{}, echo)
	for range 100 {
		c := s.dial(t)
		together(4, func(i int) {
			if i == 0 {
				for !c.CloseIdle() {
				}
				return
			}
			for {
				got, err := whole(c, s.request(t.Context(), "/", "content"))
				if err != nil {
					assert.ErrorIs(t, err, h2client.ErrUnusable)
					return
				}
				assert.Equal(t, "content", got)
			}
		})
	}
}

// A server that goes away in order loses nothing: a request is answered, or may be sent
// elsewhere.
func TestShutdownWhileBusy(t *testing.T) {
	everywhere(t, func(t *testing.T, plain bool) {
		s := newServer(t, plain, http.HTTP2Config{}, func(w http.ResponseWriter, r *http.Request) {
			content, _ := io.ReadAll(r.Body)
			_, _ = w.Write(content)
		})
		c := s.dial(t)
		_, err := whole(c, s.request(t.Context(), "/", ""))
		require.NoError(t, err)
		var answered atomic.Int32
		enough, down := make(chan struct{}), make(chan error, 1)
		go func() {
			<-enough
			down <- s.Config.Shutdown(context.WithoutCancel(t.Context()))
		}()
		together(30, func(int) {
			for {
				got, err := whole(c, s.request(t.Context(), "/", "content"))
				if err != nil {
					assert.ErrorIs(t, err, h2client.ErrUnusable)
					return
				}
				assert.Equal(t, "content", got)
				if answered.Add(1) == 100 {
					close(enough)
				}
			}
		})
		require.NoError(t, <-down)
	})
}
