package h2client_test

import (
	"bytes"
	"io"
	"strings"
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

// What nobody will read does not stay in the connection's window for ever.
func TestConnectionWindowComesBack(t *testing.T) {
	for name, give := range map[string]func(s *script, call *call, id uint32){
		"closed":   func(_ *script, call *call, _ uint32) { _ = call.got.Body.Close() },
		"canceled": func(_ *script, call *call, _ uint32) { call.cancel() },
		"reset": func(s *script, call *call, id uint32) {
			s.reset(id, http2.ErrCodeInternal)
			synctest.Wait()
			_ = call.got.Body.Close()
		},
		"ended, then closed": func(s *script, call *call, id uint32) {
			s.data(id, true, nil)
			synctest.Wait()
			_ = call.got.Body.Close()
		},
		"canceled and closed": func(_ *script, call *call, _ uint32) { call.cancel(); synctest.Wait(); _ = call.got.Body.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				var lost int64
				for range 8 {
					call, id := s.answer("/")
					lost += s.fill(id, smallest)
					give(s, call, id)
					synctest.Wait()
				}
				s.mu.Lock()
				missing := lost
				room := s.given[0]
				s.mu.Unlock()
				require.Positive(t, room)
				require.GreaterOrEqual(t, missing, int64(8*smallest))
				// Many more of the same leave no less.
				for range 24 {
					call, id := s.answer("/")
					s.fill(id, smallest)
					give(s, call, id)
					synctest.Wait()
				}
				s.mu.Lock()
				later := s.given[0]
				s.mu.Unlock()
				require.GreaterOrEqual(t, later, room/2, "the connection's window gets smaller and smaller")
			})
		})
	}
	t.Run("DATA after a reset", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call, id := s.answer("/")
			_ = call.got.Body.Close()
			s.awaitReset(id)
			synctest.Wait()
			s.mu.Lock()
			before := s.given[0]
			s.mu.Unlock()
			for range 4 * before / smallest {
				synctest.Wait()
				s.mu.Lock()
				room := s.given[0]
				s.mu.Unlock()
				require.GreaterOrEqual(t, room, int64(smallest), "what came late is never given back")
				s.spend(id, smallest)
				_ = s.framer.WriteData(id, false, make([]byte, smallest))
				if before > bounded {
					break
				}
			}
			s.alive()
		})
	})
	t.Run("DATA that is malformed", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			synctest.Wait()
			s.mu.Lock()
			before := s.given[0]
			s.mu.Unlock()
			for range 200 {
				call := s.get("/")
				id := s.request().StreamID
				s.spend(id, smallest)
				s.data(id, true, make([]byte, smallest)) // no HEADERS
				_ = call.failure()
			}
			synctest.Wait()
			s.mu.Lock()
			after := s.given[0]
			s.mu.Unlock()
			require.GreaterOrEqual(t, after, before/2)
		})
	})
}

// Small frames must not cost far more memory than they carry.
func TestSmallFramesCostLittle(t *testing.T) {
	for name, size := range map[string]int{"empty": 0, "of a byte": 1} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				_, id := s.answer("/")
				before := heap()
				frames := bytes.Repeat(rawFrame(http2.FrameData, 0, id, make([]byte, size)), 1000)
				for range 50 {
					if int64(size)*51_000 > s.credit(id) && size > 0 {
						break
					}
					_, _ = s.conn.Write(frames)
				}
				synctest.Wait()
				require.Less(t, heap()-before, int64(8<<20))
			})
		})
	}
}

func TestAnswersDoNotShareMemory(t *testing.T) {
	play(t, func(_ *testing.T, s *script) {
		var calls []*call
		for i := range 20 {
			call, id := s.answer("/")
			calls = append(calls, call)
			s.data(id, true, []byte(strings.Repeat(string(rune('a'+i)), 10_000)))
		}
		for i, call := range calls {
			call.answers(strings.Repeat(string(rune('a'+i)), 10_000))
		}
	})
}
