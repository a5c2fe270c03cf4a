package decorate_test

import (
	"context"
	"strings"
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

func hear(t *testing.T, ctx context.Context, e ports.STTPort) error {
	t.Helper()
	heard, err := e.Transcribe(ctx, clipOf(t, "hello"), ports.STTOptions{})
	if err != nil {
		assert.Equal(t, domain.Transcript{}, heard)
	}
	return err
}

func TestWaitIsFullJitter(t *testing.T) {
	for name, tc := range map[string]struct {
		random float64
		policy decorate.Policy
		want   []time.Duration
	}{
		"at most":   {1, decorate.Policy{}, []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond, 1600 * time.Millisecond, 2 * time.Second, 2 * time.Second}},
		"at least":  {0, decorate.Policy{}, []time.Duration{0, 0, 0, 0, 0, 0}},
		"between":   {0.25, decorate.Policy{Backoff: 4 * time.Second, MaxBackoff: 8 * time.Second}, []time.Duration{time.Second, 2 * time.Second, 2 * time.Second}},
		"one limit": {1, decorate.Policy{Backoff: 4 * time.Second, MaxBackoff: time.Second}, []time.Duration{time.Second, time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := tc.policy
				p.Random, p.Attempts, p.Breakers = always(tc.random), len(tc.want)+1, stay(t)
				var errs []error
				for range tc.want {
					errs = append(errs, wrong(ports.KindTransient))
				}
				vendor := scripted(errs...)
				require.NoError(t, hear(t, t.Context(), ears(t, p, vendor)))
				assert.Equal(t, tc.want, vendor.waits())
			})
		})
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for attempts, want := range map[int]int{0: 2, 1: 1, 3: 3, 10: 10} {
			e := ear(t, fake.Knobs{Error: ports.KindTransient})
			w := &watch{}
			err := hear(t, t.Context(), ears(t, decorate.Policy{Attempts: attempts, Breakers: stay(t), Observer: w.observer()}, e))
			assert.Equal(t, ports.KindTransient, ports.KindOf(err))
			assert.Equal(t, want, e.Count())
			require.Len(t, w.calls, want)
			for i, c := range w.calls {
				assert.Equal(t, i+1, c.Attempt)
			}
		}
	})
}

func TestLastFailureIsPassedOnAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		last := wrong(ports.KindTransient)
		err := hear(t, t.Context(), ears(t, decorate.Policy{}, scripted(wrong(ports.KindTransient), last)))
		assert.Same(t, last, err)
	})
}

func TestOnlyWhatMayMendIsRepeated(t *testing.T) {
	for _, kind := range allKinds {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				want := 1
				if ports.Retryable(wrong(kind)) {
					want = 2
				}
				e := ear(t, fake.Knobs{Error: kind})
				assert.Equal(t, kind, ports.KindOf(hear(t, t.Context(), ears(t, decorate.Policy{}, e))))
				assert.Equal(t, want, e.Count())
				v := voice(t, fake.Knobs{Error: kind})
				_, err := voices(t, decorate.Policy{}, v).Synthesize(t.Context(), "hello", ports.TTSOptions{})
				assert.Equal(t, kind, ports.KindOf(err))
				assert.Equal(t, want, v.Count())
				b := brain(t, fake.Knobs{Error: kind})
				_, _, err = ports.Collect(models(t, decorate.Policy{}, b).Generate(t.Context(), asking("hello")))
				assert.Equal(t, kind, ports.KindOf(err))
				assert.Equal(t, want, b.Count())
			})
		})
	}
}

func TestTimeoutIsRepeatedOnlyWhereNobodyElseIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := wrong(ports.KindTimeout)
		first, second := scripted(late), scripted(late)
		require.NoError(t, hear(t, t.Context(), ears(t, decorate.Policy{}, first, second)))
		assert.Empty(t, first.waits())
		assert.Len(t, second.waits(), 1)
	})
}

