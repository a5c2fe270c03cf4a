package genai_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// note is an Ogg/Opus clip of silence. The serial number makes clips of the same
// length differ.
func note(t testing.TB, serial uint32, length time.Duration) domain.Audio {
	t.Helper()
	return audio(t, domain.MIMEOggOpus, opus(t, serial, length))
}

func opus(t testing.TB, serial uint32, length time.Duration) []byte {
	t.Helper()
	data, err := silence(serial, length)
	require.NoError(t, err)
	return data
}

func silence(serial uint32, length time.Duration) ([]byte, error) {
	const frame = 20 * time.Millisecond
	return oggopus.Encode(func(yield func([]byte) bool) {
		for range (length + frame - 1) / frame {
			if !yield(oggopus.SilencePacket()) {
				return
			}
		}
	}, oggopus.Options{Serial: serial})
}

func audio(t testing.TB, mime string, data []byte) domain.Audio {
	t.Helper()
	a, err := domain.NewAudio(mime, data, 0)
	require.NoError(t, err)
	return a
}

func measure(t *testing.T, clip domain.Audio) time.Duration {
	t.Helper()
	if clip.Type() == domain.MIMEWAV {
		p, err := wav.Decode(clip.Bytes())
		require.NoError(t, err)
		return p.Duration()
	}
	require.NoError(t, oggopus.Check(clip.Bytes()))
	info, err := oggopus.Inspect(clip.Bytes())
	require.NoError(t, err)
	return info.Duration
}

// opusStub stands in for an encoder: silence as long as the clip.
type opusStub struct{}

func (opusStub) Encode(ctx context.Context, clip domain.Audio) (domain.Audio, error) {
	if err := ports.FromContext(ctx, "stub.encode"); err != nil {
		return domain.Audio{}, err
	}
	pcm, err := wav.Decode(clip.Bytes())
	if err != nil || clip.MIME() != domain.MIMEWAV || pcm.Channels != 1 || pcm.Duration() != clip.Duration() {
		return domain.Audio{}, &ports.Error{Op: "stub.encode", Kind: ports.KindUnsupported, Err: errors.New("not the WAV clip it should be")}
	}
	data, err := silence(1, pcm.Duration())
	if err != nil {
		return domain.Audio{}, err
	}
	info, err := oggopus.Inspect(data)
	if err != nil {
		return domain.Audio{}, err
	}
	return domain.NewAudio(domain.MIMEOggOpus, data, info.Duration)
}

// encodes is an encoder of one function.
type encodes func(context.Context, domain.Audio) (domain.Audio, error)

func (f encodes) Encode(ctx context.Context, clip domain.Audio) (domain.Audio, error) {
	return f(ctx, clip)
}

// hears is a model that knows some clips; in any other it hears nothing.
func hears(words map[string]string) behaviour {
	return func(_ *server, w http.ResponseWriter, r *http.Request, in seen) {
		text, ok := words[string(in.last().Parts[0].InlineData.Data)]
		if !ok {
			answers(heard(0, "", ""))(nil, w, r, in)
			return
		}
		answers(heard(0.9, "en", text))(nil, w, r, in)
	}
}

// heard is the response of a model that was told to write down a clip.
func heard(audible float64, language, text string) string {
	return transcribed(fmt.Sprintf(`{"audible": %v, "language": %q, "text": %q}`, audible, language, text))
}

// transcribed is a response with any text.
func transcribed(text string) string {
	return `{"candidates":[{"content":{"role":"model","parts":[{"text":` + quote(text) + `}]},"finishReason":"STOP","index":0}],` +
		`"usageMetadata":{"promptTokenCount":40,"candidatesTokenCount":9}}`
}

// speaks is a voice that hums for 50 ms a character.
func speaks(_ *server, w http.ResponseWriter, r *http.Request, in seen) {
	answers(speech("audio/L16;codec=pcm;rate=24000", hum(len(in.last().Parts[0].Text)*24_000/20)))(nil, w, r, in)
}

// speech is a response with sound.
func speech(mime string, pieces ...[]byte) string {
	var parts []string
	for _, p := range pieces {
		parts = append(parts, fmt.Sprintf(`{"inlineData":{"mimeType":%q,"data":%q}}`, mime, base64.StdEncoding.EncodeToString(p)))
	}
	return `{"candidates":[{"content":{"role":"model","parts":[` + strings.Join(parts, ",") + `]},"finishReason":"STOP","index":0}]}`
}

// hum is little-endian PCM of so many samples, none of them a palindrome.
func hum(samples int) []byte {
	return bytes.Repeat(binary.LittleEndian.AppendUint16(nil, 0x0102), samples)
}
