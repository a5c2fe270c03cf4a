package h2client_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// Frames of a stream that is over: the server sent them before it knew.
func TestFramesOfThePast(t *testing.T) {
	for name, say := range map[string]func(s *script){
		"WINDOW_UPDATE":              func(s *script) { s.update(1, 100) },
		"WINDOW_UPDATE of nothing":   func(s *script) { s.update(1, 0) },
		"WINDOW_UPDATE, far too big": func(s *script) { s.update(1, 1<<31-1); s.update(1, 1<<31-1) },
		"RST_STREAM":                 func(s *script) { s.reset(1, http2.ErrCodeCancel) },
		"DATA":                       func(s *script) { s.data(1, false, []byte("late")); s.data(1, true, []byte("late")) },
		"HEADERS":                    func(s *script) { s.headers(1, false, "200") },
		"all":                        func(s *script) { s.reply(1, "late") },
		"malformed HEADERS":          func(s *script) { s.headers(1, false, "", "X", "y") },
		"PRIORITY":                   func(s *script) { s.frame(http2.FramePriority, 0, 1, make([]byte, 5)) },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(_ *testing.T, s *script) {
				call := s.get("/")
				s.request()
				call.cancel()
				_ = call.failure()
				s.awaitReset(1)
				say(s)
				s.none("a stream is reset once", func(f frame) bool { return f.Type == http2.FrameRSTStream })
				s.alive()
			})
		})
	}
	t.Run("headers of the past fill the table", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.get("/")
			s.request()
			call.cancel()
			s.awaitReset(1)
			s.headers(1, false, "200", "x-new", "once") // enters the table
			next := s.get("/next")
			s.headers(s.request().StreamID, true, "200", "x-new", "once")
			require.Equal(t, "once", next.response().Header.Get("X-New"))
		})
	})
	t.Run("malformed headers fill the table", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.get("/")
			s.request()
			s.headers(1, false, "200", "BAD", "name", "x-new", "once")
			_ = call.failure()
			next := s.get("/next")
			s.headers(s.request().StreamID, true, "200", "x-new", "once")
			require.Equal(t, "once", next.response().Header.Get("X-New"))
		})
	})
	t.Run("headers that are too large fill the table", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.get("/")
			s.request()
			block := s.encode("200", "x-large", strings.Repeat("x", 2000), "x-last", "twice")
			s.frame(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 1, append(block, bytes.Repeat([]byte{0xbf}, 40)...))
			_ = call.failure()
			next := s.get("/next")
			s.headers(s.request().StreamID, true, "200", "x-last", "twice")
			require.Equal(t, "twice", next.response().Header.Get("X-Last"))
		})
	})
	t.Run("frames after the end of a response do not change it", func(t *testing.T) {
		for name, say := range map[string]func(s *script){
			"DATA":       func(s *script) { s.data(1, true, []byte("more")) },
			"HEADERS":    func(s *script) { s.headers(1, true, "500") },
			"RST_STREAM": func(s *script) { s.reset(1, http2.ErrCodeInternal) },
		} {
			t.Run(name, func(t *testing.T) {
				play(t, func(t *testing.T, s *script) {
					call := s.get("/")
					s.request()
					s.reply(1, "whole")
					resp := call.response()
					say(s)
					require.Equal(t, 200, resp.StatusCode)
					call.answers("whole")
				})
			})
		}
	})
}
