package h2client_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"whatsappnode/adapters/h2client"
)

// flood sends frames until it is over, the client takes no more or it breaks off.
func (s *script) flood(frames []byte, rounds int) {
	s.t.Helper()
	_ = s.conn.SetWriteDeadline(time.Now().Add(patience))
	for range rounds {
		if _, err := s.conn.Write(frames); err != nil {
			return
		}
	}
	_ = s.conn.SetWriteDeadline(time.Time{})
}

// A server that asks for answers and does not take them must not fill the memory. The
// client may stop reading or break off.
func TestFloods(t *testing.T) {
	const frames = 500_000
	for name, c := range map[string]struct {
		frame []byte
	}{
		"PING":                                {rawFrame(http2.FramePing, 0, 0, make([]byte, 8))},
		"SETTINGS":                            {rawFrame(http2.FrameSettings, 0, 0, nil)},
		"SETTINGS that change windows":        {rawFrame(http2.FrameSettings, 0, 0, []byte{0, 4, 0, 0, 1, 0})},
		"RST_STREAM of a stream that is over": {rawFrame(http2.FrameRSTStream, 0, 1, make([]byte, 4))},
		"DATA of a stream that is over":       {rawFrame(http2.FrameData, 0, 1, nil)},
		"DATA with padding on it":             {rawFrame(http2.FrameData, http2.FlagDataPadded, 1, []byte{1, 0})},
		"HEADERS of a stream that is over":    {rawFrame(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 1, []byte{0x88})},
		"WINDOW_UPDATE of nothing":            {rawFrame(http2.FrameWindowUpdate, 0, 1, make([]byte, 4))},
		"PRIORITY":                            {rawFrame(http2.FramePriority, 0, 1, make([]byte, 5))},
		"unknown frames":                      {rawFrame(0xee, 0, 0, make([]byte, 10))},
		"empty DATA of an open stream":        {rawFrame(http2.FrameData, 0, 3, nil)},
		"1xx of an open stream":               {rawFrame(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 5, []byte{0x08, 3, '1', '0', '3'})},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				over := s.get("/over")
				s.request()
				over.cancel()
				_ = over.failure()
				s.awaitReset(1)
				s.answer("/open")
				s.get("/asked")
				s.request()
				synctest.Wait()
				before := heap()
				s.stop()
				s.flood(bytes.Repeat(c.frame, 1000), frames/1000)
				require.Less(t, heap()-before, int64(2<<20), "what waits to be written grows and grows")
				within(t, "Close", func() { _ = s.client.Close() })
			})
		})
	}
}

// Headers must not fill the memory either, before their end or after.
func TestFloodsOfHeaders(t *testing.T) {
	t.Run("that never end", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.get("/")
			s.request()
			before := heap()
			s.frame(http2.FrameHeaders, 0, 1, []byte{0x88})
			piece := append([]byte{0x00, 1, 'x', 0x7f, 0x80, 0x7e}, make([]byte, 16<<10-300)...)
			for i := range piece[6:] {
				piece[6+i] = 'v'
			}
			s.flood(rawFrame(http2.FrameContinuation, 0, 1, piece[:6+127+16128-127]), 4000) // 64 MB
			require.Less(t, heap()-before, int64(8<<20))
			s.awaitEnd()
			_ = call.failure()
			require.False(t, s.client.Usable())
		})
	})
	t.Run("that are empty and never end", func(t *testing.T) {
		timed(t, h2client.Options{PingAfter: 10 * time.Second, PingTimeout: 5 * time.Second}, func(t *testing.T, s *script) {
			call := s.get("/")
			s.request()
			s.frame(http2.FrameHeaders, 0, 1, []byte{0x88})
			for range 60 {
				s.flood(bytes.Repeat(rawFrame(http2.FrameContinuation, 0, 1, nil), 1000), 1)
				pass(time.Second)
			}
			_ = call.failure()
			require.False(t, s.client.Usable())
		})
	})
	t.Run("of many fields", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.get("/")
			s.request()
			fields := strings.Fields(strings.Repeat("a b ", 35_000))
			s.headers(1, true, "200", fields...)
			_ = call.failure()
			if s.client.Usable() { // it may as well break off
				s.alive()
			}
		})
	})
	t.Run("that are small and decode to much", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.get("/")
			s.request()
			before := heap()
			// One field of 4,000 bytes enters the table, and is then named 16,000 times.
			block := append([]byte{0x88, 0x40, 1, 'x', 0x7f, 0xa1, 0x1e}, bytes.Repeat([]byte{'v'}, 4000)...)
			s.frame(http2.FrameHeaders, 0, 1, block)
			s.flood(rawFrame(http2.FrameContinuation, 0, 1, bytes.Repeat([]byte{0xbe}, 16<<10)), 1)
			s.frame(http2.FrameContinuation, http2.FlagContinuationEndHeaders, 1, nil)
			_ = call.failure()
			require.Less(t, heap()-before, int64(8<<20))
		})
	})
	t.Run("1xx without end", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.get("/")
			s.request()
			before := heap()
			hint := rawFrame(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 1, append([]byte{0x08, 3, '1', '0', '3', 0x00, 1, 'x', 100}, bytes.Repeat([]byte{'v'}, 100)...))
			s.flood(bytes.Repeat(hint, 100), 1000)
			require.Less(t, heap()-before, int64(8<<20))
			call.cancel()
			_ = call.failure()
		})
	})
}

// What requests carry must not pile up in front of a server that does not read.
func TestBodiesForAServerThatDoesNotRead(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.update(0, 1<<30)
		synctest.Wait()
		content := strings.Repeat("x", 1<<20)
		before := heap()
		s.stop()
		for range 50 {
			s.postString(content)
		}
		synctest.Wait()
		require.Less(t, heap()-before, int64(16<<20))
		require.True(t, s.client.Usable(), "the server did nothing wrong")
		s.resume()
		for range 50 {
			id := s.request().StreamID
			require.Len(t, s.body(id, -1), 1<<20)
			s.reply(id, "ok")
		}
		for _, call := range s.calls {
			call.answers("ok")
		}
	}, initialWindow(1<<24))
}

// A server that takes nothing is left after a while, also where nobody pings it.
func TestAServerThatNeverReads(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		s.stop()
		call := s.postString(strings.Repeat("x", window)) // more than it has begun to read
		_ = call.failure()
		require.False(t, s.client.Usable())
	})
}
