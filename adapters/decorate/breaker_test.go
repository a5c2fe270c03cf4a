package decorate_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/fake"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// guarded is an ear behind a breaker that opens at the second failure.
func guarded(t *testing.T, w *watch, e ports.STTPort) (ports.STTPort, *decorate.Breakers) {
	b := breakers(t, decorate.BreakerPolicy{Failures: 2, Delay: 10 * time.Second, OnState: w.onState})
	return ears(t, decorate.Policy{Attempts: 1, Breakers: b, Observer: w.observer()}, e), b
}

func TestBreakerOpensRefusesProbesAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watch{}
		vendor := ear(t, fake.Knobs{Error: ports.KindTransient, Transcribe: time.Second})
		e, b := guarded(t, w, vendor)
		assert.Equal(t, decorate.StateClosed, b.State("a", "stt"))
		require.Error(t, hear(t, t.Context(), e))
		assert.Empty(t, w.stated())
		require.Error(t, hear(t, t.Context(), e))
		assert.Equal(t, []string{"a/stt open"}, w.stated())
		assert.Equal(t, []decorate.BreakerState{{Provider: "a", Operation: "stt", State: decorate.StateOpen}}, b.States())

		time.Sleep(4 * time.Second)
		began := time.Now()
		err := hear(t, t.Context(), e)
		assert.Equal(t, ports.KindTransient, ports.KindOf(err))
		assert.Equal(t, 6*time.Second, ports.RetryAfter(err), "until the probe")
		assert.ErrorContains(t, err, "breaker")
		assert.Zero(t, time.Since(began))
		assert.Equal(t, 2, vendor.Count())

		time.Sleep(6 * time.Second)
		require.Error(t, hear(t, t.Context(), e))
		assert.Equal(t, []string{"a/stt half_open", "a/stt open"}, w.stated(), "a probe that fails opens it again")
		assert.Equal(t, 3, vendor.Count())

		time.Sleep(10 * time.Second)
		require.NoError(t, vendor.Set(fake.Knobs{Transcribe: time.Second}))
		require.NoError(t, hear(t, t.Context(), e))
		assert.Equal(t, []string{"a/stt half_open", "a/stt closed"}, w.stated())
		require.NoError(t, hear(t, t.Context(), e))
		assert.Equal(t, 5, vendor.Count())
	})
}

func TestOneCallAloneIsTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watch{}
		vendor := ear(t, fake.Knobs{Error: ports.KindTransient})
		e, b := guarded(t, w, vendor)
		for range 2 {
			require.Error(t, hear(t, t.Context(), e))
		}
		require.NoError(t, vendor.Set(fake.Knobs{Transcribe: time.Second}))
		time.Sleep(10 * time.Second)
		const callers = 8
		errs := make([]error, callers)
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() { errs[i] = hear(t, t.Context(), e) })
		}
		synctest.Wait()
		assert.Equal(t, decorate.StateHalfOpen, b.State("a", "stt"))
		wg.Wait()
		refused := 0
		for _, err := range errs {
			if err != nil {
				assert.Equal(t, ports.KindTransient, ports.KindOf(err))
				refused++
			}
		}
		assert.Equal(t, callers-1, refused)
		assert.Equal(t, 3, vendor.Count())
		assert.Equal(t, decorate.StateClosed, b.State("a", "stt"))
	})
}

// TestProbeThatTellsNothingIsFollowedByAnother: a caller that leaves, or a clip that
// cannot be read, must not leave the breaker half open for ever, nor close it.
func TestProbeThatTellsNothingIsFollowedByAnother(t *testing.T) {
	for _, kind := range []ports.Kind{ports.KindCanceled, ports.KindInvalid, ports.KindUnsupported, ports.KindUnknown, ports.KindNotFound} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &watch{}
				vendor := scripted(wrong(ports.KindTransient), wrong(ports.KindTransient), wrong(kind))
				e, _ := guarded(t, w, vendor)
				for range 2 {
					require.Error(t, hear(t, t.Context(), e))
				}
				w.stated()
				time.Sleep(10 * time.Second)
				assert.Equal(t, kind, ports.KindOf(hear(t, t.Context(), e)))
				assert.Equal(t, []string{"a/stt half_open", "a/stt open"}, w.stated())
				time.Sleep(10 * time.Second)
				require.NoError(t, hear(t, t.Context(), e))
				assert.Equal(t, []string{"a/stt half_open", "a/stt closed"}, w.stated())
			})
		})
	}
}

func TestProbeThatIsCutOffByItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watch{}
		vendor := ear(t, fake.Knobs{Error: ports.KindTransient})
		e, _ := guarded(t, w, vendor)
		for range 2 {
			require.Error(t, hear(t, t.Context(), e))
		}
		require.NoError(t, vendor.Set(fake.Knobs{Transcribe: time.Second}))
		time.Sleep(10 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		stop := time.AfterFunc(time.Millisecond, cancel)
		defer stop.Stop()
		assert.Equal(t, ports.KindCanceled, ports.KindOf(hear(t, ctx, e)))
		time.Sleep(10 * time.Second)
		require.NoError(t, hear(t, t.Context(), e))
	})
}

