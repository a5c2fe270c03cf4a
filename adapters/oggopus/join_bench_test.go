package oggopus_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
)

// clipsOfSentences makes n clips of so many packets of 20 ms and 60 bytes, which is 24
// kbit/s, as large as real ones.
func clipsOfSentences(b *testing.B, n, packets int) [][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	clips := make([][]byte, n)
	for i := range clips {
		all := make([][]byte, packets)
		for k := range all {
			all[k] = make([]byte, 60)
			for m := range all[k] {
				all[k][m] = byte(rnd.Uint32())
			}
			all[k][0] = hybrid
		}
		clips[i] = write(b, all, oggopus.Options{PreSkip: 312, InputRate: 24000}, 200)
	}
	return clips
}

// BenchmarkJoin joins what an answer of eight sentences comes in: clips of some 11 kB.
func BenchmarkJoin(b *testing.B) {
	clips := clipsOfSentences(b, 8, 180)
	b.ReportAllocs()
	for b.Loop() {
		_, _, err := oggopus.Join(clips, oggopus.JoinOptions{})
		require.NoError(b, err)
	}
}

// BenchmarkCheckNote looks at the note that BenchmarkJoin makes, of some 89 kB.
func BenchmarkCheckNote(b *testing.B) {
	note, _, err := oggopus.Join(clipsOfSentences(b, 8, 180), oggopus.JoinOptions{})
	require.NoError(b, err)
	b.ReportAllocs()
	b.SetBytes(int64(len(note)))
	for b.Loop() {
		require.NoError(b, oggopus.CheckNote(note, 480))
	}
}

func BenchmarkExamine(b *testing.B) {
	clip := clipsOfSentences(b, 1, 180)[0]
	b.ReportAllocs()
	b.SetBytes(int64(len(clip)))
	for b.Loop() {
		_, err := oggopus.Examine(clip)
		require.NoError(b, err)
	}
}

func BenchmarkMeasure5s(b *testing.B) {
	clip := encodeAs(b, sentence(24000, 5e9, 1), 24000, "--bitrate", "24", "--speech")
	b.ReportAllocs()
	for b.Loop() {
		_, err := oggopus.Measure(clip, 64)
		require.NoError(b, err)
	}
}
