package opusenc_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/opusenc"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// at finds the program in a place of the test's choosing.
func at(path string) opusenc.Config {
	return opusenc.Config{LookPath: func(string) (string, error) { return path, nil }}
}

// script writes a program that stands in for opusenc.
func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "opusenc")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700))
	return path
}

// newEncoder makes an encoder. opusenc is a Debian program that the Makefile
// installs, so a missing one is a failure and not a skip.
func newEncoder(t *testing.T, cfg opusenc.Config) ports.EncoderPort {
	t.Helper()
	e, err := opusenc.New(cfg)
	require.NoError(t, err)
	return e
}

func with(body string) func(*testing.T) ports.EncoderPort {
	return func(t *testing.T) ports.EncoderPort { return newEncoder(t, at(script(t, body))) }
}

func clip(t *testing.T, mime string, data []byte) domain.Audio {
	t.Helper()
	a, err := domain.NewAudio(mime, data, 0)
	require.NoError(t, err)
	return a
}

func TestEncoderContract(t *testing.T) {
	porttest.TestEncoder(t, porttest.EncoderHarness{
		New: func(t *testing.T) ports.EncoderPort { return newEncoder(t, opusenc.Config{LookPath: exec.LookPath}) },
		Samples: func(t *testing.T, note domain.Audio) []int16 {
			require.NoError(t, oggopus.Check(note.Bytes()))
			pcm, err := oggopus.DecodePCM(note.Bytes(), 48_000)
			require.NoError(t, err)
			return pcm
		},
		MP3: func(t *testing.T) []porttest.Tone {
			data, err := os.ReadFile("../pcm/testdata/tone.mp3")
			require.NoError(t, err)
			return []porttest.Tone{{Clip: clip(t, domain.MIMEMP3, data), Length: time.Second, Hz: 440, Level: 8000}}
		},
		Opus: func(t *testing.T) domain.Audio { return clip(t, domain.MIMEOggOpus, opus(t, 1)) },
		Stereo: func(t *testing.T) porttest.Tone {
			return porttest.Tone{Clip: clip(t, domain.MIMEOggOpus, opus(t, 2)), Length: time.Second, Hz: 440, Level: 8000}
		},
		Corrupt: func(t *testing.T) []domain.Audio {
			whole := opus(t, 1)
			flipped := bytes.Clone(whole)
			flipped[len(flipped)-1] ^= 1
			mp3, err := os.ReadFile("../pcm/testdata/tone.mp3")
			require.NoError(t, err)
			return []domain.Audio{
				clip(t, domain.MIMEOggOpus, flipped), clip(t, domain.MIMEOggOpus, whole[:len(whole)/2]),
				clip(t, domain.MIMEMP3, whole), clip(t, domain.MIMEMP3, mp3[:len(mp3)-1]),
			}
		},
		Hang: with("sleep 600 &\nwait"),
		Fail: map[ports.Kind]func(*testing.T) ports.EncoderPort{
			ports.KindTransient: func(t *testing.T) ports.EncoderPort { return newEncoder(t, at("/nonexistent/opusenc")) },
			ports.KindUnknown:   with("cat >/dev/null; exit 3"),
		},
	})
}
