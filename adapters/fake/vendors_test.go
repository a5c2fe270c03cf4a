package fake_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

func ask(text string) ports.LLMRequest {
	return ports.LLMRequest{Messages: []ports.LLMMessage{{Role: domain.RoleUser, Text: text}}}
}

func TestParseKnobs(t *testing.T) {
	for _, c := range []struct {
		in   string
		want fake.Knobs
	}{
		{"", fake.Knobs{}},
		{" ttft=400ms , rate=60,tokens=120,chunk=8", fake.Knobs{FirstToken: 400 * time.Millisecond, Rate: 60, Tokens: 120, Chunk: 8}},
		{"speak=250ms+4ms,transcribe=600ms", fake.Knobs{Speak: 250 * time.Millisecond, PerChar: 4 * time.Millisecond, Transcribe: 600 * time.Millisecond}},
		{"speak=1s", fake.Knobs{Speak: time.Second}},
		{"error=transient", fake.Knobs{Error: ports.KindTransient}},
		{"error=transient:3,retryafter=2s", fake.Knobs{Error: ports.KindTransient, ErrorNext: 3, RetryAfter: 2 * time.Second}},
		{"error=rate_limited:every5", fake.Knobs{Error: ports.KindRateLimited, ErrorEvery: 5}},
		{"hang=every200", fake.Knobs{HangEvery: 200}},
		{"hang,cut=4", fake.Knobs{Hang: true, CutAfter: 4}},
		{"empty,corrupt=true,wrongformat", fake.Knobs{Empty: true, Corrupt: true, WrongFormat: true}},
	} {
		got, err := fake.ParseKnobs(c.in)
		require.NoError(t, err, c.in)
		assert.Equal(t, c.want, got, c.in)
	}
}

func TestParseKnobsTellsEveryFault(t *testing.T) {
	_, err := fake.ParseKnobs("speed=9,ttft=400,rate=fast,error=sad:3,error=transient,cut=0,hang=no,speak=1s+,error=transient:everyday")
	require.Error(t, err)
	for _, part := range []string{
		`unknown knob "speed", known are chunk, corrupt`, `knob ttft: "400" is not a duration with its unit`, `knob rate: "fast"`,
		`knob error: unknown kind "sad", known are unknown, invalid`, "knob error is given twice", `knob cut: "0" is not a count`, "knob hang: it is on when named",
		"knob speak: ",
	} {
		assert.ErrorContains(t, err, part)
	}
	_, err = fake.ParseKnobs("retryafter=2s")
	assert.ErrorContains(t, err, "no error kind")
	_, err = fake.NewLLM(fake.Knobs{Rate: -1})
	assert.Error(t, err)
	_, err = fake.NewSTT(fake.Knobs{Error: "sad"})
	assert.Error(t, err)
	_, err = fake.NewTTS(fake.Knobs{Speak: -1})
	assert.Error(t, err)
}

func TestModelKeepsItsTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		llm, err := fake.NewLLM(fake.Knobs{FirstToken: 400 * time.Millisecond, Rate: 60, Tokens: 120, Chunk: 1})
		require.NoError(t, err)
		start := time.Now()
		var first, last time.Duration
		chunks, text := 0, ""
		for c, err := range llm.Generate(t.Context(), ask("hi you")) {
			require.NoError(t, err)
			if c.Done {
				break
			}
			if last = time.Since(start); chunks == 0 {
				first = last
			}
			chunks++
			text += c.Text
		}
		assert.Equal(t, 400*time.Millisecond, first)
		assert.Equal(t, 2400*time.Millisecond, last)
		assert.Equal(t, 120, chunks)
		assert.True(t, strings.HasPrefix(text, "You said: hi you and and"), text)
		assert.InDelta(t, 480, len(text), 10, "the padding has four characters a token")
	})
}

func TestModelYieldsInCoarserSteps(t *testing.T) {
	llm, err := fake.NewLLM(fake.Knobs{Tokens: 20, Chunk: 8})
	require.NoError(t, err)
	chunks := 0
	for c, err := range llm.Generate(t.Context(), ask("hi")) {
		require.NoError(t, err)
		if !c.Done {
			chunks++
		}
	}
	assert.Equal(t, 3, chunks)
}

func TestEarAndVoiceKeepTheirTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		knobs := fake.Knobs{Speak: 250 * time.Millisecond, PerChar: 4 * time.Millisecond, Transcribe: 600 * time.Millisecond}
		tts, err := fake.NewTTS(knobs)
		require.NoError(t, err)
		stt, err := fake.NewSTT(knobs)
		require.NoError(t, err)
		start := time.Now()
		clip, err := tts.Synthesize(t.Context(), strings.Repeat("é", 100), ports.TTSOptions{})
		require.NoError(t, err)
		assert.Equal(t, 650*time.Millisecond, time.Since(start))
		assert.Equal(t, 6*time.Second, clip.Duration(), "60 ms a character")
		start = time.Now()
		_, err = stt.Transcribe(t.Context(), clip, ports.STTOptions{})
		require.NoError(t, err)
		assert.Equal(t, 600*time.Millisecond, time.Since(start))
	})
}

