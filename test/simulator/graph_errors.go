package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// Codes of WhatsApp > Support > Error codes that the simulator decides upon by itself.
const (
	codeAuth            = 190
	codeParameter       = 100
	codeUnknown         = 131000
	codeInvalidValue    = 131009
	codeSenderRecipient = 131021
	codeUndeliverable   = 131026
	codeNotAllowed      = 131030
	codeWindowClosed    = 131047
	codeMediaDownload   = 131052
	codeMediaUpload     = 131053
	codePairLimit       = 131056
	codeThroughput      = 130429

	subcodeNoObject = 33
)

var errorTitles = map[int]string{
	0: "AuthException", 1: "API Unknown", 2: "API Service", 3: "API Method", 4: "API Too Many Calls", 10: "Permission Denied",
	33: "Parameter value is not valid", 100: "Invalid parameter", 190: "Access token has expired", 368: "Temporarily blocked for policies violations",
	80007: "Rate limit issues", 130403: "Business blocked the user", 130429: "Rate limit hit", 130472: "User's number is part of an experiment",
	130497: "Business account is restricted from messaging users in this country",
	131000: "Something went wrong", 131005: "Access denied", 131008: "Required parameter is missing",
	131009: "Parameter value is not valid", 131016: "Service unavailable", 131021: "Recipient cannot be sender", 131026: "Message undeliverable",
	131030: "Recipient phone number not in allowed list", 131031: "Account has been locked", 131042: "Business eligibility payment issue",
	131045: "Incorrect certificate", 131047: "Re-engagement message", 131048: "Spam rate limit hit",
	131049: "This message was not delivered to maintain healthy ecosystem engagement", 131050: "User has stopped marketing messages",
	131051: "Unsupported message type", 131052: "Media download error", 131053: "Media upload error",
	131056: "(Business Account, Consumer Account) pair rate limit hit", 131057: "Account in maintenance mode", 131060: "This message is unavailable",
	131062: "Business-scoped user ID recipients are not supported for this message", 131064: "Classification rate limit hit",
	133004: "Server temporarily unavailable", 133010: "Phone number not registered", 135000: "Generic user error",
}

// usualHTTPStatus is the status a code comes with when nothing else was asked for. Sources disagree (see the README), and
// Meta asks to look at the code alone.
func usualHTTPStatus(code int) int {
	switch {
	case code == 0 || code == codeAuth:
		return http.StatusUnauthorized
	case code == 3 || code == 10 || code == 368 || code == 131005 || code == 131031 || (code >= 200 && code < 300):
		return http.StatusForbidden
	case code == 1 || code == codeUnknown:
		return http.StatusInternalServerError
	case code == 2 || code == 131016 || code == 133004:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// failure is one error, told in an answer or in a status.
type failure struct {
	Code    int
	Subcode int
	HTTP    int    // 0: the usual one
	Kind    string // type; empty: OAuthException
	Message string // empty: "(#code) title"
	Details string
}

func (f failure) title() string {
	if t, ok := errorTitles[f.Code]; ok {
		return t
	}
	return "Something went wrong"
}

func (f failure) message() string {
	if f.Message != "" {
		return f.Message
	}
	return fmt.Sprintf("(#%d) %s", f.Code, f.title())
}

func (f failure) details() string {
	switch {
	case f.Details != "":
		return f.Details
	case f.Code == codeWindowClosed:
		return "Message failed to send because more than 24 hours have passed since the customer last replied to this number."
	case f.Code == codeUndeliverable:
		return "Message Undeliverable."
	}
	return f.title()
}

func (f failure) status() int {
	if f.HTTP != 0 {
		return f.HTTP
	}
	return usualHTTPStatus(f.Code)
}

// inWebhook is the errors[] element of a failed status or an undownloadable message.
func (f failure) inWebhook() object {
	return obj("code", f.Code, "title", f.title(), "message", f.title(), "error_data", obj("details", f.details()),
		"href", "/documentation/business-messaging/whatsapp/support/error-codes")
}

func parameter(message, details string) failure {
	return failure{Code: codeParameter, Message: "(#100) " + message, Details: details}
}

func invalidValue(details string) failure { return failure{Code: codeInvalidValue, Details: details} }

// writeFailure answers with a Graph-shaped error.
func (s *Simulator) writeFailure(w http.ResponseWriter, f failure) {
	kind := f.Kind
	if kind == "" {
		kind = "OAuthException"
	}
	s.mu.Lock()
	trace := "A" + s.randomString(22, alphanumerics)
	s.mu.Unlock()
	e := obj("message", f.message(), "type", kind, "code", f.Code,
		"error_data", obj("messaging_product", "whatsapp", "details", f.details()))
	if f.Subcode != 0 {
		e.set("error_subcode", f.Subcode)
	}
	e.set("fbtrace_id", trace)
	if f.Code == codeAuth {
		w.Header().Set("WWW-Authenticate", `OAuth "Facebook Platform" "invalid_token" "Invalid OAuth access token."`)
	}
	writeJSON(w, f.status(), obj("error", e))
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the peer has gone; nothing is left to tell
}
