package decorate_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/fake"
	"whatsappnode/ports"
)

// pipeline is what a voice turn asks of its vendors.
type pipeline struct {
	ear   ports.STTPort
	brain ports.LLMPort
	voice ports.TTSPort
}

// turn hears, thinks and speaks within one budget. It reports whether the answer
// is spoken, or only written because there was no time or no voice left.
func (p pipeline) turn(t *testing.T, budget time.Duration) (text string, spoken bool, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), budget)
	defer cancel()
	heard, err := p.ear.Transcribe(ctx, clipOf(t, "hello"), ports.STTOptions{})
	if err != nil {
		return "", false, err
	}
	text, _, err = ports.Collect(p.brain.Generate(ctx, asking(heard.Text)))
	if err != nil {
		return "", false, err
	}
	_, err = p.voice.Synthesize(ctx, text, ports.TTSOptions{})
	return text, err == nil, nil
}

// TestFirstVendorDiesAndComesBack: the user notices nothing but time.
func TestFirstVendorDiesAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watch{}
		b := breakers(t, decorate.BreakerPolicy{Failures: 4, Delay: 20 * time.Second, OnState: w.onState})
		policy := decorate.Policy{Breakers: b, Random: always(1), Observer: w.observer()}
		well := fake.Knobs{Transcribe: time.Second, FirstToken: time.Second, Speak: time.Second}
		dead := fake.Knobs{Error: ports.KindTransient}
		firstEar, firstBrain, firstVoice := ear(t, well), brain(t, well), voice(t, well)
		p := pipeline{
			ear:   ears(t, policy, firstEar, ear(t, well)),
			brain: models(t, policy, firstBrain, brain(t, well)),
			voice: voices(t, policy, firstVoice, voice(t, well)),
		}
		set := func(k fake.Knobs) {
			require.NoError(t, firstEar.Set(k))
			require.NoError(t, firstBrain.Set(k))
			require.NoError(t, firstVoice.Set(k))
		}
		turn := func(want time.Duration) {
			t.Helper()
			began := time.Now()
			text, spoken, err := p.turn(t, 20*time.Second)
			require.NoError(t, err)
			assert.Equal(t, "You said: hello", text)
			assert.True(t, spoken)
			assert.Equal(t, want, time.Since(began))
		}
		providers := func() (out []string) {
			for _, c := range w.calls {
				out = append(out, fmt.Sprint(c.Operation, " ", c.Provider, " ", c.Attempt))
			}
			w.told()
			return out
		}

		turn(3 * time.Second)
		assert.Equal(t, []string{"stt a 1", "llm a 1", "tts a 1"}, providers())

		// It dies in the middle of a turn: it has heard, and is silent from then on.
		require.NoError(t, firstBrain.Set(fake.Knobs{Hang: true}))
		require.NoError(t, firstVoice.Set(fake.Knobs{Hang: true}))
		turn(16750 * time.Millisecond) // 1, half of the 19 left, 1, half of the 8.5 left, 1
		assert.Equal(t, []string{"stt a 1", "llm a 1", "llm b 1", "tts a 1", "tts b 1"}, providers())
		assert.Equal(t, []string{"a-b timeout", "a-b timeout"}, w.went())

		// Each stage asks the first twice until its fourth failure opens the breaker.
		set(dead)
		turn(3*time.Second + 3*200*time.Millisecond)
		turn(3*time.Second + 200*time.Millisecond)
		assert.Equal(t, []string{"a/stt open", "a/llm open", "a/tts open"}, w.stated())
		providers()
		w.went()
		turn(3 * time.Second)
		assert.Equal(t, []string{"stt b 1", "llm b 1", "tts b 1"}, providers(), "the dead are left in peace")
		assert.Equal(t, []string{"a-b transient", "a-b transient", "a-b transient"}, w.went())

		time.Sleep(20 * time.Second)
		turn(3 * time.Second) // the probes fail at once
		assert.Equal(t, []string{
			"a/stt half_open", "a/stt open", "a/llm half_open", "a/llm open", "a/tts half_open", "a/tts open",
		}, w.stated())
		providers()

		set(well)
		time.Sleep(20 * time.Second)
		turn(3 * time.Second)
		assert.Equal(t, []string{"stt a 1", "llm a 1", "tts a 1"}, providers())
		assert.Equal(t, []string{
			"a/stt half_open", "a/stt closed", "a/llm half_open", "a/llm closed", "a/tts half_open", "a/tts closed",
		}, w.stated())
	})
}

// TestSlowEarLeavesLessForTheVoice: the stages share one budget, and a voice that
// would come too late is not asked, so that the answer goes out as text in time.
func TestSlowEarLeavesLessForTheVoice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watch{}
		policy := decorate.Policy{Observer: w.observer()}
		speaking := policy
		speaking.Least = 4 * time.Second
		hang := fake.Knobs{Hang: true}
		for name, tc := range map[string]struct {
			hears  time.Duration
			voices []string // what the voices were asked
			spoken bool
			took   time.Duration
		}{
			// The voices share 30-2-3 s: the first hangs for half of it.
			"quick ear":    {2 * time.Second, []string{"a timeout 12.5s", "b ok 3s"}, true, 20500 * time.Millisecond},
			"slow ear":     {17 * time.Second, []string{"a timeout 5s", "b ok 3s"}, true, 28 * time.Second},
			"slower ear":   {21 * time.Second, []string{"a timeout 3s"}, false, 27 * time.Second},
			"slowest ear":  {24 * time.Second, nil, false, 27 * time.Second},
			"too slow ear": {40 * time.Second, nil, false, 30 * time.Second},
		} {
			p := pipeline{
				ear:   ears(t, decorate.Policy{Attempt: time.Minute}, ear(t, fake.Knobs{Transcribe: tc.hears})),
				brain: models(t, decorate.Policy{}, brain(t, fake.Knobs{FirstToken: 3 * time.Second})),
				voice: voices(t, speaking, voice(t, hang), voice(t, fake.Knobs{Speak: 3 * time.Second})),
			}
			began := time.Now()
			text, spoken, err := p.turn(t, 30*time.Second)
			assert.Equal(t, tc.took, time.Since(began), name)
			assert.Equal(t, tc.spoken, spoken, name)
			assert.Equal(t, tc.voices, w.told(), name)
			if tc.hears < 30*time.Second {
				require.NoError(t, err, name)
				assert.NotEmpty(t, text, "there is an answer, at least in writing")
			}
		}
	})
}
