package oggopus_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
)

// packetsOf lists the audio packets of a file.
func packetsOf(t *testing.T, data []byte) (out [][]byte) {
	t.Helper()
	for p, err := range oggopus.Packets(data) {
		require.NoError(t, err)
		out = append(out, p.Data)
	}
	return out
}

// write makes a file of packets with an end trim.
func write(t testing.TB, packets [][]byte, opt oggopus.Options, trim int) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := oggopus.NewWriter(&buf, opt)
	require.NoError(t, err)
	for _, p := range packets {
		require.NoError(t, w.WritePacket(p))
	}
	require.NoError(t, w.Close(trim))
	return buf.Bytes()
}

// The first bytes of packets of 20 ms in each mode, mono.
const (
	silk   = 9 << 3
	hybrid = 15 << 3
	celt   = 31 << 3
)

// packets makes n packets of a kind that can be told apart.
func packets(toc byte, n int) (out [][]byte) {
	for i := range n {
		out = append(out, []byte{toc, byte(i), 1, 2})
	}
	return out
}

func TestJoinWritesOneStreamOfOurOwn(t *testing.T) {
	a, b := packets(silk, 30), packets(hybrid, 40)
	first := write(t, a, oggopus.Options{Serial: 7, PreSkip: 120, InputRate: 22050, Gain: -256, Comments: []string{"X=y"}}, 0)
	second := write(t, b, oggopus.Options{Serial: 8, PreSkip: 312, InputRate: 8000, Gain: -256}, 100)
	note, _, err := oggopus.Join([][]byte{first, second}, oggopus.JoinOptions{Serial: 99, Comments: []string{"TITLE=n"}, Pause: 100 * time.Millisecond})
	require.NoError(t, err)
	require.NoError(t, oggopus.Check(note))
	info, err := oggopus.Inspect(note)
	require.NoError(t, err)
	assert.Equal(t, oggopus.Head{Channels: 1, PreSkip: 120, InputRate: 22050, Gain: -256}, info.Head)
	assert.Equal(t, oggopus.Tags{Vendor: oggopus.Vendor, Comments: []string{"TITLE=n"}}, info.Tags)
	assert.Equal(t, []uint32{99}, info.Serials)
	assert.EqualValues(t, 100, info.EndTrim)
	pause := slices.Repeat([][]byte{oggopus.SilencePacket()}, 5) // 100 ms less 6.5 ms of pre-skip
	assert.True(t, slices.EqualFunc(slices.Concat(a, pause, b), packetsOf(t, note), bytes.Equal), "not a bit of a packet changes")
	assert.Equal(t, 2+2, bytes.Count(note, []byte("OggS")), "two header pages, then one a second")
}

func TestSilenceBeforeAClipMakesTheDecoderForget(t *testing.T) {
	for _, before := range []byte{silk, hybrid, celt} {
		for _, after := range []byte{silk, hybrid, celt} {
			a := write(t, packets(before, 3), oggopus.Options{PreSkip: 120}, 0)
			b := write(t, packets(after, 3), oggopus.Options{}, 0)
			note, _, err := oggopus.Join([][]byte{a, b}, oggopus.JoinOptions{Pause: oggopus.MinPause})
			require.NoError(t, err)
			all := packetsOf(t, note)
			require.Len(t, all, 7)
			mode := func(p []byte) bool { return p[0]>>3 >= 16 }
			assert.NotEqual(t, mode(all[4]), mode(all[3]), "the silence is in another mode than the clip after it")
		}
	}
}

