package oggopus_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
)

// The tests here compare with Debian's opus-tools, code that others wrote. The
// Makefile installs them, so a missing tool is a failure and not a skip.

func tool(t testing.TB, stdin []byte, name string, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath(name)
	require.NoError(t, err, "install Debian's opus-tools")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Run(), "%s: %s", name, stderr.String())
	return stdout.Bytes()
}

// tone makes a sine that rises in steps, at 16 kHz mono.
func tone(d time.Duration) []int16 {
	pcm := make([]int16, int(d.Seconds()*16000))
	phase := 0.0
	for i := range pcm {
		phase += 2 * math.Pi * float64(200+100*(i/4000)) / 16000
		pcm[i] = int16(9000 * math.Sin(phase))
	}
	return pcm
}

func pcmBytes(pcm []int16) []byte {
	b := make([]byte, 0, 2*len(pcm))
	for _, s := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}

func opusenc(t *testing.T, pcm []int16, args ...string) []byte {
	args = append([]string{"--quiet", "--raw", "--raw-rate", "16000", "--raw-chan", "1"}, args...)
	return tool(t, pcmBytes(pcm), "opusenc", append(args, "-", "-")...)
}

// opusdec decodes with libopus at 48 kHz, its own rate, to raw samples.
func opusdec(t *testing.T, data []byte) []int16 {
	out := filepath.Join(t.TempDir(), "out.raw")
	in := filepath.Join(t.TempDir(), "in.opus")
	require.NoError(t, os.WriteFile(in, data, 0o600))
	tool(t, nil, "opusdec", "--quiet", "--rate", "48000", in, out)
	raw, err := os.ReadFile(out)
	require.NoError(t, err)
	pcm := make([]int16, len(raw)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return pcm
}

var playback = regexp.MustCompile(`Playback length: (\d+)m:([\d.]+)s`)

// opusinfo returns the length that opusinfo prints, after demanding that it has no
// complaint.
func opusinfo(t *testing.T, data []byte) time.Duration {
	in := filepath.Join(t.TempDir(), "in.opus")
	require.NoError(t, os.WriteFile(in, data, 0o600))
	out := tool(t, nil, "opusinfo", in)
	require.NotContains(t, string(out), "WARNING")
	require.NotContains(t, string(out), "ERROR")
	m := playback.FindSubmatch(out)
	require.NotNil(t, m, "%s", out)
	minutes, _ := strconv.Atoi(string(m[1]))
	seconds, err := strconv.ParseFloat(string(m[2]), 64)
	require.NoError(t, err)
	return time.Duration(minutes)*time.Minute + time.Duration(seconds*float64(time.Second))
}

func TestOpusinfoAcceptsWhatWeWrite(t *testing.T) {
	for _, packets := range []int{1, 49, 50, 51, 253, 1000} {
		data := silence(t, packets, oggopus.Options{Serial: 9, PreSkip: 312, InputRate: 16000, Comments: []string{"TITLE=x"}})
		info, err := oggopus.Inspect(data)
		require.NoError(t, err)
		assert.InDelta(t, info.Duration.Seconds(), opusinfo(t, data).Seconds(), 0.002, "%d packets", packets)
	}
}

func TestInspectAgreesWithOpusTools(t *testing.T) {
	pcm := tone(3210 * time.Millisecond)
	for _, args := range [][]string{
		{"--bitrate", "24", "--speech"},
		{"--bitrate", "16", "--framesize", "60"},
		{"--bitrate", "64", "--framesize", "2.5"},
		{"--bitrate", "12", "--hard-cbr", "--max-delay", "0"},
	} {
		data := opusenc(t, pcm, args...)
		info, err := oggopus.Inspect(data)
		require.NoError(t, err, args)
		assert.NoError(t, oggopus.Check(data), args)
		assert.Equal(t, 3210*time.Millisecond, info.Duration, args)
		assert.Len(t, opusdec(t, data), int(info.Samples-info.EndTrim)-info.PreSkip, args)
	}
}

func TestRewrittenFileSoundsTheSame(t *testing.T) {
	data := opusenc(t, tone(2500*time.Millisecond), "--bitrate", "24", "--speech")
	got, info, err := oggopus.Rewrite(data)
	require.NoError(t, err)
	assert.Equal(t, 2500*time.Millisecond, info.Duration)
	assert.Equal(t, opusdec(t, data), opusdec(t, got), "libopus decodes both to the same samples")
	assert.InDelta(t, 2.5, opusinfo(t, got).Seconds(), 0.002)
	assert.Less(t, len(got), len(data)*97/100, "the pages cost less than opusenc's")
	after, err := oggopus.Inspect(got)
	require.NoError(t, err)
	assert.Equal(t, oggopus.Vendor, after.Vendor)
	assert.Empty(t, after.Comments, "the encoder's remarks are gone")
	assert.Equal(t, []uint32{1}, after.Serials)
	again, _, err := oggopus.Rewrite(got)
	require.NoError(t, err)
	assert.Equal(t, got, again, "nothing more to do")
}

func TestDecodeAgreesWithLibopus(t *testing.T) {
	pcm := tone(1500 * time.Millisecond)
	for _, args := range [][]string{{"--bitrate", "16", "--speech"}, {"--bitrate", "24", "--speech"}, {"--bitrate", "64", "--music"}} {
		data := opusenc(t, pcm, args...)
		want := opusdec(t, data)
		got, err := oggopus.DecodePCM(data, 48000)
		require.NoError(t, err)
		require.Len(t, got, len(want))
		assert.Greater(t, snr(want, got), 30.0, "%v: signal to noise against libopus in dB", args)
		at16, err := oggopus.DecodePCM(data, 16000)
		require.NoError(t, err)
		assert.Len(t, at16, len(pcm))
	}
}

func TestStereoIsMixedDown(t *testing.T) {
	left := tone(500 * time.Millisecond)
	both := make([]int16, 0, 2*len(left))
	for _, s := range left {
		both = append(both, s, s)
	}
	data := tool(t, pcmBytes(both), "opusenc", "--quiet", "--raw", "--raw-rate", "16000", "--raw-chan", "2", "-", "-")
	assert.ErrorIs(t, oggopus.Check(data), oggopus.ErrNotMono)
	pcm, err := oggopus.DecodePCM(data, 16000)
	require.NoError(t, err)
	assert.Len(t, pcm, len(left))
	peak := slices.Max(pcm)
	assert.InDelta(t, 9000, int(peak), 2500)
}

func TestDecodeRefuses(t *testing.T) {
	data := silence(t, 10, oggopus.Options{})
	_, err := oggopus.DecodePCM(data, 44100)
	assert.Error(t, err)
	_, err = oggopus.DecodePCM(data[:len(data)-1], 16000)
	assert.ErrorIs(t, err, oggopus.ErrCorrupt)
	long := silence(t, 50*60*15+1, oggopus.Options{})
	_, err = oggopus.DecodePCM(long, 8000)
	assert.ErrorIs(t, err, oggopus.ErrTooLong)
}

func snr(want, got []int16) float64 {
	var signal, noise float64
	for i, w := range want {
		d := float64(w) - float64(got[i])
		signal += float64(w) * float64(w)
		noise += d * d
	}
	if noise == 0 {
		return math.Inf(1)
	}
	return 10 * math.Log10(signal/noise)
}
