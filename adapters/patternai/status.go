package patternai

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"whatsappnode/adapters/httpstatus"
	"whatsappnode/ports"
)

// maxRefusal bounds what is read of an answer that is an error.
const maxRefusal = 64 << 10

// report is what /stt answers, and what the services say of failures.
type report struct {
	Status        *string `json:"status"`
	Transcription *string `json:"transcription"`
	RequestID     string  `json:"request_id"`
}

// statuses are the words with which a service says in a good HTTP answer that it
// failed. The protocol names none but "success"; these are the usual ones, and
// any other is KindUnknown.
var statuses = map[string]ports.Kind{
	"error":               ports.KindTransient, // and no more is known: it may pass
	"failed":              ports.KindTransient,
	"failure":             ports.KindTransient,
	"internal_error":      ports.KindTransient,
	"unavailable":         ports.KindTransient,
	"service_unavailable": ports.KindTransient,
	"timeout":             ports.KindTimeout,
	"busy":                ports.KindRateLimited,
	"rate_limited":        ports.KindRateLimited,
	"too_many_requests":   ports.KindRateLimited,
	"invalid":             ports.KindInvalid,
	"invalid_request":     ports.KindInvalid,
	"bad_request":         ports.KindInvalid,
	"denied":              ports.KindDenied,
	"unauthorized":        ports.KindDenied,
	"forbidden":           ports.KindDenied,
	"quota_exceeded":      ports.KindDenied,
	"unsupported":         ports.KindUnsupported,
	"unsupported_format":  ports.KindUnsupported,
	"blocked":             ports.KindBlocked,
}

// failure is the error that a report tells, or nil for a success.
func (r report) failure(op string) error {
	if r.Status == nil {
		return malformed(op, r.RequestID, "the answer has no status")
	}
	word := strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(*r.Status)))
	if word == "success" || word == "ok" {
		return nil
	}
	kind, known := statuses[word]
	reason := "the service says that it failed"
	if !known {
		kind, reason = ports.KindUnknown, "the service answers with a status that is not known"
	}
	return &ports.Error{Op: op, Kind: kind, Scope: scopeOf(kind), Code: code(r.RequestID), Err: errors.New(reason)}
}

// parseReport reads a JSON object with any of a report's fields.
func parseReport(op string, body []byte) (report, error) {
	var r report
	if json.Unmarshal(body, &r) != nil {
		return report{}, malformed(op, "", "the answer is not the JSON object that was expected")
	}
	return r, nil
}

// refusal makes the error of an answer that is not 2xx.
func refusal(op string, resp *http.Response, body []byte) error {
	e := httpstatus.FromResponse(op, resp, time.Now())
	var r report
	if json.Unmarshal(body, &r) == nil {
		e.Code = code(r.RequestID)
	}
	if e.Kind == ports.KindNotFound {
		e.Kind = ports.KindInvalid // the address, the model or the agent: a repeat stays wrong
	}
	e.Scope = scopeOf(e.Kind)
	return e
}

func scopeOf(kind ports.Kind) ports.Scope {
	if kind == ports.KindDenied || kind == ports.KindRateLimited {
		return ports.ScopeAccount
	}
	return ports.ScopeCall
}

// malformed is an answer that makes no sense; another one may.
func malformed(op, requestID, reason string) error {
	return &ports.Error{Op: op, Kind: ports.KindTransient, Code: code(requestID), Err: errors.New(reason)}
}

// empty is an answer in which there is nothing.
func empty(op, requestID string) error {
	return &ports.Error{Op: op, Kind: ports.KindUnknown, Code: code(requestID), Err: errors.New("the answer is empty")}
}

// withCode adds the request id to an error of a call that was under way.
func withCode(err error, requestID string) error {
	var e *ports.Error
	if id := code(requestID); id != "" && errors.As(err, &e) {
		coded := *e
		coded.Code = id
		return &coded
	}
	return err
}

var codePattern = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,64}$`)

// code is a request id that can be shown, or empty: it has no room for a sentence.
func code(requestID string) string {
	if id := strings.TrimSpace(requestID); codePattern.MatchString(id) {
		return id
	}
	return ""
}
