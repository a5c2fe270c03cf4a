package gemini_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// pipes is a listener whose connections never leave the process. HTTP over it is
// real HTTP, and inside a testing/synctest bubble a deadline passes only when
// nobody has anything left to do, however busy the machine is.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newPipes() *pipes {
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	p.close = sync.OnceFunc(func() { close(p.closed) })
	return p
}

// Accept implements net.Listener.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *pipes) Close() error { p.close(); return nil }

// Addr implements net.Listener.
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type dialer = func(ctx context.Context, network, address string) (net.Conn, error)

// serveTCP serves on a loopback port and returns the address to call.
func serveTCP(t *testing.T, h http.Handler) (url string, dial dialer) {
	web := httptest.NewServer(h)
	t.Cleanup(web.Close)
	return web.URL, nil
}

// servePipes serves in memory and returns how to get there.
func servePipes(t *testing.T, h http.Handler) (url string, dial dialer) {
	p := newPipes()
	web := &http.Server{Handler: h}
	var wg sync.WaitGroup
	wg.Go(func() { _ = web.Serve(p) })
	t.Cleanup(func() {
		_ = web.Close()
		wg.Wait()
	})
	return "http://localhost", p.dial
}
