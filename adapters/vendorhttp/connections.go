// Package vendorhttp keeps the connections to the services of vendors, and to Graph,
// open, so that no turn waits for a name lookup, a handshake and a slow start.
package vendorhttp

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// idleTime is how long an unused connection is kept. Servers close theirs earlier
	// as a rule, which costs nothing: it is noticed at once.
	idleTime = 10 * time.Minute
	// perHost is how many unused connections are kept to a server that speaks HTTP/1.1,
	// where each turn in flight needs its own.
	perHost = 1024
	// pingAfter is how long nothing may be heard on an HTTP/2 connection before the server
	// is asked whether it is there, and pingTimeout how long it may be silent then.
	pingAfter, pingTimeout = 30 * time.Second, 10 * time.Second
	// maxOrigins bounds what is remembered; a deployment has a handful.
	maxOrigins = 64
)

// Connections are shared by all services. The zero value is not usable; make one with
// New. It is safe for concurrent use.
type Connections struct {
	pool     *http.Transport
	every    time.Duration
	stepMost time.Duration
	streams  atomic.Int64 // answers that are being read as they are made
	visited  func(server string, err error)

	mu      sync.Mutex
	origins map[site]*origin
}

// New makes a pool whose servers are visited when nothing was asked of them for so
// long, at least a second; zero visits none. Most servers close a connection that was
// idle for a minute. It dials nothing and starts nothing.
func New(every time.Duration) (*Connections, error) {
	if every != 0 && every < time.Second {
		return nil, errors.New("vendor connections: the time between visits is under a second")
	}
	return &Connections{every: every, stepMost: stepMost, origins: map[site]*origin{}, pool: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialBatch, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: perHost, IdleConnTimeout: idleTime,
		TLSHandshakeTimeout: 5 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		HTTP2: &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
	}}, nil
}

// OnVisit has every visit told that was made, with the scheme and the host of the base
// URL and with why it failed, or nil. What the server answered is no failure: it was
// reached. It is called before Run; told may be called concurrently and must return at
// once. The error may quote what came from outside.
func (c *Connections) OnVisit(told func(server string, err error)) { c.visited = told }

// site is what a server is known by.
type site struct{ scheme, host string }

// Client gives a client over the pool for a vendor at the given base URL, which is
// visited from now on. A URL that cannot be read is left to the vendor's adapter.
func (c *Connections) Client(base string) *http.Client {
	if u, err := url.Parse(base); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
		c.origin(u, true)
	}
	return &http.Client{Transport: c}
}

// origin is what is known of a server, or nil when it is nobody's base URL.
func (c *Connections) origin(u *url.URL, add bool) *origin {
	at := site{u.Scheme, u.Host}
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.origins[at]
	if o == nil && add && len(c.origins) < maxOrigins {
		o = &origin{name: u.Scheme + "://" + u.Host, pool: c.pool}
		c.origins[at] = o
	}
	return o
}

// RoundTrip implements http.RoundTripper.
func (c *Connections) RoundTrip(req *http.Request) (*http.Response, error) {
	o := c.origin(req.URL, false)
	if o == nil {
		return c.pool.RoundTrip(req)
	}
	resp, err := o.roundTrip(req)
	if err == nil && strings.HasPrefix(resp.Header.Get("Content-Type"), eventStream) {
		resp.Body = c.inSteps(resp.Body)
	}
	return resp, err
}

// Close closes the connections that are not in use.
func (c *Connections) Close() {
	c.pool.CloseIdleConnections()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range c.origins {
		o.closeIdle()
	}
}

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
		for _, o := range c.idle(time.Now()) {
			visits.Go(func() { c.visit(ctx, o) })
		}
		visits.Wait()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// visit visits a server. One that is down is the next turn's to deal with; here it is
// only told. A visit that the end of ctx cut short says nothing of the server.
func (c *Connections) visit(ctx context.Context, o *origin) {
	err := o.visit(ctx)
	if c.visited != nil && ctx.Err() == nil {
		c.visited(o.name, err)
	}
}

// idle lists the servers of which nothing was asked for half the time between visits:
// by the next look it would be all of it.
func (c *Connections) idle(now time.Time) []*origin {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []*origin
	for _, o := range c.origins {
		if now.Sub(time.Unix(0, o.used.Load())) >= c.every/2 {
			out = append(out, o)
		}
	}
	return out
}
