package h2client_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

func TestFrameSize(t *testing.T) {
	for name, c := range map[string]struct {
		size uint32
		say  []http2.Setting
	}{
		"at first":  {smallest, nil},
		"as set":    {20_000, []http2.Setting{{ID: http2.SettingMaxFrameSize, Val: 20_000}}},
		"set large": {1<<24 - 1, []http2.Setting{{ID: http2.SettingMaxFrameSize, Val: 1<<24 - 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				s.framer.SetMaxReadFrameSize(c.size)
				s.settings(append(c.say, initialWindow(math.MaxInt32))...)
				s.update(0, math.MaxInt32-window)
				req := newRequest(t, "POST", "/", strings.NewReader(strings.Repeat("x", 300_000)), 300_000)
				req.Header.Set("X-Large", strings.Repeat("~", 50_000)) // more than a frame
				call := s.send(req)
				f := s.request()
				require.Len(t, f.value("x-large"), 50_000)
				require.Len(t, s.body(f.StreamID, -1), 300_000)
				s.reply(f.StreamID, "ok")
				call.answers("ok")
			})
		})
	}
}
