package wav_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/wav"
)

const loud = 16000

// sine is a quarter of a second of a tone.
func sine(hz float64, rate int) []int16 {
	out := make([]int16, rate/4)
	for i := range out {
		out[i] = int16(math.Round(loud * math.Sin(2*math.Pi*hz*float64(i)/float64(rate))))
	}
	return out
}

// split takes a tone out of samples, away from their ends, and returns its level
// and that of everything else, in dB of the tone that sine makes.
func split(samples []int16, hz float64, rate int) (tone, rest float64) {
	edge := rate / 50
	samples = samples[edge : len(samples)-edge]
	// Least squares over a sine and a cosine, since the span holds no whole number
	// of periods.
	var ss, sc, cc, ys, yc float64
	at := func(i int) (s, c float64) { return math.Sincos(2 * math.Pi * hz * float64(i) / float64(rate)) }
	for i, y := range samples {
		s, c := at(i)
		ss, sc, cc = ss+s*s, sc+s*c, cc+c*c
		ys, yc = ys+float64(y)*s, yc+float64(y)*c
	}
	det := ss*cc - sc*sc
	a, b := (ys*cc-yc*sc)/det, (yc*ss-ys*sc)/det
	power := 0.0
	for i, y := range samples {
		s, c := at(i)
		d := float64(y) - a*s - b*c
		power += d * d
	}
	db := func(amplitude float64) float64 { return 20 * math.Log10(max(amplitude, 1e-9)/loud) }
	return db(math.Hypot(a, b)), db(math.Sqrt(2 * power / float64(len(samples))))
}

var ratios = []struct{ from, to int }{
	{8000, 16000},
	{11025, 12000},
	{16000, 8000},
	{16000, 48000},
	{22050, 16000},
	{22050, 24000},
	{24000, 16000},
	{32000, 48000},
	{44100, 16000},
	{44100, 48000},
	{48000, 16000},
	{96000, 48000},
}

func TestResampleKeepsEveryToneItCanHold(t *testing.T) {
	for _, c := range ratios {
		t.Run(fmt.Sprintf("%d to %d", c.from, c.to), func(t *testing.T) {
			half := float64(min(c.from, c.to)) / 2
			for _, share := range []float64{0.01, 0.1, 0.25, 0.5, 0.7, 0.8, 0.88} {
				got := wav.Resample(sine(share*half, c.from), c.from, c.to)
				require.Len(t, got, c.from/4*c.to/c.from)
				tone, rest := split(got, share*half, c.to)
				assert.InDelta(t, 0, tone, 0.05, "a tone at %v of the band changes its level", share)
				assert.Less(t, rest, -75.0, "beside a tone at %v of the band something else sounds", share)
			}
		})
	}
}

// TestResampleLetsNothingFold plays tones that the lower rate cannot hold: they
// must vanish and not come back lower. On the way up their likes are the images.
func TestResampleLetsNothingFold(t *testing.T) {
	for _, c := range ratios {
		if c.to >= c.from {
			continue
		}
		t.Run(fmt.Sprintf("%d to %d", c.from, c.to), func(t *testing.T) {
			half := float64(c.to) / 2
			for hz := half * 1.005; hz < float64(c.from)/2*0.99; hz *= 1.13 {
				_, rest := split(wav.Resample(sine(hz, c.from), c.from, c.to), 1, c.to)
				assert.Less(t, rest, -75.0, "%.0f Hz", hz)
			}
		})
	}
}

func TestResampleInPiecesHasNoSeam(t *testing.T) {
	in := sine(440, 22050)
	whole := wav.Resample(in, 22050, 24000)
	r := wav.NewResampler(22050, 24000)
	pieces := make([]int16, r.Len(len(in)))
	for at := 0; at < len(pieces); at += 999 {
		r.Fill(pieces[at:min(at+999, len(pieces))], in, at)
	}
	assert.Equal(t, whole, pieces)
}

func TestResampleAtTheEdges(t *testing.T) {
	in := []int16{1, 2, 3}
	assert.Equal(t, in, wav.Resample(in, 16000, 16000), "the same rate")
	assert.Empty(t, wav.Resample(nil, 8000, 16000))
	assert.Len(t, wav.Resample(in, 192_000, 8000), 0, "less than a sample")
	assert.Len(t, wav.Resample(in, 1, 48_000), 3*48_000)

	square := make([]int16, 4410) // overshoots the range where it jumps
	for i := range square {
		square[i] = math.MaxInt16
		if i/100%2 == 1 {
			square[i] = math.MinInt16
		}
	}
	for i, v := range wav.Resample(square, 44100, 48000) {
		from := i * 44100 / 48000
		if from%100 > 5 && from%100 < 95 {
			require.Equal(t, square[from] > 0, v > 0, "a peak wraps around at sample %d", i)
		}
	}

	steady := make([]int16, 4000)
	for i := range steady {
		steady[i] = 1000
	}
	for _, v := range wav.Resample(steady, 8000, 11025)[500:5000] {
		require.InDelta(t, 1000, int(v), 1)
	}
}

func BenchmarkResample(b *testing.B) {
	in := sine(440, 22050) // a quarter of a second
	for b.Loop() {
		wav.Resample(in, 22050, 24000)
	}
}