func TestTooSmallAPreSkipIsMadePlausible(t *testing.T) {
	for _, mode := range []byte{silk, celt} {
		clip := write(t, packets(mode, 60), oggopus.Options{Serial: 1, PreSkip: 7}, 0)
		note, length, err := oggopus.Join([][]byte{clip}, oggopus.JoinOptions{})
		require.NoError(t, err)
		info, err := oggopus.Inspect(note)
		require.NoError(t, err)
		assert.Equal(t, info.Duration, length)
		assert.Equal(t, 960+7, info.PreSkip)
		assert.Equal(t, 61, info.Packets)
		assert.Equal(t, time.Duration(60*960-7)*time.Second/48000, info.Duration)
		opusinfo(t, note)
	}
	pcm := sentence(48000, 300*time.Millisecond, 2)
	clip := patch(encodeAs(t, pcm, 48000, "--music", "--bitrate", "64"), 0, func(p []byte) { p[28+10], p[28+11] = 0, 0 })
	note, _, err := oggopus.Join([][]byte{clip}, oggopus.JoinOptions{})
	require.NoError(t, err)
	alone, whole := decode48(t, clip), decode48(t, note)
	require.Equal(t, len(alone), len(whole))
	assert.Greater(t, floatSNR(alone[240:], whole[240:]), 90.0, "but for 5 ms in which the decoder changes over")
}

func TestPausesAndDurations(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	plain := write(t, packets(silk, 50), oggopus.Options{}, 0)
	lead := write(t, packets(silk, 50), oggopus.Options{PreSkip: 312}, 0)
	tail := write(t, packets(silk, 50), oggopus.Options{}, 900)
	long := write(t, packets(silk, 50), oggopus.Options{}, 5*960+10)
	for _, c := range []struct {
		name  string
		clips [][]byte
		opt   oggopus.JoinOptions
		pause time.Duration // all of them together
		off   time.Duration // at most
	}{
		{"default", [][]byte{plain, plain}, oggopus.JoinOptions{}, ms(160), 0},
		{"chosen", [][]byte{plain, plain, plain}, oggopus.JoinOptions{Pause: ms(200)}, ms(400), 0},
		{"shortest", [][]byte{plain, plain}, oggopus.JoinOptions{Pause: ms(20)}, ms(20), 0},
		{"longest", [][]byte{plain, plain}, oggopus.JoinOptions{Pause: ms(2000)}, ms(2000), 0},
		{"by seam", [][]byte{plain, plain, plain, plain}, oggopus.JoinOptions{Pauses: []time.Duration{ms(40), 0, ms(400)}}, ms(600), 0},
		{"pre-skip counts", slices.Repeat([][]byte{lead}, 40), oggopus.JoinOptions{}, ms(39 * 160), ms(10)},
		{"end trim counts", slices.Repeat([][]byte{tail}, 40), oggopus.JoinOptions{}, ms(39 * 160), ms(10)},
		{"whole packets of end trim are left out", slices.Repeat([][]byte{long}, 5), oggopus.JoinOptions{}, ms(4 * 160), ms(10)},
		{"odd pauses do not add up", slices.Repeat([][]byte{lead, tail}, 20), oggopus.JoinOptions{Pause: ms(129)}, ms(39 * 129), ms(10)},
	} {
		t.Run(c.name, func(t *testing.T) {
			note, length, err := oggopus.Join(c.clips, c.opt)
			require.NoError(t, err)
			want := c.pause
			for _, clip := range c.clips {
				m, err := oggopus.Measure(clip, 0)
				require.NoError(t, err)
				want += m.Duration
			}
			got, err := oggopus.Measure(note, 0)
			require.NoError(t, err)
			assert.InDelta(t, want.Seconds(), got.Duration.Seconds(), c.off.Seconds()+1e-6)
			assert.Equal(t, got.Duration, length, "what Join says")
			opusinfo(t, note)
		})
	}
}

