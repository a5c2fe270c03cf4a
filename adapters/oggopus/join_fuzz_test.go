package oggopus_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
)

// FuzzJoin joins two arbitrary files. What Check accepts must join, into a note that
// passes Check, lasts as Join says and as long as its parts and their pause, and joins
// again.
func FuzzJoin(f *testing.F) {
	plain := silence(f, 60, oggopus.Options{PreSkip: 312, Comments: []string{"A=b"}})
	late := write(f, packets(silk, 120), oggopus.Options{PreSkip: 3840, Gain: 300}, 3000)
	long := write(f, [][]byte{{11<<3 | 1, 1, 2}, {31<<3 | 3, 6, 1, 2, 3, 4, 5, 6}, {0 << 3, 1}}, oggopus.Options{PreSkip: 500}, 0)
	f.Add(plain, late, uint8(0))
	f.Add(late, long, uint8(120))
	f.Add(long, long, uint8(20))
	f.Add(append(bytes.Clone(plain), plain...), plain, uint8(160))
	f.Fuzz(func(t *testing.T, a, b []byte, pause uint8) {
		a, b = sealAll(a), sealAll(b)
		opt := oggopus.JoinOptions{Pause: max(oggopus.MinPause, time.Duration(pause)*time.Millisecond)}
		note, length, err := oggopus.Join([][]byte{a, b, a}, opt)
		if err != nil {
			require.Nil(t, note)
			if oggopus.Check(a) == nil && oggopus.Check(b) == nil {
				known := errors.Is(err, oggopus.ErrMixedGain) || errors.Is(err, oggopus.ErrNotMono) || errors.Is(err, oggopus.ErrCorrupt)
				require.True(t, known, "%v", err)
			}
			return
		}
		require.NoError(t, oggopus.Check(a))
		require.NoError(t, oggopus.Check(b))
		require.NoError(t, oggopus.Check(note))
		want := 2 * opt.Pause
		longest := time.Duration(0)
		for _, clip := range [][]byte{a, b, a} {
			m, err := oggopus.Measure(clip, 0)
			require.NoError(t, err)
			want += m.Duration
			for p, err := range oggopus.Packets(clip) {
				require.NoError(t, err)
				longest = max(longest, time.Duration(p.Samples)*time.Second/oggopus.ClockRate)
			}
		}
		got, err := oggopus.Measure(note, 0)
		require.NoError(t, err)
		require.Equal(t, got.Duration, length)
		// What is skipped and heard all the same is at most 80 ms and a packet at the
		// beginning of a clip and a packet at its end.
		over := 2*max(0, 100*time.Millisecond+2*longest-opt.Pause) + 11*time.Millisecond
		require.GreaterOrEqual(t, got.Duration, want-11*time.Millisecond)
		require.LessOrEqual(t, got.Duration, want+over)
		again, _, err := oggopus.Join([][]byte{note}, oggopus.JoinOptions{})
		require.NoError(t, err)
		require.Equal(t, note, again)
	})
}
