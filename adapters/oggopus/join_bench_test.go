package oggopus_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
)

// sentences makes n clips of five seconds at 24 kbit/s, as large as real ones.
func sentences(b *testing.B, n int) [][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	clips := make([][]byte, n)
	for i := range clips {
		var all [][]byte
		for range 250 {
			p := make([]byte, 60)
			for k := range p {
				p[k] = byte(rnd.Uint32())
			}
			p[0] = hybrid
			all = append(all, p)
		}
		clips[i] = write(b, all, oggopus.Options{PreSkip: 312, InputRate: 24000}, 200)
	}
	return clips
}

func BenchmarkJoin6(b *testing.B) {
	clips := sentences(b, 6)
	b.ReportAllocs()
	for b.Loop() {
		_, err := oggopus.Join(clips, oggopus.JoinOptions{})
		require.NoError(b, err)
	}
}

func BenchmarkCheckNote30s(b *testing.B) {
	note, err := oggopus.Join(sentences(b, 6), oggopus.JoinOptions{})
	require.NoError(b, err)
	b.ReportAllocs()
	b.SetBytes(int64(len(note)))
	for b.Loop() {
		require.NoError(b, oggopus.CheckNote(note, 480))
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