func TestLongPreSkipIsKeptOnlyWhereItIsQuiet(t *testing.T) {
	pcm := sentence(48000, 500*time.Millisecond, 3)
	quiet := encodeAs(t, slices.Concat(make([]int16, 9600), pcm), 48000, "--bitrate", "32", "--speech")
	loud := encodeAs(t, pcm, 48000, "--bitrate", "32", "--speech")
	long := func(clip []byte, skip int) []byte {
		return patch(clip, 0, func(p []byte) { p[28+10], p[28+11] = byte(skip), byte(skip>>8) })
	}
	front := silence(t, 10, oggopus.Options{})
	for _, c := range []struct {
		name    string
		clip    []byte
		dropped int
	}{
		{"quiet", long(quiet, 3840), 0},
		{"loud", long(loud, 3840), 4},
		{"quiet, far over what a decoder needs", long(quiet, 9600), 6},
		{"encoder's own", loud, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			note, _, err := oggopus.Join([][]byte{front, c.clip}, oggopus.JoinOptions{})
			require.NoError(t, err)
			want := packetsOf(t, c.clip)[c.dropped:]
			all := packetsOf(t, note)
			require.Greater(t, len(all), len(want))
			assert.True(t, slices.EqualFunc(want, all[len(all)-len(want):], bytes.Equal), "the rest of the clip")
			assert.True(t, bytes.Equal(all[len(all)-len(want)-1], oggopus.SilencePacket()), "silence before it")
			alone, err := oggopus.Measure(c.clip, 0)
			require.NoError(t, err)
			got, err := oggopus.Measure(note, 0)
			require.NoError(t, err)
			assert.InDelta(t, (alone.Duration + 360*time.Millisecond).Seconds(), got.Duration.Seconds(), 0.010001)
		})
	}
}

func TestJoinRefuses(t *testing.T) {
	good := silence(t, 60, oggopus.Options{PreSkip: 312})
	gain := func(db int) []byte { return silence(t, 5, oggopus.Options{Gain: int16(db * 256)}) }
	flipped := bytes.Clone(good)
	flipped[len(flipped)-5] ^= 1
	for _, c := range []struct {
		name  string
		clips [][]byte
		opt   oggopus.JoinOptions
		want  error // nil: any
		index int   // of the clip at fault, -1 for none
	}{
		{"nothing", nil, oggopus.JoinOptions{}, oggopus.ErrNoClips, -1},
		{"an empty clip", [][]byte{good, nil}, oggopus.JoinOptions{}, oggopus.ErrCorrupt, 1},
		{"a flipped bit", [][]byte{good, good, flipped}, oggopus.JoinOptions{}, oggopus.ErrCorrupt, 2},
		{"a cut clip", [][]byte{good[:len(good)-1], good}, oggopus.JoinOptions{}, oggopus.ErrCorrupt, 0},
		{"no end", [][]byte{good, good[:pageStart(good, 3)]}, oggopus.JoinOptions{}, oggopus.ErrUnended, 1},
		{"a chained file", [][]byte{good, append(bytes.Clone(good), good...)}, oggopus.JoinOptions{}, oggopus.ErrChained, 1},
		{"WAV", [][]byte{good, []byte("RIFF\x24\x00\x00\x00WAVEfmt ")}, oggopus.JoinOptions{}, oggopus.ErrCorrupt, 1},
		{"a hole in time", [][]byte{good, patch(good, 3, func(p []byte) { p[8]++ })}, oggopus.JoinOptions{}, oggopus.ErrCorrupt, 1},
		{"nothing to hear", [][]byte{good, silenceOf(t, 960)}, oggopus.JoinOptions{}, oggopus.ErrSilentFile, 1},
		{"gains far apart", [][]byte{gain(0), gain(3), gain(4)}, oggopus.JoinOptions{}, oggopus.ErrMixedGain, 2},
		{"gains far apart, down", [][]byte{gain(0), gain(-3), gain(-4)}, oggopus.JoinOptions{}, oggopus.ErrMixedGain, 2},
		{"a clip over 16 MB", [][]byte{good, make([]byte, oggopus.MaxVoiceNote+1)}, oggopus.JoinOptions{}, oggopus.ErrTooLarge, 1},
		{"too short a pause", [][]byte{good}, oggopus.JoinOptions{Pause: time.Millisecond}, nil, -1},
		{"a negative pause", [][]byte{good}, oggopus.JoinOptions{Pauses: []time.Duration{-1}}, nil, -1},
		{"too long a pause", [][]byte{good}, oggopus.JoinOptions{Pauses: []time.Duration{time.Minute}}, nil, -1},
		{"too many comments", [][]byte{good}, oggopus.JoinOptions{Comments: []string{string(make([]byte, 70_000))}}, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			note, length, err := oggopus.Join(c.clips, c.opt)
			require.Error(t, err)
			assert.Nil(t, note)
			assert.Zero(t, length)
			if c.want != nil {
				assert.ErrorIs(t, err, c.want)
			}
			var clip *oggopus.ClipError
			if errors.As(err, &clip) {
				assert.Equal(t, c.index, clip.Index, "%v", err)
			} else {
				assert.Equal(t, -1, c.index, "%v", err)
			}
		})
	}
}