func TestWhatCountsAgainstAProvider(t *testing.T) {
	counts := map[ports.Kind]bool{
		ports.KindTransient: true, ports.KindTimeout: true, ports.KindDenied: true, ports.KindRateLimited: true,
	}
	for _, kind := range allKinds {
		t.Run(string(kind), func(t *testing.T) {
			w := &watch{}
			e, b := guarded(t, w, ear(t, fake.Knobs{Error: kind}))
			for range 5 {
				require.Error(t, hear(t, t.Context(), e))
			}
			want := decorate.StateClosed
			if counts[kind] {
				want = decorate.StateOpen
			}
			assert.Equal(t, want, b.State("a", "stt"))
		})
	}
}

func TestShareOfFailuresDecides(t *testing.T) {
	w := &watch{}
	vendor := ear(t, fake.Knobs{Error: ports.KindTransient, ErrorEvery: 3})
	b := breakers(t, decorate.BreakerPolicy{Failures: 2, Window: 3, OnState: w.onState})
	e := ears(t, decorate.Policy{Attempts: 1, Breakers: b}, vendor)
	for i := range 30 {
		assert.Equal(t, i%3 == 2, hear(t, t.Context(), e) != nil)
	}
	assert.Empty(t, w.stated(), "one in three is not two in three")
	require.NoError(t, vendor.Set(fake.Knobs{Error: ports.KindTransient, ErrorEvery: 2}))
	for range 4 {
		_ = hear(t, t.Context(), e)
	}
	assert.Equal(t, []string{"a/stt open"}, w.stated())
}

func TestRefusedProviderIsPassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watch{}
		b := breakers(t, decorate.BreakerPolicy{Failures: 1})
		down := fake.Knobs{Error: ports.KindDenied}
		hang := fake.Knobs{Hang: true}
		e := ears(t, decorate.Policy{Breakers: b, Observer: w.observer()}, ear(t, hang), ear(t, down), ear(t, fake.Knobs{Transcribe: time.Second}))
		require.NoError(t, hear(t, within(t, 30*time.Second), e))
		assert.Equal(t, []string{"a timeout 10s", "b denied 0s", "c ok 1s"}, w.told())
		w.went()
		require.NoError(t, hear(t, within(t, 30*time.Second), e))
		assert.Equal(t, []string{"c ok 1s"}, w.told())
		assert.Equal(t, []string{"a-b transient", "b-c transient"}, w.went(), "it is told all the same")
	})
}

func TestProviderThatRefusesNeedsNoShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watch{}
		b := breakers(t, decorate.BreakerPolicy{Failures: 1, Delay: time.Hour})
		policy := decorate.Policy{Breakers: b, Attempts: 1, Observer: w.observer()}
		only, err := decorate.STT([]decorate.NamedSTT{{Name: "b", Port: scripted(wrong(ports.KindDenied))}}, policy)
		require.NoError(t, err)
		require.Error(t, hear(t, t.Context(), only))
		require.Equal(t, decorate.StateOpen, b.State("b", "stt"), "decorators share what they know")
		w.told()
		e := ears(t, policy, ear(t, fake.Knobs{Hang: true}), ear(t, fake.Knobs{}), ear(t, fake.Knobs{Transcribe: time.Second}))
		require.NoError(t, hear(t, within(t, 30*time.Second), e))
		assert.Equal(t, []string{"a timeout 15s", "c ok 1s"}, w.told())

		time.Sleep(2 * time.Hour) // both are due for a probe, and need time for it
		require.NoError(t, hear(t, within(t, 30*time.Second), e))
		assert.Equal(t, []string{"a timeout 10s", "b ok 0s"}, w.told())
	})
}

func TestOperationsHaveTheirOwnBreakers(t *testing.T) {
	b := breakers(t, decorate.BreakerPolicy{Failures: 1})
	policy := decorate.Policy{Attempts: 1, Breakers: b}
	down := fake.Knobs{Error: ports.KindDenied}
	require.Error(t, hear(t, t.Context(), ears(t, policy, ear(t, down))))
	v, m := voices(t, policy, voice(t, fake.Knobs{})), models(t, policy, brain(t, down), brain(t, fake.Knobs{}))
	_, err := v.Synthesize(t.Context(), "hello", ports.TTSOptions{})
	require.NoError(t, err)
	_, _, err = ports.Collect(m.Generate(t.Context(), asking("hello")))
	require.NoError(t, err)
	assert.Equal(t, []decorate.BreakerState{
		{Provider: "a", Operation: "llm", State: decorate.StateOpen},
		{Provider: "b", Operation: "llm", State: decorate.StateClosed},
		{Provider: "a", Operation: "stt", State: decorate.StateOpen},
		{Provider: "a", Operation: "tts", State: decorate.StateClosed},
	}, b.States())
}

