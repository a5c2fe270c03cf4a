package decorate

import (
	"context"
	"sync"
	"time"

	"whatsappnode/ports"
)

// maxAtOnce is how many providers are asked at the same time.
const maxAtOnce = 2

// race asks the first provider, and after the hedge's delay the second as well; one
// that fails is followed by the next at once. The first answer wins.
//
// The library's hedge policy is not used: it asks the same function again, not
// another provider, and waits for no loser.
type race[P, R any] struct {
	*chain[P, R]
	ctx     context.Context
	ask     ask[P, R]
	results chan outcome[R] // has room for all, so that no leg ever waits
	cancels []context.CancelFunc
	legs    sync.WaitGroup
	running int
}

// outcome is how one provider's leg of a race ended.
type outcome[R any] struct {
	provider int
	answer   R
	err      error
	panicked any
}

// race runs a race to its first answer. release is called whatever the outcome: it
// ends the winner's context and returns when the losers have ended.
func (c *chain[P, R]) race(ctx context.Context, ask ask[P, R]) (answer R, release func(), err error) {
	r := &race[P, R]{chain: c, ctx: ctx, ask: ask, results: make(chan outcome[R], len(c.providers))}
	answer, err = r.run()
	return answer, r.release, err
}

func (r *race[P, R]) run() (R, error) {
	var (
		none   R
		failed failures
	)
	r.begin(false)
	timer := time.NewTimer(r.policy.Hedge)
	defer timer.Stop()
	for {
		next := len(r.cancels)
		select {
		case <-timer.C:
			if next == len(r.providers) || r.running == maxAtOnce {
				continue
			}
			r.told(next-1, nil)
			r.begin(true)
		case o := <-r.results:
			r.running--
			switch {
			case o.panicked != nil:
				r.release()
				panic(o.panicked) // it is the caller's, who asked
			case o.err == nil:
				r.cancelAllBut(o.provider)
				return o.answer, nil
			}
			failed = append(failed, failure{r.providers[o.provider].Name, o.err})
			if !r.goesOn(r.ctx, next, o.err) {
				if r.running > 0 && failsOver(o.err) {
					continue
				}
				return none, r.verdict(r.ctx, failed)
			}
			r.told(o.provider, o.err)
			r.begin(r.running > 0)
		}
		timer.Reset(r.policy.Hedge)
	}
}

// begin asks the next provider.
func (r *race[P, R]) begin(hedge bool) {
	i := len(r.cancels)
	ctx, cancel := context.WithCancel(r.ctx)
	r.cancels = append(r.cancels, cancel)
	r.running++
	r.legs.Go(func() { r.results <- r.caught(ctx, i, hedge) })
}

// caught runs a leg and catches its panic for the goroutine that waits.
func (r *race[P, R]) caught(ctx context.Context, i int, hedge bool) (o outcome[R]) {
	o.provider = i
	defer func() {
		if v := recover(); v != nil {
			o.panicked = v
		}
	}()
	o.answer, o.err = r.leg(ctx, i, hedge, r.ask)
	return o
}

// told tells that the next provider is asked after the failure of one, or, without
// a failure, because it is slow.
func (r *race[P, R]) told(from int, err error) {
	r.policy.Observer.switched(r.ctx, Switch{
		Operation: r.operation, From: r.providers[from].Name, To: r.providers[len(r.cancels)].Name,
		Kind: ports.KindOf(err), Err: err, Hedge: err == nil,
	})
}

func (r *race[P, R]) cancelAllBut(winner int) {
	for i, cancel := range r.cancels {
		if i != winner {
			cancel()
		}
	}
}

func (r *race[P, R]) release() {
	r.cancelAllBut(-1)
	r.legs.Wait()
	close(r.results)
	for o := range r.results {
		if o.err == nil && o.panicked == nil && r.discard != nil {
			r.discard(o.answer)
		}
	}
}
