package h2client_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

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
