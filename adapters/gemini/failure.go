package gemini

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/generative-ai-go/genai"

	"whatsappnode/adapters/httpstatus"
	"whatsappnode/ports"
)

// failure turns what the library returned into an Error of ours. Nothing of the
// library's text is kept: it holds the URL and the body.
func failure(ctx context.Context, c *call, err error) error {
	if ended := ports.FromContext(ctx, opLLM); ended != nil {
		return ended
	}
	var (
		ours    *ports.Error
		stream  *streamError
		blocked *genai.BlockedError
	)
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.As(err, &stream):
		return refusal(stream.status, stream.status.Code, "an error came in the stream")
	case errors.As(err, &blocked):
		return block(blocked)
	case errors.Is(err, errTooLong):
		return &ports.Error{Op: opLLM, Kind: ports.KindUnsupported, Err: fmt.Errorf("the answer is over %d MiB", maxStream>>20)}
	case errors.Is(err, errMalformed):
		return &ports.Error{Op: opLLM, Kind: ports.KindTransient, Err: errMalformed}
	case c.status == 0, c.status/100 == 2:
		return httpstatus.FromDo(opLLM, err, nil)
	}
	e := refusal(parseStatus(c.refusal.Bytes()), c.status, fmt.Sprintf("HTTP status %d", c.status))
	if e.RetryAfter == 0 {
		e.RetryAfter = httpstatus.RetryAfter(c.header, time.Now())
	}
	return e
}

func block(b *genai.BlockedError) error {
	e := &ports.Error{Op: opLLM, Kind: ports.KindBlocked}
	if b.PromptFeedback != nil {
		e.Code = name(blockNames, b.PromptFeedback.BlockReason)
		e.Err = errors.New("the question was blocked")
		return e
	}
	_, err := judge(b.Candidate.FinishReason, false)
	return err
}

// rpcStatus is the vendor's error object, a google.rpc.Status in JSON.
type rpcStatus struct {
	Code    int    `json:"code"` // an HTTP status
	Message string `json:"message"`
	Status  string `json:"status"` // the name of a gRPC code
	Details []struct {
		Reason     string `json:"reason"`     // in an ErrorInfo
		RetryDelay string `json:"retryDelay"` // in a RetryInfo, "34.07s"
	} `json:"details"`
}

// parseStatus reads an error's body: {"error": {...}}, in an array where a stream
// was asked for. Of anything else, such as a page of a proxy, it takes what it can;
// the HTTP status remains.
func parseStatus(body []byte) rpcStatus {
	type holder struct {
		Error rpcStatus `json:"error"`
	}
	all := make([]holder, 1)
	if body = bytes.TrimSpace(body); bytes.HasPrefix(body, []byte{'['}) {
		_ = json.Unmarshal(body, &all)
	} else {
		_ = json.Unmarshal(body, &all[0])
	}
	if len(all) == 0 {
		return rpcStatus{}
	}
	return all[0].Error
}

// verdict is what an error calls for.
type verdict struct {
	kind  ports.Kind
	scope ports.Scope
}

// verdicts are the error statuses (Google, "Gemini API troubleshooting").
// INVALID_ARGUMENT is not among them; see invalid.
var verdicts = map[string]verdict{
	// The free tier is not offered in this country, or billing is off.
	"FAILED_PRECONDITION": {ports.KindDenied, ports.ScopeAccount},
	"UNAUTHENTICATED":     {ports.KindDenied, ports.ScopeAccount},
	"PERMISSION_DENIED":   {ports.KindDenied, ports.ScopeAccount},
	"NOT_FOUND":           {ports.KindInvalid, ports.ScopeCall}, // the model's name: a repeat stays wrong
	"RESOURCE_EXHAUSTED":  {ports.KindRateLimited, ports.ScopeAccount},
	"CANCELLED":           {ports.KindTransient, ports.ScopeCall}, // not by us
	"ABORTED":             {ports.KindTransient, ports.ScopeCall},
	"INTERNAL":            {ports.KindTransient, ports.ScopeCall},
	"UNAVAILABLE":         {ports.KindTransient, ports.ScopeCall},
	"DEADLINE_EXCEEDED":   {ports.KindTimeout, ports.ScopeCall},
	"UNIMPLEMENTED":       {ports.KindUnsupported, ports.ScopeCall},
}

// refusal turns the vendor's error object into an Error. Where the object says
// nothing, the HTTP status decides.
func refusal(s rpcStatus, status int, text string) *ports.Error {
	e := &ports.Error{Op: opLLM, RetryAfter: retryDelay(s), Err: errors.New(text)}
	v, known := verdicts[s.Status]
	switch {
	case known:
		e.Code = s.Status
	case s.Status == "INVALID_ARGUMENT":
		e.Code = s.Status
		v = invalid(s)
	default:
		v = byStatus(status)
	}
	e.Kind, e.Scope = v.kind, v.scope
	return e
}

func byStatus(status int) verdict {
	switch kind := httpstatus.Kind(status); kind {
	case "", ports.KindCanceled: // a good answer with an error in it; a call that we did not cancel
		return verdict{ports.KindTransient, ports.ScopeCall}
	case ports.KindNotFound:
		return verdict{ports.KindInvalid, ports.ScopeCall}
	case ports.KindDenied, ports.KindRateLimited:
		return verdict{kind, ports.ScopeAccount}
	case ports.KindUnknown:
		if status == 0 { // an error object in the stream that names nothing
			return verdict{ports.KindTransient, ports.ScopeCall}
		}
		return verdict{kind, ports.ScopeCall}
	default:
		return verdict{kind, ports.ScopeCall}
	}
}

// invalid tells apart what the vendor calls an invalid argument: a bad key too,
// which it names in the details, and a request that is too long, which only the
// words tell.
func invalid(s rpcStatus) verdict {
	for _, d := range s.Details {
		if strings.HasPrefix(d.Reason, "API_KEY_") {
			return verdict{ports.KindDenied, ports.ScopeAccount}
		}
	}
	message := strings.ToLower(s.Message)
	switch {
	case strings.Contains(message, "api key not valid"), strings.Contains(message, "api key expired"):
		return verdict{ports.KindDenied, ports.ScopeAccount}
	case strings.Contains(message, "exceeds the maximum number of tokens"), strings.Contains(message, "payload size exceeds"),
		strings.Contains(message, "unsupported mime type"), strings.Contains(message, "unable to process input"):
		return verdict{ports.KindUnsupported, ports.ScopeCall}
	}
	return verdict{ports.KindInvalid, ports.ScopeCall}
}

// retryDelay is how long the vendor asks us to wait, or zero.
func retryDelay(s rpcStatus) time.Duration {
	for _, d := range s.Details {
		if wait, err := time.ParseDuration(d.RetryDelay); err == nil {
			return min(max(wait, 0), httpstatus.MaxRetryAfter)
		}
	}
	return 0
}
