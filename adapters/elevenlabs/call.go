package elevenlabs

import (
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

// maxRefusal bounds what is read of an answer that is an error; real ones are
// under 1 KiB.
const maxRefusal = 64 << 10

// api is the account that calls are made for. It is safe for concurrent use.
type api struct {
	base    *url.URL
	key     func() string
	client  *http.Client
	private bool // nobody else uses the client's connections
	zero    bool // zero retention
}

func newAPI(base string, key func() string, client *http.Client, zero bool) (*api, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, errors.New("the base URL is malformed")
	}
	a := &api{base: u, key: key, zero: zero, private: client == nil}
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
	// net/http would carry the key along to wherever an answer points.
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
	op    string
	path  []string
	query url.Values
	mime  string
	body  func() io.ReadCloser // called again only when nothing of it was sent
	size  int64
	limit int64 // of the answer, in bytes
	// patience is the deadline of a call whose context has none.
	patience time.Duration
}

// answer is a good answer, read whole.
type answer struct {
	header http.Header
	body   []byte
}

func (a *api) post(ctx context.Context, c call) (answer, error) {
	if err := ports.FromContext(ctx, c.op); err != nil {
		return answer{}, err
	}
	key := a.key()
	if key == "" {
		return answer{}, &ports.Error{Op: c.op, Kind: ports.KindDenied, Scope: ports.ScopeAccount, Err: errors.New("there is no API key")}
	}
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.patience)
		defer cancel()
	}
	req, err := a.request(ctx, c, key)
	if err != nil {
		return answer{}, &ports.Error{Op: c.op, Kind: ports.KindInvalid, Err: errors.New("the request cannot be built")}
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return answer{}, broken(ctx, c.op, err)
	}
	defer resp.Body.Close()
	limit := c.limit
	if resp.StatusCode/100 != 2 {
		limit = maxRefusal
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case resp.StatusCode/100 != 2:
		return answer{}, refusal(c.op, resp, body) // whatever of it came
	case err != nil:
		return answer{}, broken(ctx, c.op, err)
	case int64(len(body)) > limit:
		return answer{}, malformed(c.op, "the answer is too large")
	}
	return answer{header: resp.Header, body: body}, nil
}

func (a *api) request(ctx context.Context, c call, key string) (*http.Request, error) {
	u := a.base.JoinPath(c.path...) // #nosec G125 -- the path is this package's own and a voice of the settings
	query := url.Values{}
	for name, values := range c.query {
		query[name] = values
	}
	if a.zero {
		query.Set("enable_logging", "false")
	}
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), c.body())
	if err != nil {
		return nil, err
	}
	req.ContentLength = c.size
	req.GetBody = func() (io.ReadCloser, error) { return c.body(), nil }
	req.Header.Set("Content-Type", c.mime)
	req.Header.Set("Xi-Api-Key", key)
	return req, nil
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
