package voicenote_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/voicenote"
	"whatsappnode/domain"
)

// sentence is a clip of some 11 kB, as a vendor's voice answers: 3.6 s in packets of
// 20 ms at 24 kbit/s.
func sentence(tb testing.TB, seed uint64) []byte {
	tb.Helper()
	rnd := rand.New(rand.NewPCG(seed, 1))
	data, err := oggopus.Encode(func(yield func([]byte) bool) {
		packet := make([]byte, 60)
		for range 180 {
			for i := range packet {
				packet[i] = byte(rnd.Uint32())
			}
			packet[0] = oggopus.SilencePacket()[0] // 20 ms, one channel, one frame
			if !yield(packet) {
				return
			}
		}
	}, oggopus.Options{Serial: 1, PreSkip: oggopus.DefaultPreSkip, InputRate: 24_000})
	require.NoError(tb, err)
	return data
}

func BenchmarkTake(b *testing.B) {
	data := sentence(b, 1)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		_, err := voicenote.Take("speak", data)
		require.NoError(b, err)
	}
}

// BenchmarkNote is all that happens to the sound of an answer in eight sentences: each
// is taken, they are joined, and the note is looked at a last time.
func BenchmarkNote(b *testing.B) {
	sounds := make([][]byte, 8)
	for i := range sounds {
		sounds[i] = sentence(b, uint64(i))
	}
	pauses := make([]time.Duration, len(sounds))
	b.ReportAllocs()
	for b.Loop() {
		clips := make([]domain.Audio, len(sounds))
		for i, s := range sounds {
			var err error
			clips[i], err = voicenote.Take("speak", s)
			require.NoError(b, err)
		}
		note, err := voicenote.Maker{}.Join(clips, pauses)
		require.NoError(b, err)
		require.NoError(b, voicenote.Maker{}.Check(note, 480))
	}
}
