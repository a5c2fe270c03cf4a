package patternai_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/patternai"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// unwrap is an encoder that takes the tag off which the server put before a clip.
type unwrap struct{}

func (unwrap) Encode(ctx context.Context, clip domain.Audio) (domain.Audio, error) {
	if err := ports.FromContext(ctx, "encode"); err != nil {
		return domain.Audio{}, err
	}
	ogg, ok := bytes.CutPrefix(clip.Bytes(), []byte("ID3"))
	if !ok || clip.MIME() != domain.MIMEMP3 {
		return domain.Audio{}, &ports.Error{Op: "encode", Kind: ports.KindUnsupported, Err: errors.New("the clip is corrupt")}
	}
	info, err := oggopus.Inspect(ogg)
	if err != nil {
		return domain.Audio{}, &ports.Error{Op: "encode", Kind: ports.KindUnsupported, Err: err}
	}
	return domain.NewAudio(domain.MIMEOggOpus, ogg, info.Duration)
}

// failures are answers that give a kind, whichever service is asked.
var failures = func() map[ports.Kind]func(*server) *server {
	const secret = "the code of the safe is 4711"
	status := func(code int, body string) func(*server) *server {
		return func(s *server) *server { return s.answers(code, "application/json", body, "Retry-After", "2") }
	}
	return map[ports.Kind]func(*server) *server{
		ports.KindDenied:      status(http.StatusForbidden, `{"status":"error","request_id":"r-9","detail":"`+secret+`"}`),
		ports.KindRateLimited: status(http.StatusTooManyRequests, ""),
		ports.KindInvalid:     status(http.StatusNotFound, secret),
		ports.KindUnsupported: status(http.StatusUnsupportedMediaType, ""),
		ports.KindTransient:   status(http.StatusBadGateway, "<html>"+secret),
		ports.KindTimeout:     status(http.StatusGatewayTimeout, ""),
		ports.KindBlocked:     status(http.StatusOK, `{"status":"blocked","request_id":"`+secret+`"}`),
		ports.KindUnknown:     status(http.StatusOK, `{"status":"`+secret+`"}`),
	}
}()

// fleet remembers which server an engine talks to.
type fleet struct{ servers sync.Map }

func (f *fleet) calls(engine any) int {
	s, _ := f.servers.Load(engine)
	return s.(*server).count()
}

// making builds engines on servers that were prepared.
func making[P any](f *fleet, build func(*server) P) func(prepare func(*server) *server) func(*testing.T) P {
	return func(prepare func(*server) *server) func(*testing.T) P {
		return func(t *testing.T) P {
			s := prepare(newServer(t))
			engine := build(s)
			f.servers.Store(engine, s)
			return engine
		}
	}
}

func failing[P any](with func(func(*server) *server) func(*testing.T) P) map[ports.Kind]func(*testing.T) P {
	fail := map[ports.Kind]func(*testing.T) P{}
	for kind, prepare := range failures {
		fail[kind] = with(prepare)
	}
	return fail
}

func asItIs(s *server) *server { return s }

func hanging(s *server) *server { return s.hangs() }

func TestLLMContract(t *testing.T) {
	var f fleet
	with := making(&f, func(s *server) ports.LLMPort { return s.llm() })
	porttest.TestLLM(t, porttest.LLMHarness{
		New:    with(asItIs),
		Echoes: true,
		Hang:   with(hanging),
		Stall:  with(func(s *server) *server { return s.hangs("request_id: r-1\n", "Let me see, ") }),
		Cut:    with(func(s *server) *server { return s.cuts("text/plain", "request_id: r-1\n", "Let me see, ") }),
		Empty:  with(func(s *server) *server { return s.streams("request_id: r-1\n", " \n") }),
		Fail:   failing(with),
		Calls:  func(m ports.LLMPort) int { return f.calls(m) },
	})
}

func TestSTTContract(t *testing.T) {
	var f fleet
	with := making(&f, func(s *server) ports.STTPort { return s.stt() })
	porttest.TestSTT(t, porttest.STTHarness{
		New: with(asItIs),
		Spoken: func(t *testing.T) (all []porttest.Spoken) {
			for _, word := range []string{"umbrella", "teapot", "ladder"} {
				all = append(all, porttest.Spoken{Clip: spoken(t, "Where is my "+word+"?"), Word: word})
			}
			return all
		},
		Silence: func(t *testing.T) domain.Audio { return spoken(t, "") },
		Corrupt: func(t *testing.T) []domain.Audio {
			good := spoken(t, "hello").Bytes()
			flipped := bytes.Clone(good)
			flipped[len(flipped)-1] ^= 1
			return []domain.Audio{
				audio(t, domain.MIMEOggOpus, flipped), audio(t, domain.MIMEOggOpus, good[:len(good)/2]),
				audio(t, domain.MIMEWAV, good), audio(t, domain.MIMEMP3, good), audio(t, domain.MIMEPCM, good),
			}
		},
		Hang:  with(hanging),
		Fail:  failing(with),
		Calls: func(ear ports.STTPort) int { return f.calls(ear) },
	})
}

func TestTTSContract(t *testing.T) {
	var f fleet
	onlyEnglish := func(cfg *patternai.TTSConfig) { cfg.Models = map[string]string{"en": "calm"} }
	with := making(&f, func(s *server) ports.TTSPort { return s.tts(onlyEnglish) })
	porttest.TestTTS(t, porttest.TTSHarness{
		New:             with(asItIs),
		Duration:        measure,
		TooLong:         strings.Repeat("on and on ", 501),
		UnknownLanguage: "fr",
		Hang:            with(hanging),
		Fail:            failing(with),
		Calls:           func(voice ports.TTSPort) int { return f.calls(voice) },
	})
}

func measure(t *testing.T, clip domain.Audio) time.Duration {
	t.Helper()
	require.NoError(t, oggopus.Check(clip.Bytes()))
	info, err := oggopus.Inspect(clip.Bytes())
	require.NoError(t, err)
	return info.Duration
}

func spoken(t *testing.T, words string) domain.Audio {
	t.Helper()
	clip, err := fake.Clip(words, time.Second)
	require.NoError(t, err)
	return clip
}

func audio(t *testing.T, mime string, data []byte) domain.Audio {
	t.Helper()
	clip, err := domain.NewAudio(mime, data, 0)
	require.NoError(t, err)
	return clip
}
