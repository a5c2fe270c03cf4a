package h2client_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/h2client"
)

func TestServerEndsInTheMiddle(t *testing.T) {
	everywhere(t, func(t *testing.T, plain bool) {
		begun := make(chan struct{}, 100)
		s := newServer(t, plain, http.HTTP2Config{}, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "some")
			w.(http.Flusher).Flush()
			begun <- struct{}{}
			<-r.Context().Done()
		})
		c := s.dial(t)
		go func() {
			for range 20 {
				<-begun
			}
			s.CloseClientConnections()
		}()
		together(20, func(int) {
			got, err := whole(c, s.request(t.Context(), "/", ""))
			assert.Error(t, err)
			assert.NotErrorIs(t, err, h2client.ErrUnusable)
			assert.Contains(t, []string{"some", ""}, got)
		})
		require.Eventually(t, func() bool { return !c.Usable() }, patience, time.Millisecond)
		_, err := whole(c, s.request(t.Context(), "/", ""))
		require.ErrorIs(t, err, h2client.ErrUnusable)
	})
}

func TestServerAborts(t *testing.T) {
	everywhere(t, func(t *testing.T, plain bool) {
		s := newServer(t, plain, http.HTTP2Config{}, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/late" {
				_, _ = io.WriteString(w, "some")
				w.(http.Flusher).Flush()
			}
			if r.URL.Path != "/fine" {
				panic(http.ErrAbortHandler)
			}
		})
		c := s.dial(t)
		for _, path := range []string{"/", "/late"} {
			_, err := whole(c, s.request(t.Context(), path, "x"))
			require.Error(t, err, path)
			require.NotErrorIs(t, err, h2client.ErrUnusable)
		}
		_, err := whole(c, s.request(t.Context(), "/fine", "x"))
		require.NoError(t, err)
	})
}

func TestServerShutsDown(t *testing.T) {
	everywhere(t, func(t *testing.T, plain bool) {
		begun, end := make(chan struct{}), make(chan struct{})
		s := newServer(t, plain, http.HTTP2Config{}, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			close(begun)
			<-end
			_, _ = io.WriteString(w, "whole")
		})
		c := s.dial(t)
		resp, err := c.RoundTrip(s.request(t.Context(), "/", ""))
		require.NoError(t, err)
		<-begun
		down := make(chan error, 1)
		go func() { down <- s.Config.Shutdown(context.WithoutCancel(t.Context())) }()
		require.Eventually(t, func() bool { return !c.Usable() }, patience, time.Millisecond)
		_, err = c.RoundTrip(s.request(t.Context(), "/late", ""))
		require.ErrorIs(t, err, h2client.ErrUnusable)
		close(end)
		got, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, "whole", string(got))
		require.NoError(t, <-down)
	})
}

func TestServerRefusesABody(t *testing.T) {
	everywhere(t, func(t *testing.T, plain bool) {
		s := newServer(t, plain, http.HTTP2Config{}, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/fine" {
				return
			}
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		})
		c := s.dial(t)
		for range 20 {
			resp, err := c.RoundTrip(s.request(t.Context(), "/", large(5<<20)))
			require.NoError(t, err)
			require.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
			got, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, "too large\n", string(got))
			_ = resp.Body.Close()
		}
		_, err := whole(c, s.request(t.Context(), "/fine", ""))
		require.NoError(t, err)
	})
}
