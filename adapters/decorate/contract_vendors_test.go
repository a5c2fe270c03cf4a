package decorate_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/fake"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// arrangement is a way of putting vendors together in which the suites are run.
// Each vendor gets the knobs of the case, but for those that stand in front.
type arrangement struct {
	policy  decorate.Policy
	vendors int
	// broken vendors fail every call and stand before the others.
	broken int
	// counts says that no vendor is asked twice, so that calls can be counted.
	counts bool
	// metered puts a meter around each vendor.
	metered bool
}

var arrangements = map[string]arrangement{
	"one vendor asked once": {vendors: 1, counts: true, policy: decorate.Policy{Attempts: 1}},
	"standard policy":       {vendors: 1},
	"two vendors":           {vendors: 2},
	"metered vendors":       {vendors: 2, metered: true},
	"first vendor is down":  {vendors: 1, broken: 1, policy: decorate.Policy{Attempts: 1}},
	"hedged":                {vendors: 2, policy: decorate.Policy{Hedge: time.Microsecond}},
	"hedged, first is down": {vendors: 2, broken: 1, policy: decorate.Policy{Hedge: time.Microsecond, Attempts: 1}},
}

// counted is a decorated port with the vendors behind it.
type (
	countedLLM struct {
		ports.LLMPort
		vendors []*fake.LLM
	}
	countedSTT struct {
		ports.STTPort
		vendors []*fake.STT
	}
	countedTTS struct {
		ports.TTSPort
		vendors []*fake.TTS
	}
)

// knobs are those of each vendor, the broken ones first.
func (a arrangement) knobs(of fake.Knobs) (out []fake.Knobs) {
	for range a.broken {
		out = append(out, fake.Knobs{Error: ports.KindTransient})
	}
	for range a.vendors {
		out = append(out, of)
	}
	return out
}

var vendorFailures = []ports.Kind{
	ports.KindUnknown, ports.KindInvalid, ports.KindDenied, ports.KindBlocked, ports.KindNotFound,
	ports.KindTransient, ports.KindRateLimited, ports.KindTimeout, ports.KindUnsupported,
}

// byKind makes, vendors that fail with it. A vendor that is down leaves
// hope that it comes back, so with one in front the other kinds are not final.
func byKind[P any](a arrangement, with func(fake.Knobs) func(*testing.T) P) map[ports.Kind]func(*testing.T) P {
	fail := map[ports.Kind]func(*testing.T) P{}
	for _, kind := range vendorFailures {
		retryable := kind == ports.KindTransient || kind == ports.KindRateLimited || kind == ports.KindTimeout
		if a.broken == 0 || retryable || kind == ports.KindBlocked {
			fail[kind] = with(fake.Knobs{Error: kind})
		}
	}
	return fail
}

func numbered(i int) string { return string(rune('a' + i)) }

func TestLLMContract(t *testing.T) {
	for name, a := range arrangements {
		t.Run(name, func(t *testing.T) { porttest.TestLLM(t, a.models()) })
	}
}

func (a arrangement) models() porttest.LLMHarness {
	with := func(k fake.Knobs) func(*testing.T) ports.LLMPort {
		return func(t *testing.T) ports.LLMPort {
			var (
				c     countedLLM
				named []decorate.NamedLLM
			)
			for i, k := range a.knobs(k) {
				m, err := fake.NewLLM(k)
				require.NoError(t, err)
				c.vendors = append(c.vendors, m)
				named = append(named, decorate.NamedLLM{Name: numbered(i), Port: a.llm(m)})
			}
			var err error
			c.LLMPort, err = decorate.LLM(named, a.policy)
			require.NoError(t, err)
			return c
		}
	}
	h := porttest.LLMHarness{
		New:       with(fake.Knobs{FirstToken: time.Millisecond, Rate: 1e5}),
		Echoes:    true,
		Truncates: true,
		Asks: func(t *testing.T, calls []ports.ToolCall) ports.LLMPort {
			c := with(fake.Knobs{})(t)
			for _, v := range c.(countedLLM).vendors {
				v.Acts(asks("One moment.", calls))
			}
			return c
		},
		Hang:  with(fake.Knobs{Hang: true}),
		Stall: with(fake.Knobs{Hang: true, CutAfter: 2}),
		Cut:   with(fake.Knobs{CutAfter: 2}),
		Fail:  byKind(a, with),
		Wrap:  synctest.Test,
	}
	if a.broken == 0 {
		h.Empty = with(fake.Knobs{Empty: true})
	}
	if a.counts {
		h.Calls = func(m ports.LLMPort) (n int) {
			for _, v := range m.(countedLLM).vendors {
				n += v.Count()
			}
			return n
		}
	}
	return h
}

