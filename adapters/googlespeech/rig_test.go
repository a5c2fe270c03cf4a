package googlespeech_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/googlespeech"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/domain"
	"whatsappnode/test/googlefake"
)

// secret is what errors must not repeat.
const secret = "the code of the safe is 4711"

// versions are both versions of the API, each with what it needs.
var versions = map[string]googlespeech.Config{
	"v2": {Project: "shop", Pace: 1e6},
	"v1": {API: googlespeech.V1, Languages: []string{"en"}, Pace: 1e6},
}

// ear makes an ear that listens at the server.
func ear(t *testing.T, s *googlefake.Server, cfg googlespeech.Config) *googlespeech.STT {
	t.Helper()
	cfg.Endpoint = s.Endpoint()
	e, err := googlespeech.NewSTT(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

// recording is a clip in which the fake hears the words.
func recording(t *testing.T, words string, length time.Duration) domain.Audio {
	t.Helper()
	data, err := googlefake.Recording(words, length)
	require.NoError(t, err)
	return audio(t, data)
}

func audio(t *testing.T, data []byte) domain.Audio {
	t.Helper()
	a, err := domain.NewAudio(domain.MIMEOggOpus, data, 0)
	require.NoError(t, err)
	return a
}

// loud is a clip of packets of 20 ms and that many bytes.
func loud(t *testing.T, length time.Duration, packet int) domain.Audio {
	t.Helper()
	sound := append([]byte{0xf8}, make([]byte, packet-1)...)
	return loudPackets(t, sound, int(length/(20*time.Millisecond)))
}

// loudPackets is a clip that repeats one packet.
func loudPackets(t *testing.T, packet []byte, n int) domain.Audio {
	t.Helper()
	data, err := oggopus.Encode(func(yield func([]byte) bool) {
		for range n {
			if !yield(packet) {
				return
			}
		}
	}, oggopus.Options{InputRate: 16_000})
	require.NoError(t, err)
	return audio(t, data)
}
