package googletts_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/hajimehoshi/go-mp3"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/googletts"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/test/googlefake"
)

// secret is what errors must not repeat.
const secret = "the code of the safe is 4711"

// voice makes a voice that speaks through the server.
func voice(t *testing.T, s *googlefake.Server, cfg googletts.Config) *googletts.TTS {
	t.Helper()
	cfg.Endpoint = s.Endpoint()
	v, err := googletts.NewTTS(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	return v
}

// measure decodes as much of a clip as its length needs.
func measure(t *testing.T, clip domain.Audio) time.Duration {
	t.Helper()
	switch clip.Type() {
	case domain.MIMEWAV:
		p, err := wav.Decode(clip.Bytes())
		require.NoError(t, err)
		return p.Duration()
	case domain.MIMEMP3:
		d, err := mp3.NewDecoder(bytes.NewReader(clip.Bytes()))
		require.NoError(t, err)
		return time.Duration(d.Length()/4) * time.Second / time.Duration(d.SampleRate()) // two channels of 16 bits
	}
	require.NoError(t, oggopus.Check(clip.Bytes()))
	info, err := oggopus.Inspect(clip.Bytes())
	require.NoError(t, err)
	return info.Duration
}
