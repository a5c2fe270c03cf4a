//go:build libopus

package libopus_test

import (
	"context"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/libopus"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

var rates = []int{8000, 12_000, 16_000, 24_000, 48_000}

func encode(t *testing.T, e *libopus.Encoder, samples []int16, rate int) domain.Audio {
	t.Helper()
	note, err := e.Encode(t.Context(), clip(t, domain.MIMEWAV, wav.Encode(samples, rate)))
	require.NoError(t, err)
	return note
}

// opusdec decodes with libopus itself, after opusinfo had no complaint.
func opusdec(t *testing.T, data []byte) []int16 {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.opus"), filepath.Join(dir, "out.raw")
	require.NoError(t, os.WriteFile(in, data, 0o600))
	for _, args := range [][]string{{"opusinfo", in}, {"opusdec", "--quiet", "--rate", "48000", in, out}} {
		text, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput()
		require.NoError(t, err, "%s: %s", args[0], text)
		require.NotContains(t, string(text), "WARNING")
	}
	raw, err := os.ReadFile(out)
	require.NoError(t, err)
	pcm := make([]int16, len(raw)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return pcm
}

// TestEveryLengthIsExact goes around the ends of packets and pages, at every rate.
func TestEveryLengthIsExact(t *testing.T) {
	e := newEncoder(t)
	for _, rate := range rates {
		frame := rate / 50
		for _, n := range []int{1, frame - 1, frame, frame + 1, rate - frame, rate - rate*312/48_000, rate, rate + 1, rate + frame, 2*rate + 7} {
			note := encode(t, e, tone(440, rate, n), rate)
			info, err := oggopus.Inspect(note.Bytes())
			require.NoError(t, err)
			require.NoError(t, oggopus.Check(note.Bytes()))
			assert.EqualValues(t, n*(48_000/rate), info.Samples-info.EndTrim-int64(info.PreSkip), "%d samples at %d Hz", n, rate)
			assert.Equal(t, 312, info.PreSkip)
			assert.Equal(t, rate, info.InputRate)
			assert.Equal(t, info.Duration, note.Duration())
		}
	}
}

// TestNothingIsShifted finds out by how much the decoded sound is late, at every
// rate: by less than a quarter of a millisecond, or the pre-skip would be wrong.
func TestNothingIsShifted(t *testing.T) {
	e := newEncoder(t)
	for _, rate := range rates {
		// A tone that rises, so that no shift looks like another.
		chirp := func(rate int) []int16 {
			out := make([]int16, rate)
			for i := range out {
				at := float64(i) / float64(rate)
				out[i] = int16(9000 * math.Sin(2*math.Pi*(200*at+400*at*at)))
			}
			return out
		}
		want := chirp(48_000)
		got := opusdec(t, encode(t, e, chirp(rate), rate).Bytes())
		require.Len(t, got, len(want))
		best, late := math.Inf(-1), 0
		for shift := -400; shift <= 400; shift++ {
			sum := 0.0
			for i := 1000; i < len(want)-1000; i++ {
				sum += float64(want[i]) * float64(got[i+shift])
			}
			if sum > best {
				best, late = sum, shift
			}
		}
		assert.InDelta(t, 0, late, 12, "samples at 48 kHz, from %d Hz", rate)
		loud := 0.0
		for i := len(want) - 1000; i < len(want)-100; i++ {
			loud += math.Abs(float64(got[i])) / 900
		}
		assert.Greater(t, loud, 4000.0, "the end is there")
	}
}

// TestEncodersAreUsedAgainWithoutATrace encodes one clip among others, at once and
// in turn.
func TestEncodersAreUsedAgainWithoutATrace(t *testing.T) {
	e := newEncoder(t)
	mine := tone(440, 24_000, 24_000)
	first := encode(t, e, mine, 24_000)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 4 {
				note, err := e.Encode(t.Context(), clip(t, domain.MIMEWAV, wav.Encode(tone(float64(100+50*i), 24_000, 2000*(n+1)), 24_000)))
				assert.NoError(t, err)
				assert.False(t, note.Empty())
				again, err := e.Encode(t.Context(), clip(t, domain.MIMEWAV, wav.Encode(mine, 24_000)))
				assert.NoError(t, err)
				assert.Equal(t, first, again)
			}
		})
	}
	wg.Wait()
}

func TestLongClipEndsWithItsContext(t *testing.T) {
	e := newEncoder(t)
	long := clip(t, domain.MIMEWAV, wav.Encode(make([]int16, 300*24_000), 24_000))
	parent, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	ctx := &fading{Context: parent}
	ctx.left.Store(500)
	note, err := e.Encode(ctx, long)
	assert.Equal(t, ports.KindCanceled, ports.KindOf(err))
	assert.ErrorIs(t, err, context.Canceled)
	assert.True(t, note.Empty())
	assert.Greater(t, ctx.left.Load(), int64(-20), "it stops at once")
	assert.Equal(t, time.Second, encode(t, e, tone(440, 24_000, 24_000), 24_000).Duration(), "the encoder is usable")
}

// fading is a context that ends when it was asked often enough.
type fading struct {
	context.Context
	left atomic.Int64
}

func (f *fading) Err() error {
	if f.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// BenchmarkEncode encodes ten seconds.
func BenchmarkEncode(b *testing.B) {
	e, err := libopus.New(libopus.Config{})
	require.NoError(b, err)
	data, err := domain.NewAudio(domain.MIMEWAV, wav.Encode(tone(440, 24_000, 240_000), 24_000), 0)
	require.NoError(b, err)
	for b.Loop() {
		_, err := e.Encode(b.Context(), data)
		require.NoError(b, err)
	}
}
