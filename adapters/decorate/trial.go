package decorate

import (
	"context"
	"errors"
	"time"

	"whatsappnode/ports"
)

// trial is one attempt at one provider. Whoever makes it ends it, once.
type trial struct {
	policy    *Policy
	operation string
	provider  string
	number    int
	hedge     bool
	probe     bool
	breaker   *breaker
	ctx       context.Context // the caller's; the attempt's own is derived from it
	until     time.Time       // the end of the provider's share of the budget
	others    bool            // another provider may be asked after this one
	began     time.Time
	ended     bool
}

// begin begins the attempt, unless the breaker is against it.
//
//go:noinline
func (t *trial) begin() error {
	probe, ok := t.breaker.admit()
	if !ok {
		return t.breaker.refusal()
	}
	t.probe, t.began = probe, time.Now()
	return nil
}

// again is one more attempt at the same provider, to be begun.
func (t *trial) again(number int) *trial {
	next := *t
	next.number, next.probe, next.ended = number, false, false
	return &next
}

// whole is the context of an attempt whose answer comes in one piece.
func (t *trial) whole() (context.Context, context.CancelFunc) {
	limit := min(t.policy.Attempt, t.until.Sub(t.began))
	return limited(t.ctx, late{"no answer", limit})
}

// limited ends ctx when l has passed, with l as the cause.
func limited(ctx context.Context, l late) (context.Context, context.CancelFunc) {
	if !sooner(ctx, l.limit) {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, l.limit, l)
}

// sooner reports whether limit passes before ctx ends. Where both fall together it
// is the caller's deadline that ends an attempt, and not now the one, now the other.
func sooner(ctx context.Context, limit time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Now().Add(limit).Before(deadline)
}

// end meters the attempt and tells the breaker. answering says that words had come
// before it failed.
func (t *trial) end(call Call, err error, answering bool) {
	t.close(call, err, t.judge(ports.KindOf(err), answering))
}

// errPanicked stands for the value of a panic, which may quote what a user wrote.
var errPanicked = errors.New("the provider panicked")

// abandon ends an attempt whose provider panicked.
func (t *trial) abandon(call Call) {
	t.close(call, &ports.Error{Op: t.operation, Kind: ports.KindUnknown, Err: errPanicked}, failing)
}

func (t *trial) close(call Call, err error, v verdict) {
	if t.ended {
		return
	}
	t.ended = true
	call.Provider, call.Operation, call.Attempt, call.Hedge = t.provider, t.operation, t.number, t.hedge
	call.Took, call.Kind, call.Err = time.Since(t.began), ports.KindOf(err), err
	t.breaker.settle(t.probe, v)
	t.policy.Observer.called(t.ctx, call)
}

// judge says what an outcome tells about the provider.
func (t *trial) judge(kind ports.Kind, answering bool) verdict {
	switch kind {
	case "", ports.KindBlocked:
		return healthy // a refusal is an answer
	case ports.KindCanceled:
		if answering {
			return healthy
		}
	case ports.KindTimeout:
		switch {
		case answering && t.ctx.Err() != nil:
			return healthy // the caller's time was up in the middle of an answer
		case answering, t.until.Sub(t.began) >= t.policy.Floor:
			return failing
		}
	case ports.KindTransient, ports.KindRateLimited, ports.KindDenied:
		return failing
	}
	return silent
}
