package deepgram

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"whatsappnode/adapters/httpstatus"
	"whatsappnode/ports"
)

// maxRefusal bounds what is read of an answer that is an error; real ones are under
// 1 KiB.
const maxRefusal = 64 << 10

// api is the account that calls are made for. It is safe for concurrent use.
type api struct {
	base    *url.URL
	key     func() string
	client  *http.Client
	private bool // nobody else uses the client's connections
}

func newAPI(base string, key func() string, client *http.Client) (*api, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, errors.New("the base URL is malformed")
	}
	a := &api{base: u, key: key, private: client == nil}
	if client == nil {
		client = &http.Client{Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSHandshakeTimeout: 10 * time.Second,
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 16,
			IdleConnTimeout:     90 * time.Second,
		}}
	}
	own := *client
	own.Timeout, own.Jar = 0, nil
	// A redirect could carry the clip or the text, and within the domain the key, to
	// wherever an answer points.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	a.client = &own
	return a, nil
}

// close frees the connections that only this api uses.
func (a *api) close() {
	if a.private {
		a.client.CloseIdleConnections()
	}
}

// call is one POST.
type call struct {
	op, path string
	query    url.Values
	mime     string
	body     []byte
	limit    int64 // of the answer, in bytes
	// patience is the deadline of a call whose context has none.
	patience time.Duration
}

// post returns a good answer's body, read whole.
func (a *api) post(ctx context.Context, c call) ([]byte, error) {
	key := a.key()
	if key == "" {
		return nil, &ports.Error{Op: c.op, Kind: ports.KindDenied, Scope: ports.ScopeAccount, Err: errors.New("there is no API key")}
	}
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.patience)
		defer cancel()
	}
	u := a.base.JoinPath("v1", c.path) // #nosec G125 -- the path is one of this package's own
	u.RawQuery = c.query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(c.body))
	if err != nil {
		return nil, &ports.Error{Op: c.op, Kind: ports.KindInvalid, Err: errors.New("the request cannot be built")}
	}
	req.Header.Set("Authorization", "Token "+key)
	req.Header.Set("Content-Type", c.mime)
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, broken(ctx, c.op, err)
	}
	defer resp.Body.Close()
	limit := c.limit
	if resp.StatusCode/100 != 2 {
		limit = maxRefusal
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case resp.StatusCode/100 != 2:
		return nil, refusal(c.op, resp, body) // whatever of it came
	case err != nil:
		return nil, broken(ctx, c.op, err)
	case int64(len(body)) > limit:
		return nil, malformed(c.op, "the answer is too large")
	}
	return body, nil
}

// broken is the error of a call that got no whole answer.
func broken(ctx context.Context, op string, err error) error {
	if ended := ports.FromContext(ctx, op); ended != nil {
		return ended
	}
	return httpstatus.FromDo(op, err, nil)
}

// malformed is an answer that makes no sense; another one may.
func malformed(op, reason string) error {
	return &ports.Error{Op: op, Kind: ports.KindTransient, Err: errors.New(reason)}
}

// private adds to a query that nothing of the call is kept for training.
func private(query url.Values, training bool) url.Values {
	if !training {
		query.Set("mip_opt_out", "true")
	}
	return query
}