func TestVendorsWaitIsHonoured(t *testing.T) {
	const soon, long = 3 * time.Second, 25 * time.Second
	for name, tc := range map[string]struct {
		after  time.Duration
		budget time.Duration
		others bool
		policy decorate.Policy
		want   []time.Duration // between the calls of the first
	}{
		"it fits":                        {soon, 30 * time.Second, false, decorate.Policy{}, []time.Duration{soon + 200*time.Millisecond}},
		"it fits the only one's budget":  {long, 30 * time.Second, false, decorate.Policy{}, []time.Duration{long + 200*time.Millisecond}},
		"it does not fit the share":      {long, 30 * time.Second, true, decorate.Policy{}, nil},
		"too little would be left":       {long, long + 2*time.Second, false, decorate.Policy{}, nil},
		"enough would be left by policy": {long, long + 2*time.Second, false, decorate.Policy{Floor: time.Second}, []time.Duration{long + 200*time.Millisecond}},
		"but not to begin with":          {long, long + 2*time.Second, false, decorate.Policy{Floor: time.Second, Least: 2 * time.Second}, nil},
		"a short attempt needs less":     {long, long + 2*time.Second, false, decorate.Policy{Attempt: time.Second}, []time.Duration{long + 200*time.Millisecond}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tc.policy.Random = always(1)
				first := scripted(wrongFor(ports.KindRateLimited, tc.after))
				vendors := []ports.STTPort{first}
				second := scripted()
				if tc.others {
					vendors = append(vendors, second)
				}
				began := time.Now()
				err := hear(t, within(t, tc.budget), ears(t, tc.policy, vendors...))
				assert.Equal(t, tc.want, first.waits())
				if tc.want == nil {
					assert.Zero(t, time.Since(began), "nobody waits in vain")
				}
				switch {
				case tc.others || tc.want != nil:
					require.NoError(t, err)
				default:
					assert.Equal(t, tc.after, ports.RetryAfter(err), "the caller is told")
				}
			})
		})
	}
}

func TestCallerEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vendor := scripted(wrongFor(ports.KindRateLimited, 10*time.Second))
		ctx, cancel := context.WithCancel(within(t, time.Minute))
		stop := time.AfterFunc(time.Second, cancel)
		defer stop.Stop()
		began := time.Now()
		err := hear(t, ctx, ears(t, decorate.Policy{}, vendor, scripted()))
		assert.Equal(t, ports.KindCanceled, ports.KindOf(err))
		assert.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, time.Second, time.Since(began))
	})
}

func TestAnswerInHandIsNotLostWhenTheCallerEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	vendor := earFunc(func(context.Context) (domain.Transcript, error) {
		cancel()
		return domain.Transcript{Text: "heard"}, nil
	})
	heard, err := ears(t, decorate.Policy{}, vendor).Transcribe(ctx, clipOf(t, "hello"), ports.STTOptions{})
	require.NoError(t, err)
	assert.Equal(t, "heard", heard.Text)
}

func TestModelIsRepeatedOnlyBeforeItsFirstWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing := fake.Knobs{Error: ports.KindTransient, ErrorNext: 1}
		b := brain(t, failing)
		text, _, err := ports.Collect(models(t, decorate.Policy{}, b).Generate(t.Context(), asking("hello")))
		require.NoError(t, err)
		assert.Equal(t, "You said: hello", text)
		assert.Equal(t, 2, b.Count())

		cut, spare := brain(t, fake.Knobs{CutAfter: 2}), brain(t, fake.Knobs{})
		w := &watch{}
		text, _, err = ports.Collect(models(t, decorate.Policy{Observer: w.observer()}, cut, spare).Generate(t.Context(), asking("hello")))
		assert.Equal(t, ports.KindTransient, ports.KindOf(err))
		assert.Equal(t, "You said:", text)
		assert.Equal(t, 1, cut.Count())
		assert.Zero(t, spare.Count())
		assert.Empty(t, w.went())
		assert.Equal(t, []string{"a transient 0s"}, w.told())
	})
}

func TestWhiteSpaceIsNoWords(t *testing.T) {
	cut := modelFunc(func(_ context.Context, yield func(ports.LLMChunk, error) bool) {
		if yield(ports.LLMChunk{Text: "\n"}, nil) && yield(ports.LLMChunk{Text: "  "}, nil) && yield(ports.LLMChunk{}, nil) {
			yield(ports.LLMChunk{}, wrong(ports.KindDenied))
		}
	})
	spaced := modelFunc(func(_ context.Context, yield func(ports.LLMChunk, error) bool) {
		if yield(ports.LLMChunk{Text: " "}, nil) && yield(ports.LLMChunk{Text: "Yes"}, nil) {
			yield(ports.LLMChunk{Text: ".", Done: true}, nil)
		}
	})
	text, _, err := ports.Collect(models(t, decorate.Policy{}, cut, spaced).Generate(t.Context(), asking("hello")))
	require.NoError(t, err)
	assert.Equal(t, " Yes.", text)

	endless := modelFunc(func(_ context.Context, yield func(ports.LLMChunk, error) bool) {
		for range 100_000 {
			if !yield(ports.LLMChunk{Text: " "}, nil) {
				return
			}
		}
		if yield(ports.LLMChunk{Text: "Yes."}, nil) {
			yield(ports.LLMChunk{Done: true}, nil)
		}
	})
	text, _, err = ports.Collect(models(t, decorate.Policy{}, endless).Generate(t.Context(), asking("hello")))
	require.NoError(t, err)
	assert.Equal(t, "Yes.", strings.TrimSpace(text))
	assert.Less(t, len(text), 1000, "what is held back is bounded")
}
