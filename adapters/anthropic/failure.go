package anthropic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	sdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"whatsappnode/adapters/httpstatus"
	"whatsappnode/ports"
)

const (
	// maxStream bounds what is read of one answer, with the events around its words.
	maxStream = 8 << 20
	// maxRefusal bounds what is read of an error's body. Real ones are under 1 KiB.
	maxRefusal = 64 << 10
)

var errTooLong = errors.New("the answer is too long")

// limitAnswer bounds the body of every answer; the SDK reads errors whole.
func limitAnswer(req *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	resp, err := next(req)
	if err != nil || resp.Body == nil {
		return resp, err
	}
	body := resp.Body
	resp.Body = struct {
		io.Reader
		io.Closer
	}{&bounded{body, maxStream}, body}
	if resp.StatusCode >= 400 { // half of an error's text is as good as the whole
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(body, maxRefusal), body}
	}
	return resp, nil
}

// bounded reads until its limit and then fails.
type bounded struct {
	r    io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// failure turns what the SDK returned into an Error of ours. Nothing of the SDK's
// text is kept: it holds the URL and the body.
func failure(ctx context.Context, err error) error {
	if ended := ports.FromContext(ctx, opLLM); ended != nil {
		return ended
	}
	var api *sdk.Error
	switch {
	case errors.As(err, &api):
		return refusal(api)
	case errors.Is(err, errTooLong):
		return &ports.Error{Op: opLLM, Kind: ports.KindUnsupported, Err: fmt.Errorf("the answer is over %d MiB", maxStream>>20)}
	}
	return httpstatus.FromDo(opLLM, err, nil)
}

// verdict is what an error type calls for.
type verdict struct {
	kind  ports.Kind
	scope ports.Scope
}

// verdicts are the error types (Anthropic, "API errors"). They are believed before
// the status: an error event in a stream comes with status 200.
var verdicts = map[string]verdict{
	"authentication_error": {ports.KindDenied, ports.ScopeAccount},
	"permission_error":     {ports.KindDenied, ports.ScopeAccount},
	"billing_error":        {ports.KindDenied, ports.ScopeAccount},
	"not_found_error":      {ports.KindInvalid, ports.ScopeCall}, // the model's name: a repeat stays wrong
	"request_too_large":    {ports.KindUnsupported, ports.ScopeCall},
	"rate_limit_error":     {ports.KindRateLimited, ports.ScopeAccount},
	"timeout_error":        {ports.KindTimeout, ports.ScopeCall},
	"api_error":            {ports.KindTransient, ports.ScopeCall},
	"overloaded_error":     {ports.KindTransient, ports.ScopeCall},
}

// refusal turns the vendor's error object into an Error.
func refusal(api *sdk.Error) error {
	var body struct {
		Error struct{ Type, Message string }
	}
	_ = json.Unmarshal([]byte(api.RawJSON()), &body) // a page of a proxy is no JSON; the status remains
	e := &ports.Error{
		Op: opLLM, RetryAfter: httpstatus.RetryAfter(api.Response.Header, time.Now()),
		Err: fmt.Errorf("HTTP status %d", api.StatusCode),
	}
	v, known := verdicts[body.Error.Type]
	switch {
	case known:
		e.Code = body.Error.Type
	case body.Error.Type == "invalid_request_error":
		e.Code = body.Error.Type
		v = invalid(strings.ToLower(body.Error.Message))
	default:
		v = byStatus(api.StatusCode)
	}
	e.Kind, e.Scope = v.kind, v.scope
	if api.StatusCode/100 == 2 {
		e.Err = errors.New("an error came in the stream")
	}
	return e
}

func byStatus(status int) verdict {
	switch kind := httpstatus.Kind(status); kind {
	case "": // an error event without a type we know, in a good answer
		return verdict{ports.KindTransient, ports.ScopeCall}
	case ports.KindNotFound:
		return verdict{ports.KindInvalid, ports.ScopeCall}
	case ports.KindDenied, ports.KindRateLimited:
		return verdict{kind, ports.ScopeAccount}
	default:
		return verdict{kind, ports.ScopeCall}
	}
}

// invalid tells apart what the vendor calls an invalid request. It has one type
// for mistakes of the caller, for an empty purse and for content it will not
// touch; only the words differ. Words not known here are a mistake of the caller.
func invalid(message string) verdict {
	has := func(phrases ...string) bool {
		for _, p := range phrases {
			if strings.Contains(message, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has("content filtering policy"):
		return verdict{ports.KindBlocked, ports.ScopeCall}
	case has("credit balance is too low", "api usage limits"):
		return verdict{ports.KindDenied, ports.ScopeAccount}
	case has("prompt is too long", "exceed context limit", "image exceeds", "could not process image", "could not process pdf", "pdf pages"):
		return verdict{ports.KindUnsupported, ports.ScopeCall}
	}
	return verdict{ports.KindInvalid, ports.ScopeCall}
}
