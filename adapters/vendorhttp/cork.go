package vendorhttp

import (
	"context"
	"net"
	"sync"

	"whatsappnode/adapters/h2client"
)

// cork keeps what is written while it is corked, so that the records of TLS that a crowd's
// requests make leave in one system call. Whoever writes otherwise, as TLS does for a new
// key, writes at once.
type cork struct {
	net.Conn
	mu      sync.Mutex
	corked  bool
	waiting pile
}

var _ h2client.Corked = (*cork)(nil)

// dialCork opens a connection that may be corked.
func dialCork(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &cork{Conn: conn}, nil
}

// Write implements net.Conn. An error of the network is Uncork's, where the connection is
// corked.
func (k *cork) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.corked {
		return k.Conn.Write(p)
	}
	k.waiting.add(p)
	return len(p), nil
}

// Cork implements h2client.Corked.
func (k *cork) Cork() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.corked = true
}

// Uncork implements h2client.Corked.
func (k *cork) Uncork() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.corked = false
	return k.waiting.leave(k.Conn)
}