// TestProviderThatWasGivenTooLittleIsNotBlamed: what an ear used up is no fault of
// the voice.
func TestProviderThatWasGivenTooLittleIsNotBlamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for budget, want := range map[time.Duration]decorate.State{
			1900 * time.Millisecond: decorate.StateClosed,
			2 * time.Second:         decorate.StateOpen,
		} {
			b := breakers(t, decorate.BreakerPolicy{Failures: 1})
			policy := decorate.Policy{Breakers: b}
			hang := fake.Knobs{Hang: true}
			require.Error(t, hear(t, within(t, budget), ears(t, policy, ear(t, hang))))
			assert.Equal(t, want, b.State("a", "stt"), budget)
			_, _, err := ports.Collect(models(t, policy, brain(t, hang)).Generate(within(t, budget), asking("hello")))
			require.Error(t, err)
			assert.Equal(t, want, b.State("a", "llm"), budget)
		}
	})
}

func TestShortPatienceIsPatienceAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breakers(t, decorate.BreakerPolicy{Failures: 1})
		policy := decorate.Policy{Breakers: b, Attempt: time.Second, FirstToken: time.Second, Attempts: 1}
		hang := fake.Knobs{Hang: true}
		require.Error(t, hear(t, within(t, 1500*time.Millisecond), ears(t, policy, ear(t, hang))))
		assert.Equal(t, decorate.StateOpen, b.State("a", "stt"), "it had all the time the policy gives")
		policy.Attempt = 0
		_, _, err := ports.Collect(models(t, policy, brain(t, hang)).Generate(within(t, 1500*time.Millisecond), asking("hello")))
		require.Error(t, err)
		assert.Equal(t, decorate.StateOpen, b.State("a", "llm"))
	})
}

func TestStreamIsJudgedByItsEnd(t *testing.T) {
	const open, closed = decorate.StateOpen, decorate.StateClosed
	for name, tc := range map[string]struct {
		knobs  fake.Knobs
		budget time.Duration
		take   int // chunks; 0 is all
		want   decorate.State
	}{
		"it is cut":                            {fake.Knobs{CutAfter: 2}, time.Minute, 0, open},
		"it falls silent":                      {fake.Knobs{CutAfter: 2, Hang: true}, time.Minute, 0, open},
		"it ends well":                         {fake.Knobs{}, time.Minute, 0, closed},
		"the reader leaves":                    {fake.Knobs{CutAfter: 2, Hang: true}, time.Minute, 1, closed},
		"the caller's time is up in its midst": {fake.Knobs{Rate: 1, Tokens: 20}, 5 * time.Second, 0, closed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := breakers(t, decorate.BreakerPolicy{Failures: 1})
				n := 0
				for range models(t, decorate.Policy{Breakers: b}, brain(t, tc.knobs)).Generate(within(t, tc.budget), asking("hello there")) {
					if n++; n == tc.take {
						break
					}
				}
				assert.Equal(t, tc.want, b.State("a", "llm"))
			})
		})
	}
}

// TestPanicIsAFailureAndPassesOn: a probe that panics must not keep its place.
func TestPanicIsAFailureAndPassesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, hedge := range map[string]time.Duration{"in turn": 0, "hedged": time.Second} {
			b := breakers(t, decorate.BreakerPolicy{Failures: 1})
			policy := decorate.Policy{Breakers: b, Hedge: hedge}
			bad := earFunc(func(context.Context) (domain.Transcript, error) { panic("out of tune") })
			assert.PanicsWithValue(t, "out of tune", func() { _ = hear(t, t.Context(), ears(t, policy, bad, scripted())) }, name)
			assert.Equal(t, decorate.StateOpen, b.State("a", "stt"), name)
			for words := range 2 { // before the first, and after
				b := breakers(t, decorate.BreakerPolicy{Failures: 1})
				w := &watch{}
				policy.Breakers, policy.Observer = b, w.observer()
				worse := modelFunc(func(_ context.Context, yield func(ports.LLMChunk, error) bool) {
					for range words {
						yield(ports.LLMChunk{Text: "Listen. "}, nil)
					}
					panic("out of mind")
				})
				assert.PanicsWithValue(t, "out of mind", func() {
					_, _, _ = ports.Collect(models(t, policy, worse, brain(t, fake.Knobs{})).Generate(t.Context(), asking("hello")))
				}, name)
				assert.Equal(t, decorate.StateOpen, b.State("a", "llm"), name)
				assert.Equal(t, []string{"a unknown 0s"}, w.told(), name)
			}
		}
	})
}

func TestBreakerPolicyIsChecked(t *testing.T) {
	for name, p := range map[string]decorate.BreakerPolicy{
		"negative failures": {Failures: -1},
		"narrow window":     {Failures: 5, Window: 4},
		"vast window":       {Window: 10_001},
		"negative delay":    {Delay: -1},
	} {
		_, err := decorate.NewBreakers(p)
		assert.Error(t, err, name)
	}
	assert.Equal(t, decorate.StateClosed, breakers(t, decorate.BreakerPolicy{Failures: 20}).State("nobody", "llm"))
}
