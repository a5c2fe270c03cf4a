package elevenlabs

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"whatsappnode/adapters/httpstatus"
	"whatsappnode/ports"
)

// rule says what one of ElevenLabs' codes calls for.
type rule struct {
	kind  ports.Kind
	scope ports.Scope
}

var (
	denied      = rule{ports.KindDenied, ports.ScopeAccount}
	crowded     = rule{ports.KindRateLimited, ports.ScopeAccount}
	wrong       = rule{kind: ports.KindInvalid}
	unsupported = rule{kind: ports.KindUnsupported}
)

// rules are the codes that say more than the HTTP status they come with, which
// differs: a spent quota is told with 400, 401 and 402. The names are those of
// "Errors" and, older, "Error messages"; both are in use.
var rules = map[string]rule{
	"invalid_api_key":           denied,
	"missing_api_key":           denied,
	"needs_authorization":       denied,
	"missing_permissions":       denied, // the key is not made for this
	"insufficient_permissions":  denied,
	"detected_unusual_activity": denied, // the free plan, from a data centre
	"free_users_not_allowed":    denied,
	"only_for_creator+":         denied,
	"subscription_required":     denied,
	"paid_plan_required":        denied,
	"feature_not_available":     denied,
	"output_format_not_allowed": denied,
	"quota_exceeded":            denied,
	"insufficient_credits":      denied,

	"too_many_concurrent_requests": crowded,
	"concurrent_limit_exceeded":    crowded,
	"rate_limit_exceeded":          crowded,
	"system_busy":                  {kind: ports.KindRateLimited}, // they are, whoever asks

	"voice_not_found":       wrong,
	"voice_does_not_exist":  wrong,
	"model_not_found":       wrong,
	"invalid_output_format": wrong,

	"max_character_limit_exceeded": unsupported,
	"text_too_long":                unsupported,
	"unsupported_language":         unsupported,
	"language_not_supported":       unsupported,
	"invalid_content":              unsupported, // a file that is no playable audio

	"bad_prompt": {kind: ports.KindBlocked}, // against their terms of service
}

// refusal makes the error of an answer that is not 2xx. The body's message may
// repeat what was sent, so it is not looked at.
func refusal(op string, resp *http.Response, body []byte) error {
	d := parseDetail(body)
	e := httpstatus.FromResponse(op, resp, time.Now())
	note := ""
	if id := resp.Header.Get("Request-Id"); isToken(id) {
		note = ", request id " + id
	} else if isToken(d.request) {
		note = ", request id " + d.request
	}
	e.Err = fmt.Errorf("HTTP status %d%s", resp.StatusCode, note)
	switch e.Kind {
	case ports.KindDenied, ports.KindRateLimited:
		e.Scope = ports.ScopeAccount
	case ports.KindNotFound:
		e.Kind = ports.KindInvalid // the voice, the model or the address: a repeat stays wrong
	case ports.KindInvalid:
		if d.param == "language_code" {
			e.Kind = ports.KindUnsupported
		}
	}
	// Where both are given, the older status is the finer: code "invalid_parameters"
	// goes with status "unsupported_language".
	for _, code := range []string{d.status, d.code} {
		if e.Code == "" && isToken(code) {
			e.Code = code
		}
		if r, ok := rules[code]; ok {
			e.Kind, e.Scope, e.Code = r.kind, r.scope, code
			break
		}
	}
	return e
}

// detail is the part of ElevenLabs' error object that decides.
type detail struct{ status, code, param, request string }

// parseDetail reads {"detail": {...}}. The detail of a 422 is a list, and of some
// errors a text: neither holds a code.
func parseDetail(body []byte) detail {
	var outer struct {
		Detail json.RawMessage `json:"detail"`
	}
	var fields map[string]any
	if json.Unmarshal(body, &outer) != nil || json.Unmarshal(outer.Detail, &fields) != nil {
		return detail{}
	}
	get := func(name string) string { s, _ := fields[name].(string); return s }
	return detail{status: get("status"), code: get("code"), param: get("param"), request: get("request_id")}
}

var tokenPattern = regexp.MustCompile(`^[A-Za-z0-9_+.-]{1,64}$`)

// isToken reports whether a word from the answer can be shown: it has no room for
// a sentence or an address.
func isToken(s string) bool { return tokenPattern.MatchString(s) }
