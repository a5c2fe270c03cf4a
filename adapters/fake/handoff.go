package fake

import (
	"context"
	"sync"

	"whatsappnode/ports"
)

// Handoffs is a receiver of hand-offs that remembers.
type Handoffs struct {
	mu  sync.Mutex
	got []ports.Handoff
	// Fail, if set before the first call, decides about the n-th call, from 0.
	Fail func(n int) error
	n    int
}

var _ ports.HandoffPort = (*Handoffs)(nil)

// Request implements ports.HandoffPort.
func (h *Handoffs) Request(ctx context.Context, r ports.Handoff) error {
	if err := ports.FromContext(ctx, "fake.handoff"); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	n := h.n
	h.n++
	if h.Fail != nil {
		if err := h.Fail(n); err != nil {
			return err
		}
	}
	h.got = append(h.got, r)
	return nil
}

// Received are the requests that were confirmed, in their order.
func (h *Handoffs) Received() []ports.Handoff {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]ports.Handoff(nil), h.got...)
}

// Calls counts all calls.
func (h *Handoffs) Calls() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.n
}
