package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"whatsappnode/adapters/httpstatus"
	"whatsappnode/ports"
)

// failure is what a server says went wrong. Its texts are for judging only and
// never get into an error: servers quote prompts, keys and file names.
type failure struct {
	code    string // OpenAI's "code", where it is a word
	kind    string // OpenAI's "type"
	inner   string // Azure's reason behind a content filter
	param   string
	number  int // a "code" that is a number, an HTTP status by custom
	flagged bool
	text    string // the whole answer
}

// readFailure reads every known form of failure: OpenAI's object, the bare text of
// whisper.cpp and Ollama, vLLM's flat object, FastAPI's "detail". What is not JSON
// leaves only the text.
func readFailure(body []byte) failure {
	f := failure{text: strings.ToLower(string(body))}
	var top struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &top) != nil {
		return f
	}
	object := []byte(body)
	if isObject(top.Error) {
		object = top.Error
	}
	var said struct {
		Code     json.RawMessage `json:"code"`
		Type     json.RawMessage `json:"type"`
		Param    json.RawMessage `json:"param"`
		Inner    json.RawMessage `json:"innererror"`
		Metadata json.RawMessage `json:"metadata"`
	}
	if json.Unmarshal(object, &said) != nil {
		return f
	}
	f.code, f.kind, f.param = word(said.Code), word(said.Type), word(said.Param)
	if n, err := strconv.Atoi(string(bytes.TrimSpace(said.Code))); err == nil {
		f.number = n
	} else if n, err := strconv.Atoi(f.code); err == nil {
		f.number, f.code = n, ""
	}
	var inner struct{ Code string }
	_ = json.Unmarshal(said.Inner, &inner)
	f.inner = inner.Code
	// OpenRouter tells a moderated prompt from a lack of rights by its metadata only.
	var meta struct {
		Reasons []json.RawMessage `json:"reasons"`
		Flagged json.RawMessage   `json:"flagged_input"`
	}
	_ = json.Unmarshal(said.Metadata, &meta)
	f.flagged = len(meta.Reasons) > 0 || len(meta.Flagged) > 0
	return f
}

func isObject(raw json.RawMessage) bool {
	return bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{"))
}

// word is a JSON text, or empty for anything else.
func word(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s)
	return s
}

// saysFailure reports whether a JSON answer that came with a status of success is
// a failure all the same, as from whisper.cpp and in streams.
func saysFailure(body []byte) bool {
	var top struct {
		Error  json.RawMessage `json:"error"`
		Object string          `json:"object"`
	}
	if json.Unmarshal(body, &top) != nil {
		return false
	}
	return top.Object == "error" || len(top.Error) > 0 && string(top.Error) != "null"
}

// fault makes the port's error. A status of 0 is that of a failure inside an answer
// that began with success.
func (f failure) fault(op string, status int, h http.Header) *ports.Error {
	reason := "the server broke off with an error"
	if status != 0 {
		reason = fmt.Sprintf("HTTP status %d", status)
	} else if f.number >= 400 && f.number < 600 {
		status = f.number
	}
	kind, scope := f.judge(op, status)
	if kind == ports.KindInvalid {
		if p := f.parameter(status); p != "" {
			reason += ": the server refuses the parameter " + p
		}
	}
	return &ports.Error{
		Op: op, Kind: kind, Scope: scope, Code: f.shown(), RetryAfter: retryAfter(kind, h), Err: errors.New(reason),
	}
}

// verdicts are the codes and types that say more than the status (OpenAI, "Error
// codes"; Azure, "Content filtering"; Groq, "Errors"; llama.cpp, "server").
var verdicts = map[string]ports.Kind{
	"insufficient_quota":         ports.KindDenied, // comes with 429, and no wait helps
	"billing_hard_limit_reached": ports.KindDenied,
	"billing_not_active":         ports.KindDenied,
	"account_deactivated":        ports.KindDenied,
	"access_terminated":          ports.KindDenied,
	"invalid_api_key":            ports.KindDenied,

	"content_filter":               ports.KindBlocked,
	"content_policy_violation":     ports.KindBlocked,
	"responsibleaipolicyviolation": ports.KindBlocked,
	"moderation_blocked":           ports.KindBlocked,
	"invalid_prompt":               ports.KindBlocked, // what reasoning models say of a flagged prompt

	"context_length_exceeded":   ports.KindUnsupported,
	"exceed_context_size_error": ports.KindUnsupported, // llama.cpp, with whatever status
	"string_above_max_length":   ports.KindUnsupported,

	"model_not_found":      ports.KindInvalid,
	"model_decommissioned": ports.KindInvalid,
	"deploymentnotfound":   ports.KindInvalid,
}

