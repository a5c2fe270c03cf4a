package gemini

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/google/generative-ai-go/genai"
	"google.golang.org/api/iterator"

	"whatsappnode/ports"
)

var _ ports.LLMPort = (*LLM)(nil)

const opLLM = "gemini.llm"

// LLM asks a Gemini model. It is safe for concurrent use and starts no goroutine.
//
// Of a request's media it takes PNG, JPEG, WebP and HEIC images, PDF documents,
// text, audio and video, together at most 14 MiB; anything else is
// KindUnsupported. What the model thinks is not part of the answer, but of its
// cost and of the token limit. LLMRequest.User is not sent; the API has no place
// for it.
type LLM struct {
	cfg     Config
	library *genai.Client
	own     *http.Transport // nil when the client was given
}

// NewLLM makes a model. It connects to nothing.
func NewLLM(cfg Config) (*LLM, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, fmt.Errorf("gemini: %w", err)
	}
	l := &LLM{cfg: cfg}
	var (
		client http.Client
		base   http.RoundTripper
	)
	if cfg.Client != nil {
		client, base = *cfg.Client, cfg.Client.Transport
		if base == nil {
			base = http.DefaultTransport
		}
	} else {
		l.own = newTransport()
		base = l.own
	}
	client.Transport = &transport{base}
	client.Timeout = 0
	client.Jar = nil
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if l.library, err = newLibrary(cfg.BaseURL, &client); err != nil {
		return nil, fmt.Errorf("gemini: make the library's client: %w", err)
	}
	return l, nil
}

// Close frees idle connections of the adapter's own client. Calls under way are
// not disturbed.
func (l *LLM) Close() error {
	if l.own != nil {
		l.own.CloseIdleConnections()
	}
	return nil
}

// Generate implements ports.LLMPort.
func (l *LLM) Generate(ctx context.Context, req ports.LLMRequest) iter.Seq2[ports.LLMChunk, error] {
	var used atomic.Bool
	return func(yield func(ports.LLMChunk, error) bool) {
		if used.Swap(true) {
			yield(ports.LLMChunk{}, &ports.Error{Op: opLLM, Kind: ports.KindInvalid, Err: errors.New("the sequence was used before")})
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
	if err := req.RefuseTools(opLLM); err != nil {
		return err
	}
	if err := ports.FromContext(ctx, opLLM); err != nil {
		return err
	}
	messages, err := contents(req.Messages)
	if err != nil {
		return err
	}
	c := &call{key: l.cfg.APIKey()}
	if c.key == "" {
		return &ports.Error{Op: opLLM, Kind: ports.KindDenied, Scope: ports.ScopeAccount, Err: errors.New("there is no API key")}
	}
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.cfg.Timeout)
		defer cancel()
	}
	defer c.close()
	chat := l.model(req).StartChat()
	last := len(messages) - 1
	chat.History = messages[:last]
	answer := chat.SendMessageStream(c.with(ctx), messages[last].Parts...)
	if err := pour(answer, yield); err != nil {
		return failure(ctx, c, err)
	}
	return nil
}

// pour yields the text of an answer. A chunk holds the next words, the counts of
// tokens so far, and at the end, with some models always, the finish reason.
func pour(answer *genai.GenerateContentResponseIterator, yield func(ports.LLMChunk, error) bool) error {
	var (
		spoken bool // some text that is not blank
		finish genai.FinishReason
		usage  *ports.LLMUsage
	)
	for {
		chunk, err := answer.Next()
		if errors.Is(err, iterator.Done) {
			break
		}
		if err != nil {
			return err
		}
		if u := chunk.UsageMetadata; u != nil {
			// The library does not know the field for what was thought; the total does.
			usage = &ports.LLMUsage{Input: int(u.PromptTokenCount), Output: int(max(u.CandidatesTokenCount, u.TotalTokenCount-u.PromptTokenCount))}
		}
		if len(chunk.Candidates) == 0 { // one at most: no more were asked for
			continue
		}
		candidate := chunk.Candidates[0]
		if candidate.FinishReason != genai.FinishReasonUnspecified {
			finish = candidate.FinishReason
		}
		said := words(candidate.Content)
		if said == "" {
			continue
		}
		spoken = spoken || strings.TrimSpace(said) != ""
		if !yield(ports.LLMChunk{Text: said}, nil) {
			return nil
		}
	}
	truncated, err := judge(finish, spoken)
	if err != nil {
		return err
	}
	yield(ports.LLMChunk{Done: true, Truncated: truncated, Usage: usage}, nil)
	return nil
}

func words(c *genai.Content) string {
	if c == nil {
		return ""
	}
	var b strings.Builder
	for _, part := range c.Parts {
		if t, is := part.(genai.Text); is {
			b.WriteString(string(t))
		}
	}
	return b.String()
}
