package openai_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/openai"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// failures are answers by the kind they must be given, whatever was asked.
var failures = map[ports.Kind]http.HandlerFunc{
	ports.KindDenied:      says(401, `{"error":{"message":"the code of the safe is 4711","code":"invalid_api_key"}}`),
	ports.KindRateLimited: says(429, `{"error":{"message":"the code of the safe is 4711","code":"rate_limit_exceeded"}}`),
	ports.KindTransient:   says(503, `the code of the safe is 4711`),
	ports.KindInvalid:     says(404, `{"error":{"message":"the code of the safe is 4711","code":"model_not_found"}}`),
	ports.KindUnsupported: says(400, `{"error":{"message":"the code of the safe is 4711","code":"context_length_exceeded"}}`),
	ports.KindBlocked:     says(400, `{"error":{"message":"the code of the safe is 4711","code":"content_policy_violation"}}`),
	ports.KindTimeout:     says(504, `the code of the safe is 4711`),
}

func failing[P any](make func(t *testing.T, answer http.HandlerFunc) P) map[ports.Kind]func(*testing.T) P {
	out := map[ports.Kind]func(*testing.T) P{}
	for kind, answer := range failures {
		out[kind] = func(t *testing.T) P { return make(t, answer) }
	}
	return out
}

func TestLLMContract(t *testing.T) {
	model := func(t *testing.T, answer http.HandlerFunc) ports.LLMPort { return newServer(t, answer).llm() }
	with := func(answer http.HandlerFunc) func(*testing.T) ports.LLMPort {
		return func(t *testing.T) ports.LLMPort { return model(t, answer) }
	}
	porttest.TestLLM(t, porttest.LLMHarness{
		New:       with(nil),
		Echoes:    true,
		Truncates: true,
		Hang:      with(hang),
		Stall:     stalling,
		Cut:       with(streams(cut, delta("Good "), delta("morning"))),
		Empty:     with(streams(nil, finish("stop"), usage, done)),
		Fail:      failing(model),
		Asks:      func(t *testing.T, calls []ports.ToolCall) ports.LLMPort { return model(t, asksFor(t, calls)) },
		Calls:     func(m ports.LLMPort) int { return callsOf(m) },
	})
}

// stalling makes a model whose stream stands still after some text. It needs no
// connection: the suite gives such a stream 20 ms in all, which a busy machine may
// need to make one. TestReaderWhoLeavesFreesTheServer has the connection.
func stalling(t *testing.T) ports.LLMPort {
	s := newServer(t, nil)
	return s.llm(func(c *openai.LLMConfig) {
		c.Client = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			lines := &bodyOf{lines: []string{delta("Good ") + "\n\n", delta("morning") + "\n\n"}, wait: r.Context()}
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: lines}, nil
		})}
	})
}

func TestSTTContract(t *testing.T) {
	ear := func(t *testing.T, answer http.HandlerFunc) ports.STTPort { return newServer(t, answer).stt() }
	porttest.TestSTT(t, porttest.STTHarness{
		New: func(t *testing.T) ports.STTPort { return ear(t, nil) },
		Spoken: func(t *testing.T) []porttest.Spoken {
			return []porttest.Spoken{
				{Clip: note(t, "when do you open on Saturday"), Word: "saturday"},
				{Clip: note(t, "I want my money back"), Word: "money"},
				{Clip: note(t, "the umbrella is green"), Word: "umbrella"},
			}
		},
		Silence: func(t *testing.T) domain.Audio { return note(t, "") },
		Corrupt: func(t *testing.T) []domain.Audio {
			whole := note(t, "hello").Bytes()
			flipped := bytes.Clone(whole)
			flipped[len(flipped)-1] ^= 1
			return []domain.Audio{
				clip(t, domain.MIMEOggOpus, flipped), clip(t, domain.MIMEOggOpus, whole[:len(whole)-3]),
				clip(t, domain.MIMEWAV, whole), clip(t, domain.MIMEMP3, whole), clip(t, "audio/mp4", whole),
			}
		},
		TooLong: func(t *testing.T) domain.Audio { return clip(t, domain.MIMEWAV, silentWAV(9*time.Minute)) },
		Hang:    func(t *testing.T) ports.STTPort { return ear(t, hang) },
		Fail:    failing(ear),
		Calls:   func(e ports.STTPort) int { return callsOf(e) },
	})
}

func TestTTSContract(t *testing.T) {
	voice := func(t *testing.T, answer http.HandlerFunc) ports.TTSPort { return newServer(t, answer).tts() }
	porttest.TestTTS(t, porttest.TTSHarness{
		New:      func(t *testing.T) ports.TTSPort { return voice(t, nil) },
		Duration: measure,
		Formats:  []string{domain.MIMEWAV, domain.MIMEMP3},
		TooLong:  strings.Repeat("é", 4097),
		Hang:     func(t *testing.T) ports.TTSPort { return voice(t, hang) },
		Fail:     failing(voice),
		Calls:    func(v ports.TTSPort) int { return callsOf(v) },
	})
}

func note(t *testing.T, words string) domain.Audio {
	t.Helper()
	c, err := fake.Clip(words, time.Second)
	require.NoError(t, err)
	return c
}

func clip(t *testing.T, mime string, data []byte) domain.Audio {
	t.Helper()
	c, err := domain.NewAudio(mime, data, 0)
	require.NoError(t, err)
	return c
}

// measure reads a clip's length from its bytes.
func measure(t *testing.T, c domain.Audio) time.Duration {
	t.Helper()
	switch c.Type() {
	case domain.MIMEWAV:
		pcm, err := wav.Decode(c.Bytes())
		require.NoError(t, err)
		return pcm.Duration()
	case domain.MIMEMP3:
		return time.Duration(len(c.Bytes())/192) * 24 * time.Millisecond
	}
	require.NoError(t, oggopus.Check(c.Bytes()))
	info, err := oggopus.Inspect(c.Bytes())
	require.NoError(t, err)
	return info.Duration
}
