package decorate_test

import (
	"context"
	"errors"
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

// fatal are the kinds after which nobody else is asked.
var fatal = map[ports.Kind]bool{ports.KindBlocked: true, ports.KindCanceled: true}

var allKinds = append([]ports.Kind{ports.KindCanceled}, vendorFailures...)

func TestNextTakesOverWhereItMayDoBetter(t *testing.T) {
	for _, kind := range allKinds {
		t.Run(string(kind), func(t *testing.T) {
			w := &watch{}
			policy := decorate.Policy{Attempts: 1, Observer: w.observer()}
			broken := fake.Knobs{Error: kind}
			check := func(err error, second int) {
				t.Helper()
				if fatal[kind] {
					assert.Equal(t, kind, ports.KindOf(err))
					assert.Zero(t, second)
					assert.Empty(t, w.went())
					return
				}
				require.NoError(t, err)
				assert.Equal(t, 1, second)
				assert.Equal(t, []string{"a-b " + string(kind)}, w.went())
			}
			e := ear(t, fake.Knobs{})
			heard, err := ears(t, policy, ear(t, broken), e).Transcribe(t.Context(), clipOf(t, "hello"), ports.STTOptions{})
			check(err, e.Count())
			assert.Equal(t, !fatal[kind], heard.Text == "hello")
			v := voice(t, fake.Knobs{})
			clip, err := voices(t, policy, voice(t, broken), v).Synthesize(t.Context(), "hello", ports.TTSOptions{})
			check(err, v.Count())
			assert.Equal(t, fatal[kind], clip.Empty())
			b := brain(t, fake.Knobs{})
			text, _, err := ports.Collect(models(t, policy, brain(t, broken), b).Generate(t.Context(), asking("hello")))
			check(err, b.Count())
			assert.Equal(t, !fatal[kind], text == "You said: hello")
		})
	}
}

func TestWhatOneCannotReadAnotherMay(t *testing.T) {
	e := ear(t, fake.Knobs{}) // reads no MP3
	mp3 := audioOf(t, domain.MIMEMP3, []byte("ID3 and so on"))
	heard, err := ears(t, decorate.Policy{}, e, scripted()).Transcribe(t.Context(), mp3, ports.STTOptions{})
	require.NoError(t, err)
	assert.Equal(t, "heard", heard.Text)
}

func TestFaultyRequestReachesNobody(t *testing.T) {
	w := &watch{}
	policy := decorate.Policy{Observer: w.observer()}
	_, err := ears(t, policy, ear(t, fake.Knobs{}), ear(t, fake.Knobs{})).Transcribe(t.Context(), domain.Audio{}, ports.STTOptions{})
	assert.Equal(t, ports.KindInvalid, ports.KindOf(err))
	_, err = voices(t, policy, voice(t, fake.Knobs{}), voice(t, fake.Knobs{})).Synthesize(t.Context(), " \n", ports.TTSOptions{})
	assert.Equal(t, ports.KindInvalid, ports.KindOf(err))
	_, _, err = ports.Collect(models(t, policy, brain(t, fake.Knobs{}), brain(t, fake.Knobs{})).Generate(t.Context(), asking(" ")))
	assert.Equal(t, ports.KindInvalid, ports.KindOf(err))
	assert.Empty(t, w.told())
	assert.Empty(t, w.went())
}

func TestEndedContextReachesNobody(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, policy := range map[string]decorate.Policy{"in turn": {}, "hedged": {Hedge: time.Second}} {
		w := &watch{}
		policy.Observer = w.observer()
		err := hear(t, ctx, ears(t, policy, scripted(), scripted()))
		assert.Equal(t, ports.KindCanceled, ports.KindOf(err), name)
		assert.ErrorIs(t, err, context.Canceled, name)
		assert.Empty(t, w.told(), name)
	}
}

func TestErrorOfAllLeavesHopeWhereOneDoes(t *testing.T) {
	for name, tc := range map[string]struct {
		errs  []error
		want  ports.Kind
		after time.Duration
	}{
		"one alone":             {[]error{wrong(ports.KindDenied)}, ports.KindDenied, 0},
		"none leaves hope":      {[]error{wrong(ports.KindDenied), wrong(ports.KindUnsupported)}, ports.KindUnsupported, 0},
		"the first leaves hope": {[]error{wrongFor(ports.KindRateLimited, time.Hour), wrong(ports.KindUnsupported)}, ports.KindRateLimited, time.Hour},
		"two leave hope":        {[]error{wrong(ports.KindTransient), wrongFor(ports.KindRateLimited, time.Hour), wrong(ports.KindDenied)}, ports.KindRateLimited, time.Hour},
		"foreign errors":        {[]error{errors.New("x"), errors.New("y")}, ports.KindUnknown, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var vendors []ports.STTPort
			for _, err := range tc.errs {
				vendors = append(vendors, scripted(err))
			}
			_, err := ears(t, decorate.Policy{Attempts: 1}, vendors...).Transcribe(t.Context(), clipOf(t, "hello"), ports.STTOptions{})
			assert.Equal(t, tc.want, ports.KindOf(err))
			assert.Equal(t, tc.after, ports.RetryAfter(err))
			for _, each := range tc.errs {
				assert.ErrorIs(t, err, each)
			}
			if len(tc.errs) == 1 {
				assert.Same(t, tc.errs[0], err, "it is passed on as it is")
			}
		})
	}
	_, err := ears(t, decorate.Policy{Attempts: 1}, scripted(wrong(ports.KindDenied)), scripted(wrong(ports.KindTransient))).
		Transcribe(t.Context(), clipOf(t, "hello"), ports.STTOptions{})
	assert.EqualError(t, err, "stt: transient: a: script.stt: denied: as the test asks; b: script.stt: transient: as the test asks")
}

