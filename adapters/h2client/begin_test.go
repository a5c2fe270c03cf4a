package h2client_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"whatsappnode/adapters/h2client"
)

func TestBegin(t *testing.T) {
	t.Run("the client's first frame is SETTINGS, and it wants nothing pushed", func(t *testing.T) {
		playWith(t, h2client.Options{}, func(t *testing.T, s *script) {
			f := s.await("frame", func(frame) bool { return true })
			require.Equal(t, http2.FrameSettings, f.Type)
			require.False(t, f.ack())
			require.Contains(t, f.settings, http2.Setting{ID: http2.SettingEnablePush, Val: 0})
		})
	})
	t.Run("a request need not wait for the server's SETTINGS", func(t *testing.T) {
		playWith(t, h2client.Options{}, func(t *testing.T, s *script) {
			c := s.get("/")
			id := s.request().StreamID
			require.EqualValues(t, 1, id)
			s.hello()
			s.reply(id, "hi")
			c.answers("hi")
		})
	})
	t.Run("the acknowledgement of its own SETTINGS is no setting", func(t *testing.T) {
		play(t, func(_ *testing.T, s *script) {
			s.silent()
			s.alive()
		})
	})
	t.Run("the server's first frame must be SETTINGS", func(t *testing.T) {
		playWith(t, h2client.Options{}, func(_ *testing.T, s *script) {
			s.frame(http2.FramePing, 0, 0, make([]byte, 8))
			s.dead(http2.ErrCodeProtocol)
		})
	})
	t.Run("a server that speaks another protocol", func(t *testing.T) {
		playWith(t, h2client.Options{}, func(t *testing.T, s *script) {
			c := s.get("/")
			_, _ = s.conn.Write([]byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
			s.awaitEnd()
			_ = c.failure()
			require.False(t, s.client.Usable())
		})
	})
	t.Run("streams are odd and rise", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			for want := uint32(1); want < 20; want += 2 {
				c := s.get("/")
				id := s.request().StreamID
				require.Equal(t, want, id)
				s.reply(id, "")
				c.answers("")
			}
		})
	})
}

func TestMaxStreams(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		require.Equal(t, math.MaxInt, s.client.MaxStreams())
		s.settings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 7})
		require.Equal(t, 7, s.client.MaxStreams())
		s.settings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 0})
		require.Equal(t, 0, s.client.MaxStreams())
		s.settings()
		require.Equal(t, 0, s.client.MaxStreams(), "SETTINGS that do not name a value leave it")
	})
}

// What SETTINGS may not say.
func TestSettingsRefused(t *testing.T) {
	setting := func(id http2.SettingID, v uint32) []byte {
		return []byte{byte(id >> 8), byte(id), byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
	}
	for name, c := range map[string]struct {
		payload []byte
		flags   http2.Flags
		stream  uint32
		want    http2.ErrCode
	}{
		"a window over 2^31-1":      {setting(http2.SettingInitialWindowSize, 1<<31), 0, 0, http2.ErrCodeFlowControl},
		"frames under 2^14":         {setting(http2.SettingMaxFrameSize, smallest-1), 0, 0, http2.ErrCodeProtocol},
		"frames over 2^24-1":        {setting(http2.SettingMaxFrameSize, 1<<24), 0, 0, http2.ErrCodeProtocol},
		"push switched on":          {setting(http2.SettingEnablePush, 1), 0, 0, http2.ErrCodeProtocol},
		"push neither on nor off":   {setting(http2.SettingEnablePush, 2), 0, 0, http2.ErrCodeProtocol},
		"a length of no whole one":  {make([]byte, 5), 0, 0, http2.ErrCodeFrameSize},
		"an acknowledgement of one": {setting(http2.SettingMaxFrameSize, smallest), http2.FlagSettingsAck, 0, http2.ErrCodeFrameSize},
		"for a stream":              {nil, 0, 1, http2.ErrCodeProtocol},
		"acknowledged for a stream": {nil, http2.FlagSettingsAck, 1, http2.ErrCodeProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(_ *testing.T, s *script) {
				call := s.get("/")
				s.request()
				s.frame(http2.FrameSettings, c.flags, c.stream, c.payload)
				s.dead(c.want)
				_ = call.failure()
			})
		})
	}
}

func TestSettingsTaken(t *testing.T) {
	for name, settings := range map[string][]http2.Setting{
		"none":              nil,
		"unknown":           {{ID: 0xabcd, Val: math.MaxUint32}, {ID: 0, Val: 1}},
		"the largest":       {{ID: http2.SettingMaxFrameSize, Val: 1<<24 - 1}, {ID: http2.SettingInitialWindowSize, Val: math.MaxInt32}},
		"a huge table":      {{ID: http2.SettingHeaderTableSize, Val: math.MaxUint32}},
		"endless streams":   {{ID: http2.SettingMaxConcurrentStreams, Val: math.MaxUint32}},
		"no push":           {{ID: http2.SettingEnablePush, Val: 0}},
		"said twice":        {{ID: http2.SettingMaxConcurrentStreams, Val: 0}, {ID: http2.SettingMaxConcurrentStreams, Val: 9}},
		"CONNECT protocols": {{ID: http2.SettingEnableConnectProtocol, Val: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(_ *testing.T, s *script) {
				s.settings(settings...)
				s.alive()
			})
		})
	}
}
