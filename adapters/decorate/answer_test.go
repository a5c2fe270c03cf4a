package decorate_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/fake"
	"whatsappnode/ports"
)

// paces yields words after the given waits and then says Done, or ends when its
// context does.
func paces(waits ...time.Duration) modelFunc {
	return func(ctx context.Context, yield func(ports.LLMChunk, error) bool) {
		for _, d := range waits {
			select {
			case <-ctx.Done():
				yield(ports.LLMChunk{}, ports.FromContext(ctx, "paces"))
				return
			case <-time.After(d):
			}
			if !yield(ports.LLMChunk{Text: "word "}, nil) {
				return
			}
		}
		yield(ports.LLMChunk{Done: true}, nil)
	}
}

func TestDeadlinesOfAModel(t *testing.T) {
	const s = time.Second
	policy := decorate.Policy{FirstToken: 3 * s, Idle: 2 * s, Attempt: 8 * s, Attempts: 1}
	for name, tc := range map[string]struct {
		waits []time.Duration
		words int
		took  time.Duration
		fault string
	}{
		"in time":             {[]time.Duration{2 * s, s, s}, 3, 4 * s, ""},
		"slow to begin":       {[]time.Duration{4 * s}, 0, 3 * s, "no first words within 3s"},
		"silent in between":   {[]time.Duration{s, s, 3 * s}, 2, 4 * s, "no further words within 2s"},
		"slow over the whole": {[]time.Duration{s, s, s, s, s, s, s, s, s}, 7, 8 * s, "no whole answer within 8s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				words := 0
				var fault error
				for c, err := range models(t, policy, paces(tc.waits...)).Generate(within(t, time.Minute), asking("hello")) {
					fault = err
					if c.Text != "" {
						words++
					}
				}
				assert.Equal(t, tc.took, time.Since(began))
				if tc.fault == "" {
					require.NoError(t, fault)
					assert.Equal(t, tc.words, words)
					return
				}
				assert.Equal(t, ports.KindTimeout, ports.KindOf(fault), "whatever the model called it")
				assert.ErrorIs(t, fault, context.DeadlineExceeded)
				assert.ErrorContains(t, fault, tc.fault)
				assert.InDelta(t, tc.words, words, 1) // the last may come in the instant of the deadline
			})
		})
	}
}

func TestSignsOfLifeAreNoWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		thinking := modelFunc(func(ctx context.Context, yield func(ports.LLMChunk, error) bool) {
			for ctx.Err() == nil && yield(ports.LLMChunk{}, nil) {
				time.Sleep(time.Second)
			}
			yield(ports.LLMChunk{}, ports.FromContext(ctx, "thinking"))
		})
		began := time.Now()
		policy := decorate.Policy{FirstToken: 3500 * time.Millisecond, Attempts: 1}
		_, _, err := ports.Collect(models(t, policy, thinking).Generate(within(t, time.Minute), asking("hello")))
		assert.ErrorContains(t, err, "no first words within 3.5s")
		assert.Equal(t, 4*time.Second, time.Since(began), "when it looks at its context again")
	})
}

func TestSlowReaderIsNotTheModelsFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := decorate.Policy{Idle: 2 * time.Second}
		words := 0
		for c, err := range models(t, policy, paces(time.Second, time.Second, time.Second)).Generate(within(t, time.Minute), asking("hello")) {
			require.NoError(t, err)
			time.Sleep(10 * time.Second)
			if c.Text != "" {
				words++
			}
		}
		assert.Equal(t, 3, words)
	})
}

func TestAttemptOfAnEarOrVoiceHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang, policy := fake.Knobs{Hang: true}, decorate.Policy{Attempt: 7 * time.Second, Attempts: 1}
		began := time.Now()
		err := hear(t, within(t, time.Minute), ears(t, policy, ear(t, hang)))
		assert.EqualError(t, err, "stt: timeout: no answer within 7s")
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 7*time.Second, time.Since(began))
		_, err = voices(t, policy, voice(t, hang)).Synthesize(within(t, time.Minute), "hello", ports.TTSOptions{})
		assert.EqualError(t, err, "tts: timeout: no answer within 7s")
		assert.Equal(t, 14*time.Second, time.Since(began))
	})
}

func TestStreamsThatBreakTheRules(t *testing.T) {
	for name, tc := range map[string]struct {
		model modelFunc
		kind  ports.Kind
	}{
		"nothing at all": {func(context.Context, func(ports.LLMChunk, error) bool) {}, ports.KindTransient},
		"no words": {func(_ context.Context, yield func(ports.LLMChunk, error) bool) {
			if yield(ports.LLMChunk{Text: " "}, nil) {
				yield(ports.LLMChunk{Done: true}, nil)
			}
		}, ports.KindUnknown},
		"no last chunk": {func(_ context.Context, yield func(ports.LLMChunk, error) bool) {
			yield(ports.LLMChunk{Text: "and"}, nil)
		}, ports.KindTransient},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := ports.Collect(models(t, decorate.Policy{Attempts: 1}, tc.model).Generate(t.Context(), asking("hello")))
			var e *ports.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, tc.kind, e.Kind)
		})
	}
}

func TestReaderThatPanicsLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a stream left open would keep the bubble from ending
		w := &watch{}
		freed := false
		m := modelFunc(func(ctx context.Context, yield func(ports.LLMChunk, error) bool) {
			defer func() { freed = true }()
			for yield(ports.LLMChunk{Text: "more "}, nil) {
			}
		})
		assert.PanicsWithValue(t, "enough", func() {
			for range models(t, decorate.Policy{Observer: w.observer()}, m).Generate(t.Context(), asking("hello")) {
				panic("enough")
			}
		})
		assert.True(t, freed)
		assert.Equal(t, []string{"a canceled 0s"}, w.told())
	})
}
