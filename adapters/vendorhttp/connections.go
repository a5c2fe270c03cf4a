// Package vendorhttp keeps the connections to the services of vendors open, so that
// no turn waits for a name lookup, a handshake and a slow start.
package vendorhttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	// idleTime is how long an unused connection is kept. Servers close theirs earlier
	// as a rule, which costs nothing: it is noticed at once.
	idleTime = 10 * time.Minute
	// perHost is how many unused connections are kept to a server that speaks HTTP/1.1,
	// where each turn in flight needs its own.
	perHost = 1024
	// warmTime bounds one visit, and warmAnswer what is read of its answer.
	warmTime   = 5 * time.Second
	warmAnswer = 64 << 10
	// maxOrigins bounds what is remembered; a deployment has a handful.
	maxOrigins = 64
)

// Connections share one pool among all vendors. The zero value is not usable; make
// one with New. It is safe for concurrent use.
type Connections struct {
	pool  *http.Transport
	every time.Duration

	mu      sync.Mutex
	origins map[string]time.Time // scheme and host → last use
}

// New makes a pool whose servers are visited when nothing was asked of them for so
// long, at least a second; zero visits none. Most servers close a connection that was
// idle for a minute. It dials nothing and starts nothing.
func New(every time.Duration) (*Connections, error) {
	if every != 0 && every < time.Second {
		return nil, errors.New("vendor connections: the time between visits is under a second")
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &Connections{every: every, origins: map[string]time.Time{}, pool: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: perHost, IdleConnTimeout: idleTime,
		TLSHandshakeTimeout: 5 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		HTTP2: &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 10 * time.Second},
	}}, nil
}

// Client gives a client over the pool for a vendor at the given base URL, which is
// visited from now on. A URL that cannot be read is left to the vendor's adapter.
func (c *Connections) Client(base string) *http.Client {
	if u, err := url.Parse(base); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
		c.mu.Lock()
		if len(c.origins) < maxOrigins {
			c.origins[u.Scheme+"://"+u.Host] = time.Time{}
		}
		c.mu.Unlock()
	}
	return &http.Client{Transport: c}
}

// RoundTrip implements http.RoundTripper.
func (c *Connections) RoundTrip(req *http.Request) (*http.Response, error) {
	origin := req.URL.Scheme + "://" + req.URL.Host
	c.mu.Lock()
	if _, known := c.origins[origin]; known {
		c.origins[origin] = time.Now()
	}
	c.mu.Unlock()
	return c.pool.RoundTrip(req)
}

// Close closes the connections that are not in use.
func (c *Connections) Close() { c.pool.CloseIdleConnections() }

// Run visits the servers until ctx ends, the first time at once. It returns nil.
func (c *Connections) Run(ctx context.Context) error {
	if c.every == 0 {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(c.every / 2)
	defer tick.Stop()
	for {
		var visits sync.WaitGroup
		for _, origin := range c.idle(time.Now()) {
			visits.Go(func() { _ = c.visit(ctx, origin) }) // a server that is down is the next turn's to find out
		}
		visits.Wait()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// idle lists the servers of which nothing was asked for half the time between visits:
// by the next look it would be all of it.
func (c *Connections) idle(now time.Time) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for origin, last := range c.origins {
		if now.Sub(last) >= c.every/2 {
			out = append(out, origin)
			c.origins[origin] = now
		}
	}
	return out
}

// visit asks a server for nothing in particular, and without a key: whatever it
// answers, the connection is open.
func (c *Connections) visit(ctx context.Context, origin string) error {
	ctx, cancel := context.WithTimeout(ctx, warmTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, origin+"/", http.NoBody)
	if err != nil {
		return fmt.Errorf("visit: %w", err)
	}
	resp, err := c.pool.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("visit: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, warmAnswer))
	return err
}
