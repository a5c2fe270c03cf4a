package h2client_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// Whoever counts what is on a connection is told once of the end of each request.
func TestDoTellsOfTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		settings []http2.Setting
		content  string
		length   int64
		// early is what comes before the end, at which nothing may have been said.
		early func(s *script, call *call)
		end   func(s *script, call *call)
	}{
		"answered":             {nil, "", 0, func(s *script, _ *call) { s.request(); s.headers(1, false, "200") }, func(s *script, _ *call) { s.data(1, true, []byte("x")) }},
		"answered by headers":  {nil, "", 0, func(s *script, _ *call) { s.request() }, func(s *script, _ *call) { s.headers(1, true, "200") }},
		"answered early":       {[]http2.Setting{initialWindow(0)}, "x", 1, func(s *script, _ *call) { s.request() }, func(s *script, _ *call) { s.headers(1, true, "500") }},
		"canceled":             {nil, "", 0, func(s *script, _ *call) { s.request() }, func(_ *script, call *call) { call.cancel() }},
		"canceled in a queue":  {[]http2.Setting{maxStreams(0)}, "", 0, func(*script, *call) {}, func(_ *script, call *call) { call.cancel() }},
		"canceled in its body": {[]http2.Setting{initialWindow(0)}, "x", 1, func(s *script, _ *call) { s.request() }, func(_ *script, call *call) { call.cancel() }},
		"closed":               {nil, "", 0, func(s *script, call *call) { s.request(); s.headers(1, false, "200"); call.response() }, func(_ *script, call *call) { _ = call.got.Body.Close() }},
		"reset":                {nil, "", 0, func(s *script, _ *call) { s.request() }, func(s *script, _ *call) { s.reset(1, http2.ErrCodeCancel) }},
		"refused":              {nil, "", 0, func(s *script, _ *call) { s.request() }, func(s *script, _ *call) { s.reset(1, http2.ErrCodeRefusedStream) }},
		"left behind":          {nil, "", 0, func(s *script, _ *call) { s.request() }, func(s *script, _ *call) { s.goAway(0, http2.ErrCodeNo) }},
		"left in a queue":      {[]http2.Setting{maxStreams(0)}, "", 0, func(*script, *call) {}, func(s *script, _ *call) { s.goAway(0, http2.ErrCodeNo) }},
		"disconnected":         {nil, "", 0, func(s *script, _ *call) { s.request() }, func(s *script, _ *call) { _ = s.conn.Close() }},
		"closed by us":         {nil, "", 0, func(s *script, _ *call) { s.request() }, func(s *script, _ *call) { _ = s.client.Close() }},
		"malformed":            {nil, "", 0, func(s *script, _ *call) { s.request() }, func(s *script, _ *call) { s.headers(1, true, "") }},
		"a body cut short":     {nil, "x", 2, nil, func(*script, *call) {}},
		"an invalid request":   {nil, "x\n", 2, nil, func(*script, *call) {}},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				var told atomic.Int32
				req := newRequest(t, http.MethodGet, "/", nil, 0)
				if c.length > 0 {
					req = newRequest(t, http.MethodPost, "/", strings.NewReader(c.content), c.length)
					req.Header.Set("X-Content", c.content)
				}
				call := s.sendBy(req, func(req *http.Request) (*http.Response, error) {
					return s.client.Do(req, func() { told.Add(1) })
				})
				if c.early != nil {
					c.early(s, call)
					synctest.Wait()
					require.Zero(t, told.Load(), "too early")
				}
				c.end(s, call)
				synctest.Wait()
				require.EqualValues(t, 1, told.Load())
				within(t, "RoundTrip", func() { <-call.done })
				if call.got != nil {
					_, _ = call.read()
					_ = call.got.Body.Close()
				}
				_ = s.client.Close()
				require.EqualValues(t, 1, told.Load(), "once")
			}, c.settings...)
		})
	}
}
