package vendorhttp

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// laneStreams is how many requests share one HTTP/2 connection. Servers allow 100
	// as a rule. Above that net/http opens a connection for each request that finds all
	// full, at a time at which there is least to spare.
	laneStreams = 80
	// maxLanes bounds the connections to one server.
	maxLanes = 256
	// visitTime bounds one visit, and visitAnswer what is read of its answer.
	visitTime   = 5 * time.Second
	visitAnswer = 64 << 10
)

// origin is a server. One that speaks HTTP/2 has lanes of one connection each; others
// have the pool.
type origin struct {
	name string
	pool *http.Transport
	used atomic.Int64 // last use, Unix nanoseconds

	mu    sync.Mutex
	http2 bool
	lanes []*lane
}

type lane struct {
	transport *http.Transport
	load      int // requests under way
}

func (o *origin) roundTrip(req *http.Request) (*http.Response, error) {
	o.used.Store(time.Now().UnixNano())
	l := o.enter()
	if l == nil {
		resp, err := o.pool.RoundTrip(req)
		if err == nil && resp.ProtoMajor == 2 {
			o.mu.Lock()
			o.http2 = true
			o.mu.Unlock()
		}
		return resp, err
	}
	resp, err := l.transport.RoundTrip(req)
	if err != nil {
		o.leave(l)
		return nil, err
	}
	resp.Body = &tracked{ReadCloser: resp.Body, origin: o, lane: l}
	return resp, nil
}

// enter takes a place in the first lane that has one, so that few connections are used
// and those are warm. It is nil for a server that is not known to speak HTTP/2.
func (o *origin) enter() *lane {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.http2 {
		return nil
	}
	var least *lane
	for _, l := range o.lanes {
		if l.load < laneStreams {
			l.load++
			return l
		}
		if least == nil || l.load < least.load {
			least = l
		}
	}
	if len(o.lanes) < maxLanes {
		least = &lane{transport: o.pool.Clone()}
		least.transport.MaxConnsPerHost = 1 // who comes while it is dialled waits for it
		o.lanes = append(o.lanes, least)
	}
	least.load++
	return least
}

func (o *origin) leave(l *lane) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l.load--
}

func (o *origin) closeIdle() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range o.lanes {
		l.transport.CloseIdleConnections()
	}
}

// visit opens a connection, or keeps it open. The first visit tells which protocol the
// server speaks; with HTTP/2 the first lane is opened then.
func (o *origin) visit(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, visitTime)
	defer cancel()
	before := o.hasLanes()
	err := o.knock(ctx)
	if err == nil && o.hasLanes() && !before {
		err = o.knock(ctx)
	}
	return err
}

func (o *origin) hasLanes() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.http2
}

// knock asks a server for nothing in particular, and without a key: whatever it
// answers, the connection is open.
func (o *origin) knock(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, o.name+"/", http.NoBody)
	if err != nil {
		return fmt.Errorf("visit: %w", err)
	}
	resp, err := o.roundTrip(req)
	if err != nil {
		return fmt.Errorf("visit: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, visitAnswer))
	return err
}

// tracked gives the place in the lane back when the answer was read or given up.
type tracked struct {
	io.ReadCloser
	origin *origin
	lane   *lane
	left   atomic.Bool
}

func (t *tracked) leave() {
	if !t.left.Swap(true) {
		t.origin.leave(t.lane)
	}
}

func (t *tracked) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if err != nil {
		t.leave()
	}
	return n, err
}

func (t *tracked) Close() error {
	defer t.leave()
	return t.ReadCloser.Close()
}
