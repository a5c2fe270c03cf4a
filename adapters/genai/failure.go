package genai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	sdk "google.golang.org/genai"

	"whatsappnode/adapters/httpstatus"
	"whatsappnode/ports"
)

var errMalformed = errors.New("the answer is malformed")

// explain says what became of a call that failed. The context comes first: what
// else went wrong is most likely its doing.
func (c *call) explain(ctx context.Context, err error) error {
	if ended := ports.FromContext(ctx, c.op); ended != nil {
		return ended
	}
	if c.err != nil {
		return c.err
	}
	var status sdk.APIError // by value: so the library returns it
	if errors.As(err, &status) {
		return inStream(c.op, status)
	}
	return &ports.Error{Op: c.op, Kind: ports.KindTransient, Err: errMalformed}
}

// maxRefusal bounds what is read of the body of an error.
const maxRefusal = 64 << 10

// refusal is the error object of Google's APIs (google.rpc.Status).
type refusal struct {
	Code    int      `json:"code"`
	Message string   `json:"message"`
	Status  string   `json:"status"`
	Details []detail `json:"details"`
}

// detail is one of google.rpc's error details, as far as it is of use.
type detail struct {
	Type       string `json:"@type"`
	Reason     string `json:"reason"`     // of google.rpc.ErrorInfo
	RetryDelay string `json:"retryDelay"` // of google.rpc.RetryInfo, "34.5s"
}

// refused makes the error of an answer that is not 2xx.
func refused(op string, resp *http.Response, now time.Time) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	e := parseRefusal(body).explain(op, resp.StatusCode)
	e.RetryAfter = max(e.RetryAfter, httpstatus.RetryAfter(resp.Header, now))
	return e
}

// parseRefusal reads an error body. Streaming methods put it into a list; a proxy
// in between may send anything, which leaves the HTTP status to decide.
func parseRefusal(body []byte) refusal {
	var one struct {
		Error refusal `json:"error"`
	}
	if json.Unmarshal(body, &one) == nil {
		return one.Error
	}
	var list []struct {
		Error refusal `json:"error"`
	}
	if json.Unmarshal(body, &list) == nil && len(list) > 0 {
		return list[0].Error
	}
	return refusal{}
}

// inStream makes the error of an error event in a stream that began well.
func inStream(op string, status sdk.APIError) error {
	r := refusal{Code: status.Code, Message: status.Message, Status: status.Status}
	for _, d := range status.Details {
		one := detail{}
		one.Type, _ = d["@type"].(string)
		one.Reason, _ = d["reason"].(string)
		one.RetryDelay, _ = d["retryDelay"].(string)
		r.Details = append(r.Details, one)
	}
	if r.Code == 0 {
		r.Code = http.StatusInternalServerError
	}
	return r.explain(op, r.Code)
}

func (r refusal) explain(op string, status int) *ports.Error {
	e := &ports.Error{Op: op, Kind: httpstatus.Kind(status), Code: codeOf(r.Status), Err: fmt.Errorf("HTTP status %d", status)}
	switch {
	case r.aboutKey(), r.Status == "FAILED_PRECONDITION":
		// The latter: the country is not served, or billing is off (Gemini API,
		// "Troubleshooting").
		e.Kind, e.Scope = ports.KindDenied, ports.ScopeAccount
	case e.Kind == ports.KindDenied, e.Kind == ports.KindRateLimited:
		e.Scope = ports.ScopeAccount
	case e.Kind == ports.KindNotFound:
		e.Kind, e.Err = ports.KindInvalid, errors.New("the model is unknown here, or does not do this")
	case e.Kind == ports.KindInvalid && r.beyondModel():
		e.Kind = ports.KindUnsupported
	case e.Kind == ports.KindCanceled:
		e.Kind = ports.KindTransient // not by us
	}
	for _, d := range r.Details {
		if wait, err := time.ParseDuration(d.RetryDelay); err == nil && wait > 0 {
			e.RetryAfter = min(wait, httpstatus.MaxRetryAfter)
		}
	}
	return e
}

// aboutKey reports whether the key is wrong, which the Gemini API says with the
// status 400.
func (r refusal) aboutKey() bool {
	for _, d := range r.Details {
		if strings.HasPrefix(d.Reason, "API_KEY_") {
			return true
		}
	}
	return false
}

// beyondModel reports whether the request is well made but more than the model
// does. Nothing but the message tells it from other invalid arguments.
func (r refusal) beyondModel() bool {
	text := strings.ToLower(r.Message)
	for _, sign := range []string{
		"exceeds the maximum number of tokens", // the conversation or the text is too long
		"exceeds the limit",                    // the request is too large
		"unsupported mime type",
		"unable to process input", // an image or a clip that cannot be decoded
		"not supported",           // a voice, a language, a modality
	} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

var codePattern = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)

// codeOf lets a vendor's code through when it looks like one.
func codeOf(s string) string {
	if codePattern.MatchString(s) {
		return s
	}
	return ""
}
