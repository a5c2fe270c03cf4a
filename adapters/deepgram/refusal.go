package deepgram

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"whatsappnode/adapters/httpstatus"
	"whatsappnode/ports"
)

// refusal makes the error of an answer that is not 2xx. The body's message may
// repeat what was sent, so it is looked at and not shown.
func refusal(op string, resp *http.Response, body []byte) error {
	e := httpstatus.FromResponse(op, resp, time.Now())
	d := parseDetail(body)
	note := ""
	if isToken(d.Request) {
		note = ", request id " + d.Request
	}
	e.Err = fmt.Errorf("HTTP status %d%s", resp.StatusCode, note)
	for _, code := range []string{d.Code, d.Category} {
		if e.Code == "" && isToken(code) {
			e.Code = code
		}
	}
	switch e.Kind {
	case ports.KindDenied, ports.KindRateLimited:
		e.Scope = ports.ScopeAccount
	case ports.KindNotFound:
		e.Kind = ports.KindInvalid // the model or the address: a repeat stays wrong
	case ports.KindInvalid:
		if d.says(incapable...) {
			e.Kind = ports.KindUnsupported
		}
	}
	return e
}

// incapable are messages of a 400 whose code is the bare "Bad Request": the clip
// cannot be read ("Errors"), or the model does not hear the language.
var incapable = []string{"corrupt or unsupported data", "no such model/language"}

// detail is Deepgram's error object in its two forms: err_code with err_msg, and
// category with message. The other two fields are empty.
type detail struct {
	Code     string `json:"err_code"`
	Text     string `json:"err_msg"`
	Category string `json:"category"`
	Message  string `json:"message"`
	Request  string `json:"request_id"`
}

// parseDetail is zero for a body that is something else, such as a proxy's page.
func parseDetail(body []byte) detail {
	var d detail
	if json.Unmarshal(body, &d) != nil {
		return detail{}
	}
	return d
}

func (d detail) says(phrases ...string) bool {
	text := strings.ToLower(d.Text + "\n" + d.Message)
	for _, words := range phrases {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

var tokenPattern = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// isToken reports whether a word from the answer can be shown: it has no room for a
// sentence or an address.
func isToken(s string) bool { return tokenPattern.MatchString(s) }
