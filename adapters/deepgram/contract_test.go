package deepgram_test

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// failures are answers that give a kind, whichever half is asked.
var failures = map[ports.Kind]func(*server) *server{
	ports.KindDenied: func(s *server) *server {
		return s.answers(http.StatusPaymentRequired, `{"err_code":"ASR_PAYMENT_REQUIRED","err_msg":"the code of the safe is 4711"}`)
	},
	ports.KindRateLimited: func(s *server) *server {
		return s.answers(http.StatusTooManyRequests, `{"err_code":"TOO_MANY_REQUESTS"}`, "Retry-After", "2")
	},
	ports.KindInvalid: func(s *server) *server {
		return s.answers(http.StatusBadRequest, `{"category":"INVALID_JSON","message":"the code of the safe is 4711"}`)
	},
	ports.KindUnsupported: func(s *server) *server { return s.answers(http.StatusRequestEntityTooLarge, "") },
	ports.KindTransient:   func(s *server) *server { return s.answers(http.StatusServiceUnavailable, "<html>busy</html>") },
	ports.KindTimeout:     func(s *server) *server { return s.answers(http.StatusGatewayTimeout, "") },
	ports.KindUnknown:     func(s *server) *server { return s.answers(http.StatusTemporaryRedirect, "", "Location", "/elsewhere") },
}

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
				audio(t, domain.MIMEWAV, good), audio(t, domain.MIMEMP3, good), audio(t, "audio/mp4", good[:3]),
			}
		},
		Hang:  with((*server).hangs),
		Fail:  failing(with),
		Calls: func(ear ports.STTPort) int { return f.calls(ear) },
	})
}

func TestTTSContract(t *testing.T) {
	var f fleet
	with := making(&f, func(s *server) ports.TTSPort { return s.tts() })
	porttest.TestTTS(t, porttest.TTSHarness{
		New:             with(asItIs),
		Duration:        measure,
		TooLong:         strings.Repeat("on and on ", 201),
		UnknownLanguage: "wo",
		Hang:            with((*server).hangs),
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
