package genai

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
	"sync/atomic"

	sdk "google.golang.org/genai"

	"whatsappnode/ports"
)

var _ ports.LLMPort = (*LLM)(nil)

const opLLM = "genai.llm"

// maxStream bounds one answer on the wire. The most that models give is 65,536
// tokens, a few bytes each; the rest is room for what comes with them.
const maxStream = 16 << 20

// LLMConfig describes a language model.
type LLMConfig struct {
	Config
	// Model is a chat model's name; empty means DefaultModel.
	Model string
	// ThinkingLevel is how long the model may think before it answers: "minimal",
	// "low", "medium" or "high"; empty leaves it to the model. A model refuses a
	// level that it does not have.
	ThinkingLevel string
}

// LLM is a Gemini chat model. It reads images, documents, audio and video of up to
// 14 MB in one request. Tokens of thought count as output, and against
// LLMRequest.MaxTokens. LLMRequest.User is not sent: the API has no place for it.
// Models from Gemini 3.6 on ignore a temperature.
type LLM struct {
	engine
	thinking string
}

// NewLLM checks the configuration and lists all its faults. It does not dial.
func NewLLM(cfg LLMConfig) (*LLM, error) {
	setDefault(&cfg.Model, DefaultModel)
	base, err := cfg.complete()
	if err := errors.Join(err, checkModel(cfg.Model), checkThinking(cfg.ThinkingLevel)); err != nil {
		return nil, fmt.Errorf("gemini model: %w", err)
	}
	e, err := newEngine(base, cfg.Model)
	if err != nil {
		return nil, fmt.Errorf("gemini model: %w", err)
	}
	return &LLM{engine: e, thinking: cfg.ThinkingLevel}, nil
}

// Generate implements ports.LLMPort.
func (l *LLM) Generate(ctx context.Context, req ports.LLMRequest) iter.Seq2[ports.LLMChunk, error] {
	var used atomic.Bool
	return func(yield func(ports.LLMChunk, error) bool) {
		if used.Swap(true) {
			yield(ports.LLMChunk{}, refuse(opLLM, ports.KindInvalid, "the sequence was used before"))
			return
		}
		if err := l.generate(ctx, req, yield); err != nil {
			yield(ports.LLMChunk{}, err)
		}
	}
}

// generate yields the answer and returns the error to end with; nil also when the
// reader left, after which nothing may be yielded.
func (l *LLM) generate(ctx context.Context, req ports.LLMRequest, yield func(ports.LLMChunk, error) bool) error {
	if err := req.Validate(opLLM); err != nil {
		return err
	}
	contents, err := contentsOf(opLLM, req.Messages)
	if err != nil {
		return err
	}
	if err := ports.FromContext(ctx, opLLM); err != nil {
		return err
	}
	ctx, cancel := l.bounded(ctx)
	defer cancel()
	c := &call{op: opLLM, limit: maxStream}
	ctx = c.into(ctx)
	// Pulled, so that the library's code and the reader's do not run inside each
	// other: a panic of the one is caught, a panic of the other is not.
	next, stop := iter.Pull2(l.models.GenerateContentStream(ctx, l.model, contents, l.config(req)))
	defer stop()

	var a answer
	if len(req.Tools) > 0 && !req.NoCalls {
		a.calling = &calling{before: req.CallCount()}
	}
	for {
		resp, more, err := pull(next)
		if err != nil && (c.err == nil || a.end == goesOn) {
			return c.explain(ctx, err)
		}
		if err != nil || !more {
			break
		}
		text, err := a.take(resp)
		if err != nil {
			return err
		}
		if text == "" {
			continue
		}
		if err := ports.FromContext(ctx, opLLM); err != nil {
			return err
		}
		if !yield(ports.LLMChunk{Text: text}, nil) {
			return nil
		}
	}
	if err := ports.FromContext(ctx, opLLM); err != nil {
		return err
	}
	// An answer whose finish reason arrived is whole, whatever the connection did
	// afterwards.
	if c.err != nil && a.end == goesOn {
		return c.err
	}
	done, err := a.done()
	if err != nil {
		return err
	}
	yield(done, nil)
	return nil
}

func pull(next func() (*sdk.GenerateContentResponse, error, bool)) (resp *sdk.GenerateContentResponse, more bool, err error) {
	fault := guard(func() { resp, err, more = next() })
	if fault != nil {
		return nil, false, fault
	}
	return resp, more, err
}

func (l *LLM) config(req ports.LLMRequest) *sdk.GenerateContentConfig {
	language := ""
	if tag := languageTag(req.Language); tag != "" {
		language = "Answer in the language with the BCP 47 tag " + tag + "."
	}
	cfg := &sdk.GenerateContentConfig{
		SystemInstruction: instruction(req.System, language),
		MaxOutputTokens:   int32(min(req.MaxTokens, math.MaxInt32)), // #nosec G115 -- bounded in the same line
		ThinkingConfig:    thinking(l.thinking),
	}
	if req.Temperature != nil {
		t := float32(*req.Temperature)
		cfg.Temperature = &t
	}
	offer(cfg, req)
	return once(cfg)
}

// answer gathers what the chunks of a stream say about the whole.
type answer struct {
	lead  string // white space that came before the first word
	spoke bool
	end   ending
	usage *ports.LLMUsage
	*calling
}

// take returns the text of a chunk. White space is held back until a word
// follows, so that an answer of nothing else never looks like one.
func (a *answer) take(resp *sdk.GenerateContentResponse) (string, error) {
	c, err := candidate(opLLM, resp)
	if err != nil {
		return "", err
	}
	if u := resp.UsageMetadata; u != nil {
		a.usage = usageOf(u)
	}
	if c == nil {
		return "", nil
	}
	end, err := endingOf(opLLM, c.FinishReason)
	if err != nil {
		return "", err
	}
	if end != goesOn {
		a.end = end
	}
	if err := a.calling.take(opLLM, c); err != nil {
		return "", err
	}
	text := a.lead + textOf(c)
	if !a.spoke && strings.TrimSpace(text) == "" {
		a.lead = text
		return "", nil
	}
	a.lead, a.spoke = "", true
	return text, nil
}

// done is the last chunk of an answer whose stream has ended.
func (a *answer) done() (ports.LLMChunk, error) {
	switch {
	case a.end == goesOn:
		return ports.LLMChunk{}, refuse(opLLM, ports.KindTransient, "the stream ended before the answer did")
	case a.end == complete && a.any():
		last := ports.LLMChunk{Done: true, Usage: a.usage}
		a.calling.done(&last)
		return last, nil
	case !a.spoke && a.end == cutShort:
		return ports.LLMChunk{}, refuse(opLLM, ports.KindUnknown, "the limit of tokens was used up before the first word")
	case !a.spoke:
		return ports.LLMChunk{}, refuse(opLLM, ports.KindUnknown, "the answer is empty")
	}
	return ports.LLMChunk{Done: true, Truncated: a.end == cutShort, Usage: a.usage}, nil
}

// usageOf counts as the bill does: thoughts are output. It is nil when the server
// does not tell.
func usageOf(u *sdk.GenerateContentResponseUsageMetadata) *ports.LLMUsage {
	out := ports.LLMUsage{
		Input:  int(u.PromptTokenCount) + int(u.ToolUsePromptTokenCount),
		Output: int(u.CandidatesTokenCount) + int(u.ThoughtsTokenCount),
	}
	if out.Input <= 0 || out.Output <= 0 {
		return nil
	}
	return &out
}
