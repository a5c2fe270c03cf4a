package rig

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Balancer passes TCP connections on to the first of several addresses that takes
// them, starting with the next in turn. Cut stops it from passing anything on, as
// a broken network does: connections stay open and nothing comes through.
type Balancer struct {
	Addr string

	listener net.Listener
	next     atomic.Uint64
	cut      atomic.Bool

	mu      sync.Mutex
	targets []string
	conns   map[net.Conn]struct{}
	wg      sync.WaitGroup
}

// cutLook is how often a connection whose one side has ended looks whether the network
// is still cut.
const cutLook = 20 * time.Millisecond

// NewBalancer listens on a free loopback port.
func NewBalancer(targets ...string) (*Balancer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &Balancer{Addr: listener.Addr().String(), listener: listener, targets: targets, conns: map[net.Conn]struct{}{}}
	b.wg.Go(b.accept)
	return b, nil
}

// Close ends all connections and waits for their goroutines.
func (b *Balancer) Close() {
	_ = b.listener.Close()
	b.Reset()
	b.wg.Wait()
}

// Cut holds back everything until Mend.
func (b *Balancer) Cut() { b.cut.Store(true) }

// Mend ends Cut. Connections from before it are reset, since what they held back
// is lost.
func (b *Balancer) Mend() {
	b.Reset()
	b.cut.Store(false)
}

// Retarget sends new connections elsewhere and resets those there are, as a
// failover does.
func (b *Balancer) Retarget(targets ...string) {
	b.mu.Lock()
	b.targets = targets
	b.mu.Unlock()
	b.Reset()
}

// Reset closes all connections.
func (b *Balancer) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.conns {
		_ = c.Close()
	}
}

func (b *Balancer) accept() {
	for {
		conn, err := b.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // out of descriptors: they come back
			continue
		}
		b.wg.Go(func() { b.pass(conn) })
	}
}

func (b *Balancer) pass(conn net.Conn) {
	defer b.forget(conn)
	b.remember(conn)
	target := b.dial()
	if target == nil {
		return
	}
	b.remember(target)
	defer b.forget(target)
	var both sync.WaitGroup
	both.Go(func() { b.copy(target, conn) })
	both.Go(func() { b.copy(conn, target) })
	both.Wait()
}

func (b *Balancer) dial() net.Conn {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	b.mu.Lock()
	targets := b.targets
	b.mu.Unlock()
	first := int(b.next.Add(1))
	for i := range targets {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", targets[(first+i)%len(targets)])
		if err == nil {
			return conn
		}
	}
	return nil
}

// copy moves bytes until either side ends. While the network is cut, what was read
// is dropped, so that nobody learns anything.
func (b *Balancer) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && !b.cut.Load() {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			for err == io.EOF && b.cut.Load() {
				time.Sleep(cutLook) // the other side does not learn of the end either
			}
			return
		}
	}
}

func (b *Balancer) remember(c net.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.conns[c] = struct{}{}
}

func (b *Balancer) forget(c net.Conn) {
	_ = c.Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.conns, c)
}
