package decorate

import (
	"errors"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"whatsappnode/ports"
)

// again marks a failure that is repeated after a wait. Whether it is, and when,
// depends on how much of the call's budget is left, which a policy that serves all
// calls cannot see; so each attempt decides, and the policy obeys.
type again struct {
	wait time.Duration
	err  error
}

func (a *again) Error() string { return a.err.Error() }
func (a *again) Unwrap() error { return a.err }

// newRetry makes the retry policy of one provider and operation.
func newRetry(attempts int) failsafe.Executor[any] {
	policy := retrypolicy.NewBuilder[any]().
		WithMaxAttempts(attempts).
		ReturnLastFailure().
		HandleIf(func(_ any, err error) bool {
			var a *again
			return errors.As(err, &a)
		}).
		WithDelayFunc(func(e failsafe.ExecutionAttempt[any]) time.Duration {
			var a *again
			if errors.As(e.LastError(), &a) {
				return a.wait
			}
			return 0
		}).
		Build()
	return failsafe.With[any](policy)
}

// orAgain decides whether a failed attempt is worth a repeat; how many there are is
// the retry policy's to count. A success is nil.
//
//go:noinline
func (t *trial) orAgain(err error) error {
	switch {
	case err == nil, !ports.Retryable(err), t.breaker.shut():
		return err
	case t.others && ports.KindOf(err) == ports.KindTimeout:
		return err
	}
	wait := ports.RetryAfter(err) + t.policy.jitter(t.number)
	if time.Until(t.until)-wait < max(t.policy.Floor, t.policy.Least) {
		return err
	}
	return &again{wait: wait, err: err}
}

// jitter is the wait before repeat n, from 1.
func (p *Policy) jitter(n int) time.Duration {
	limit := min(p.Backoff<<(n-1), p.MaxBackoff)
	return time.Duration(p.Random() * float64(limit))
}