func TestBudgetIsShared(t *testing.T) {
	hang := fake.Knobs{Hang: true}
	for name, tc := range map[string]struct {
		budget  time.Duration
		policy  decorate.Policy
		vendors []fake.Knobs
		want    []string
		ended   bool // with the context
	}{
		"evenly": {
			30 * time.Second,
			decorate.Policy{},
			[]fake.Knobs{hang, hang, hang},
			[]string{"a timeout 10s", "b timeout 10s", "c timeout 10s"},
			true,
		},
		"what one leaves the others have": {
			30 * time.Second,
			decorate.Policy{Attempts: 1},
			[]fake.Knobs{{Error: ports.KindDenied, Transcribe: 2 * time.Second}, hang, hang},
			[]string{"a denied 2s", "b timeout 14s", "c timeout 14s"},
			true,
		},
		"one attempt takes no more than it may": {
			time.Hour,
			decorate.Policy{Attempt: 5 * time.Second},
			[]fake.Knobs{hang, {Transcribe: 4 * time.Second}},
			[]string{"a timeout 5s", "b ok 4s"},
			false,
		},
		"nobody is given too little": {
			5 * time.Second,
			decorate.Policy{Floor: 3 * time.Second},
			[]fake.Knobs{hang, hang, hang},
			[]string{"a timeout 3s", "b timeout 2s"},
			true,
		},
		"nobody is begun too late": {
			5 * time.Second,
			decorate.Policy{Floor: 3 * time.Second, Least: 2500 * time.Millisecond},
			[]fake.Knobs{hang, hang},
			[]string{"a timeout 3s"},
			false,
		},
		"the second has its share": {
			20 * time.Second,
			decorate.Policy{},
			[]fake.Knobs{hang, {Transcribe: 9 * time.Second}},
			[]string{"a timeout 10s", "b ok 9s"},
			false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &watch{}
				tc.policy.Observer = w.observer()
				var vendors []ports.STTPort
				for _, k := range tc.vendors {
					vendors = append(vendors, ear(t, k))
				}
				ctx := within(t, tc.budget)
				_, err := ears(t, tc.policy, vendors...).Transcribe(ctx, clipOf(t, "hello"), ports.STTOptions{})
				assert.Equal(t, tc.want, w.told())
				assert.Equal(t, tc.ended, ctx.Err() != nil)
				if err != nil {
					assert.Equal(t, ports.KindTimeout, ports.KindOf(err))
					assert.ErrorIs(t, err, context.DeadlineExceeded)
				}
			})
		})
	}
}

func TestModelsShareTheTimeToTheFirstWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watch{}
		policy := decorate.Policy{FirstToken: time.Minute, Observer: w.observer()}
		slow := fake.Knobs{FirstToken: 9 * time.Second, Rate: 1, Tokens: 20} // 29 s in all
		text, _, err := ports.Collect(models(t, policy, brain(t, fake.Knobs{Hang: true}), brain(t, slow)).Generate(within(t, 40*time.Second), asking("hello")))
		assert.Equal(t, ports.KindTimeout, ports.KindOf(err), "20 s were gone, the answer takes 29 s")
		assert.NotEmpty(t, text)
		assert.Equal(t, []string{"a timeout 20s", "b timeout 20s"}, w.told())

		policy.FirstToken = 10 * time.Second
		_, _, err = ports.Collect(models(t, policy, brain(t, fake.Knobs{Hang: true}), brain(t, slow)).Generate(within(t, 40*time.Second), asking("hello")))
		require.NoError(t, err, "an answer that has begun may use what is left")
		assert.Equal(t, []string{"a timeout 10s", "b ok 29s"}, w.told())
	})
}

func TestBudgetOfACallWithoutADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := fake.Knobs{Hang: true}
		for name, call := range map[string]func(p decorate.Policy) error{
			"llm": func(p decorate.Policy) error {
				_, _, err := ports.Collect(models(t, p, brain(t, hang), brain(t, hang)).Generate(t.Context(), asking("hello")))
				return err
			},
			"stt": func(p decorate.Policy) error {
				_, err := ears(t, p, ear(t, hang), ear(t, hang)).Transcribe(t.Context(), clipOf(t, "hello"), ports.STTOptions{})
				return err
			},
			"tts": func(p decorate.Policy) error {
				_, err := voices(t, p, voice(t, hang), voice(t, hang)).Synthesize(t.Context(), "hello", ports.TTSOptions{})
				return err
			},
		} {
			began := time.Now()
			err := call(decorate.Policy{Budget: 8 * time.Second})
			assert.Equal(t, ports.KindTimeout, ports.KindOf(err), name)
			assert.Equal(t, 8*time.Second, time.Since(began), name)
			began = time.Now()
			assert.Error(t, call(decorate.Policy{}), name)
			assert.LessOrEqual(t, time.Since(began), decorate.DefaultBudget, name)
		}
	})
}

func TestCallThatBeginsTooLateIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := voice(t, fake.Knobs{})
		d := voices(t, decorate.Policy{Least: 3 * time.Second}, v)
		began := time.Now()
		_, err := d.Synthesize(within(t, 2999*time.Millisecond), "hello", ports.TTSOptions{})
		assert.Equal(t, ports.KindTimeout, ports.KindOf(err))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Zero(t, time.Since(began))
		assert.Zero(t, v.Count())
		_, err = d.Synthesize(within(t, 3*time.Second), "hello", ports.TTSOptions{})
		require.NoError(t, err)
	})
}

func TestCallsAreMetered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		var ctxs []any
		w := &watch{}
		o := w.observer()
		note := o.OnCall
		o.OnCall = func(ctx context.Context, c decorate.Call) {
			ctxs = append(ctxs, ctx.Value(key{}))
			note(ctx, c)
		}
		ctx := context.WithValue(t.Context(), key{}, "turn 1")
		policy := decorate.Policy{Observer: o}
		bare := audioOf(t, domain.MIMEOggOpus, clipOf(t, "four").Bytes()) // it does not say how long it is
		_, err := ears(t, policy, ear(t, fake.Knobs{Transcribe: time.Second})).Transcribe(ctx, bare, ports.STTOptions{})
		require.NoError(t, err)
		clip, err := voices(t, policy, voice(t, fake.Knobs{Speak: time.Second})).Synthesize(ctx, "señor", ports.TTSOptions{})
		require.NoError(t, err)
		_, _, err = ports.Collect(models(t, policy, brain(t, fake.Knobs{FirstToken: time.Second, Rate: 2})).Generate(ctx, asking("olé olé")))
		require.NoError(t, err)
		assert.Equal(t, []decorate.Call{
			{Provider: "a", Operation: "stt", Attempt: 1, Took: time.Second, AudioBytes: len(bare.Bytes()), Audio: time.Second},
			{Provider: "a", Operation: "tts", Attempt: 1, Took: time.Second, Characters: 5, AudioBytes: len(clip.Bytes()), Audio: clip.Duration()},
			{
				Provider: "a", Operation: "llm", Attempt: 1, Took: 3 * time.Second, FirstToken: time.Second, Characters: 17,
				Usage: ports.LLMUsage{Input: domain.EstimateTokens("olé olé"), Output: 4},
			},
		}, w.calls)
		assert.Equal(t, []any{"turn 1", "turn 1", "turn 1"}, ctxs)
	})
}

func TestWiringFaultsAreListed(t *testing.T) {
	_, err := decorate.STT([]decorate.NamedSTT{{Name: "x", Port: scripted()}, {Name: "x", Port: scripted()}, {Name: "y"}, {Port: scripted()}},
		decorate.Policy{Attempt: -1, Hedge: -1, Attempts: 11})
	for _, part := range []string{
		`"x" is empty or used twice`, `"y" is nil`, `"" is empty`, "the attempt time is negative", "the hedge time is negative", "11 attempts",
	} {
		assert.ErrorContains(t, err, part)
	}
	_, err = decorate.LLM(nil, decorate.Policy{})
	assert.ErrorContains(t, err, "no provider")
	_, err = decorate.TTS(nil, decorate.Policy{Attempts: -1})
	assert.ErrorContains(t, err, "attempts")
}