// silenceOf is a file of one packet that ends where its pre-skip does.
func silenceOf(t *testing.T, skip int) []byte {
	data := silence(t, 1, oggopus.Options{})
	return patch(data, 0, func(p []byte) { p[28+10], p[28+11] = byte(skip), byte(skip>>8) })
}

func TestJoinedNoteHasALimit(t *testing.T) {
	big := make([][]byte, 1500)
	for i := range big {
		big[i] = append([]byte{celt}, bytes.Repeat([]byte{byte(i)}, 1275)...)
	}
	clip := write(t, big, oggopus.Options{}, 0)
	_, _, err := oggopus.Join(slices.Repeat([][]byte{clip}, 9), oggopus.JoinOptions{})
	assert.ErrorIs(t, err, oggopus.ErrTooLarge)
}

func TestOneClipIsRewritten(t *testing.T) {
	clip := write(t, packets(celt, 70), oggopus.Options{Serial: 5, PreSkip: 312, InputRate: 16000}, 333)
	want, _, err := oggopus.Rewrite(clip)
	require.NoError(t, err)
	got, _, err := oggopus.Join([][]byte{clip}, oggopus.JoinOptions{})
	require.NoError(t, err)
	assert.Equal(t, want, got)
	again, _, err := oggopus.Join([][]byte{got}, oggopus.JoinOptions{})
	require.NoError(t, err)
	assert.Equal(t, got, again)
}

func TestChecksumOfEveryLength(t *testing.T) {
	for n := range 40 { // the checksum is taken in steps of eight bytes
		data := write(t, [][]byte{append([]byte{celt}, bytes.Repeat([]byte{0xa7}, n)...)}, oggopus.Options{}, 0)
		want := bytes.Clone(data)
		seal(want[pageStart(want, 2):])
		require.Equal(t, want, data, "%d bytes", n)
	}
}

func TestJoinKeepsLoudness(t *testing.T) {
	loud := sentence(16000, time.Second, 1)
	soft := sentence(16000, time.Second, 1)
	for i := range soft {
		soft[i] /= 4
	}
	a, b := encodeAs(t, loud, 16000, "--bitrate", "24", "--speech"), encodeAs(t, soft, 16000, "--bitrate", "24", "--speech")
	level := func(clip []byte) float64 {
		db, err := oggopus.Loudness(clip)
		require.NoError(t, err)
		return db
	}
	assert.InDelta(t, 12.04, level(a)-level(b), 1, "a quarter of the amplitude")
	both, _, err := oggopus.Join([][]byte{a, b}, oggopus.JoinOptions{})
	require.NoError(t, err)
	power := func(db float64) float64 { return math.Pow(10, db/10) }
	assert.InDelta(t, 10*math.Log10((power(level(a))+power(level(b)))/2), level(both), 0.5, "nothing is made louder or softer")
}
