package fake

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"whatsappnode/ports"
)

// MaxCalls is how many of its latest calls a fake vendor remembers.
const MaxCalls = 10_000

// desk is what the fake vendors have in common: knobs, counters and the call log.
type desk[C any] struct {
	mu     sync.Mutex
	knobs  Knobs
	since  int // calls since the knobs were set
	total  int
	recent []C
}

// Set replaces the knobs; calls under way keep theirs.
func (d *desk[C]) Set(k Knobs) error {
	if err := k.Validate(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.knobs, d.since = k, 0
	return nil
}

// Count is how many calls there were.
func (d *desk[C]) Count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.total
}

// Calls returns the latest calls, oldest first, at most MaxCalls.
func (d *desk[C]) Calls() []C {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.total <= MaxCalls {
		return slices.Clone(d.recent)
	}
	at := d.total % MaxCalls
	return slices.Concat(d.recent[at:], d.recent[:at])
}

// begin logs a call and returns the knobs that hold for it, and whether it fails.
func (d *desk[C]) begin(call C) (k Knobs, fails bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.recent) < MaxCalls {
		d.recent = append(d.recent, call)
	} else {
		d.recent[d.total%MaxCalls] = call
	}
	d.total++
	d.since++
	k = d.knobs
	if k.HangEvery > 0 {
		k.Hang = d.since%k.HangEvery == 0
	}
	fails = k.Error != "" && (k.ErrorNext == 0 || d.since <= k.ErrorNext) && (k.ErrorEvery == 0 || d.since%k.ErrorEvery == 0)
	return k, fails
}

// failure is the error the knobs ask for.
func (k Knobs) failure(op string) error {
	return &ports.Error{Op: op, Kind: k.Error, RetryAfter: k.RetryAfter, Err: errors.New("as the knobs ask")}
}

// wait sleeps, or hangs when the knobs say so, until ctx ends.
func (k Knobs) wait(ctx context.Context, op string, d time.Duration) error {
	if k.Hang {
		<-ctx.Done()
		return ports.FromContext(ctx, op)
	}
	return sleep(ctx, op, d)
}

func sleep(ctx context.Context, op string, d time.Duration) error {
	if err := ports.FromContext(ctx, op); err != nil || d <= 0 {
		return err
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ports.FromContext(ctx, op)
	}
}
