package decorate_test

import (
	"context"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/fake"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// tally is a meter that writes everything down, and forbids everything when full.
type tally struct {
	mu       sync.Mutex
	full     bool
	expected []domain.Money
	ended    []domain.Expense
	open     int
}

func (y *tally) Begin(_ context.Context, expected domain.Money) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.full {
		return &ports.Error{Op: "tally", Kind: ports.KindCanceled, Err: ports.ErrOverBudget}
	}
	y.expected = append(y.expected, expected)
	y.open++
	return nil
}

func (y *tally) End(_ domain.Money, e domain.Expense) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.ended = append(y.ended, e)
	y.open--
}

// one demands that one attempt was begun and ended.
func (y *tally) one(t *testing.T) domain.Expense {
	t.Helper()
	y.mu.Lock()
	defer y.mu.Unlock()
	require.Len(t, y.expected, 1)
	require.Len(t, y.ended, 1)
	return y.ended[0]
}

// sold costs one unit for each token, second and character, and nothing is known of
// anything else.
var sold = decorate.Product{Vendor: "v", Price: func(u domain.Use) (domain.Money, bool) {
	n := u.InputTokens + u.OutputTokens + u.Characters + int(u.Heard/time.Second)
	return domain.Money(n), n > 0
}}

// with puts the meter into the context, as the application does.
type (
	withLLM struct {
		ports.LLMPort
		meter ports.Meter
	}
	withSTT struct {
		ports.STTPort
		meter ports.Meter
	}
	withTTS struct {
		ports.TTSPort
		meter ports.Meter
	}
)

func (w withLLM) Generate(ctx context.Context, req ports.LLMRequest) iter.Seq2[ports.LLMChunk, error] {
	return w.LLMPort.Generate(ports.WithMeter(ctx, w.meter), req)
}
func (w withLLM) CallsTools() bool { return ports.CallsTools(w.LLMPort) }

func (w withSTT) Transcribe(ctx context.Context, clip domain.Audio, opt ports.STTOptions) (domain.Transcript, error) {
	return w.STTPort.Transcribe(ports.WithMeter(ctx, w.meter), clip, opt)
}

func (w withTTS) Synthesize(ctx context.Context, text string, opt ports.TTSOptions) (domain.Audio, error) {
	return w.TTSPort.Synthesize(ports.WithMeter(ctx, w.meter), text, opt)
}

func (a arrangement) llm(m ports.LLMPort) ports.LLMPort {
	if a.metered {
		return withLLM{decorate.MeteredLLM(m, sold), &tally{}}
	}
	return m
}

func (a arrangement) stt(m ports.STTPort) ports.STTPort {
	if a.metered {
		return withSTT{decorate.MeteredSTT(m, sold), &tally{}}
	}
	return m
}

func (a arrangement) tts(m ports.TTSPort) ports.TTSPort {
	if a.metered {
		return withTTS{decorate.MeteredTTS(m, sold), &tally{}}
	}
	return m
}

func metered(t *testing.T, k fake.Knobs) (ports.LLMPort, *tally) {
	t.Helper()
	m, err := fake.NewLLM(k)
	require.NoError(t, err)
	y := &tally{}
	return withLLM{decorate.MeteredLLM(m, sold), y}, y
}

func questioned(text string) ports.LLMRequest {
	return ports.LLMRequest{System: "be kind", Messages: []ports.LLMMessage{{Role: domain.RoleUser, Text: text}}, MaxTokens: 100}
}

func TestModelIsMetered(t *testing.T) {
	m, y := metered(t, fake.Knobs{})
	_, done, err := ports.Collect(m.Generate(t.Context(), questioned("hello")))
	require.NoError(t, err)
	e := y.one(t)
	require.Equal(t, "v", e.Vendor)
	require.Equal(t, domain.StageThink, e.Stage)
	require.Equal(t, []int{1, 0, 0}, []int{e.Calls, e.Doubtful, e.Unpriced})
	if done.Usage != nil {
		require.Equal(t, domain.Money(done.Usage.Input+done.Usage.Output), e.Cost, "the vendor's own count")
	}
	require.Equal(t, domain.Money(100+3), y.expected[0], "the limit, and the question by its letters")
}

// quiet is a model that tells no usage.
type quiet struct{ ports.LLMPort }

func (q quiet) Generate(ctx context.Context, req ports.LLMRequest) iter.Seq2[ports.LLMChunk, error] {
	return func(yield func(ports.LLMChunk, error) bool) {
		for chunk, err := range q.LLMPort.Generate(ctx, req) {
			chunk.Usage = nil
			if !yield(chunk, err) {
				return
			}
		}
	}
}

