package oggopus_test

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
)

func TestCheckNote(t *testing.T) {
	note := silence(t, 250, oggopus.Options{PreSkip: 312}) // 5 s
	for _, c := range []struct {
		name  string
		chars int
		ok    bool
	}{
		{"unknown text", 0, true},
		{"one character", 1, true},
		{"ordinary speech", 75, true},
		{"Chinese", 20, true},
		{"a fast voice", 290, true},
		{"cut off", 310, false},
		{"very long text", math.MaxInt, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := oggopus.CheckNote(note, c.chars)
			var length *oggopus.LengthError
			if c.ok {
				assert.NoError(t, err)
			} else if assert.ErrorAs(t, err, &length) {
				assert.Less(t, length.Duration, length.Min)
			}
		})
	}
	long := silence(t, 50*31, oggopus.Options{}) // 31 s
	assert.NoError(t, oggopus.CheckNote(long, 21), "digits take their time")
	var length *oggopus.LengthError
	require.ErrorAs(t, oggopus.CheckNote(long, 20), &length, "a voice that babbles on")
	assert.Equal(t, oggopus.LengthError{Duration: 31 * time.Second, Min: time.Second / 3, Max: 30 * time.Second}, *length)
}

func TestCheckNoteRefusesWhatWouldNotPlay(t *testing.T) {
	good := silence(t, 60, oggopus.Options{PreSkip: 312})
	for want, data := range map[error][]byte{
		oggopus.ErrCorrupt:    good[:len(good)-1],
		oggopus.ErrChained:    append(bytes.Clone(good), good...),
		oggopus.ErrNotMono:    patch(good, 0, func(p []byte) { p[28+9] = 2 }),
		oggopus.ErrSilentFile: silenceOf(t, 960),
		oggopus.ErrUnended:    good[:pageStart(good, 3)],
		oggopus.ErrTooLarge:   make([]byte, oggopus.MaxVoiceNote+1),
	} {
		assert.ErrorIs(t, oggopus.CheckNote(data, 0), want)
	}
	for i := range good {
		broken := bytes.Clone(good)
		broken[i] ^= 4
		require.Error(t, oggopus.CheckNote(broken, 10), "byte %d", i)
	}
}

func TestExamineIsCheckAndInspect(t *testing.T) {
	good := silence(t, 60, oggopus.Options{PreSkip: 312, Comments: []string{"A=b"}})
	for name, data := range map[string][]byte{
		"sound": good, "empty": nil, "cut off": good[:len(good)-1], "chained": append(bytes.Clone(good), good...),
		"stereo": patch(good, 0, func(p []byte) { p[28+9] = 2 }), "silent": silenceOf(t, 960),
		"without an end": good[:pageStart(good, 3)], "too large": make([]byte, oggopus.MaxVoiceNote+1),
		"a hole in time": patch(good, 3, func(p []byte) { p[8]++ }),
	} {
		info, err := oggopus.Examine(data)
		assert.Equal(t, oggopus.Check(data), err, name)
		if name != "sound" {
			assert.Error(t, err, name)
			assert.Zero(t, info, name)
			continue
		}
		require.NoError(t, err)
		want, err := oggopus.Inspect(data)
		require.NoError(t, err)
		assert.Equal(t, want, info)
	}
	for i := range good {
		broken := bytes.Clone(good)
		broken[i] ^= 4
		_, err := oggopus.Examine(broken)
		require.Error(t, err, "byte %d", i)
	}
}

