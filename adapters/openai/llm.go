package openai

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	goopenai "github.com/sashabaranov/go-openai"

	"whatsappnode/ports"
)

var _ ports.LLMPort = (*LLM)(nil)

const opLLM = "openai.llm"

// DefaultLLMModel is asked where no model is named: OpenAI's small one.
const DefaultLLMModel = "gpt-6-luna"

// afterFinish is how long the usage and the end of the stream may lag behind the
// last word. Servers that neither send [DONE] nor hang up are left then.
const afterFinish = 500 * time.Millisecond

// LLMConfig says which model to ask, and where. The zero value but for APIKey asks
// OpenAI.
type LLMConfig struct {
	// APIKey returns the key in force; it is asked at every call and must be safe for
	// concurrent use. It may be nil or return nothing for a server that wants no key;
	// OpenAI's own does.
	APIKey func() string
	// BaseURL is the server up to and with the version: "http://localhost:11434/v1".
	// Empty means DefaultBaseURL.
	BaseURL string
	// Organization is sent as OpenAI-Organization, or empty.
	Organization string
	// Model is the model's name at the server; empty means DefaultLLMModel. Servers of
	// one model, such as llama.cpp's, take any name.
	Model string
	// TokenLimit says how a limit is sent: TokensAuto (also when empty), TokensOld or
	// TokensNew.
	TokenLimit string
	// ReasoningEffort is sent as reasoning_effort: none, minimal, low, medium, high,
	// xhigh or max. Empty sends "none" to gpt-6-luna and gpt-6-sol and nothing to any
	// other model; EffortVendor never sends anything.
	ReasoningEffort string
	// OmitUsage leaves stream_options.include_usage out, which some servers answer
	// with 400 or 422. The Done chunk then carries a usage only if the server sends
	// one unasked.
	OmitUsage bool
	// OmitUser leaves the field user out, for servers that refuse unknown fields.
	OmitUser bool
	// Client's transport makes the calls, redirects are not followed; nil makes a private one.
	Client *http.Client
}

// LLM is a language model behind POST /chat/completions. It may be used
// concurrently.
//
// The request's Language has no field in this API: what language to answer in is
// for the system instruction to say. A temperature is left out where the model
// refuses it: the o-series, gpt-5, and gpt-6 unless its reasoning effort is none.
// Images are sent as data URLs; other media in the last message are KindUnsupported.
type LLM struct {
	api       *endpoint
	model     string
	effort    string
	newTokens bool
	usage     bool
	user      bool
	calls     bool
	envelope  envelope
}

// NewLLM checks the configuration and lists all its faults. It does not dial.
func NewLLM(cfg LLMConfig) (*LLM, error) {
	api, faults := newEndpoint(cfg.APIKey, cfg.BaseURL, cfg.Organization, cfg.Client)
	if cfg.Model == "" {
		cfg.Model = DefaultLLMModel
	}
	if cfg.TokenLimit == "" {
		cfg.TokenLimit = TokensAuto
	}
	if !slices.Contains(tokenFields, cfg.TokenLimit) {
		faults = append(faults, fmt.Errorf("the token limit field must be one of %s", strings.Join(tokenFields, ", ")))
	}
	if cfg.ReasoningEffort != "" && !slices.Contains(efforts, cfg.ReasoningEffort) {
		faults = append(faults, fmt.Errorf("the reasoning effort must be one of %s", strings.Join(efforts, ", ")))
	}
	l := &LLM{
		api: api, model: cfg.Model, effort: effortFor(cfg.ReasoningEffort, cfg.Model),
		newTokens: cfg.TokenLimit == TokensNew || cfg.TokenLimit == TokensAuto && (api.isOpenAI() || reasons(cfg.Model)),
		usage:     !cfg.OmitUsage, user: !cfg.OmitUser,
	}
	if len(faults) == 0 {
		faults = append(faults, l.impossible()...)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("openai language model: %w", err)
	}
	l.calls = l.takesTools()
	return l, nil
}

// impossible asks the library whether it would refuse what the settings make of
// every request.
func (l *LLM) impossible() []error {
	sample := goopenai.ChatCompletionRequest{Model: l.model, ReasoningEffort: l.effort}
	if !l.newTokens {
		//lint:ignore SA1019 the field that all other servers know
		sample.MaxTokens = 1
	}
	switch err := goopenai.NewReasoningValidator().Validate(sample); {
	case err == nil:
		return nil
	case errors.Is(err, goopenai.ErrReasoningModelMaxTokensDeprecated):
		return []error{fmt.Errorf("the model takes no %s: set the token limit field to %s", TokensOld, TokensNew)}
	case errors.Is(err, goopenai.ErrReasoningEffortUnsupported):
		return []error{errors.New("the model does not know this reasoning effort")}
	default:
		return []error{err}
	}
}

// Close gives up idle connections.
func (l *LLM) Close() error {
	l.api.close()
	return nil
}

