package h2client_test

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// The body of an answer may be closed at any time.
func TestCloseBody(t *testing.T) {
	begun := func(s *script) *http.Response {
		call := s.get("/")
		s.request()
		s.headers(1, false, "200")
		return call.response()
	}
	t.Run("in the middle", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			resp := begun(s)
			s.data(1, false, []byte("abc"))
			require.NoError(t, resp.Body.Close())
			require.Equal(t, http2.ErrCodeCancel, s.awaitReset(1))
			require.NoError(t, resp.Body.Close())
			_, err := resp.Body.Read(make([]byte, 1))
			require.Error(t, err)
			require.False(t, errors.Is(err, io.EOF), "what was closed was not read to its end")
			s.silent()
			s.alive()
		})
	})
	t.Run("while it is read", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			resp := begun(s)
			failed := make(chan error, 1)
			go func() {
				_, err := resp.Body.Read(make([]byte, 1))
				failed <- err
			}()
			synctest.Wait()
			require.NoError(t, resp.Body.Close())
			within(t, "reading", func() { require.Error(t, <-failed) })
			require.Equal(t, http2.ErrCodeCancel, s.awaitReset(1))
			s.alive()
		})
	})
	t.Run("when all has come and was not read", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			resp := begun(s)
			s.data(1, true, []byte("abc"))
			synctest.Wait()
			require.NoError(t, resp.Body.Close())
			_, err := resp.Body.Read(make([]byte, 1))
			require.Error(t, err)
			require.False(t, errors.Is(err, io.EOF), "what was closed was not read to its end")
			s.silent()
			s.alive()
		})
	})
	t.Run("after a reset", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			resp := begun(s)
			s.reset(1, http2.ErrCodeInternal)
			synctest.Wait()
			_ = resp.Body.Close()
			s.silent()
			s.alive()
		})
	})
	t.Run("after the connection", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			resp := begun(s)
			_ = s.client.Close()
			_, err := resp.Body.Read(make([]byte, 1))
			require.Error(t, err)
			require.False(t, errors.Is(err, io.EOF))
			within(t, "closing", func() { _ = resp.Body.Close() })
		})
	})
}
