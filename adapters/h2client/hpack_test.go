package h2client_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

func tableSize(n uint32) http2.Setting {
	return http2.Setting{ID: http2.SettingHeaderTableSize, Val: n}
}

// ask sends a request with fields that a table would remember.
func (s *script) ask(t *testing.T) frame {
	t.Helper()
	req := newRequest(t, http.MethodGet, "/path", nil, 0)
	req.Header.Set("X-Same", strings.Repeat("same", 20))
	call := s.send(req)
	f := s.request()
	s.headers(f.StreamID, true, "200")
	call.answers("")
	return f
}

func TestHeaderTable(t *testing.T) {
	t.Run("what is sent again costs less", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			first := s.ask(t)
			again := s.ask(t)
			require.Less(t, len(again.block), len(first.block)/2)
			require.Equal(t, first.fields, again.fields)
		})
	})
	t.Run("a server without a table", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			first := s.ask(t)
			s.settings(tableSize(0))
			s.decoder.SetAllowedMaxDynamicTableSize(0)
			next := s.ask(t)
			require.EqualValues(t, 0x20, next.block[0], "the change comes first in the next headers")
			s.decoder = hpack.NewDecoder(0, nil) // what was in the table is gone
			require.Equal(t, first.fields, s.ask(t).fields)
		})
	})
	t.Run("from the beginning", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			s.decoder = hpack.NewDecoder(0, nil)
			s.ask(t)
			s.ask(t)
		}, tableSize(0))
	})
	t.Run("a table that shrinks and grows again is empty in between", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			first := s.ask(t)
			s.settings(tableSize(0), tableSize(4096))
			next := s.ask(t)
			require.EqualValues(t, 0x20, next.block[0], "the smallest size must be told")
			require.Equal(t, first.fields, next.fields)
			require.Equal(t, first.fields, s.ask(t).fields)
		})
	})
	t.Run("a table that grows", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			s.decoder.SetAllowedMaxDynamicTableSize(1 << 16)
			s.settings(tableSize(1 << 16))
			first := s.ask(t)
			require.Equal(t, first.fields, s.ask(t).fields)
		})
	})
	t.Run("fields that push others out", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			for range 30 { // many fields that differ push others out
				req := newRequest(t, http.MethodGet, "/", nil, 0)
				for i := range 60 {
					req.Header.Set("X-"+strings.Repeat("a", i+1), strings.Repeat("v", 100+i))
				}
				call := s.send(req)
				f := s.request()
				require.Equal(t, strings.Repeat("v", 159), f.value("x-"+strings.Repeat("a", 60)))
				s.headers(f.StreamID, true, "200")
				call.answers("")
			}
		})
	})
	t.Run("the server's table is the client's", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			for i := range 100 {
				call := s.get("/")
				s.headers(s.request().StreamID, true, "200", "x-same", "same", "x-other", strings.Repeat("o", i*13))
				require.Equal(t, strings.Repeat("o", i*13), call.response().Header.Get("X-Other"))
				require.Equal(t, "same", call.response().Header.Get("X-Same"))
			}
		})
	})
	t.Run("the server makes its table smaller", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			for _, size := range []uint32{4096, 100, 0, 50, 4096} {
				s.encoder.SetMaxDynamicTableSize(size)
				for range 2 {
					call := s.get("/")
					s.headers(s.request().StreamID, true, "200", "x-same", "same")
					require.Equal(t, "same", call.response().Header.Get("X-Same"))
				}
			}
		})
	})
	t.Run("requests of many goroutines", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			for i := range 50 {
				req := newRequest(t, http.MethodGet, "/", nil, 0)
				req.Header.Set("X-Number", strings.Repeat("n", i))
				s.send(req)
			}
			seen := map[string]bool{}
			last := uint32(0)
			for range 50 {
				f := s.request()
				require.Greater(t, f.StreamID, last)
				last = f.StreamID
				seen[f.value("x-number")] = true
			}
			require.Len(t, seen, 50)
		})
	})
}
