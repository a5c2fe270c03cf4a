package genai_test

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/genai"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// rig makes engines, each with a server of its own, and remembers whose is whose.
type rig[P comparable] struct {
	vertex bool
	build  func(t *testing.T, s *server) P
	all    sync.Map
}

func (r *rig[P]) on(behave behaviour) func(t *testing.T) P {
	return func(t *testing.T) P {
		s := startInside(t, behave, r.vertex)
		p := r.build(t, s)
		r.all.Store(p, s)
		return p
	}
}

func (r *rig[P]) calls(p P) int {
	s, _ := r.all.Load(p)
	return s.(*server).calls()
}

func newLLM(t *testing.T, s *server) *genai.LLM {
	t.Helper()
	l, err := genai.NewLLM(genai.LLMConfig{Config: s.config(), Model: "gemini-test"})
	require.NoError(t, err)
	return l
}

func newSTT(t *testing.T, s *server) *genai.STT {
	t.Helper()
	e, err := genai.NewSTT(genai.STTConfig{Config: s.config(), Model: "gemini-test"})
	require.NoError(t, err)
	return e
}

func newTTS(t *testing.T, s *server) *genai.TTS {
	t.Helper()
	v, err := genai.NewTTS(genai.TTSConfig{Config: s.config(), Model: "gemini-test-tts", Encoder: opusStub{}, Languages: []string{"en-US", "de"}})
	require.NoError(t, err)
	return v
}

// secret is the text that the suites say and that no error may repeat.
const secret = "the code of the safe is 4711"

// failures provoke each kind as Google does; every one repeats what was said.
func failures[P comparable](r *rig[P]) map[ports.Kind]func(*testing.T) P {
	return map[ports.Kind]func(*testing.T) P{
		ports.KindDenied:      r.on(refuses(http.StatusForbidden, "PERMISSION_DENIED", secret)),
		ports.KindInvalid:     r.on(refuses(http.StatusBadRequest, "INVALID_ARGUMENT", secret)),
		ports.KindUnsupported: r.on(refuses(http.StatusBadRequest, "INVALID_ARGUMENT", secret+" is not supported")),
		ports.KindRateLimited: r.on(refuses(http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", secret)),
		ports.KindTransient:   r.on(refuses(http.StatusServiceUnavailable, "UNAVAILABLE", secret)),
		ports.KindTimeout:     r.on(refuses(http.StatusGatewayTimeout, "DEADLINE_EXCEEDED", secret)),
		ports.KindBlocked: r.on(func(s *server, w http.ResponseWriter, req *http.Request, in seen) {
			const blocked = `{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT","blockReasonMessage":"` + secret + `"}}`
			if in.method == "streamGenerateContent" {
				events(w, blocked)
				return
			}
			answers(blocked)(s, w, req, in)
		}),
	}
}

func onBoth(t *testing.T, run func(t *testing.T, vertex bool)) {
	t.Run("GeminiAPI", func(t *testing.T) { run(t, false) })
	t.Run("VertexAI", func(t *testing.T) { run(t, true) })
}

func TestLLMContract(t *testing.T) {
	onBoth(t, func(t *testing.T, vertex bool) {
		r := &rig[ports.LLMPort]{vertex: vertex, build: func(t *testing.T, s *server) ports.LLMPort { return newLLM(t, s) }}
		porttest.TestLLM(t, porttest.LLMHarness{
			New:       r.on(chats),
			Echoes:    true,
			Truncates: true,
			Hang:      r.on(hangs),
			Stall:     r.on(stalls),
			Cut:       r.on(cuts(chunk("Well, ", ""), chunk("then", ""))),
			Empty:     r.on(streams(chunk("", "STOP"))),
			Asks: func(t *testing.T, calls []ports.ToolCall) ports.LLMPort {
				return r.on(asksFor(calls))(t)
			},
			Fail:  failures(r),
			Calls: r.calls,
			Wrap:  synctest.Test,
		})
	})
}

func TestSTTContract(t *testing.T) {
	saturday, money := note(t, 1, time.Second), note(t, 2, time.Second)
	known := hears(map[string]string{
		string(saturday.Bytes()): "Are you open on Saturday?",
		string(money.Bytes()):    "I want my money back.",
	})
	onBoth(t, func(t *testing.T, vertex bool) {
		r := &rig[ports.STTPort]{vertex: vertex, build: func(t *testing.T, s *server) ports.STTPort { return newSTT(t, s) }}
		porttest.TestSTT(t, porttest.STTHarness{
			New: r.on(known),
			Spoken: func(*testing.T) []porttest.Spoken {
				return []porttest.Spoken{{Clip: saturday, Word: "saturday"}, {Clip: money, Word: "money"}}
			},
			Silence: func(t *testing.T) domain.Audio { return note(t, 3, time.Second) },
			Corrupt: func(t *testing.T) []domain.Audio {
				whole := opus(t, 3, time.Second)
				flipped := bytes.Clone(whole)
				flipped[len(flipped)-1] ^= 1
				return []domain.Audio{
					audio(t, domain.MIMEOggOpus, flipped), audio(t, domain.MIMEOggOpus, whole[:len(whole)/2]), audio(t, domain.MIMEWAV, whole),
				}
			},
			TooLong: func(t *testing.T) domain.Audio { return audio(t, domain.MIMEMP3, make([]byte, 14<<20+1)) },
			Hang:    r.on(hangs),
			Fail:    failures(r),
			Calls:   r.calls,
			Wrap:    synctest.Test,
		})
	})
}

func TestTTSContract(t *testing.T) {
	onBoth(t, func(t *testing.T, vertex bool) {
		r := &rig[ports.TTSPort]{vertex: vertex, build: func(t *testing.T, s *server) ports.TTSPort { return newTTS(t, s) }}
		porttest.TestTTS(t, porttest.TTSHarness{
			New:             r.on(speaks),
			Duration:        measure,
			Formats:         []string{domain.MIMEWAV},
			TooLong:         strings.Repeat("on and on ", 601),
			UnknownLanguage: "tlh",
			Hang:            r.on(hangs),
			Fail:            failures(r),
			Calls:           r.calls,
			Wrap:            synctest.Test,
		})
	})
}
