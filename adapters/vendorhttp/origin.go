package vendorhttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"whatsappnode/adapters/h2client"
)

const (
	// laneStreams is how many requests share one HTTP/2 connection, where the server does not
	// allow fewer. Servers allow 100 as a rule; what is above waits for a place.
	laneStreams = 80
	// maxLanes bounds the connections to one server.
	maxLanes = 256
	// maxTries is how often a request is sent on which no server acts.
	maxTries = 3
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

// roundTrip asks a lane or the pool. A request on which the server has not acted is sent
// again, on another connection where its own was closed.
func (o *origin) roundTrip(req *http.Request) (*http.Response, error) {
	o.used.Store(time.Now().UnixNano())
	for try := 1; ; try++ {
		l := o.enter()
		if l == nil {
			return o.ask(req)
		}
		resp, err := l.roundTrip(req)
		if err == nil || try == maxTries || !errors.Is(err, h2client.ErrUnusable) {
			return resp, err
		}
		again, ok := rewound(req)
		if !ok {
			return nil, err
		}
		req = again
	}
}

// rewound is a request that can be sent once more.
func rewound(req *http.Request) (*http.Request, bool) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, false
	}
	again := *req
	again.Body = body
	return &again, true
}

// ask uses the pool, and learns whether the server speaks HTTP/2.
func (o *origin) ask(req *http.Request) (*http.Response, error) {
	resp, err := o.pool.RoundTrip(req)
	if err == nil && resp.ProtoMajor == 2 {
		o.mu.Lock()
		o.http2 = true
		o.mu.Unlock()
	}
	return resp, err
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
		if l.load.Load() < l.most() {
			l.load.Add(1)
			return l
		}
		if least == nil || l.load.Load() < least.load.Load() {
			least = l
		}
	}
	if len(o.lanes) < maxLanes {
		least = o.newLane()
		o.lanes = append(o.lanes, least)
	}
	least.load.Add(1)
	return least
}

func (o *origin) closeIdle() {
	o.mu.Lock()
	lanes := slices.Clone(o.lanes)
	o.mu.Unlock()
	for _, l := range lanes {
		l.closeIdle()
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

// tracked gives the place in a lane back when the answer was read or given up, for the
// request with which the lane was dialled.
type tracked struct {
	io.ReadCloser
	lane *lane
	left atomic.Bool
}

func (t *tracked) leave() {
	if !t.left.Swap(true) {
		t.lane.leave()
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
