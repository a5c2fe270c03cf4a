package oggopus_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
)

// seams is what was heard of a joined note, worst first.
type seams struct {
	snr   float64 // of a part in the note against the part alone, dB
	step  float64 // largest step from sample to sample at a seam
	alone float64 // largest step in the parts played alone, silence before and after
	worst float64 // largest ratio of a seam's step to that of its two parts alone
	drift int     // furthest that a part lies from where it should, in samples
}

// listen finds each part in the decoded note and measures it and its seams.
func listen(whole []float64, parts [][]float64, pause int) seams {
	s := seams{snr: 999}
	should, end := 0, 0
	var steps []float64
	for i, part := range parts {
		at := find(whole, part, should, 1200)
		n := min(len(part), len(whole)-at)
		// The last 10 ms are left out: alone, a part is cut there.
		s.snr = min(s.snr, floatSNR(part[:n-480], whole[at:at+n-480]))
		s.drift = max(s.drift, max(at-should, should-at))
		steps = append(steps, maxStep(slices.Concat([]float64{0}, part, []float64{0})))
		s.alone = max(s.alone, steps[i])
		if i > 0 {
			step := maxStep(whole[end-480 : min(at+480, len(whole))])
			s.step = max(s.step, step)
			s.worst = max(s.worst, step/max(steps[i-1], steps[i]))
		}
		should, end = should+len(part)+pause, at+len(part)
	}
	return s
}

func TestJoinedNoteSoundsLikeItsParts(t *testing.T) {
	all := sounds(t, 40)
	alone := make([][]float64, len(all))
	for i, s := range all {
		alone[i] = decode48(t, s.data)
	}
	const pause = 160 * 48
	for _, n := range []int{2, 3, 6, 10, 40} {
		for from := 0; from+n <= len(all) && from < 10; from += 4 {
			note, _, err := oggopus.Join(clipsOf(all[from:from+n]), oggopus.JoinOptions{})
			require.NoError(t, err)
			require.NoError(t, oggopus.Check(note))
			parts := alone[from : from+n]
			want := (n - 1) * pause
			for _, p := range parts {
				want += len(p)
			}
			assert.InDelta(t, float64(want)/48000, opusinfo(t, note).Seconds(), 0.011, "opusinfo's length")
			whole := decode48(t, note)
			got := listen(whole, parts, pause)
			t.Logf("%d clips from %d: snr %.1f dB, step at a seam %.0f (alone %.0f, at most %.2f of it), drift %.1f ms, total off by %.1f ms",
				n, from, got.snr, got.step, got.alone, got.worst, float64(got.drift)/48, float64(len(whole)-want)/48)
			assert.InDelta(t, want, len(whole), 480, "the note lasts as long as its parts and pauses")
			assert.Greater(t, got.snr, 90.0, "a part sounds as it does alone")
			assert.LessOrEqual(t, got.worst, 1.0, "no click at a seam")
			assert.LessOrEqual(t, got.drift, 480, "every part is where it belongs")
		}
	}
}

func TestVoicesOfDifferentVendorsJoin(t *testing.T) {
	all := spoken(t)
	note, _, err := oggopus.Join(clipsOf(all), oggopus.JoinOptions{Pause: 120 * time.Millisecond})
	require.NoError(t, err)
	var parts [][]float64
	for _, s := range all {
		parts = append(parts, decode48(t, s.data))
	}
	opusinfo(t, note)
	got := listen(decode48(t, note), parts, 120*48)
	t.Logf("%+v", got)
	assert.Greater(t, got.snr, 40.0)
	assert.Less(t, got.worst, 0.1, "speech ends and begins softly")
	assert.NoError(t, oggopus.CheckNote(note, 2*35+2*34))
}

func TestOtherDecodersHearTheSame(t *testing.T) {
	all := sounds(t, 12)
	note, _, err := oggopus.Join(clipsOf(all), oggopus.JoinOptions{})
	require.NoError(t, err)
	for name, decode := range map[string]func(*testing.T, []byte) []float64{"pion": decodePion, "ffmpeg": decodeFfmpeg} {
		t.Run(name, func(t *testing.T) {
			var parts [][]float64
			want := 11 * 160 * 48
			for _, s := range all {
				parts = append(parts, decode(t, s.data))
				want += len(parts[len(parts)-1])
			}
			whole := decode(t, note)
			assert.InDelta(t, want, len(whole), 480)
			got := listen(whole, parts, 160*48)
			t.Logf("%+v", got)
			assert.Greater(t, got.snr, 30.0, "ffmpeg resamples SILK its own way")
			assert.LessOrEqual(t, got.worst, 1.0)
		})
	}
}

func TestStereoClipIsRefused(t *testing.T) {
	pcm := sentence(16000, 300*time.Millisecond, 1)
	both := make([]int16, 0, 2*len(pcm))
	for _, s := range pcm {
		both = append(both, s, -s)
	}
	stereo := tool(t, pcmBytes(both), "opusenc", "--quiet", "--raw", "--raw-rate", "16000", "--raw-chan", "2", "--bitrate", "64", "-", "-")
	lying := patch(stereo, 0, func(p []byte) { p[28+9] = 1 })
	require.NoError(t, oggopus.Check(lying), "the head says mono")
	for _, clip := range [][]byte{stereo, lying} {
		_, _, err := oggopus.Join([][]byte{silence(t, 5, oggopus.Options{}), clip}, oggopus.JoinOptions{})
		assert.ErrorIs(t, err, oggopus.ErrNotMono)
		assert.ErrorIs(t, oggopus.CheckNote(clip, 5), oggopus.ErrNotMono)
	}
	assert.False(t, bytes.Equal(stereo, lying))
}
