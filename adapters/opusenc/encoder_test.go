package opusenc_test

import (
	"bytes"
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/opusenc"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

func tone(rate int, length time.Duration) []int16 {
	out := make([]int16, int(math.Round(length.Seconds()*float64(rate))))
	for i := range out {
		out[i] = int16(8000 * math.Sin(2*math.Pi*440*float64(i)/float64(rate)))
	}
	return out
}

// opus is a second of the tone as opusenc itself writes it.
func opus(t *testing.T, channels int) []byte {
	t.Helper()
	path, err := exec.LookPath("opusenc")
	require.NoError(t, err, "install Debian's opus-tools")
	cmd := exec.CommandContext(t.Context(), path, "--quiet", "--raw", "--raw-rate", "48000", "--raw-chan", string(rune('0'+channels)), "--bitrate", "48", "-", "-")
	var samples []int16
	for _, s := range tone(48_000, time.Second) {
		for range channels {
			samples = append(samples, s)
		}
	}
	cmd.Stdin = bytes.NewReader(wav.Bytes(nil, samples))
	data, err := cmd.Output()
	require.NoError(t, err)
	return data
}

func second(t *testing.T) domain.Audio {
	return clip(t, domain.MIMEWAV, wav.Encode(tone(24_000, time.Second), 24_000))
}

func TestBitRateIsASetting(t *testing.T) {
	sound := wav.Encode(tone(24_000, 20*time.Second), 24_000)
	clip, err := domain.NewAudio(domain.MIMEWAV, sound, 0)
	require.NoError(t, err)
	size := map[int]int{}
	for _, bits := range []int{12_000, 0} {
		e, err := opusenc.New(opusenc.Config{LookPath: exec.LookPath, BitRate: bits})
		require.NoError(t, err)
		note, err := e.Encode(t.Context(), clip)
		require.NoError(t, err)
		size[bits] = len(note.Bytes())
	}
	require.Less(t, size[12_000], size[0])
	for _, bits := range []int{-1, 500, 1_000_000} {
		_, err := opusenc.New(opusenc.Config{LookPath: exec.LookPath, BitRate: bits})
		require.ErrorContains(t, err, "outside 12000 to 64000")
	}
}

func TestNewNamesThePackage(t *testing.T) {
	_, err := opusenc.New(opusenc.Config{LookPath: func(string) (string, error) { return "", exec.ErrNotFound }})
	assert.ErrorContains(t, err, "apt-get install opus-tools")
	_, err = opusenc.New(opusenc.Config{})
	assert.Error(t, err)
}

func TestSameClipSameBytes(t *testing.T) {
	e := newEncoder(t, opusenc.Config{LookPath: exec.LookPath})
	first, err := e.Encode(t.Context(), second(t))
	require.NoError(t, err)
	again, err := e.Encode(t.Context(), second(t))
	require.NoError(t, err)
	assert.Equal(t, first, again)
	assert.Equal(t, time.Second, first.Duration())
	info, err := oggopus.Inspect(first.Bytes())
	require.NoError(t, err)
	assert.Equal(t, oggopus.Vendor, info.Vendor)
	assert.Empty(t, info.Comments)
	assert.Equal(t, 24_000, info.InputRate)
}

func TestProgramGetsNoSecretsAndFixedArguments(t *testing.T) {
	t.Setenv("WHATSAPP_ACCESS_TOKEN", "very-secret")
	seen := filepath.Join(t.TempDir(), "seen")
	_, err := with(`{ env; echo "args: $@"; pwd; } >`+seen+`; cat >/dev/null; exit 1`)(t).Encode(t.Context(), second(t))
	require.Error(t, err)
	got, err := os.ReadFile(seen)
	require.NoError(t, err)
	assert.Contains(t, string(got), "args: --quiet --raw --raw-bits 16 --raw-endianness 0 --raw-chan 1 --raw-rate 24000 --speech --cvbr --bitrate 24 - -\n/\n")
	assert.NotContains(t, string(got), "very-secret")
}

func TestProgramIsNotTrusted(t *testing.T) {
	short := filepath.Join(t.TempDir(), "short.opus")
	half, err := newEncoder(t, opusenc.Config{LookPath: exec.LookPath}).Encode(t.Context(), clip(t, domain.MIMEWAV, wav.Encode(tone(24_000, time.Second/2), 24_000)))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(short, half.Bytes(), 0o600))
	for name, body := range map[string]string{
		"fails":                   "cat >/dev/null; exit 1",
		"writes nothing":          "cat >/dev/null",
		"writes nonsense":         "cat >/dev/null; echo the sound was lovely",
		"writes without end":      "cat /dev/zero",
		"does not listen":         "exit 0",
		"is killed":               "kill -9 $$",
		"writes half and fails":   "cat >/dev/null; cat " + short + "; exit 1",
		"writes half and is fine": "cat >/dev/null; cat " + short,
	} {
		note, err := with(body)(t).Encode(t.Context(), second(t))
		assert.Equal(t, ports.KindUnknown, ports.KindOf(err), name)
		assert.True(t, note.Empty(), name)
	}
}

func TestCancelKillsTheWholeProcessGroup(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pid")
	e := with("sleep 600 &\necho $! >" + pids + ".new; mv " + pids + ".new " + pids + "\nwait")(t)
	sound := second(t)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := e.Encode(ctx, sound)
		assert.Equal(t, ports.KindCanceled, ports.KindOf(err))
	})
	var raw []byte
	require.Eventually(t, func() bool {
		var err error
		raw, err = os.ReadFile(pids)
		return err == nil
	}, 30*time.Second, 5*time.Millisecond)
	cancel()
	wg.Wait()
	pid := strings.TrimSpace(string(raw))
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		return err != nil || strings.Contains(string(stat), ") Z ")
	}, 30*time.Second, 5*time.Millisecond, "what the program started lives on")
}

// TestPagesAndTrimFit goes through lengths around the end of a page, where the end
// trim must not reach into the page before.
func TestPagesAndTrimFit(t *testing.T) {
	e := newEncoder(t, opusenc.Config{LookPath: exec.LookPath})
	for ms := 970; ms <= 1030; ms++ {
		length := time.Duration(ms) * time.Millisecond
		note, err := e.Encode(t.Context(), clip(t, domain.MIMEWAV, wav.Encode(tone(24_000, length), 24_000)))
		require.NoError(t, err, length)
		assert.Equal(t, length, note.Duration())
	}
}