// streamKinds are types that stand for a status where there is none.
var streamKinds = map[string]ports.Kind{
	"invalid_request_error": ports.KindInvalid,
	"authentication_error":  ports.KindDenied,
	"permission_error":      ports.KindDenied,
	"rate_limit_exceeded":   ports.KindRateLimited,
	"rate_limit_error":      ports.KindRateLimited,
	"requests":              ports.KindRateLimited,
	"tokens":                ports.KindRateLimited,
}

func (f failure) judge(op string, status int) (ports.Kind, ports.Scope) {
	kind := f.kindOf(op, status)
	switch kind {
	case ports.KindDenied, ports.KindRateLimited: // limits are counted per organisation
		return kind, ports.ScopeAccount
	}
	return kind, ports.ScopeCall
}

func (f failure) kindOf(op string, status int) ports.Kind {
	for _, w := range []string{f.inner, f.code, f.kind} {
		if kind, ok := verdicts[strings.ToLower(w)]; ok {
			return kind
		}
	}
	switch {
	case f.flagged:
		return ports.KindBlocked
	case status == http.StatusNotFound:
		return ports.KindInvalid // the model or the path: a repeat stays wrong
	case judgedByWords(status) && f.says(tooLong):
		return ports.KindUnsupported
	case op == opSTT && judgedByWords(status) && f.says(badAudio):
		return ports.KindUnsupported
	case status != 0:
		return httpstatus.Kind(status)
	}
	for _, w := range []string{f.code, f.kind} {
		if kind, ok := streamKinds[strings.ToLower(w)]; ok {
			return kind
		}
	}
	return ports.KindTransient
}

// judgedByWords reports whether a status is used for too many things to be judged
// alone. Some servers answer 500 to a prompt or a clip that is not to their taste.
func judgedByWords(status int) bool {
	switch status {
	case 0, http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusInternalServerError:
		return true
	}
	return false
}

// What servers without codes say, in lower case.
var (
	tooLong  = []string{"context length", "context size", "context window", "maximum context", "too many tokens"}
	badAudio = []string{
		"could not be decoded", "failed to decode", "file format", "corrupt", "failed to read", "longer than", "too long",
		"ffmpeg", "invalid data found", "unsupported format", "support the format",
	}
)

func (f failure) says(phrases []string) bool {
	for _, p := range phrases {
		if strings.Contains(f.text, p) {
			return true
		}
	}
	return false
}

// parameters are the fields sent that some server or other refuses. Only these
// names are shown.
var parameters = []string{
	"stream_options", "max_completion_tokens", "max_tokens", "temperature", "reasoning_effort", "response_format",
	"languages", "language", "prompt", "voice", "model", "user",
}

// parameter names the field a server does not take, or is empty. FastAPI servers
// tell it in a list of faults and old vLLM in a sentence: then it is the distinctive
// name that comes first.
func (f failure) parameter(status int) string {
	asked, _, _ := strings.Cut(f.param, ".")
	for _, p := range parameters {
		if p == asked {
			return p
		}
	}
	if f.param != "" || status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
		return ""
	}
	first, at := "", len(f.text)
	for _, p := range parameters {
		if i := strings.Index(f.text, p); strings.Contains(p, "_") && i >= 0 && i < at {
			first, at = p, i
		}
	}
	return first
}

// codePattern is what a code looks like. Keys and words of people do not.
var codePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z]*(_[A-Za-z]+)*$`)

// shown is the vendor's code for the operator.
func (f failure) shown() string {
	for _, w := range []string{f.code, f.kind} {
		if len(w) <= 48 && codePattern.MatchString(w) {
			return w
		}
	}
	return ""
}

// retryAfter reads how long to wait. OpenAI and Azure also tell it in milliseconds,
// which are the better measure below a second.
func retryAfter(kind ports.Kind, h http.Header) time.Duration {
	if h == nil || kind == ports.KindDenied {
		return 0
	}
	if ms, err := strconv.ParseInt(h.Get("Retry-After-Ms"), 10, 64); err == nil && ms > 0 {
		return min(time.Duration(min(ms, httpstatus.MaxRetryAfter.Milliseconds()))*time.Millisecond, httpstatus.MaxRetryAfter)
	}
	return httpstatus.RetryAfter(h, time.Now())
}