func TestFailuresAreCounted(t *testing.T) {
	for _, c := range []struct {
		knobs string
		want  string // one letter a call: x failed
	}{
		{"error=transient", "xxxxxx"},
		{"error=transient:2", "xx...."},
		{"error=transient:every3", "..x..x"},
		{"", "......"},
	} {
		k, err := fake.ParseKnobs(c.knobs)
		require.NoError(t, err)
		llm, err := fake.NewLLM(k)
		require.NoError(t, err)
		got := ""
		for range 6 {
			if _, _, err := ports.Collect(llm.Generate(t.Context(), ask("hi"))); err != nil {
				assert.Equal(t, ports.KindTransient, ports.KindOf(err))
				got += "x"
			} else {
				got += "."
			}
		}
		assert.Equal(t, c.want, got, c.knobs)
	}
}

func TestKnobsCanBeSetWhileRunning(t *testing.T) {
	tts, err := fake.NewTTS(fake.Knobs{})
	require.NoError(t, err)
	require.NoError(t, tts.Set(fake.Knobs{Error: ports.KindRateLimited, ErrorNext: 1, RetryAfter: 3 * time.Second}))
	_, err = tts.Synthesize(t.Context(), "hello", ports.TTSOptions{})
	assert.Equal(t, ports.KindRateLimited, ports.KindOf(err))
	assert.Equal(t, 3*time.Second, ports.RetryAfter(err))
	_, err = tts.Synthesize(t.Context(), "hello", ports.TTSOptions{})
	require.NoError(t, err)
	assert.Error(t, tts.Set(fake.Knobs{ErrorNext: 1}))
	assert.Equal(t, 2, tts.Count())
	calls := tts.Calls()
	require.Len(t, calls, 2)
	assert.Equal(t, "hello", calls[1].Text)
}

func TestScriptComesBeforeTheDefault(t *testing.T) {
	llm, err := fake.NewLLM(fake.Knobs{})
	require.NoError(t, err)
	say := func() string {
		text, _, err := ports.Collect(llm.Generate(t.Context(), ask("hi")))
		require.NoError(t, err)
		return text
	}
	llm.Script("one", "two\n words ")
	llm.Answer(func(r ports.LLMRequest) string { return "asked " + r.Messages[0].Text })
	assert.Equal(t, []string{"one", "two\n words ", "asked hi"}, []string{say(), say(), say()})
	llm.Answer(nil)
	assert.Equal(t, "You said: hi", say())
	assert.Equal(t, "hi", llm.Calls()[0].Request.Messages[0].Text)
}

func TestTheEarHearsTheVoice(t *testing.T) {
	tts, err := fake.NewTTS(fake.Knobs{})
	require.NoError(t, err)
	stt, err := fake.NewSTT(fake.Knobs{})
	require.NoError(t, err)
	stt.Script("from the script")
	const words = "Zwei = 2,\nça va? 你好"
	clip, err := tts.Synthesize(t.Context(), words, ports.TTSOptions{})
	require.NoError(t, err)
	require.NoError(t, oggopus.Check(clip.Bytes()))
	heard, err := stt.Transcribe(t.Context(), clip, ports.STTOptions{Languages: []string{"de", "en"}})
	require.NoError(t, err)
	assert.Equal(t, domain.Transcript{Text: words, Language: "de", Confidence: 1}, heard)

	plain, err := tts.Synthesize(t.Context(), strings.Repeat("x", 50), ports.TTSOptions{Format: domain.MIMEWAV})
	require.NoError(t, err)
	for _, want := range []string{"from the script", "[voice message of 3 seconds]"} {
		heard, err = stt.Transcribe(t.Context(), plain, ports.STTOptions{})
		require.NoError(t, err)
		assert.Equal(t, want, heard.Text)
	}
}

func TestVoiceSpoilsItsClipsOnCommand(t *testing.T) {
	speak := func(k fake.Knobs) domain.Audio {
		tts, err := fake.NewTTS(k)
		require.NoError(t, err)
		clip, err := tts.Synthesize(t.Context(), "hello", ports.TTSOptions{})
		require.NoError(t, err)
		return clip
	}
	assert.ErrorIs(t, oggopus.Check(speak(fake.Knobs{Corrupt: true}).Bytes()), oggopus.ErrCorrupt)
	assert.Equal(t, domain.MIMEWAV, speak(fake.Knobs{WrongFormat: true}).MIME())
	assert.Less(t, speak(fake.Knobs{Empty: true}).Duration(), time.Millisecond)
}

func TestCallLogIsBounded(t *testing.T) {
	stt, err := fake.NewSTT(fake.Knobs{})
	require.NoError(t, err)
	clip, err := fake.Clip("hi", 0)
	require.NoError(t, err)
	for i := range fake.MaxCalls + 5 {
		_, err := stt.Transcribe(t.Context(), clip, ports.STTOptions{Hint: string(rune('a' + i%26))})
		require.NoError(t, err)
	}
	assert.Equal(t, fake.MaxCalls+5, stt.Count())
	calls := stt.Calls()
	require.Len(t, calls, fake.MaxCalls)
	assert.Equal(t, string(rune('a'+5)), calls[0].Options.Hint, "the oldest are forgotten")
	assert.Equal(t, string(rune('a'+(fake.MaxCalls+4)%26)), calls[len(calls)-1].Options.Hint)
}

func TestHangingModelMayFirstSaySomething(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		llm, err := fake.NewLLM(fake.Knobs{Hang: true, CutAfter: 2})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		text, _, err := ports.Collect(llm.Generate(ctx, ask("one two three")))
		assert.Equal(t, ports.KindTimeout, ports.KindOf(err))
		assert.Equal(t, "You said:", text)
	})
}