// CallsTools implements ports.ToolCaller.
func (c countedLLM) CallsTools() bool { return ports.CallsTools(c.LLMPort) }

// asks makes a model say some words and ask for calls, and answer with their results.
func asks(before string, calls []ports.ToolCall) func(ports.LLMRequest) fake.Act {
	return func(req ports.LLMRequest) fake.Act {
		act := fake.Act{Text: before, Calls: calls}
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
	for name, a := range arrangements {
		t.Run(name, func(t *testing.T) { porttest.TestSTT(t, a.ears()) })
	}
}

func (a arrangement) ears() porttest.STTHarness {
	with := func(k fake.Knobs) func(*testing.T) ports.STTPort {
		return func(t *testing.T) ports.STTPort {
			var (
				c     countedSTT
				named []decorate.NamedSTT
			)
			for i, k := range a.knobs(k) {
				s, err := fake.NewSTT(k)
				require.NoError(t, err)
				c.vendors = append(c.vendors, s)
				named = append(named, decorate.NamedSTT{Name: numbered(i), Port: a.stt(s)})
			}
			var err error
			c.STTPort, err = decorate.STT(named, a.policy)
			require.NoError(t, err)
			return c
		}
	}
	h := porttest.STTHarness{
		New: with(fake.Knobs{Transcribe: time.Millisecond}),
		Spoken: func(t *testing.T) (all []porttest.Spoken) {
			for _, word := range []string{"umbrella", "teapot", "ladder"} {
				all = append(all, porttest.Spoken{Clip: clipOf(t, "Where is my "+word+"?"), Word: word})
			}
			return all
		},
		Silence: func(t *testing.T) domain.Audio { return clipOf(t, "") },
		Corrupt: func(t *testing.T) []domain.Audio {
			flipped := bytes.Clone(clipOf(t, "hello").Bytes())
			flipped[len(flipped)-1] ^= 1
			cut := clipOf(t, "hello").Bytes()
			return []domain.Audio{audioOf(t, domain.MIMEOggOpus, flipped), audioOf(t, domain.MIMEOggOpus, cut[:len(cut)/2]), audioOf(t, domain.MIMEWAV, cut)}
		},
		Hang: with(fake.Knobs{Hang: true}),
		Fail: byKind(a, with),
		Wrap: synctest.Test,
	}
	if a.counts {
		h.Calls = func(s ports.STTPort) (n int) {
			for _, v := range s.(countedSTT).vendors {
				n += v.Count()
			}
			return n
		}
	}
	return h
}

func TestTTSContract(t *testing.T) {
	for name, a := range arrangements {
		t.Run(name, func(t *testing.T) { porttest.TestTTS(t, a.voices()) })
	}
}

func (a arrangement) voices() porttest.TTSHarness {
	with := func(k fake.Knobs) func(*testing.T) ports.TTSPort {
		return func(t *testing.T) ports.TTSPort {
			var (
				c     countedTTS
				named []decorate.NamedTTS
			)
			for i, k := range a.knobs(k) {
				v, err := fake.NewTTS(k)
				require.NoError(t, err)
				c.vendors = append(c.vendors, v)
				named = append(named, decorate.NamedTTS{Name: numbered(i), Port: a.tts(v)})
			}
			var err error
			c.TTSPort, err = decorate.TTS(named, a.policy)
			require.NoError(t, err)
			return c
		}
	}
	h := porttest.TTSHarness{
		New:      with(fake.Knobs{Speak: time.Millisecond, PerChar: time.Microsecond}),
		Duration: lengthOf,
		Formats:  []string{domain.MIMEWAV},
		Hang:     with(fake.Knobs{Hang: true}),
		Fail:     byKind(a, with),
		Wrap:     synctest.Test,
		TooLong:  strings.Repeat("on and on ", 5001),
	}
	if a.counts {
		h.Calls = func(v ports.TTSPort) (n int) {
			for _, each := range v.(countedTTS).vendors {
				n += each.Count()
			}
			return n
		}
	}
	return h
}

func clipOf(t *testing.T, words string) domain.Audio {
	t.Helper()
	c, err := fake.Clip(words, time.Second)
	require.NoError(t, err)
	return c
}

func audioOf(t *testing.T, mime string, data []byte) domain.Audio {
	t.Helper()
	a, err := domain.NewAudio(mime, data, 0)
	require.NoError(t, err)
	return a
}

func lengthOf(t *testing.T, clip domain.Audio) time.Duration {
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
