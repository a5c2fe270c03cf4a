package h2client_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// Frames that no server may send. Request 1 is under way and stream 3 was never opened.
func TestFramesThatBreakTheConnection(t *testing.T) {
	type raw struct {
		kind    http2.FrameType
		flags   http2.Flags
		stream  uint32
		payload []byte
	}
	const (
		end    = http2.FlagHeadersEndHeaders
		padded = http2.FlagDataPadded
	)
	status := []byte{0x88} // :status 200, of the static table
	for name, c := range map[string]struct {
		frames []raw
		want   http2.ErrCode
	}{
		"DATA on the connection":                     {[]raw{{http2.FrameData, 0, 0, []byte("x")}}, http2.ErrCodeProtocol},
		"DATA on a stream never opened":              {[]raw{{http2.FrameData, 0, 3, []byte("x")}}, http2.ErrCodeProtocol},
		"DATA on a stream of the server":             {[]raw{{http2.FrameData, 0, 2, []byte("x")}}, http2.ErrCodeProtocol},
		"DATA that is padded without saying by what": {[]raw{{http2.FrameHeaders, end, 1, status}, {http2.FrameData, padded, 1, nil}}, http2.ErrCodeFrameSize},
		"DATA with padding longer than itself":       {[]raw{{http2.FrameHeaders, end, 1, status}, {http2.FrameData, padded, 1, []byte{5, 0, 0, 0}}}, http2.ErrCodeProtocol},
		"DATA with padding as long as itself":        {[]raw{{http2.FrameHeaders, end, 1, status}, {http2.FrameData, padded, 1, []byte{4, 0, 0, 0}}}, http2.ErrCodeProtocol},
		"HEADERS on the connection":                  {[]raw{{http2.FrameHeaders, end, 0, status}}, http2.ErrCodeProtocol},
		"HEADERS on a stream never opened":           {[]raw{{http2.FrameHeaders, end, 3, status}}, http2.ErrCodeProtocol},
		"HEADERS on a stream of the server":          {[]raw{{http2.FrameHeaders, end, 2, status}}, http2.ErrCodeProtocol},
		"HEADERS with padding longer than itself":    {[]raw{{http2.FrameHeaders, end | padded, 1, []byte{9, 0x88, 0}}}, http2.ErrCodeProtocol},
		"RST_STREAM on the connection":               {[]raw{{http2.FrameRSTStream, 0, 0, make([]byte, 4)}}, http2.ErrCodeProtocol},
		"RST_STREAM on a stream never opened":        {[]raw{{http2.FrameRSTStream, 0, 3, make([]byte, 4)}}, http2.ErrCodeProtocol},
		"RST_STREAM too short":                       {[]raw{{http2.FrameRSTStream, 0, 1, make([]byte, 3)}}, http2.ErrCodeFrameSize},
		"RST_STREAM too long":                        {[]raw{{http2.FrameRSTStream, 0, 1, make([]byte, 5)}}, http2.ErrCodeFrameSize},
		"PRIORITY on the connection":                 {[]raw{{http2.FramePriority, 0, 0, make([]byte, 5)}}, http2.ErrCodeProtocol},
		"PUSH_PROMISE":                               {[]raw{{http2.FramePushPromise, end, 1, append([]byte{0, 0, 0, 2}, 0x82)}}, http2.ErrCodeProtocol},
		"PUSH_PROMISE on the connection":             {[]raw{{http2.FramePushPromise, end, 0, append([]byte{0, 0, 0, 2}, 0x82)}}, http2.ErrCodeProtocol},
		"PING on a stream":                           {[]raw{{http2.FramePing, 0, 1, make([]byte, 8)}}, http2.ErrCodeProtocol},
		"PING too short":                             {[]raw{{http2.FramePing, 0, 0, make([]byte, 7)}}, http2.ErrCodeFrameSize},
		"PING too long":                              {[]raw{{http2.FramePing, 0, 0, make([]byte, 9)}}, http2.ErrCodeFrameSize},
		"an answer to PING too short":                {[]raw{{http2.FramePing, http2.FlagPingAck, 0, nil}}, http2.ErrCodeFrameSize},
		"GOAWAY on a stream":                         {[]raw{{http2.FrameGoAway, 0, 1, make([]byte, 8)}}, http2.ErrCodeProtocol},
		"GOAWAY too short":                           {[]raw{{http2.FrameGoAway, 0, 0, make([]byte, 7)}}, http2.ErrCodeFrameSize},
		"WINDOW_UPDATE of nothing":                   {[]raw{{http2.FrameWindowUpdate, 0, 0, make([]byte, 4)}}, http2.ErrCodeProtocol},
		"WINDOW_UPDATE too short":                    {[]raw{{http2.FrameWindowUpdate, 0, 0, make([]byte, 3)}}, http2.ErrCodeFrameSize},
		"WINDOW_UPDATE too long on a stream":         {[]raw{{http2.FrameWindowUpdate, 0, 1, make([]byte, 5)}}, http2.ErrCodeFrameSize},
		"WINDOW_UPDATE on a stream never opened":     {[]raw{{http2.FrameWindowUpdate, 0, 3, []byte{0, 0, 0, 1}}}, http2.ErrCodeProtocol},
		"WINDOW_UPDATE beyond 2^31-1":                {[]raw{{http2.FrameWindowUpdate, 0, 0, []byte{0x7f, 0xff, 0xff, 0xff}}}, http2.ErrCodeFlowControl},
		"CONTINUATION of nothing":                    {[]raw{{http2.FrameContinuation, end, 1, status}}, http2.ErrCodeProtocol},
		"CONTINUATION on the connection":             {[]raw{{http2.FrameContinuation, end, 0, status}}, http2.ErrCodeProtocol},
		"CONTINUATION of headers that had ended":     {[]raw{{http2.FrameHeaders, end, 1, status}, {http2.FrameContinuation, end, 1, nil}}, http2.ErrCodeProtocol},
		"CONTINUATION of another stream":             {[]raw{{http2.FrameHeaders, 0, 1, status}, {http2.FrameContinuation, end, 3, nil}}, http2.ErrCodeProtocol},
		"HEADERS within headers":                     {[]raw{{http2.FrameHeaders, 0, 1, status}, {http2.FrameHeaders, end, 1, status}}, http2.ErrCodeProtocol},
		"DATA within headers":                        {[]raw{{http2.FrameHeaders, 0, 1, status}, {http2.FrameData, 0, 1, []byte("x")}}, http2.ErrCodeProtocol},
		"PING within headers":                        {[]raw{{http2.FrameHeaders, 0, 1, status}, {http2.FramePing, 0, 0, make([]byte, 8)}}, http2.ErrCodeProtocol},
		"an unknown frame within headers":            {[]raw{{http2.FrameHeaders, 0, 1, status}, {0xee, 0, 1, nil}}, http2.ErrCodeProtocol},
		"DATA too large":                             {[]raw{{http2.FrameHeaders, end, 1, status}, {http2.FrameData, 0, 1, make([]byte, 1<<20)}}, http2.ErrCodeFrameSize},
		"DATA a byte too large":                      {[]raw{{http2.FrameHeaders, end, 1, status}, {http2.FrameData, 0, 1, make([]byte, smallest+1)}}, http2.ErrCodeFrameSize},
		"HEADERS too large":                          {[]raw{{http2.FrameHeaders, end, 1, make([]byte, 1<<24-1)}}, http2.ErrCodeFrameSize},
		"an unknown frame too large":                 {[]raw{{0xee, 0, 0, make([]byte, 1<<24-1)}}, http2.ErrCodeFrameSize},
		"headers that name no field":                 {[]raw{{http2.FrameHeaders, end, 1, []byte{0xff, 0xff, 0xff, 0x0f}}}, http2.ErrCodeCompression},
		"headers with field 0":                       {[]raw{{http2.FrameHeaders, end, 1, []byte{0x80}}}, http2.ErrCodeCompression},
		"headers cut off":                            {[]raw{{http2.FrameHeaders, end, 1, []byte{0x88, 0x40, 0x05, 'x'}}}, http2.ErrCodeCompression},
		"headers with a number without end":          {[]raw{{http2.FrameHeaders, end, 1, append([]byte{0xff}, bytes.Repeat([]byte{0xff}, 20)...)}}, http2.ErrCodeCompression},
		"headers with a table over its limit":        {[]raw{{http2.FrameHeaders, end, 1, []byte{0x3f, 0xe1, 0xff, 0xff, 0x7f, 0x88}}}, http2.ErrCodeCompression},
		"a table's size after a field":               {[]raw{{http2.FrameHeaders, end, 1, []byte{0x88, 0x40, 1, 'x', 1, 'y', 0x20}}}, http2.ErrCodeCompression},
		"headers on a stream of the past, cut off":   {[]raw{{http2.FrameRSTStream, 0, 1, make([]byte, 4)}, {http2.FrameHeaders, end, 1, []byte{0x40, 5}}}, http2.ErrCodeCompression},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(_ *testing.T, s *script) {
				call := s.get("/")
				s.request()
				for _, f := range c.frames {
					s.frame(f.kind, f.flags, f.stream, f.payload)
				}
				s.dead(c.want)
				_ = call.breaks()
			})
		})
	}
}

