package pcm_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/pcm"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
)

// tone is a steady sine at half the range.
func tone(hz float64, rate int, length time.Duration) []int16 {
	out := make([]int16, int(length.Seconds()*float64(rate)))
	for i := range out {
		out[i] = int16(16000 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate)))
	}
	return out
}

// stereo makes a WAV file of two channels.
func stereo(left, right []int16, rate int) []byte {
	both := make([]int16, 0, 2*len(left))
	for i := range left {
		both = append(both, left[i], right[i])
	}
	b := wav.Encode(both, rate)
	b[22], b[32] = 2, 4
	return b
}

func TestRateBecomesOneOfOpus(t *testing.T) {
	for from, to := range map[int]int{
		4000: 8000, 8000: 8000, 11_025: 12_000, 12_000: 12_000, 16_000: 16_000, 22_050: 24_000, 24_000: 24_000,
		32_000: 48_000, 44_100: 48_000, 48_000: 48_000, 96_000: 48_000, 192_000: 48_000,
	} {
		for _, clip := range []domain.Audio{
			audio(t, domain.MIMEWAV, wav.Encode(tone(300, from, 200*time.Millisecond), from)),
			audio(t, fmt.Sprintf("audio/L16;codec=pcm;rate=%d", from), wav.Bytes(nil, tone(300, from, 200*time.Millisecond))),
		} {
			sound, err := pcm.Decode(t.Context(), clip)
			require.NoError(t, err)
			require.Equal(t, to, sound.Rate, "from %d Hz", from)
			assert.InDelta(t, 200*time.Millisecond, sound.Duration(), float64(time.Millisecond))
			assert.Greater(t, snr(tone(300, to, 200*time.Millisecond)[to/50:], sound.Samples[to/50:]), 15.0, "from %d Hz", from)
		}
	}
}

func TestChannelsAreAveraged(t *testing.T) {
	left, silent := tone(300, 16_000, 100*time.Millisecond), make([]int16, 1600)
	half := make([]int16, 1600)
	for i := range half {
		half[i] = left[i] / 2
	}
	for name, clip := range map[string]domain.Audio{
		"WAV": audio(t, "audio/x-wav", stereo(left, silent, 16_000)),
		"PCM": audio(t, "audio/l16; rate=16000; channels=2", stereo(left, silent, 16_000)[44:]),
	} {
		sound, err := pcm.Decode(t.Context(), clip)
		require.NoError(t, err, name)
		assert.Equal(t, half, sound.Samples, name)
	}
}

func TestOggOpusIsDecoded(t *testing.T) {
	path, err := exec.LookPath("opusenc")
	require.NoError(t, err, "install Debian's opus-tools")
	cmd := exec.CommandContext(t.Context(), path, "--quiet", "--bitrate", "64", "-", "-")
	left := tone(300, 48_000, 500*time.Millisecond)
	cmd.Stdin = bytes.NewReader(stereo(left, left, 48_000))
	data, err := cmd.Output()
	require.NoError(t, err)
	sound, err := pcm.Decode(t.Context(), audio(t, domain.MIMEOggOpus, data))
	require.NoError(t, err)
	assert.Equal(t, 48_000, sound.Rate)
	assert.Equal(t, 500*time.Millisecond, sound.Duration())
	assert.Greater(t, snr(left, sound.Samples), 15.0)

	clip := audio(t, domain.MIMEOggOpus, data)
	_, err = pcm.Decode(endsAfter(t.Context(), 5), clip)
	assert.ErrorIs(t, err, context.Canceled)
	_, err = pcm.Decode(t.Context(), audio(t, domain.MIMEOggOpus, data[:len(data)-1]))
	assert.ErrorIs(t, err, oggopus.ErrCorrupt)
}

func TestDecodeRefuses(t *testing.T) {
	samples := make([]byte, 3200)
	whole := wav.Encode(make([]int16, 1600), 16_000)
	for name, clip := range map[string]domain.Audio{
		"no rate":           audio(t, "audio/l16", samples),
		"rate zero":         audio(t, "audio/l16; rate=0", samples),
		"rate below zero":   audio(t, "audio/l16; rate=-8000", samples),
		"rate of words":     audio(t, "audio/l16; rate=fast", samples),
		"absurd rate":       audio(t, "audio/l16; rate=1000000", samples),
		"three channels":    audio(t, "audio/l16; rate=8000; channels=3", samples),
		"no channels":       audio(t, "audio/l16; rate=8000; channels=0", samples),
		"half a sample":     audio(t, "audio/l16; rate=8000", samples[1:]),
		"half a frame":      audio(t, "audio/l16; rate=8000; channels=2", samples[2:]),
		"broken parameters": audio(t, "audio/l16; rate=8000; rate=9000", samples),
		"cut WAV":           audio(t, domain.MIMEWAV, whole[:len(whole)-1]),
		"WAV called Ogg":    audio(t, domain.MIMEOggOpus, whole),
		"another type":      audio(t, "audio/flac", whole),
	} {
		sound, err := pcm.Decode(t.Context(), clip)
		require.Error(t, err, name)
		assert.NotErrorIs(t, err, pcm.ErrEmpty, name)
		assert.Zero(t, sound, name)
	}
}

func TestDecodeHasLimits(t *testing.T) {
	over := int(pcm.MaxLength/time.Second)*8000 + 1
	_, err := pcm.Decode(t.Context(), audio(t, domain.MIMEWAV, wav.Encode(make([]int16, over), 8000)))
	assert.ErrorIs(t, err, pcm.ErrTooLong)
	_, err = pcm.Decode(t.Context(), audio(t, "audio/pcm;rate=8000", make([]byte, 2*over)))
	assert.ErrorIs(t, err, pcm.ErrTooLong)
	sound, err := pcm.Decode(t.Context(), audio(t, "audio/pcm;rate=8000", make([]byte, 2*over-2)))
	require.NoError(t, err)
	assert.Equal(t, pcm.MaxLength, sound.Duration())
	half := quiet(t, pcm.MaxLength/2+20*time.Millisecond, oggopus.Options{})
	_, err = pcm.Decode(t.Context(), audio(t, domain.MIMEOggOpus, append(half, half...)))
	assert.ErrorIs(t, err, pcm.ErrTooLong)
	for name, clip := range map[string]domain.Audio{
		"a WAV file without samples": audio(t, domain.MIMEWAV, wav.Encode(nil, 16_000)),
		"less than one sample":       audio(t, "audio/l16; rate=192000", make([]byte, 2)),
	} {
		_, err := pcm.Decode(t.Context(), clip)
		assert.ErrorIs(t, err, pcm.ErrEmpty, name)
	}
}

func TestDecodeEndsWithItsContext(t *testing.T) {
	clip := audio(t, domain.MIMEWAV, wav.Encode(make([]int16, 5*44_100), 44_100))
	for _, questions := range []int64{0, 1, 3} {
		sound, err := pcm.Decode(endsAfter(t.Context(), questions), clip)
		assert.ErrorIs(t, err, context.Canceled)
		assert.Zero(t, sound)
	}
	_, err := pcm.Decode(endsAfter(t.Context(), 0), audio(t, domain.MIMEWAV, wav.Encode(make([]int16, 100), 48_000)))
	assert.ErrorIs(t, err, context.Canceled, "nothing to resample")
}
