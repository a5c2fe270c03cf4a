package gemini

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
)

const (
	// maxStream bounds what is read of one answer, with the JSON around its words.
	maxStream = 4 << 20
	// maxRefusal bounds what is read of an error's body. Real ones are a few KiB.
	maxRefusal = 64 << 10
)

var errTooLong = errors.New("the answer is too long")

// call is one call on its way through the library: it carries the key down and
// what came back up, which the library keeps to itself.
type call struct {
	key     string
	status  int // 0: no answer came
	header  http.Header
	refusal bytes.Buffer // the body of an answer that is not 2xx, its beginning
	body    io.Closer
}

type callKey struct{}

// with returns the context to give to the library.
func (c *call) with(ctx context.Context) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// close frees the connection. The library closes an answer only when it has read
// it to the end.
func (c *call) close() {
	if c.body != nil {
		_ = c.body.Close()
	}
}

// transport puts the key into a header, and a guard around the answer.
type transport struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper. A request that belongs to no call of LLM
// is refused: the library makes clients that have no business here.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	c, ok := req.Context().Value(callKey{}).(*call)
	if !ok {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, errors.New("gemini: a request that nobody asked for")
	}
	req = req.Clone(req.Context())
	req.Header.Set("X-Goog-Api-Key", c.key)
	resp, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body := resp.Body
	c.status, c.header, c.body = resp.StatusCode, resp.Header, body
	var guarded io.Reader
	if resp.StatusCode/100 == 2 {
		guarded = newMender(&bounded{body, maxStream})
	} else {
		guarded = io.TeeReader(io.LimitReader(body, maxRefusal), &c.refusal)
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{guarded, body}
	return resp, nil
}

// bounded reads until its limit and then fails.
type bounded struct {
	r    io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