// Generate implements ports.LLMPort.
func (l *LLM) Generate(ctx context.Context, req ports.LLMRequest) iter.Seq2[ports.LLMChunk, error] {
	return (&question{llm: l, ctx: ctx, req: req}).ask
}

// question is what a model is asked. It is passed on by pointer: turns wait for their
// models on these stacks, ten thousand at once.
type question struct {
	llm  *LLM
	ctx  context.Context
	req  ports.LLMRequest
	used atomic.Bool
}

// ask yields the answer.
func (q *question) ask(yield func(ports.LLMChunk, error) bool) {
	if q.used.Swap(true) {
		broken(yield, invalid(opLLM, "the sequence was used before"))
		return
	}
	ctx, cancel := bounded(q.ctx)
	defer cancel()
	asked, err := q.request(ctx)
	if err != nil {
		broken(yield, failed(ctx, opLLM, err))
		return
	}
	resp, err := q.llm.api.send(opLLM, asked)
	if err != nil {
		broken(yield, failed(ctx, opLLM, err))
		return
	}
	if err := q.read(ctx, resp.Body, yield); err != nil {
		broken(yield, err)
	}
}

// broken ends an answer with an error.
//
//go:noinline
func broken(yield func(ports.LLMChunk, error) bool, err error) { yield(ports.LLMChunk{}, err) }

// read yields the answer and returns the error to end with; nil also when the reader
// left, after which nothing may be yielded.
//
//go:noinline
func (q *question) read(ctx context.Context, body io.ReadCloser, yield func(ports.LLMChunk, error) bool) error {
	defer func() { _ = body.Close() }()
	a := answer{mayCall: len(q.req.Tools) > 0 && !q.req.NoCalls, before: q.req.CallCount()}
	return a.pour(ctx, newEvents(body), body, yield)
}

// request is what is sent. It is made on a stack of its own: the library's request, and
// the encoding of it, would double the stack of the turn that waits for the answer.
func (q *question) request(ctx context.Context) (req *http.Request, err error) {
	aside(func() { req, err = q.llm.request(ctx, &q.req) })
	return req, err
}

// aside has work done by another goroutine and waits for it, for work of microseconds that
// needs a deep stack, before a wait of seconds: a stack that has grown stays large. A
// panic of the work is the caller's.
func aside(work func()) {
	done := make(chan any)
	go func() {
		defer func() { done <- recover() }()
		work()
	}()
	if p := <-done; p != nil {
		panic(p)
	}
}

func (l *LLM) request(ctx context.Context, req *ports.LLMRequest) (*http.Request, error) {
	if err := ports.FromContext(ctx, opLLM); err != nil {
		return nil, err
	}
	if err := req.Validate(opLLM); err != nil {
		return nil, err
	}
	if err := req.RefuseTools(opLLM); err != nil && !l.calls {
		return nil, err
	}
	chat, err := l.chat(*req)
	if err != nil {
		return nil, err
	}
	out, err := l.api.drafted(func(library *goopenai.Client) error {
		_, err := library.CreateChatCompletionStream(ctx, chat)
		return err
	})
	if err != nil {
		return nil, err
	}
	if req.Temperature != nil && *req.Temperature == 0 && !fixedSampling(l.model, l.effort) {
		// 0 means "not set" to the library.
		if err := zeroTemperature(out); err != nil {
			return nil, &ports.Error{Op: opLLM, Kind: ports.KindInvalid, Err: err}
		}
	}
	l.envelope.share(out)
	return out, nil
}

// pour yields the text of a stream as it comes, then judges what it was. A server that
// said everything and does not hang up is left by closing the body.
func (a *answer) pour(ctx context.Context, events *events, body io.Closer, yield func(ports.LLMChunk, error) bool) error {
	var broken error
	var held []byte // behind the first words, what came in one piece is passed on in one
	first := true
	patience := time.AfterFunc(math.MaxInt64, func() { _ = body.Close() }) // not before the last word
	defer patience.Stop()
	for !a.ended {
		data, err := events.next()
		if data == nil {
			broken = err
			break
		}
		lasts := !a.over()
		held, err = a.take(held, data)
		if len(held) > 0 && (first || err != nil || a.over() || !events.waiting()) {
			if !yield(ports.LLMChunk{Text: string(held)}, nil) {
				return nil
			}
			held, first = held[:0], false
		}
		if err != nil {
			return failed(ctx, opLLM, err)
		}
		if lasts && a.over() {
			patience.Reset(afterFinish)
		}
	}
	if len(held) > 0 && !yield(ports.LLMChunk{Text: string(held)}, nil) {
		return nil
	}
	if a.ended {
		// There is nothing more, but a connection is used again only when the body was
		// read to its end.
		_, _ = events.next()
	}
	if err := ports.FromContext(ctx, opLLM); err != nil {
		return err
	}
	if err := a.verdict(broken); err != nil {
		return err
	}
	yield(ports.LLMChunk{Done: true, Usage: a.usage, Truncated: a.finish == "length", Calls: a.asked()}, nil)
	return nil
}
