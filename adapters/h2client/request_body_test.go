package h2client_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRequestBody(t *testing.T) {
	t.Run("of a known length", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.postString("hello")
			f := s.request()
			require.Equal(t, []string{"5"}, f.values("content-length"))
			require.False(t, f.ended())
			require.Equal(t, "hello", string(s.body(f.StreamID, -1)))
			s.reply(f.StreamID, "ok")
			call.answers("ok")
			require.EqualValues(t, 1, call.body.closed.Load())
		})
	})
	t.Run("of an unknown length", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			s.post(strings.NewReader("hello"), -1)
			f := s.request()
			require.Empty(t, f.values("content-length"))
			require.Equal(t, "hello", string(s.body(f.StreamID, -1)))
		})
	})
	t.Run("a length that the caller set as a field does not count", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			req := newRequest(t, http.MethodPost, "/", strings.NewReader("hello"), 5)
			req.Header.Set("Content-Length", "99")
			s.send(req)
			require.Equal(t, []string{"5"}, s.request().values("content-length"))
		})
	})
	t.Run("none of a POST", func(t *testing.T) {
		for name, content := range map[string]io.ReadCloser{"nil": nil, "NoBody": http.NoBody} {
			t.Run(name, func(t *testing.T) {
				f := asked(t, func(r *http.Request) { r.Method, r.Body = http.MethodPost, content })
				require.True(t, f.ended())
				require.Equal(t, []string{"0"}, f.values("content-length"), "servers ask for it")
			})
		}
	})
	t.Run("none of an unknown length", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			s.post(strings.NewReader(""), -1)
			f := s.request()
			if !f.ended() {
				require.Empty(t, s.body(f.StreamID, -1))
			}
		})
	})
	for name, c := range map[string]struct {
		content io.Reader
		length  int64
	}{
		"shorter than its length": {strings.NewReader("hell"), 5},
		"longer than its length":  {strings.NewReader("hello!"), 5},
		"that breaks":             {io.MultiReader(strings.NewReader("he"), broken{}), 5},
		"that breaks at once":     {broken{}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				call := s.post(c.content, c.length)
				err := call.failure()
				if _, own := c.content.(*strings.Reader); !own {
					require.ErrorIs(t, err, errBroken)
				}
				id := s.request().StreamID
				s.awaitReset(id)
				s.none("the server must not take it for whole", func(f frame) bool { return isData(f) && f.ended() })
				s.alive()
			})
		})
	}
}

var errBroken = errors.New("the body broke")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }
