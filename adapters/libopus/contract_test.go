//go:build libopus

package libopus_test

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/libopus"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

func newEncoder(t *testing.T) *libopus.Encoder {
	t.Helper()
	e, err := libopus.New(libopus.Config{})
	require.NoError(t, err)
	return e
}

func clip(t *testing.T, mime string, data []byte) domain.Audio {
	t.Helper()
	a, err := domain.NewAudio(mime, data, 0)
	require.NoError(t, err)
	return a
}

func tone(hz float64, rate, n int) []int16 {
	out := make([]int16, n)
	for i := range out {
		out[i] = int16(8000 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate)))
	}
	return out
}

// opusenc is a second of a tone as Debian's opusenc writes it.
func opusenc(t *testing.T, channels int) []byte {
	t.Helper()
	path, err := exec.LookPath("opusenc")
	require.NoError(t, err, "install Debian's opus-tools")
	cmd := exec.CommandContext(t.Context(), path, "--quiet", "--raw", "--raw-rate", "48000", "--raw-chan", strconv.Itoa(channels), "--bitrate", "48", "-", "-")
	var samples []int16
	for _, s := range tone(440, 48_000, 48_000) {
		for range channels {
			samples = append(samples, s)
		}
	}
	cmd.Stdin = bytes.NewReader(wav.Bytes(nil, samples))
	data, err := cmd.Output()
	require.NoError(t, err)
	return data
}

// TestEncoderContract cannot make libopus hang or fail: it computes.
func TestEncoderContract(t *testing.T) {
	porttest.TestEncoder(t, porttest.EncoderHarness{
		New: func(t *testing.T) ports.EncoderPort { return newEncoder(t) },
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
		Opus: func(t *testing.T) domain.Audio { return clip(t, domain.MIMEOggOpus, opusenc(t, 1)) },
		Stereo: func(t *testing.T) porttest.Tone {
			return porttest.Tone{Clip: clip(t, domain.MIMEOggOpus, opusenc(t, 2)), Length: time.Second, Hz: 440, Level: 8000}
		},
		Corrupt: func(t *testing.T) []domain.Audio {
			whole := opusenc(t, 1)
			flipped := bytes.Clone(whole)
			flipped[len(flipped)-1] ^= 1
			return []domain.Audio{
				clip(t, domain.MIMEOggOpus, flipped), clip(t, domain.MIMEOggOpus, whole[:len(whole)/2]), clip(t, domain.MIMEMP3, whole),
			}
		},
	})
}
