package h2client_test

import (
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

func initialWindow(n uint32) http2.Setting {
	return http2.Setting{ID: http2.SettingInitialWindowSize, Val: n}
}

func isData(f frame) bool { return f.Type == http2.FrameData }

// sent counts the bytes of bodies that have come and forgets them.
func (s *script) sent(id uint32) int {
	s.t.Helper()
	s.none("nothing", func(frame) bool { return false }) // everything has come
	n, rest := 0, s.pending[:0]
	for _, f := range s.pending {
		if on(http2.FrameData, id)(f) {
			n += len(f.data)
			continue
		}
		rest = append(rest, f)
	}
	s.pending = rest
	return n
}

func TestSendWindow(t *testing.T) {
	t.Run("a body waits for the stream's window, byte by byte", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.postString("hello world")
			id := s.request().StreamID
			s.none("the window is 0", isData)
			s.update(id, 5)
			require.Equal(t, 5, s.sent(id))
			s.update(id, 1)
			require.Equal(t, 1, s.sent(id))
			s.update(id, 100)
			require.Equal(t, " world"[1:], string(s.body(id, -1)))
			s.reply(id, "ok")
			call.answers("ok")
		}, initialWindow(0))
	})
	t.Run("SETTINGS do not move the connection's window", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.postString(strings.Repeat("x", 200_000))
			id := s.request().StreamID
			require.Equal(t, window, s.sent(id))
			s.settings(initialWindow(1 << 30))
			require.Zero(t, s.sent(id))
			s.update(0, 10)
			require.Equal(t, 10, s.sent(id))
			s.update(0, 1<<20)
			require.Equal(t, 200_000-window-10, len(s.body(id, -1)))
			s.reply(id, "ok")
			call.answers("ok")
		}, initialWindow(1<<20))
	})
	t.Run("a window that grows lets streams go on that are open", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			s.postString(strings.Repeat("x", 1000))
			id := s.request().StreamID
			require.Equal(t, 100, s.sent(id))
			s.settings(initialWindow(150))
			require.Equal(t, 50, s.sent(id))
			s.settings(initialWindow(2000))
			require.Equal(t, 850, len(s.body(id, -1)))
		}, initialWindow(100))
	})
	t.Run("a window under 0 must be filled first", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			s.postString(strings.Repeat("x", 1000))
			id := s.request().StreamID
			require.Equal(t, 100, s.sent(id))
			s.settings(initialWindow(40)) // -60
			s.update(id, 60)
			require.Zero(t, s.sent(id))
			s.update(id, 7)
			require.Equal(t, 7, s.sent(id))
			s.settings(initialWindow(0)) // -40
			s.settings(initialWindow(90))
			require.Equal(t, 50, s.sent(id))
		}, initialWindow(100))
	})
	t.Run("a new stream has the window of now", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			s.settings(initialWindow(3))
			s.postString("hello")
			id := s.request().StreamID
			require.Equal(t, 3, s.sent(id))
		}, initialWindow(100))
	})
	t.Run("the last of one SETTINGS frame counts", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			s.postString("hello")
			id := s.request().StreamID
			s.settings(initialWindow(100), initialWindow(2))
			require.Equal(t, 2, s.sent(id))
		}, initialWindow(0))
	})
	t.Run("a stream without window does not hold up others", func(t *testing.T) {
		play(t, func(_ *testing.T, s *script) {
			one := s.postString("first")
			first := s.request().StreamID
			two := s.postString("second")
			second := s.request().StreamID
			s.update(second, 100)
			s.body(second, -1)
			s.reply(second, "two")
			two.answers("two")
			s.update(first, 100)
			s.body(first, -1)
			s.reply(first, "one")
			one.answers("one")
		}, initialWindow(0))
	})
	t.Run("streams share the connection's window", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			var ids []uint32
			for range 4 {
				s.postString(strings.Repeat("x", 40_000))
				ids = append(ids, s.request().StreamID)
			}
			sum := 0
			for _, id := range ids {
				sum += s.sent(id)
			}
			require.Equal(t, window, sum)
			s.update(0, 1<<20)
			for _, id := range ids {
				sum += s.sent(id)
			}
			require.Equal(t, 160_000, sum)
		})
	})
	t.Run("a stream that is reset gives up its wait for the connection's window", func(t *testing.T) {
		play(t, func(_ *testing.T, s *script) {
			one := s.postString(strings.Repeat("x", window+1))
			first := s.request().StreamID
			s.body(first, window)
			two := s.postString("second")
			second := s.request().StreamID
			s.reset(first, http2.ErrCodeInternal)
			_ = one.failure()
			s.update(0, 6)
			s.body(second, -1)
			s.reply(second, "two")
			two.answers("two")
		})
	})
	t.Run("an empty body needs no window", func(t *testing.T) {
		play(t, func(_ *testing.T, s *script) {
			s.post(strings.NewReader(""), -1)
			s.body(s.request().StreamID, -1)
		}, initialWindow(0))
	})
	t.Run("a body in pieces leaves in pieces", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			r, w := io.Pipe()
			call := s.post(r, -1)
			id := s.request().StreamID
			for _, piece := range []string{"one", "two", "three"} {
				_, _ = io.WriteString(w, piece)
				require.Equal(t, piece, string(s.body(id, len(piece))))
			}
			_ = w.Close()
			require.Empty(t, s.body(id, -1))
			s.reply(id, "ok")
			call.answers("ok")
		})
	})
}

// Windows of the peer that it may not have.
func TestSendWindowOverflow(t *testing.T) {
	t.Run("of a stream", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.get("/")
			id := s.request().StreamID
			s.update(id, math.MaxInt32)
			_ = call.failure()
			require.Equal(t, http2.ErrCodeFlowControl, s.awaitReset(id))
			s.alive()
		})
	})
	t.Run("of a stream, by nothing", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.get("/")
			id := s.request().StreamID
			s.update(id, 0)
			_ = call.failure()
			require.Equal(t, http2.ErrCodeProtocol, s.awaitReset(id))
			s.alive()
		})
	})
	t.Run("of an open stream, by SETTINGS", func(t *testing.T) {
		play(t, func(_ *testing.T, s *script) {
			call := s.get("/")
			id := s.request().StreamID
			s.update(id, math.MaxInt32-window)
			s.alive()
			_ = s.framer.WriteSettings(initialWindow(window + 1))
			s.dead(http2.ErrCodeFlowControl)
			_ = call.failure()
		})
	})
	t.Run("up to the limit is no overflow", func(t *testing.T) {
		play(t, func(_ *testing.T, s *script) {
			call := s.get("/")
			id := s.request().StreamID
			s.update(id, math.MaxInt32-window)
			s.update(0, math.MaxInt32-window)
			s.alive()
			s.reply(id, "ok")
			call.answers("ok")
		})
	})
}
