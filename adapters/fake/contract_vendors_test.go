package fake_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// vendorFailures are the kinds the knobs are asked for in the contract.
var vendorFailures = []ports.Kind{
	ports.KindUnknown, ports.KindDenied, ports.KindBlocked, ports.KindTransient, ports.KindRateLimited, ports.KindUnsupported,
}

// failing makes, by kind, vendors that fail with it.
func failing[P any](with func(fake.Knobs) func(*testing.T) P) map[ports.Kind]func(*testing.T) P {
	fail := map[ports.Kind]func(*testing.T) P{}
	for _, kind := range vendorFailures {
		fail[kind] = with(fake.Knobs{Error: kind})
	}
	return fail
}

func TestLLMContract(t *testing.T) {
	with := func(k fake.Knobs) func(*testing.T) ports.LLMPort {
		return func(t *testing.T) ports.LLMPort {
			m, err := fake.NewLLM(k)
			require.NoError(t, err)
			return m
		}
	}
	porttest.TestLLM(t, porttest.LLMHarness{
		New:       with(fake.Knobs{FirstToken: time.Millisecond, Rate: 1e5}),
		Echoes:    true,
		Truncates: true,
		Hang:      with(fake.Knobs{Hang: true}),
		Stall:     with(fake.Knobs{Hang: true, CutAfter: 2}),
		Cut:       with(fake.Knobs{CutAfter: 2}),
		Empty:     with(fake.Knobs{Empty: true}),
		Fail:      failing(with),
		Asks: func(t *testing.T, calls []ports.ToolCall) ports.LLMPort {
			m := with(fake.Knobs{})(t)
			m.(*fake.LLM).Acts(asks(calls))
			return m
		},
		Calls: func(m ports.LLMPort) int { return m.(*fake.LLM).Count() },
		Wrap:  synctest.Test,
	})
}

// asks makes a model ask for calls, and answer with their results.
func asks(calls []ports.ToolCall) func(ports.LLMRequest) fake.Act {
	return func(req ports.LLMRequest) fake.Act {
		act := fake.Act{Text: "One moment.", Calls: calls}
		if results := req.Messages[len(req.Messages)-1].Results; len(results) > 0 {
			act = fake.Act{Text: "I found"}
			for _, r := range results {
				act.Text += " " + r.Text
			}
		}
		return act
	}
}

func TestSTTContract(t *testing.T) {
	with := func(k fake.Knobs) func(*testing.T) ports.STTPort {
		return func(t *testing.T) ports.STTPort {
			s, err := fake.NewSTT(k)
			require.NoError(t, err)
			return s
		}
	}
	clip := func(t *testing.T, words string) domain.Audio {
		c, err := fake.Clip(words, time.Second)
		require.NoError(t, err)
		return c
	}
	porttest.TestSTT(t, porttest.STTHarness{
		New: with(fake.Knobs{Transcribe: time.Millisecond}),
		Spoken: func(t *testing.T) (all []porttest.Spoken) {
			for _, word := range []string{"umbrella", "teapot", "ladder"} {
				all = append(all, porttest.Spoken{Clip: clip(t, "Where is my "+word+"?"), Word: word})
			}
			return all
		},
		Silence: func(t *testing.T) domain.Audio { return clip(t, "") },
		Corrupt: func(t *testing.T) []domain.Audio {
			flipped := bytes.Clone(clip(t, "hello").Bytes())
			flipped[len(flipped)-1] ^= 1
			cut := clip(t, "hello").Bytes()
			return []domain.Audio{audio(t, domain.MIMEOggOpus, flipped), audio(t, domain.MIMEOggOpus, cut[:len(cut)/2]), audio(t, domain.MIMEWAV, cut)}
		},
		Hang:  with(fake.Knobs{Hang: true}),
		Fail:  failing(with),
		Calls: func(s ports.STTPort) int { return s.(*fake.STT).Count() },
		Wrap:  synctest.Test,
	})
}

func TestTTSContract(t *testing.T) {
	with := func(k fake.Knobs) func(*testing.T) ports.TTSPort {
		return func(t *testing.T) ports.TTSPort {
			v, err := fake.NewTTS(k)
			require.NoError(t, err)
			return v
		}
	}
	porttest.TestTTS(t, porttest.TTSHarness{
		New:      with(fake.Knobs{Speak: time.Millisecond, PerChar: time.Microsecond}),
		Duration: measure,
		Formats:  []string{domain.MIMEWAV},
		TooLong:  strings.Repeat("on and on ", 5001),
		Hang:     with(fake.Knobs{Hang: true}),
		Fail:     failing(with),
		Calls:    func(v ports.TTSPort) int { return v.(*fake.TTS).Count() },
		Wrap:     synctest.Test,
	})
}

func audio(t *testing.T, mime string, data []byte) domain.Audio {
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
