package vendorhttp

import (
	"context"
	"net"
	"runtime"
	"sync"
	"time"
)

const (
	// maxBatch is how much may wait to be written; more waits for room.
	maxBatch = 256 << 10
	// lastWords is how long a connection that is closed may take to write what waits.
	lastWords = time.Second
)

// batch writes from a goroutine of its own, which takes all that has gathered by the
// time it gets to run. It is for the pool; lanes gather their writes themselves. net/http's
// HTTP/2 writes the headers and the body of each request by themselves; a busy process gives dozens of requests to one system call this way, and
// an idle one loses a few microseconds. Whoever writes learns of an error of the network
// with a later call, as from a connection that breaks while the system still holds what
// was written. The goroutine ends with Close.
type batch struct {
	net.Conn
	mu      sync.Mutex
	room    *sync.Cond
	waiting pile
	spare   pile // what the goroutine wrote last, empty
	err     error
	closed  bool
	wake    chan struct{}
	ended   chan struct{}
}

var dialer = &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}

// dialBatch opens a connection whose small writes leave together.
func dialBatch(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return newBatch(conn), nil
}

func newBatch(conn net.Conn) *batch {
	b := &batch{Conn: conn, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	b.room = sync.NewCond(&b.mu)
	go b.run()
	return b
}

// Write implements net.Conn. An error of the network is that of a later call.
func (b *batch) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.waiting.size > maxBatch && b.err == nil && !b.closed {
		b.room.Wait()
	}
	switch {
	case b.closed:
		return 0, net.ErrClosed
	case b.err != nil:
		return 0, b.err
	}
	b.waiting.add(p)
	b.nudge()
	return len(p), nil
}

func (b *batch) nudge() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *batch) run() {
	defer close(b.ended)
	for range b.wake {
		runtime.Gosched() // whoever is about to write goes first
		b.mu.Lock()
		out, closed := b.waiting, b.closed
		b.waiting, b.spare = b.spare, pile{}
		b.room.Broadcast()
		b.mu.Unlock()
		err := out.leave(b.Conn)
		b.mu.Lock()
		if b.err == nil {
			b.err = err
		}
		b.spare = out
		b.room.Broadcast()
		b.mu.Unlock()
		if closed {
			return
		}
	}
}

// Close implements net.Conn. What waits is written first.
func (b *batch) Close() error {
	b.mu.Lock()
	again := b.closed
	b.closed = true
	b.room.Broadcast()
	b.nudge()
	b.mu.Unlock()
	if !again {
		_ = b.SetWriteDeadline(time.Now().Add(lastWords)) // a peer that takes nothing holds nobody up
		<-b.ended
	}
	return b.Conn.Close()
}
