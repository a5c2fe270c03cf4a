package patternai

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"whatsappnode/adapters/httpstatus"
	"whatsappnode/ports"
)

const opHealth = "patternai.health"

// healthPatience is the deadline of a health check that brings none.
const healthPatience = 10 * time.Second

// Client calls the services at one address. It is safe for concurrent use.
type Client struct {
	base    *url.URL
	key     func() string
	http    *http.Client
	private bool // nobody else uses the connections
}

// NewClient checks the config; it does not dial.
func NewClient(cfg ClientConfig) (*Client, error) { return newClient(cfg, "client", nil) }

// newClient puts the faults of a half's own settings beside those of the address.
func newClient(cfg ClientConfig, what string, more []error) (*Client, error) {
	if err := errors.Join(append(cfg.faults(), more...)...); err != nil {
		return nil, fmt.Errorf("patternai %s: %w", what, err)
	}
	u, err := url.Parse(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("patternai %s: the base URL is malformed", what)
	}
	c := &Client{base: u, key: cfg.APIKey, private: cfg.Client == nil}
	client := cfg.Client
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
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.http = &own
	return c, nil
}

// Close frees the connections that only this client uses.
func (c *Client) Close() error {
	if c.private {
		c.http.CloseIdleConnections()
	}
	return nil
}

// Health asks GET /health; any 2xx answer is good. It costs the services nothing.
func (c *Client) Health(ctx context.Context) error {
	ctx, cancel := bounded(ctx, healthPatience)
	defer cancel()
	resp, err := c.open(ctx, call{op: opHealth, method: http.MethodGet, path: "health"})
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxRefusal)) // to use the connection again
	return resp.Body.Close()
}

// call is one request.
type call struct {
	op, method, path string
	mime             string
	model            [2]string            // header and value; none when the value is empty
	body             func() io.ReadCloser // called again only when nothing of it was sent
	size             int64
}

// open makes the request and returns a good answer, whose body the caller closes.
func (c *Client) open(ctx context.Context, r call) (*http.Response, error) {
	if err := ports.FromContext(ctx, r.op); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.base.JoinPath(r.path).String(), nil) // #nosec G125 -- the path is one of this package's own
	if err != nil {
		return nil, &ports.Error{Op: r.op, Kind: ports.KindInvalid, Err: errors.New("the request cannot be built")}
	}
	if r.body != nil {
		req.Body, req.ContentLength = r.body(), r.size
		req.GetBody = func() (io.ReadCloser, error) { return r.body(), nil }
		req.Header.Set("Content-Type", r.mime)
	}
	if r.model[1] != "" {
		req.Header.Set(r.model[0], r.model[1])
	}
	if c.key != nil {
		if key := c.key(); key != "" {
			req.Header.Set("Authorization", "Bearer "+key)
		}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, broken(ctx, r.op, err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) // whatever of it came
	return nil, refusal(r.op, resp, body)
}

// fetch makes the request and reads a good answer whole.
func (c *Client) fetch(ctx context.Context, r call, limit int64) (*http.Response, []byte, error) {
	resp, err := c.open(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return nil, nil, broken(ctx, r.op, err)
	case int64(len(body)) > limit:
		return nil, nil, malformed(r.op, "", "the answer is too large")
	}
	return resp, body, nil
}

// bounded gives a context that has no deadline one.
func bounded(ctx context.Context, patience time.Duration) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, patience)
}

// broken is the error of a call that got no whole answer.
func broken(ctx context.Context, op string, err error) error {
	if ended := ports.FromContext(ctx, op); ended != nil {
		return ended
	}
	return httpstatus.FromDo(op, err, nil)
}
