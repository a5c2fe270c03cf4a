package echohttp

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/netutil"
)

// serving is the life of one listener: bind, serve, drain.
type serving struct {
	name           string
	addr           string
	server         *http.Server
	maxConnections int
	drainDelay     time.Duration
	drainTimeout   time.Duration
	onDrain        func()

	mu       sync.Mutex
	listener net.Listener
}

// Listen binds the address. Run does it too when it was not done; doing it first
// tells the caller at once that a port is taken, and what ":0" became.
func (s *serving) Listen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return nil
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", s.addr)
	if err != nil {
		return fmt.Errorf("listen (%s): %w", s.name, err)
	}
	s.listener = l
	return nil
}

// Addr is the bound address, or nil before Listen.
func (s *serving) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Run serves until ctx ends, then stops accepting and lets requests in flight
// finish within the drain time-out. It returns nil after a clean drain, and an
// error when serving broke or requests had to be cut off. It is called once.
func (s *serving) Run(ctx context.Context) error {
	if err := s.Listen(); err != nil {
		return err
	}
	s.mu.Lock()
	listener := netutil.LimitListener(s.listener, s.maxConnections)
	s.mu.Unlock()

	// Requests outlive ctx: they end by themselves or when the drain runs out.
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	s.server.BaseContext = func(net.Listener) context.Context { return base }

	served := make(chan error, 1)
	go func() { served <- s.server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve (%s): %w", s.name, err)
	case <-ctx.Done():
	}

	s.onDrain()
	if s.drainDelay > 0 {
		select {
		case err := <-served:
			return fmt.Errorf("serve (%s): %w", s.name, err)
		case <-time.After(s.drainDelay):
		}
	}
	limit, done := context.WithTimeout(base, s.drainTimeout)
	defer done()
	err := s.server.Shutdown(limit)
	if err != nil {
		err = fmt.Errorf("drain (%s): requests were cut off: %w", s.name, err)
		cut()
		_ = s.server.Close()
	}
	<-served
	return err
}
