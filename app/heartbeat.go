package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"whatsappnode/ports"
)

// heartbeatEvery is how often leases in hand are looked at; a lease is extended
// once a third of its time is gone.
const heartbeatEvery = time.Second

// extendsAtOnce bounds the extensions under way, so that thousands of turns in
// hand are extended in time and the store is not flooded.
const extendsAtOnce = 16

// heartbeat keeps the leases in hand alive. A turn whose lease is lost, or could
// not be extended before it ran out, is stopped: somebody else may be at it.
func (w *Worker) heartbeat(ctx context.Context) {
	tick := time.NewTicker(heartbeatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			var wg sync.WaitGroup
			calls := make(chan struct{}, extendsAtOnce)
			for key, h := range w.aging(time.Now()) {
				calls <- struct{}{}
				wg.Go(func() {
					defer func() { <-calls }()
					w.extend(ctx, key, h)
				})
			}
			wg.Wait()
		}
	}
}

// aging lists copies of the leases that have used up a third of their time.
func (w *Worker) aging(now time.Time) map[int64]hold {
	w.mu.Lock()
	defer w.mu.Unlock()
	due := map[int64]hold{}
	for key, h := range w.held {
		if now.After(h.until.Add(-h.lease.TTL * 2 / 3)) {
			due[key] = *h
		}
	}
	return due
}

func (w *Worker) extend(ctx context.Context, key int64, h hold) {
	asked := time.Now()
	callCtx, cancel := context.WithDeadline(ctx, h.until)
	defer cancel()
	err := w.inbox.Extend(callCtx, h.lease)
	switch {
	case err == nil:
		w.mu.Lock()
		defer w.mu.Unlock()
		if held, ok := w.held[key]; ok {
			held.until = asked.Add(h.lease.TTL) // counted from before the call: never later than the store's view
		}
	case errors.Is(err, ports.ErrLeaseLost), !time.Now().Before(h.until):
		h.cancel(ports.ErrLeaseLost)
	default:
		w.trouble("lease not extended", &ports.Work{Lease: h.lease}, err)
	}
}
