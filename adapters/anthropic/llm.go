package anthropic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	sdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"whatsappnode/adapters/httpstatus"
	"whatsappnode/ports"
)

var _ ports.LLMPort = (*LLM)(nil)

const opLLM = "anthropic.llm"

// LLM asks Claude. It is safe for concurrent use and starts no goroutine.
//
// Of a request's media it takes JPEG, PNG, GIF and WebP images, PDF documents and
// plain text; anything else is KindUnsupported. A temperature above 1, the
// vendor's highest, counts as 1, and one for a model that takes none (those after
// version 4.6) is left out. What the model thinks is not part of the answer, but
// of its cost and of the token limit.
type LLM struct {
	cfg      Config
	messages sdk.MessageService
	own      *http.Transport // nil when the client was given
}

// NewLLM makes a model. It connects to nothing.
func NewLLM(cfg Config) (*LLM, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, fmt.Errorf("anthropic: %w", err)
	}
	l := &LLM{cfg: cfg}
	var client http.Client
	if cfg.Client != nil {
		client = *cfg.Client
	} else {
		l.own = newTransport()
		client.Transport = l.own
	}
	client.Timeout = 0
	client.Jar = nil
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	// The one service that is used: the library's client would link all of them, which
	// is 10 MB of the binary.
	l.messages = sdk.NewMessageService(
		option.WithEnvironmentProduction(),
		option.WithoutEnvironmentDefaults(),
		option.WithoutOpenTelemetry(), // its spans and headers would tell the vendor our trace ids
		option.WithBaseURL(cfg.BaseURL),
		option.WithHTTPClient(&client),
		option.WithMaxRetries(0),
		option.WithMiddleware(limitAnswer),
	)
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
	if err := ports.FromContext(ctx, opLLM); err != nil {
		return err
	}
	params, err := l.params(req)
	if err != nil {
		return err
	}
	key := l.cfg.APIKey()
	if key == "" {
		return &ports.Error{Op: opLLM, Kind: ports.KindDenied, Scope: ports.ScopeAccount, Err: errors.New("there is no API key")}
	}
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.cfg.Timeout)
		defer cancel()
	}
	var resp *http.Response
	stream := l.messages.NewStreaming(ctx, params, option.WithAPIKey(key), option.WithResponseInto(&resp))
	defer func() { _ = stream.Close() }()
	if err := stream.Err(); err != nil {
		return failure(ctx, err)
	}
	if err := isEventStream(resp); err != nil {
		return err
	}
	var tools *gathering
	if len(req.Tools) > 0 && !req.NoCalls {
		tools = &gathering{}
	}
	return l.pour(ctx, stream, tools, yield)
}

// isEventStream refuses a good or redirecting answer that is not the stream asked
// for, such as the login page of a network: read as a stream, it would be empty.
func isEventStream(resp *http.Response) error {
	if resp.StatusCode/100 != 2 {
		return httpstatus.FromResponse(opLLM, resp, time.Now())
	}
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || kind != "text/event-stream" {
		return &ports.Error{Op: opLLM, Kind: ports.KindTransient, Err: errors.New("the answer is no event stream")}
	}
	return nil
}

// events is the part of the SDK's stream that is used.
type events interface {
	Next() bool
	Current() sdk.MessageStreamEventUnion
	Err() error
}

// pour yields the text of a stream of events (Anthropic, "Streaming messages").
// Only the event message_stop ends an answer; a stream that ends without it was cut.
func (l *LLM) pour(ctx context.Context, stream events, tools *gathering, yield func(ports.LLMChunk, error) bool) error {
	var (
		spoken bool // some text that is not blank
		stop   sdk.StopReason
		usage  ports.LLMUsage
	)
	for stream.Next() {
		event, text := stream.Current(), ""
		tools.take(event)
		switch event.Type {
		case "message_start":
			u := event.Message.Usage
			usage.Input = int(u.InputTokens + u.CacheCreationInputTokens + u.CacheReadInputTokens)
			usage.Output = int(u.OutputTokens)
		case "content_block_start":
			if event.ContentBlock.Type == "text" {
				text = event.ContentBlock.Text // empty at the vendor, not at every gateway
			}
		case "content_block_delta":
			if event.Delta.Type == "text_delta" {
				text = event.Delta.Text
			}
		case "message_delta": // its numbers are totals, not increments
			if event.Delta.StopReason != "" {
				stop = event.Delta.StopReason
			}
			u := event.Usage
			usage.Input = max(usage.Input, int(u.InputTokens+u.CacheCreationInputTokens+u.CacheReadInputTokens))
			usage.Output = max(usage.Output, int(u.OutputTokens))
		case "message_stop":
			done := ports.LLMChunk{Done: true, Usage: &usage}
			if stop == sdk.StopReasonToolUse {
				done.Calls, done.VendorState = tools.calls()
			}
			truncated, err := judge(stop, spoken, len(done.Calls) > 0)
			if err != nil {
				return err
			}
			done.Truncated = truncated
			yield(done, nil)
			return nil
		}
		if text == "" {
			continue
		}
		spoken = spoken || strings.TrimSpace(text) != ""
		if !yield(ports.LLMChunk{Text: text}, nil) {
			return nil
		}
	}
	err := stream.Err()
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return failure(ctx, err)
}

// judge makes of the reason why the model stopped whether the answer is good.
func judge(stop sdk.StopReason, spoken, calls bool) (truncated bool, err error) {
	switch stop {
	case sdk.StopReasonToolUse:
		if !calls {
			return false, &ports.Error{Op: opLLM, Kind: ports.KindUnknown, Code: string(stop), Err: errors.New("the model asked for a tool that was not offered")}
		}
		return false, nil
	case sdk.StopReasonEndTurn, sdk.StopReasonStopSequence:
	case sdk.StopReasonMaxTokens, sdk.StopReasonModelContextWindowExceeded:
		truncated = true
	case sdk.StopReasonRefusal:
		return false, &ports.Error{Op: opLLM, Kind: ports.KindBlocked, Code: string(stop), Err: errors.New("the model refused to answer")}
	default: // pause_turn cannot come: the vendor's own tools are not offered
		return false, &ports.Error{Op: opLLM, Kind: ports.KindUnknown, Err: errors.New("the model stopped for a reason that is not known")}
	}
	if !spoken {
		reason := "the answer is empty"
		if truncated {
			reason = "the token limit was reached before the first word"
		}
		return false, &ports.Error{Op: opLLM, Kind: ports.KindUnknown, Code: string(stop), Err: errors.New(reason)}
	}
	return truncated, nil
}
