package h2client_test

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// bounded is more than any window that is still a bound.
const bounded = 64 << 20

// answer begins the answer to a new request.
func (s *script) answer(path string) (*call, uint32) {
	s.t.Helper()
	call := s.get(path)
	id := s.request().StreamID
	s.headers(id, false, "200")
	_ = call.response()
	return call, id
}

// fill sends as much as the client allows on a stream, in frames of at most this size, and
// returns how much it was.
func (s *script) fill(id uint32, frameSize int) int64 {
	s.t.Helper()
	sent := int64(0)
	for {
		synctest.Wait()
		s.mu.Lock()
		room := min(s.first+s.given[id], s.given[0])
		s.mu.Unlock()
		if room <= 0 {
			return sent
		}
		require.Less(s.t, sent, int64(bounded), "a stream that nobody reads has no bound")
		n := min(room, int64(frameSize))
		s.spend(id, n)
		_ = s.framer.WriteData(id, false, make([]byte, n))
		sent += n
	}
}

// spend takes bytes off both windows.
func (s *script) spend(id uint32, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.given[id] -= n
	s.given[0] -= n
}

func TestReceiveWindow(t *testing.T) {
	t.Run("a reader that does not read stops the server, and no one else", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			one, first := s.answer("/one")
			filled := s.fill(first, smallest)
			require.GreaterOrEqual(t, filled, int64(smallest))
			two, second := s.answer("/two")
			s.data(second, true, []byte("goes on"))
			two.answers("goes on")
			require.Positive(t, s.credit(0), "the connection has room")
			// Reading lets the server go on.
			resp := one.response()
			n, err := io.ReadFull(resp.Body, make([]byte, filled))
			require.NoError(t, err)
			require.EqualValues(t, filled, n)
			require.GreaterOrEqual(t, s.fill(first, smallest), filled/2)
			s.data(first, true, nil)
		})
	})
	t.Run("many readers that do not read leave room for one that does", func(t *testing.T) {
		play(t, func(_ *testing.T, s *script) {
			for range 50 {
				_, id := s.answer("/stalled")
				s.fill(id, smallest)
			}
			call, id := s.answer("/read")
			s.data(id, true, []byte("goes on"))
			require.Positive(s.t, s.credit(0), "the connection has room")
			call.answers("goes on")
		})
	})
	t.Run("a long answer gets through, read to its end", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call, id := s.answer("/")
			want := bytes.Repeat([]byte("0123456789abcdef"), 20<<20/16)
			go func() {
				rest := want
				for len(rest) > 0 {
					synctest.Wait()
					s.mu.Lock()
					n := min(s.first+s.given[id], s.given[0], int64(len(rest)), smallest)
					s.mu.Unlock()
					if n <= 0 {
						t.Error("the client reads and gives no room")
						_ = s.conn.Close()
						return
					}
					s.spend(id, n)
					_ = s.framer.WriteData(id, int(n) == len(rest), rest[:n])
					rest = rest[n:]
				}
			}()
			got, err := call.read()
			require.NoError(t, err)
			require.True(t, string(want) == got)
		})
	})
	t.Run("more than the window is an error", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call, id := s.answer("/")
			s.fill(id, smallest)
			s.data(id, false, []byte("x"))
			require.Equal(t, http2.ErrCodeFlowControl, s.awaitReset(id))
			within(t, "reading", func() {
				_, err := io.ReadAll(call.response().Body)
				require.Error(t, err)
			})
			s.alive()
		})
	})
	t.Run("padding takes room, too, and gives it back", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call, id := s.answer("/")
			before := s.credit(id)
			padding := append([]byte{255}, make([]byte, 255)...)
			for range 4 * before / 256 {
				synctest.Wait()
				s.mu.Lock()
				room := min(s.first+s.given[id], s.given[0])
				s.mu.Unlock()
				require.GreaterOrEqual(t, room, int64(256), "padding is never given back")
				s.spend(id, 256)
				s.frame(http2.FrameData, http2.FlagDataPadded, id, padding)
			}
			s.data(id, true, []byte("ok"))
			call.answers("ok")
		})
	})
	t.Run("padding over the window is an error", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			_, id := s.answer("/")
			s.fill(id, smallest)
			s.frame(http2.FrameData, http2.FlagDataPadded, id, []byte{0})
			require.Equal(t, http2.ErrCodeFlowControl, s.awaitReset(id))
		})
	})
}