func TestCheckNoteLimitsTheSize(t *testing.T) {
	// The comment is what brings a note to an exact size.
	all := slices.Repeat([][]byte{append([]byte{celt}, bytes.Repeat([]byte{1}, 1275)...)}, 400)
	fill := func(size int) []byte {
		text := size - len(write(t, all, oggopus.Options{}, 0))
		for {
			note := write(t, all, oggopus.Options{Comments: []string{strings.Repeat("x", text)}}, 0)
			if len(note) <= size {
				return note
			}
			text -= len(note) - size
		}
	}
	exact := fill(oggopus.MaxPlayable)
	require.Equal(t, oggopus.MaxPlayable, len(exact))
	assert.NoError(t, oggopus.CheckNote(exact, 100))
	over := fill(oggopus.MaxPlayable + 1)
	require.Equal(t, oggopus.MaxPlayable+1, len(over))
	var size *oggopus.SizeError
	require.ErrorAs(t, oggopus.CheckNote(over, 100), &size)
	info, err := oggopus.Inspect(over)
	require.NoError(t, err)
	assert.Equal(t, oggopus.SizeError{Bytes: 512<<10 + 1, Limit: 512 << 10, Duration: info.Duration}, *size)
	var length *oggopus.LengthError
	assert.ErrorAs(t, oggopus.CheckNote(over, 9000), &length, "size comes last")
}

func TestMeasureDrawsAWaveform(t *testing.T) {
	// A second of silence, a second at half scale, a second at a quarter.
	pcm := make([]int16, 3*16000)
	for i := 16000; i < len(pcm); i++ {
		amp := 16384.0
		if i >= 2*16000 {
			amp = 8192
		}
		pcm[i] = int16(amp * math.Sin(2*math.Pi*300*float64(i)/16000))
	}
	note := encodeAs(t, pcm, 16000, "--bitrate", "64")
	m, err := oggopus.Measure(note, 30)
	require.NoError(t, err)
	assert.Equal(t, 3*time.Second, m.Duration)
	assert.Equal(t, len(note), m.Bytes)
	assert.Equal(t, 1, m.Channels)
	require.Len(t, m.Peaks, 30)
	assert.Less(t, slices.Max(m.Peaks[:9]), byte(3))
	for i, p := range m.Peaks[11:19] {
		assert.InDelta(t, 127, p, 12, "bucket %d", 11+i)
	}
	for i, p := range m.Peaks[21:] {
		assert.InDelta(t, 64, p, 8, "bucket %d", 21+i)
	}

	db, err := oggopus.Loudness(note)
	require.NoError(t, err)
	power := (0.5*0.5/2 + 0.25*0.25/2) / 2 // of the two seconds that are not silent
	assert.InDelta(t, 10*math.Log10(power), db, 0.5)

	gain := patch(note, 0, func(p []byte) { p[28+16], p[28+17] = 0, 0xfa }) // -6 dB
	softer, err := oggopus.Loudness(gain)
	require.NoError(t, err)
	assert.InDelta(t, db-6, softer, 0.2)
	half, err := oggopus.Measure(gain, 30)
	require.NoError(t, err)
	assert.InDelta(t, float64(m.Peaks[15])/2, float64(half.Peaks[15]), 2)
}

func TestMeasureBounds(t *testing.T) {
	note := silence(t, 5, oggopus.Options{})
	m, err := oggopus.Measure(note, 0)
	require.NoError(t, err)
	assert.Nil(t, m.Peaks)
	m, err = oggopus.Measure(note, oggopus.MaxBuckets)
	require.NoError(t, err, "more buckets than samples")
	assert.Len(t, m.Peaks, oggopus.MaxBuckets)
	for _, n := range []int{-1, oggopus.MaxBuckets + 1} {
		_, err = oggopus.Measure(note, n)
		assert.Error(t, err)
	}
	_, err = oggopus.Measure(note[:20], 1)
	assert.ErrorIs(t, err, oggopus.ErrCorrupt)
	_, err = oggopus.Loudness(note[:20])
	assert.ErrorIs(t, err, oggopus.ErrCorrupt)
	db, err := oggopus.Loudness(note)
	require.NoError(t, err)
	assert.Equal(t, oggopus.SilentLevel, db)
	long := silence(t, 50*60*15+1, oggopus.Options{})
	_, err = oggopus.Measure(long, 1)
	assert.ErrorIs(t, err, oggopus.ErrTooLong)
	_, err = oggopus.Loudness(long)
	assert.ErrorIs(t, err, oggopus.ErrTooLong)
	_, err = oggopus.Measure(long, 0)
	assert.NoError(t, err)
}
