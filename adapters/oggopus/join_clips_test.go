package oggopus_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
)

// sound is a clip as a voice vendor might send it.
type sound struct {
	name string
	data []byte
}

// encodings differ in everything a clip may differ in: SILK, hybrid and CELT mode,
// frames of 2.5 to 60 ms, rates of the recording, constant and variable bit rate.
var encodings = []struct {
	rate int
	args []string
}{
	{16000, []string{"--bitrate", "24", "--speech"}},
	{8000, []string{"--bitrate", "10", "--framesize", "60", "--speech"}},
	{24000, []string{"--bitrate", "32", "--framesize", "40", "--speech"}},
	{48000, []string{"--bitrate", "64", "--framesize", "20", "--music"}},
	{22050, []string{"--bitrate", "16", "--hard-cbr", "--speech"}},
	{44100, []string{"--bitrate", "48", "--framesize", "60", "--music"}},
	{48000, []string{"--bitrate", "96", "--framesize", "2.5", "--music"}},
	{16000, []string{"--bitrate", "20", "--framesize", "10", "--speech"}},
	{24000, []string{"--bitrate", "40", "--framesize", "5", "--cvbr"}},
	{12000, []string{"--bitrate", "14", "--framesize", "60", "--hard-cbr"}},
}

// encodeAs makes a clip of samples at a rate.
func encodeAs(t testing.TB, pcm []int16, rate int, args ...string) []byte {
	args = append([]string{"--quiet", "--raw", "--raw-rate", strconv.Itoa(rate), "--raw-chan", "1"}, args...)
	return tool(t, pcmBytes(pcm), "opusenc", append(args, "-", "-")...)
}

// sentence makes something like speech: a voiced sound with vowels and pauses, some
// hiss, and no fade at its end, so that a seam is as hard as it can be.
func sentence(rate int, d time.Duration, seed uint64) []int16 {
	pcm := make([]int16, int(d.Seconds()*float64(rate)))
	rnd := rand.New(rand.NewPCG(seed, 1))
	pitch := 90 + 15*float64(seed%11)
	phase := 0.0
	for i := range pcm {
		at := float64(i) / float64(rate)
		phase += 2 * math.Pi * pitch * (1 + 0.1*math.Sin(5*at)) / float64(rate)
		x := 0.0
		for k := 1.0; k <= 12 && k*pitch < 0.4*float64(rate); k++ {
			x += math.Sin(k*phase) / k * (1 + math.Cos(k+3*at))
		}
		loud := 0.55 + 0.45*math.Cos(2*math.Pi*3*at)
		pcm[i] = int16(3000*loud*x + 150*rnd.NormFloat64())
	}
	return pcm
}

// sounds makes n clips of different encodings, lengths and voices.
func sounds(t testing.TB, n int) []sound {
	t.Helper()
	out := make([]sound, n)
	for i := range out {
		e := encodings[i%len(encodings)]
		d := time.Duration(310+137*(i%9)) * time.Millisecond
		out[i] = sound{name: strconv.Itoa(i), data: encodeAs(t, sentence(e.rate, d, uint64(i)), e.rate, e.args...)}
	}
	return out
}

// spoken makes clips with the two local voices.
func spoken(t *testing.T) []sound {
	t.Helper()
	dir := t.TempDir()
	wav := func(name string, args ...string) []byte {
		path := filepath.Join(dir, name+".wav")
		for i, a := range args {
			if a == "OUT" {
				args[i] = path
			}
		}
		tool(t, nil, args[0], args[1:]...)
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		return data
	}
	e := wav("e", "espeak-ng", "-w", "OUT", "The train leaves at half past nine.")
	f := wav("f", "flite", "-voice", "slt", "-t", "Please be there ten minutes early.", "-o", "OUT")
	enc := func(data []byte, args ...string) []byte {
		return tool(t, data, "opusenc", append(append([]string{"--quiet"}, args...), "-", "-")...)
	}
	return []sound{
		{"espeak-ng", enc(e, "--bitrate", "24", "--speech")},
		{"flite", enc(f, "--bitrate", "32", "--framesize", "60")},
		{"espeak-ng music", enc(e, "--bitrate", "64", "--music", "--framesize", "10")},
		{"flite low", enc(f, "--bitrate", "12", "--speech")},
	}
}

func clipsOf(all []sound) [][]byte {
	out := make([][]byte, len(all))
	for i, s := range all {
		out[i] = s.data
	}
	return out
}

// decode48 decodes with libopus at 48 kHz and without dither, so that what is the
// same sounds the same.
func decode48(t *testing.T, data []byte) []float64 {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.opus"), filepath.Join(dir, "out.raw")
	require.NoError(t, os.WriteFile(in, data, 0o600))
	tool(t, nil, "opusdec", "--quiet", "--no-dither", "--rate", "48000", in, out)
	raw, err := os.ReadFile(out)
	require.NoError(t, err)
	return samples(raw)
}

// decodeFfmpeg decodes with ffmpeg's own decoder, where there is an ffmpeg.
func decodeFfmpeg(t *testing.T, data []byte) []float64 {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed; opusdec and opusinfo are the witnesses that are required")
	}
	return samples(tool(t, data, "ffmpeg", "-nostdin", "-v", "error", "-i", "pipe:0", "-f", "s16le", "-ar", "48000", "-ac", "1", "pipe:1"))
}

func samples(raw []byte) []float64 {
	pcm := make([]float64, len(raw)/2)
	for i := range pcm {
		pcm[i] = float64(int16(binary.LittleEndian.Uint16(raw[2*i:])))
	}
	return pcm
}

func decodePion(t *testing.T, data []byte) []float64 {
	t.Helper()
	pcm, err := oggopus.DecodePCM(data, 48000)
	require.NoError(t, err)
	out := make([]float64, len(pcm))
	for i, s := range pcm {
		out[i] = float64(s)
	}
	return out
}

// maxStep is the largest difference between neighbouring samples.
func maxStep(pcm []float64) float64 {
	step := 0.0
	for i := 1; i < len(pcm); i++ {
		step = max(step, math.Abs(pcm[i]-pcm[i-1]))
	}
	return step
}

// find looks for part in whole near a place and returns where it fits best.
func find(whole, part []float64, near, reach int) int {
	n := min(len(part), 4800)
	best, at := math.Inf(1), near
	for from := max(0, near-reach); from <= near+reach && from+n <= len(whole); from++ {
		sum := 0.0
		for i := 0; i < n && sum < best; i++ {
			d := whole[from+i] - part[i]
			sum += d * d
		}
		if sum < best {
			best, at = sum, from
		}
	}
	return at
}

func floatSNR(want, got []float64) float64 {
	var signal, noise float64
	for i, w := range want {
		d := w - got[i]
		signal += w * w
		noise += d * d
	}
	return 10 * math.Log10(signal/max(noise, 1e-9))
}
