package whatsapp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"whatsappnode/adapters/httpstatus"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// maxAnswer bounds what is read of an answer of the Graph API. Real ones are under
// 1 KiB.
const maxAnswer = 64 << 10

// call is one request to the Graph API.
type call struct {
	op      string
	method  string
	path    []string // after the version
	query   url.Values
	mime    string
	size    int64
	body    func() io.ReadCloser // nil for none; called again when nothing of it was written
	timeout time.Duration
	token   string // in place of the access token, or empty
	// once marks a message: the request must not be repeated when it may have left.
	once bool
	out  any
}

// do makes the call and decodes a good answer into c.out.
//
// net/http repeats a POST by itself only when it can rewind the body and the
// connection took no byte of it (or an HTTP/2 server said that it did not look at
// it), so a message is never sent twice here. Redirects are not followed.
func (m *Messenger) do(ctx context.Context, c call) error {
	if err := ports.FromContext(ctx, c.op); err != nil {
		return err
	}
	token := firstOf(c.token, m.cfg.AccessToken())
	if token == "" {
		return &ports.Error{Op: c.op, Kind: ports.KindDenied, Scope: ports.ScopeAccount, Err: errNoToken}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	ctx, trace := httpstatus.Watch(ctx)
	if !c.once {
		trace = nil
	}
	req, err := m.request(ctx, c, token)
	if err != nil {
		return &ports.Error{Op: c.op, Kind: ports.KindInvalid, Err: errors.New("the request cannot be built")}
	}
	resp, err := m.graph.Do(req)
	if err != nil {
		return httpstatus.FromDo(c.op, err, trace)
	}
	defer resp.Body.Close()
	body, readErr := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	return m.judge(c, token, resp, body, readErr, trace)
}

func (m *Messenger) request(ctx context.Context, c call, token string) (*http.Request, error) {
	u, err := url.Parse(m.cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	u = u.JoinPath(append([]string{m.cfg.APIVersion}, c.path...)...) // #nosec G125 -- the parts are ids that were checked, and JoinPath escapes nothing else
	u.RawQuery = c.query.Encode()
	req, err := http.NewRequestWithContext(ctx, c.method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	if c.body != nil {
		req.Body, req.ContentLength = c.body(), c.size
		req.GetBody = func() (io.ReadCloser, error) { return c.body(), nil }
		req.Header.Set("Content-Type", c.mime)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	return req, nil
}

// judge makes a result of what came back.
func (m *Messenger) judge(c call, token string, resp *http.Response, body []byte, readErr error, trace *httpstatus.Trace) error {
	refusal, refused := parseGraphError(body)
	good := resp.StatusCode/100 == 2
	switch {
	case refused:
		return m.refusal(c, token, resp, refusal)
	case good && readErr != nil:
		return httpstatus.FromDo(c.op, readErr, trace)
	case good:
		if len(body) > maxAnswer || json.Unmarshal(body, c.out) != nil {
			return c.unreadable()
		}
		m.health.succeed(token)
		return nil
	}
	e := httpstatus.FromResponse(c.op, resp, time.Now())
	switch {
	case resp.StatusCode/100 == 5:
		e.MaybeDone = c.once // some machine between Meta and us gave up waiting
	case e.Kind == ports.KindDenied:
		e.Scope = ports.ScopeAccount
		if resp.StatusCode == http.StatusUnauthorized {
			m.health.deny(token, e)
		}
	case e.Kind == ports.KindRateLimited:
		e.Scope = ports.ScopeNumber
	}
	return e
}

// unreadable is a good status with an answer that makes no sense.
func (c call) unreadable() error {
	kind := ports.KindTransient
	if c.once {
		kind = ports.KindUnknown
	}
	return &ports.Error{Op: c.op, Kind: kind, MaybeDone: c.once, Err: errors.New("the answer could not be read")}
}

// graphError is the part of Meta's error object that decides (Meta, "Error codes":
// build on the code, not on title, subcode or HTTP status).
type graphError struct {
	Code      flexInt `json:"code"`
	Subcode   flexInt `json:"error_subcode"`
	Transient bool    `json:"is_transient"`
	Trace     string  `json:"fbtrace_id"`
}

func parseGraphError(body []byte) (graphError, bool) {
	var answer struct {
		Error *json.RawMessage `json:"error"`
	}
	if len(body) > maxAnswer || json.Unmarshal(body, &answer) != nil || answer.Error == nil {
		return graphError{}, false
	}
	var e graphError
	err := json.Unmarshal(*answer.Error, &e)
	var wrongType *json.UnmarshalTypeError
	if (err != nil && !errors.As(err, &wrongType)) || !e.Code.Valid {
		return graphError{}, false
	}
	return e, true
}

// refusal turns Meta's error into ours by the table.
func (m *Messenger) refusal(c call, token string, resp *http.Response, g graphError) error {
	code := int(g.Code.N)
	e := &ports.Error{Op: c.op, Code: strconv.Itoa(code), RetryAfter: httpstatus.RetryAfter(resp.Header, time.Now())}
	rule, known := RuleFor(code)
	meaning := rule.Meaning
	if known {
		e.Kind, e.Scope = rule.Kind, rule.Scope
		if e.RetryAfter == 0 {
			e.RetryAfter = rule.Wait
		}
	} else {
		meaning = "a code that is not in the table"
		e.Kind = httpstatus.Kind(resp.StatusCode)
		switch {
		case g.Transient:
			e.Kind = ports.KindTransient
		case e.Kind == ports.KindDenied:
			e.Scope = ports.ScopeAccount
		case e.Kind == ports.KindRateLimited:
			e.Scope = ports.ScopeNumber
		case e.Kind == "":
			e.Kind = ports.KindUnknown // an error with status 200
		}
	}
	e.Err = errors.New(meaning + g.note(resp.StatusCode))
	if code == 0 || code == 104 || code == 190 || (!known && resp.StatusCode == http.StatusUnauthorized) {
		m.health.deny(token, e)
	}
	return e
}

// note is what the operator needs to ask Meta about an error.
func (g graphError) note(status int) string {
	s := fmt.Sprintf(" (HTTP status %d", status)
	if g.Subcode.N != 0 {
		s += fmt.Sprintf(", subcode %d", g.Subcode.N)
	}
	if isObjectID(g.Trace) && len(g.Trace) <= 64 {
		s += ", fbtrace_id " + g.Trace
	}
	return s + ")"
}

// phoneDigits is the number as Meta wants it behind "+": digits only.
func phoneDigits(p domain.Phone) (string, bool) {
	s := string(p)
	if len(s) > 0 && s[0] == '+' {
		s = s[1:]
	}
	if len(s) == 0 || len(s) > 20 {
		return "", false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return "", false
		}
	}
	return s, true
}
