package h2client_test

import (
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// An answer may come before the whole request was sent: the rest is not.
func TestEarlyAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		say  func(s *script)
		body string
	}{
		"whole":         {func(s *script) { s.headers(1, false, "413"); s.data(1, true, []byte("too large")) }, "too large"},
		"in one frame":  {func(s *script) { s.headers(1, true, "413") }, ""},
		"with trailers": {func(s *script) { s.headers(1, false, "413"); s.headers(1, true, "", "x", "y") }, ""},
		"with a reset, as servers do": {func(s *script) {
			s.headers(1, false, "413")
			s.data(1, true, []byte("too large"))
			s.reset(1, http2.ErrCodeNo)
		}, "too large"},
	} {
		t.Run(name+", while it waits for a window", func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				call := s.postString("hello")
				s.request()
				c.say(s)
				require.Equal(t, 413, call.response().StatusCode)
				call.answers(c.body)
				require.Positive(t, call.body.closed.Load())
				s.update(1, 100)
				s.none("the rest is not sent", isData)
				if !strings.Contains(name, "reset") { // whichever is first then
					s.awaitReset(1)
				}
				s.alive()
			}, initialWindow(0))
		})
		t.Run(name+", while it waits for its own body", func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				r, w := io.Pipe()
				defer w.Close()
				call := s.post(r, -1)
				s.request()
				c.say(s)
				require.Equal(t, 413, call.response().StatusCode)
				call.answers(c.body)
				require.Positive(t, call.body.closed.Load())
				s.alive()
			})
		})
	}
	for _, status := range []string{"307", "413", "500"} {
		t.Run("its headers only, "+status, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				call := s.postString("hello")
				s.request()
				s.headers(1, false, status)
				resp := call.response()
				require.Equal(t, status, strconv.Itoa(resp.StatusCode))
				s.update(1, 100)
				s.none("the rest is not sent", isData)
				s.data(1, true, []byte("too large"))
				call.answers("too large")
				s.awaitReset(1)
				s.silent()
				s.alive()
			}, initialWindow(0))
		})
	}
	t.Run("its headers only, of success", func(t *testing.T) { // it may be made while the question comes
		play(t, func(t *testing.T, s *script) {
			call := s.postString("hello")
			s.request()
			s.headers(1, false, "200")
			s.none("the window is 0", isData)
			s.update(1, 100)
			require.Equal(t, "hello", string(s.body(1, -1)))
			s.data(1, true, []byte("ok"))
			call.answers("ok")
			s.silent()
		}, initialWindow(0))
	})
	t.Run("100 is no answer", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.postString("hello")
			s.request()
			s.headers(1, false, "100")
			s.none("the window is 0", isData)
			s.update(1, 100)
			require.Equal(t, "hello", string(s.body(1, -1)))
			s.reply(1, "ok")
			call.answers("ok")
		}, initialWindow(0))
	})
}

// stubborn is a body whose reading does not end when it is closed.
type stubborn chan struct{}

func (s stubborn) Read([]byte) (int, error) {
	<-s
	return 0, io.EOF
}

func TestFramesAfterAnEarlyAnswer(t *testing.T) {
	for name, say := range map[string]func(s *script){
		"DATA":           func(s *script) { s.data(1, false, []byte(" and more")) },
		"the end's DATA": func(s *script) { s.data(1, true, []byte(" and more")) },
		"HEADERS":        func(s *script) { s.headers(1, true, "500") },
		"RST_STREAM":     func(s *script) { s.reset(1, http2.ErrCodeNo) },
		"WINDOW_UPDATE":  func(s *script) { s.update(1, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				release := make(stubborn)
				call := s.post(release, -1)
				s.request()
				s.reply(1, "whole")
				say(s)
				s.frame(http2.FramePing, 0, 0, make([]byte, 8))
				s.await("answer to PING", func(f frame) bool { return f.Type == http2.FramePing })
				close(release)
				require.Equal(t, 200, call.response().StatusCode)
				call.answers("whole")
				s.alive()
			})
		})
	}
}