// Frames that a server may send and that change nothing.
func TestFramesToIgnore(t *testing.T) {
	for name, say := range map[string]func(s *script){
		"of an unknown kind":                func(s *script) { s.frame(0xee, 0xff, 0, []byte("hello")) },
		"of an unknown kind, on a stream":   func(s *script) { s.frame(0xee, 0xff, 1, []byte("hello")) },
		"of an unknown kind, on none":       func(s *script) { s.frame(0xee, 0xff, 77, nil) },
		"ALTSVC":                            func(s *script) { s.frame(0xa, 0, 0, []byte("\x00\x01ah2=\":443\"")) },
		"PRIORITY":                          func(s *script) { s.frame(http2.FramePriority, 0, 1, make([]byte, 5)) },
		"PRIORITY of a stream never opened": func(s *script) { s.frame(http2.FramePriority, 0, 9, make([]byte, 5)) },
		"PRIORITY_UPDATE":                   func(s *script) { s.frame(0x10, 0, 0, []byte{0, 0, 0, 1, 'u', '=', '1'}) },
		"an answer to no PING":              func(s *script) { s.frame(http2.FramePing, http2.FlagPingAck, 0, make([]byte, 8)) },
		"WINDOW_UPDATE":                     func(s *script) { s.update(0, 9); s.update(1, 9) },
		"with the reserved bit":             func(s *script) { s.frame(http2.FrameWindowUpdate, 0, 1|1<<31, []byte{0x80, 0, 0, 1}) },
		"with unknown flags":                func(s *script) { s.frame(http2.FrameWindowUpdate, 0xff, 1, []byte{0, 0, 0, 1}) },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(_ *testing.T, s *script) {
				call := s.get("/")
				id := s.request().StreamID
				say(s)
				s.silent()
				s.headers(id, false, "200")
				say(s)
				s.data(id, true, []byte("whole"))
				call.answers("whole")
				say(s) // the stream is closed
				s.alive()
			})
		})
	}
}

func TestPing(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		for i := range byte(3) {
			said := [8]byte{i, 2, 3, 4, 5, 6, 7, 8}
			s.frame(http2.FramePing, 0xfe, 0, said[:]) // unknown flags are no acknowledgement
			f := s.await("answer to PING", func(f frame) bool { return f.Type == http2.FramePing })
			require.True(t, f.ack())
			require.Equal(t, said, f.ping)
		}
		s.silent()
	})
}
