package decorate_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/fake"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// watch notes everything an observer is told.
type watch struct {
	mu       sync.Mutex
	calls    []decorate.Call
	switches []decorate.Switch
	states   []decorate.BreakerState
}

func (w *watch) observer() decorate.Observer {
	return decorate.Observer{
		OnCall: func(_ context.Context, c decorate.Call) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.calls = append(w.calls, c)
		},
		OnSwitch: func(_ context.Context, s decorate.Switch) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.switches = append(w.switches, s)
		},
	}
}

func (w *watch) onState(provider, operation string, state decorate.State) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.states = append(w.states, decorate.BreakerState{Provider: provider, Operation: operation, State: state})
}

// told are the calls so far as "provider kind took", and forgets them.
func (w *watch) told() (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls {
		kind := string(c.Kind)
		if kind == "" {
			kind = "ok"
		}
		out = append(out, c.Provider+" "+kind+" "+c.Took.String())
	}
	w.calls = nil
	return out
}

// went are the switches so far as "from-to kind", and forgets them.
func (w *watch) went() (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.switches {
		kind := string(s.Kind)
		if s.Hedge {
			kind = "hedge"
		}
		out = append(out, s.From+"-"+s.To+" "+kind)
	}
	w.switches = nil
	return out
}

// stated are the changes of breakers so far as "provider/operation state", and
// forgets them.
func (w *watch) stated() (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.states {
		out = append(out, s.Provider+"/"+s.Operation+" "+string(s.State))
	}
	w.states = nil
	return out
}

// always is no randomness at all.
func always(x float64) func() float64 { return func() float64 { return x } }

// stay is a breaker policy that lets everything pass.
func stay(t *testing.T) *decorate.Breakers {
	return breakers(t, decorate.BreakerPolicy{Failures: 1000})
}

func breakers(t *testing.T, p decorate.BreakerPolicy) *decorate.Breakers {
	t.Helper()
	b, err := decorate.NewBreakers(p)
	require.NoError(t, err)
	return b
}

// The vendors are called a, b, c ... in their order.

func ears(t *testing.T, policy decorate.Policy, all ...ports.STTPort) ports.STTPort {
	t.Helper()
	var providers []decorate.NamedSTT
	for i, p := range all {
		providers = append(providers, decorate.NamedSTT{Name: numbered(i), Port: p})
	}
	out, err := decorate.STT(providers, policy)
	require.NoError(t, err)
	return out
}

func voices(t *testing.T, policy decorate.Policy, all ...ports.TTSPort) ports.TTSPort {
	t.Helper()
	var providers []decorate.NamedTTS
	for i, p := range all {
		providers = append(providers, decorate.NamedTTS{Name: numbered(i), Port: p})
	}
	out, err := decorate.TTS(providers, policy)
	require.NoError(t, err)
	return out
}

func models(t *testing.T, policy decorate.Policy, all ...ports.LLMPort) ports.LLMPort {
	t.Helper()
	var providers []decorate.NamedLLM
	for i, p := range all {
		providers = append(providers, decorate.NamedLLM{Name: numbered(i), Port: p})
	}
	out, err := decorate.LLM(providers, policy)
	require.NoError(t, err)
	return out
}

func ear(t *testing.T, k fake.Knobs) *fake.STT {
	t.Helper()
	s, err := fake.NewSTT(k)
	require.NoError(t, err)
	return s
}

func voice(t *testing.T, k fake.Knobs) *fake.TTS {
	t.Helper()
	v, err := fake.NewTTS(k)
	require.NoError(t, err)
	return v
}

func brain(t *testing.T, k fake.Knobs) *fake.LLM {
	t.Helper()
	m, err := fake.NewLLM(k)
	require.NoError(t, err)
	return m
}

func asking(text string) ports.LLMRequest {
	return ports.LLMRequest{Messages: []ports.LLMMessage{{Role: domain.RoleUser, Text: text}}}
}

// within is a context with a budget.
func within(t *testing.T, budget time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), budget)
	t.Cleanup(cancel)
	return ctx
}

// earFunc, voiceFunc and modelFunc are vendors for one test.
type earFunc func(ctx context.Context) (domain.Transcript, error)

func (f earFunc) Transcribe(ctx context.Context, _ domain.Audio, _ ports.STTOptions) (domain.Transcript, error) {
	return f(ctx)
}

type modelFunc func(ctx context.Context, yield func(ports.LLMChunk, error) bool)

func (f modelFunc) Generate(ctx context.Context, _ ports.LLMRequest) iter.Seq2[ports.LLMChunk, error] {
	return func(yield func(ports.LLMChunk, error) bool) { f(ctx, yield) }
}

// script fails with each error in turn, and answers where it is nil and after the
// last.
type script struct {
	mu   sync.Mutex
	errs []error
	at   []time.Time
}

func scripted(errs ...error) *script { return &script{errs: errs} }

func (s *script) Transcribe(context.Context, domain.Audio, ports.STTOptions) (domain.Transcript, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = append(s.at, time.Now())
	if len(s.errs) == 0 {
		return domain.Transcript{Text: "heard"}, nil
	}
	err := s.errs[0]
	s.errs = s.errs[1:]
	if err != nil {
		return domain.Transcript{}, err
	}
	return domain.Transcript{Text: "heard"}, nil
}

// waits are the times between the calls.
func (s *script) waits() (out []time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.at {
		if i > 0 {
			out = append(out, s.at[i].Sub(s.at[i-1]))
		}
	}
	return slices.Clone(out)
}

func wrong(kind ports.Kind) error {
	return &ports.Error{Op: "script.stt", Kind: kind, Err: errors.New("as the test asks")}
}

func wrongFor(kind ports.Kind, after time.Duration) error {
	return &ports.Error{Op: "script.stt", Kind: kind, RetryAfter: after, Err: errors.New("as the test asks")}
}
