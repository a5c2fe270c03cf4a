package fake

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync/atomic"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.LLMPort = (*LLM)(nil)

const opLLM = "fake.llm"

// LLM is a scripted language model. Without a script it answers "You said: " and
// the user's last message. A token is a word with the space before it.
type LLM struct {
	desk[LLMCall]
	script chan string
	answer atomic.Pointer[func(ports.LLMRequest) string]
	act    atomic.Pointer[func(ports.LLMRequest) Act]
}

// LLMCall is one logged call.
type LLMCall struct {
	At      time.Time
	Request ports.LLMRequest
}

// maxScript bounds how many scripted answers may wait.
const maxScript = 1000

// NewLLM makes a model with the given knobs.
func NewLLM(k Knobs) (*LLM, error) {
	if err := k.Validate(); err != nil {
		return nil, err
	}
	l := &LLM{script: make(chan string, maxScript)}
	l.knobs = k
	return l, nil
}

// Script queues answers for the next calls, one each. More than 1,000 waiting
// answers are an error of the test that calls it, and panic.
func (l *LLM) Script(answers ...string) { enqueue(l.script, answers) }

// Answer makes the model answer by a function where no script is left; nil brings
// back the default.
func (l *LLM) Answer(f func(ports.LLMRequest) string) {
	if f == nil {
		l.answer.Store(nil)
		return
	}
	l.answer.Store(&f)
}

// Generate implements ports.LLMPort.
func (l *LLM) Generate(ctx context.Context, req ports.LLMRequest) iter.Seq2[ports.LLMChunk, error] {
	var used atomic.Bool
	return func(yield func(ports.LLMChunk, error) bool) {
		if used.Swap(true) {
			yield(ports.LLMChunk{}, &ports.Error{Op: opLLM, Kind: ports.KindInvalid, Err: errors.New("the sequence was used before")})
			return
		}
		if err := req.Validate(opLLM); err != nil {
			yield(ports.LLMChunk{}, err)
			return
		}
		k, fails := l.begin(LLMCall{At: time.Now(), Request: req})
		s := stream{ctx: ctx, knobs: k, fails: fails, start: time.Now(), yield: yield}
		act := l.acts(k, req)
		s.calls = act.Calls
		if err := s.run(act.Text, req); err != nil {
			yield(ports.LLMChunk{}, err)
		}
	}
}

// words decides what is answered.
func (l *LLM) words(k Knobs, req ports.LLMRequest) string {
	if k.Empty {
		return ""
	}
	select {
	case text := <-l.script:
		return text
	default:
	}
	if f := l.answer.Load(); f != nil {
		return (*f)(req)
	}
	return pad("You said: "+heard(req.Messages[len(req.Messages)-1]), k.Tokens)
}

// pad lengthens an answer to so many tokens with words of four characters, with a
// full stop at every twelfth, so that it splits into sentences like real speech.
func pad(text string, tokens int) string {
	var b strings.Builder
	b.WriteString(text)
	for n := len(strings.Fields(text)); n < tokens; n++ {
		if n%12 == 11 || n == tokens-1 {
			b.WriteString(" so.")
		} else {
			b.WriteString(" and")
		}
	}
	return b.String()
}

// stream is one answer on its way.
type stream struct {
	ctx   context.Context
	knobs Knobs
	fails bool
	start time.Time
	yield func(ports.LLMChunk, error) bool
	calls []ports.ToolCall
}

// run yields the answer and returns the error to end with; nil also when the
// reader left, after which nothing may be yielded.
func (s stream) run(text string, req ports.LLMRequest) error {
	k := s.knobs
	if k.Hang && k.CutAfter == 0 {
		return k.wait(s.ctx, opLLM, 0)
	}
	if err := sleep(s.ctx, opLLM, k.FirstToken); err != nil {
		return err
	}
	if s.fails {
		k.explode(req.Messages[len(req.Messages)-1].Text)
		return k.failure(opLLM)
	}
	tokens := split(text)
	truncated := req.MaxTokens > 0 && len(tokens) > req.MaxTokens
	if truncated {
		tokens = tokens[:req.MaxTokens]
	}
	if strings.TrimSpace(strings.Join(tokens, "")) == "" && len(s.calls) == 0 {
		return &ports.Error{Op: opLLM, Kind: ports.KindUnknown, Err: errors.New("the answer is empty")}
	}
	if k.CutAfter > 0 && k.CutAfter < len(tokens) {
		tokens = tokens[:k.CutAfter]
	}
	if left, err := s.pour(tokens, len(split(text))); left || err != nil {
		return err
	}
	switch {
	case k.Hang:
		return k.wait(s.ctx, opLLM, 0)
	case k.CutAfter > 0:
		return &ports.Error{Op: opLLM, Kind: ports.KindTransient, Err: errors.New("the stream was cut")}
	}
	if err := ports.FromContext(s.ctx, opLLM); err != nil {
		return err
	}
	s.yield(ports.LLMChunk{Done: true, Truncated: truncated, Usage: usage(req, len(tokens)), Calls: s.calls}, nil)
	return nil
}

// pour yields the tokens at their times, counted from the start of the call so
// that small delays do not add up. left means that the reader broke off.
func (s stream) pour(tokens []string, total int) (left bool, err error) {
	step := max(1, s.knobs.Chunk)
	for i := 0; i < len(tokens); i += step {
		end := min(i+step, len(tokens))
		if err := sleep(s.ctx, opLLM, time.Until(s.start.Add(s.due(end-1, total)))); err != nil {
			return false, err
		}
		if !s.yield(ports.LLMChunk{Text: strings.Join(tokens[i:end], "")}, nil) {
			return true, nil
		}
	}
	return false, nil
}

// due is when token i of n comes: the first at FirstToken, the last when n tokens
// at Rate have passed since.
func (s stream) due(i, n int) time.Duration {
	k := s.knobs
	if k.Rate == 0 || n < 2 {
		return k.FirstToken
	}
	whole := float64(n) / k.Rate * float64(time.Second)
	return k.FirstToken + time.Duration(whole*float64(i)/float64(n-1))
}

// split cuts text into words, each with the white space before it; joined they are
// the text again.
func split(text string) []string {
	var out []string
	from, inWord := 0, false
	for i, r := range text {
		space := r == ' ' || r == '\n' || r == '\t'
		if space && inWord {
			out = append(out, text[from:i])
			from = i
		}
		inWord = !space
	}
	if from < len(text) {
		out = append(out, text[from:])
	}
	return out
}

func usage(req ports.LLMRequest, output int) *ports.LLMUsage {
	n := domain.EstimateTokens(req.System)
	for _, m := range req.Messages {
		n += domain.EstimateTokens(heard(m))
	}
	return &ports.LLMUsage{Input: n, Output: output}
}

func enqueue(queue chan string, items []string) {
	for _, it := range items {
		select {
		case queue <- it:
		default:
			panic("fake: the script is longer than 1,000 lines")
		}
	}
}
