package openai

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"

	"whatsappnode/adapters/httpstatus"
	"whatsappnode/ports"
)

// DefaultBaseURL is OpenAI's own server.
const DefaultBaseURL = "https://api.openai.com/v1"

const (
	// callTimeout ends a call whose context has no deadline: longer than any answer
	// somebody waits for.
	callTimeout = 2 * time.Minute
	// maxFailure is how much of a failed answer is read to learn why.
	maxFailure = 64 << 10
)

// endpoint is a server and the way in.
type endpoint struct {
	key  func() string // nil: the server wants none
	base string
	org  string
	// transport carries the calls without the http.Client around it: a redirect, which
	// would turn the POST into a GET or carry it to another host, is an answer like any
	// other then, and a kilobyte less stands on the stack of a turn that waits.
	transport http.RoundTripper
	own       *http.Transport // made here, so its connections are ours to close; nil: the caller's
}

// newEndpoint checks what all three engines need and returns every fault.
func newEndpoint(key func() string, base, org string, client *http.Client) (*endpoint, []error) {
	if base == "" {
		base = DefaultBaseURL
	}
	e := &endpoint{key: key, base: strings.TrimRight(base, "/"), org: org}
	var faults []error
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "",
		u.Scheme != "http" && u.Scheme != "https":
		// The URL is not shown: somebody may have put a key into it.
		faults = append(faults, errors.New("the base URL must be http or https, a host and perhaps a path, nothing else"))
	case e.isOpenAI() && e.token() == "":
		faults = append(faults, errors.New("the API key is missing, which OpenAI's own server wants"))
	}
	if strings.ContainsFunc(org, unicode.IsControl) {
		faults = append(faults, errors.New("the organisation holds a control character"))
	}
	switch {
	case client == nil:
		e.own = privateTransport()
		e.transport = e.own
	case client.Transport == nil:
		e.transport = http.DefaultTransport
	default:
		e.transport = client.Transport
	}
	return e, faults
}

func privateTransport() *http.Transport {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, IdleConnTimeout: 90 * time.Second}
	}
	t = t.Clone()
	t.MaxIdleConnsPerHost = 16 // one host gets every call
	return t
}

// close gives up idle connections, unless they belong to the caller's client.
func (e *endpoint) close() {
	if e.own != nil {
		e.own.CloseIdleConnections()
	}
}

func (e *endpoint) token() string {
	if e.key == nil {
		return ""
	}
	return e.key()
}

// isOpenAI reports whether the server is OpenAI's own, or Azure's copy of it.
func (e *endpoint) isOpenAI() bool {
	u, err := url.Parse(e.base)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return host == "api.openai.com" || strings.HasSuffix(host, ".api.openai.com") || strings.HasSuffix(host, ".openai.azure.com")
}

// post makes a request that the library does not know.
func (e *endpoint) post(ctx context.Context, op, path, contentType string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.base+path, body)
	if err != nil {
		return nil, &ports.Error{Op: op, Kind: ports.KindInvalid, Err: errors.New("the request cannot be made")}
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Accept", "application/json")
	if token := e.token(); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if e.org != "" {
		req.Header.Set("OpenAI-Organization", e.org)
	}
	return e.send(op, req)
}

// send returns an answer of success, or a *ports.Error that holds nothing of what
// the server said.
func (e *endpoint) send(op string, req *http.Request) (*http.Response, error) {
	resp, err := e.transport.RoundTrip(req)
	if err != nil {
		return nil, httpstatus.FromDo(op, err, nil)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	// What cannot be read changes nothing: the status is known.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxFailure))
	return nil, readFailure(body).fault(op, resp.StatusCode, resp.Header)
}

// scratch lends the memory that answers of unknown length are read into: growing a new
// buffer for each would throw away as much again as is kept.
var scratch = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, usualAnswer)) }}

const (
	// usualAnswer is room for a spoken sentence.
	usualAnswer = 32 << 10
	// keptScratch is the largest memory that is lent again.
	keptScratch = 1 << 20
)

// readAll reads an answer of at most limit bytes and closes it.
func readAll(op string, resp *http.Response, limit int64) ([]byte, error) {
	defer func() { _ = resp.Body.Close() }()
	buf := scratch.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= keptScratch {
			buf.Reset()
			scratch.Put(buf)
		}
	}()
	if _, err := buf.ReadFrom(io.LimitReader(resp.Body, limit+1)); err != nil {
		return nil, httpstatus.FromDo(op, err, nil)
	}
	if int64(buf.Len()) > limit {
		return nil, &ports.Error{Op: op, Kind: ports.KindTransient, Err: fmt.Errorf("the answer is larger than %d MB", limit>>20)}
	}
	return bytes.Clone(buf.Bytes()), nil
}

// bounded gives a context without a deadline one.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, callTimeout)
}

// failed turns what a call came back with into the port's error. The end of the
// context explains every other failure.
func failed(ctx context.Context, op string, err error) error {
	if ended := ports.FromContext(ctx, op); ended != nil {
		return ended
	}
	var known *ports.Error
	if errors.As(err, &known) {
		return known
	}
	// The library refused the request before it was sent: it knows what some models
	// do not take.
	return &ports.Error{Op: op, Kind: ports.KindInvalid, Err: errors.New("the library refuses the request for this model")}
}

func invalid(op, reason string) error {
	return &ports.Error{Op: op, Kind: ports.KindInvalid, Err: errors.New(reason)}
}

func unsupported(op, reason string) error {
	return &ports.Error{Op: op, Kind: ports.KindUnsupported, Err: errors.New(reason)}
}

func transient(op, reason string) error {
	return &ports.Error{Op: op, Kind: ports.KindTransient, Err: errors.New(reason)}
}
