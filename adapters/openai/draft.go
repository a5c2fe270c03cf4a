package openai

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"

	goopenai "github.com/sashabaranov/go-openai"
)

var _ goopenai.HTTPDoer = (*draft)(nil)

// draft keeps the request that the library makes, which is sent without it: the library
// hides the answer's body and headers, and its frames would stand on the stack of every
// turn that waits.
type draft struct{ req *http.Request }

var errDrafted = errors.New("the request is kept")

// Do implements the library's HTTPDoer.
func (d *draft) Do(req *http.Request) (*http.Response, error) {
	d.req = req
	return nil, errDrafted
}

// drafted returns the request that a call of the library would send, with the key of
// this moment, or the library's reason to refuse it.
func (e *endpoint) drafted(call func(library *goopenai.Client) error) (*http.Request, error) {
	var d draft
	cfg := goopenai.DefaultConfig(e.token())
	cfg.BaseURL, cfg.OrgID, cfg.HTTPClient = e.base, e.org, &d
	if err := call(goopenai.NewClientWithConfig(cfg)); d.req == nil {
		return nil, err
	}
	return d.req, nil
}

// envelope is the address and the headers that requests share, as long as they are the same:
// thousands of requests wait at once, and each has them in 800 bytes of its own otherwise.
// Transports do not change them (net/http, RoundTripper).
type envelope struct{ shared atomic.Pointer[http.Request] }

// share has a request use the address and the headers of the one before, if they are its
// own as well.
func (e *envelope) share(req *http.Request) {
	before := e.shared.Load()
	if before != nil && *before.URL == *req.URL && maps.EqualFunc(before.Header, req.Header, slices.Equal) {
		req.URL, req.Header = before.URL, before.Header
		return
	}
	e.shared.Store(&http.Request{URL: req.URL, Header: req.Header})
}

// zeroTemperature puts the field in front of the others of a JSON object. The
// smallest number the library would send instead makes some servers divide by
// almost nothing.
func zeroTemperature(req *http.Request) error {
	body, err := io.ReadAll(req.Body)
	if err != nil || len(body) < 3 || body[0] != '{' {
		return errors.New("the request's body is no JSON object")
	}
	body = append([]byte(`{"temperature":0,`), body[1:]...)
	req.ContentLength = int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body, err = req.GetBody()
	return err
}