func TestModelWithoutUsageIsCountedByItsLetters(t *testing.T) {
	m, err := fake.NewLLM(fake.Knobs{})
	require.NoError(t, err)
	y := &tally{}
	text, _, err := ports.Collect(decorate.MeteredLLM(quiet{m}, sold).Generate(ports.WithMeter(t.Context(), y), questioned("hello")))
	require.NoError(t, err)
	require.Equal(t, (len(text)+3)/4, y.one(t).OutputTokens)
	require.Equal(t, 3, y.one(t).InputTokens)
}

func TestModelThatIsLeftIsDoubtful(t *testing.T) {
	m, y := metered(t, fake.Knobs{})
	for range m.Generate(t.Context(), questioned("hello")) {
		break
	}
	e := y.one(t)
	require.Equal(t, 1, e.Doubtful)
	require.Equal(t, e.Cost, e.DoubtfulCost)
	require.Positive(t, e.Cost, "its question was read")
}

func TestFailuresAreDoubtful(t *testing.T) {
	m, y := metered(t, fake.Knobs{Error: ports.KindTransient})
	_, _, err := ports.Collect(m.Generate(t.Context(), questioned("hello")))
	require.Error(t, err)
	require.Equal(t, 1, y.one(t).Doubtful)

	clip, err := fake.Clip("hello", 3*time.Second)
	require.NoError(t, err)
	ears, err := fake.NewSTT(fake.Knobs{Error: ports.KindTransient})
	require.NoError(t, err)
	y = &tally{}
	_, err = decorate.MeteredSTT(ears, sold).Transcribe(ports.WithMeter(t.Context(), y), clip, ports.STTOptions{})
	require.Error(t, err)
	require.Equal(t, domain.Expense{Stage: domain.StageHear, Vendor: "v", Use: domain.Use{Heard: y.one(t).Heard}, Calls: 1, Doubtful: 1, Cost: 3, DoubtfulCost: 3}, y.one(t))

	voice, err := fake.NewTTS(fake.Knobs{Error: ports.KindTransient})
	require.NoError(t, err)
	y = &tally{}
	_, err = decorate.MeteredTTS(voice, sold).Synthesize(ports.WithMeter(t.Context(), y), "hello", ports.TTSOptions{})
	require.Error(t, err)
	require.Equal(t, domain.Expense{Stage: domain.StageSpeak, Vendor: "v", Use: domain.Use{Characters: 5}, Calls: 1, Doubtful: 1, Cost: 5, DoubtfulCost: 5}, y.one(t))
}

func TestUnknownPriceIsSaid(t *testing.T) {
	voice, err := fake.NewTTS(fake.Knobs{})
	require.NoError(t, err)
	y := &tally{}
	nobody := decorate.Product{Vendor: "v", Price: func(domain.Use) (domain.Money, bool) { return 0, false }}
	_, err = decorate.MeteredTTS(voice, nobody).Synthesize(ports.WithMeter(t.Context(), y), "hello", ports.TTSOptions{})
	require.NoError(t, err)
	require.Equal(t, 1, y.one(t).Unpriced)
}

// TestForbiddenAttemptAsksNobody: not the vendor, not the next one, and not again.
func TestForbiddenAttemptAsksNobody(t *testing.T) {
	first, err := fake.NewLLM(fake.Knobs{})
	require.NoError(t, err)
	second, err := fake.NewLLM(fake.Knobs{})
	require.NoError(t, err)
	both, err := decorate.LLM([]decorate.NamedLLM{
		{Name: "first", Port: decorate.MeteredLLM(first, sold)}, {Name: "second", Port: decorate.MeteredLLM(second, sold)},
	}, decorate.Policy{})
	require.NoError(t, err)
	_, _, err = ports.Collect(both.Generate(ports.WithMeter(t.Context(), &tally{full: true}), questioned("hello")))
	require.ErrorIs(t, err, ports.ErrOverBudget)
	require.Zero(t, first.Count()+second.Count())
}

// TestLoserOfAHedgeIsCounted, since it may be billed.
func TestLoserOfAHedgeIsCounted(t *testing.T) {
	slow, err := fake.NewTTS(fake.Knobs{Hang: true})
	require.NoError(t, err)
	fast, err := fake.NewTTS(fake.Knobs{})
	require.NoError(t, err)
	both, err := decorate.TTS([]decorate.NamedTTS{
		{Name: "slow", Port: decorate.MeteredTTS(slow, sold)}, {Name: "fast", Port: decorate.MeteredTTS(fast, sold)},
	}, decorate.Policy{Hedge: time.Microsecond})
	require.NoError(t, err)
	y := &tally{}
	_, err = both.Synthesize(ports.WithMeter(t.Context(), y), strings.Repeat("a", 7), ports.TTSOptions{})
	require.NoError(t, err)
	y.mu.Lock()
	defer y.mu.Unlock()
	require.Len(t, y.ended, 2)
	require.Zero(t, y.open)
	doubtful := 0
	for _, e := range y.ended {
		doubtful += e.Doubtful
		require.Equal(t, domain.Money(7), e.Cost)
	}
	require.Equal(t, 1, doubtful)
}
