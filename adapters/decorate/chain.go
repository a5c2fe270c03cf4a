package decorate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/failsafe-go/failsafe-go"

	"whatsappnode/ports"
)

// Named is a provider and the name it has in settings, errors and meters. Two
// providers of one vendor with different accounts need different names.
type Named[P any] struct {
	Name string
	Port P
}

// The providers of each port.
type (
	NamedLLM = Named[ports.LLMPort]
	NamedSTT = Named[ports.STTPort]
	NamedTTS = Named[ports.TTSPort]
)

// provider is one vendor's side of an operation, with its policies.
type provider[P any] struct {
	Named[P]
	breaker *breaker
	retry   failsafe.Executor[any]
}

// chain asks providers in order until one answers. P is the port, R its answer.
type chain[P, R any] struct {
	operation string
	policy    Policy
	providers []provider[P]
	// discard frees an answer that came too late to be used; nil where there is
	// nothing to free.
	discard func(R)
}

// ask makes one attempt. When it fails it has ended the trial; when it succeeds it
// may end it later, with the answer.
type ask[P, R any] func(t *trial, port P) (R, error)

func newChain[P, R any](operation string, all []Named[P], policy Policy) (*chain[P, R], error) {
	policy, fault := policy.withDefaults(operation)
	faults := []error{fault}
	if len(all) == 0 {
		faults = append(faults, errors.New("there is no provider"))
	}
	seen := map[string]bool{}
	for _, p := range all {
		if p.Name == "" || seen[p.Name] {
			faults = append(faults, fmt.Errorf("the provider name %q is empty or used twice", p.Name))
		}
		if any(p.Port) == nil {
			faults = append(faults, fmt.Errorf("provider %q is nil", p.Name))
		}
		seen[p.Name] = true
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	c := &chain[P, R]{operation: operation, policy: policy}
	for _, p := range all {
		c.providers = append(c.providers, provider[P]{
			Named: p, breaker: policy.Breakers.of(p.Name, operation), retry: newRetry(policy.Attempts),
		})
	}
	return c, nil
}

// run asks until a provider answers or none is left. The caller calls release when
// it is done with the answer, also after an error: everything that was started has
// ended when release returns.
func (c *chain[P, R]) run(ctx context.Context, ask ask[P, R]) (R, func(), error) {
	var none R
	ctx, forget, err := c.bounded(ctx)
	if err != nil {
		return none, forget, err
	}
	if !c.hedges() {
		r, err := c.inTurn(ctx, ask)
		return r, forget, err
	}
	r, losers, err := c.race(ctx, ask)
	return r, func() { losers(); forget() }, err
}

// bounded gives a call without a deadline one, and refuses a call for which there is no
// time. The caller calls forget when the call has ended, also after an error.
func (c *chain[P, R]) bounded(ctx context.Context) (_ context.Context, forget func(), err error) {
	forget = func() {}
	if err := ports.FromContext(ctx, c.operation); err != nil {
		return ctx, forget, err
	}
	if _, ok := ctx.Deadline(); !ok {
		ctx, forget = context.WithTimeout(ctx, c.policy.Budget)
	}
	if left := c.left(ctx); left < c.policy.Least {
		return ctx, forget, &ports.Error{Op: c.operation, Kind: ports.KindTimeout, Err: late{"nothing can be done", left}}
	}
	return ctx, forget, nil
}

// hedges reports whether a second provider may be asked while the first is at it.
func (c *chain[P, R]) hedges() bool { return c.policy.Hedge > 0 && len(c.providers) > 1 }

// inTurn asks one provider after the other.
func (c *chain[P, R]) inTurn(ctx context.Context, ask ask[P, R]) (R, error) {
	var failed failures
	for i := 0; ; i++ {
		r, err := c.leg(ctx, i, false, ask)
		if err == nil {
			return r, nil
		}
		if !c.next(ctx, i, err, &failed) {
			return r, c.verdict(ctx, failed)
		}
	}
}

// next takes note of the failure of provider i and reports whether the one behind it is
// asked.
//
//go:noinline
func (c *chain[P, R]) next(ctx context.Context, i int, err error, failed *failures) bool {
	*failed = append(*failed, failure{c.providers[i].Name, err})
	if !c.goesOn(ctx, i+1, err) {
		return false
	}
	c.switched(ctx, i, err)
	return true
}

// switched tells the observer that the provider behind i takes over.
func (c *chain[P, R]) switched(ctx context.Context, i int, err error) {
	c.policy.Observer.switched(ctx, Switch{
		Operation: c.operation, From: c.providers[i].Name, To: c.providers[i+1].Name, Kind: ports.KindOf(err), Err: err,
	})
}

// goesOn reports whether the provider next is asked after err.
func (c *chain[P, R]) goesOn(ctx context.Context, next int, err error) bool {
	left := c.left(ctx)
	return next < len(c.providers) && failsOver(err) && ctx.Err() == nil && left > 0 && left >= c.policy.Least
}

// verdict is the error of a call that no provider answered.
func (c *chain[P, R]) verdict(ctx context.Context, failed failures) error {
	last := failed[len(failed)-1].err
	switch {
	case ctx.Err() != nil:
		return ports.FromContext(ctx, c.operation)
	case !failsOver(last):
		return last
	}
	return failed.together(c.operation)
}

// left is what is left of the budget.
func (c *chain[P, R]) left(ctx context.Context) time.Duration {
	deadline, _ := ctx.Deadline() // run made sure that there is one
	return time.Until(deadline)
}

// share is when the turn of provider i ends: what is left is divided by those that
// may still be asked. One whose breaker is open refuses at once and needs no time.
func (c *chain[P, R]) share(ctx context.Context, i int) (until time.Time, others bool) {
	parts := 1
	for _, p := range c.providers[i+1:] {
		if !p.breaker.shut() {
			parts++
		}
	}
	deadline, _ := ctx.Deadline()
	until = time.Now().Add(max(time.Until(deadline)/time.Duration(parts), c.policy.Floor))
	if until.After(deadline) {
		until = deadline
	}
	return until, parts > 1
}

// leg asks one provider, as often as the policy says. The first attempt is made without
// the library, whose frames would stand on the stack of every turn that waits.
func (c *chain[P, R]) leg(ctx context.Context, i int, hedge bool, ask ask[P, R]) (R, error) {
	p := &c.providers[i]
	first := c.trial(ctx, i, hedge)
	answer, err := attempt(first, p.Port, ask)
	if err == nil {
		return answer, nil // even when ctx ended meanwhile
	}
	return repeat(p, first, err, ask)
}

// trial is the first attempt at a provider.
//
//go:noinline
func (c *chain[P, R]) trial(ctx context.Context, i int, hedge bool) *trial {
	p := &c.providers[i]
	t := &trial{policy: &c.policy, operation: c.operation, provider: p.Name, number: 1, hedge: hedge, breaker: p.breaker, ctx: ctx}
	t.until, t.others = c.share(ctx, i)
	return t
}

// attempt makes one, if the breaker lets it.
func attempt[P, R any](t *trial, port P, ask ask[P, R]) (answer R, err error) {
	if err := t.begin(); err != nil {
		return answer, err
	}
	back := false
	defer func() {
		if !back {
			t.abandon(Call{})
		}
	}()
	answer, err = ask(t, port)
	back = true
	return answer, t.orAgain(err)
}

// repeat makes the further attempts, if any. The library counts them, and waits between
// them; the first is one of them, and failed already.
//
//go:noinline
func repeat[P, R any](p *provider[P], first *trial, failed error, ask ask[P, R]) (R, error) {
	var none, answer R
	var a *again
	if errors.As(failed, &a) {
		answered := false
		failed = p.retry.WithContext(first.ctx).RunWithExecution(func(e failsafe.Execution[any]) (err error) {
			if e.IsFirstAttempt() {
				return failed
			}
			answer, err = attempt(first.again(e.Attempts()), p.Port, ask)
			answered = err == nil
			return err
		})
		if answered {
			return answer, nil // even when ctx ended meanwhile, which the executor prefers to tell
		}
	}
	if errors.As(failed, &a) {
		failed = a.err
	}
	if ended := ports.FromContext(first.ctx, first.operation); ended != nil {
		failed = ended
	}
	return none, failed
}
