package decorate

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"whatsappnode/ports"
)

// State is how a circuit breaker stands.
type State string

// The states. A breaker stays open until somebody asks for its provider after the
// delay; that one call is the probe, and until it has ended everybody else is
// refused as before.
const (
	StateClosed   State = "closed"    // calls go through
	StateOpen     State = "open"      // calls are refused
	StateHalfOpen State = "half_open" // a probe is under way
)

// The standard breaker: half of the last ten attempts.
const (
	DefaultBreakerFailures = 5
	DefaultBreakerWindow   = 10
	DefaultBreakerDelay    = 15 * time.Second
)

// maxBreakerWindow bounds what each breaker remembers: a bit an attempt.
const maxBreakerWindow = 10_000

// BreakerPolicy says when a provider is left alone. The zero value is usable.
type BreakerPolicy struct {
	// Failures among the latest Window attempts open the breaker. They are the kinds
	// KindTransient, KindTimeout, KindRateLimited and KindDenied; what concerns one
	// request only is not held against a provider.
	Failures, Window int
	// Delay is how long the breaker is open before a probe.
	Delay time.Duration
	// OnState is told of each change. It must return at once and may be called
	// concurrently; nil ignores it.
	OnState func(provider, operation string, state State)
}

// Breakers hold a circuit breaker for each provider and operation. One set serves
// all decorators of a process that use the same accounts. It is safe for concurrent
// use.
type Breakers struct {
	policy BreakerPolicy
	mu     sync.Mutex
	all    map[breakerKey]*breaker
}

type breakerKey struct{ provider, operation string }

// NewBreakers checks the policy; providers are added as decorators name them.
func NewBreakers(p BreakerPolicy) (*Breakers, error) {
	if p.Failures == 0 {
		p.Failures = DefaultBreakerFailures
	}
	if p.Window == 0 {
		p.Window = max(DefaultBreakerWindow, p.Failures)
	}
	if p.Delay == 0 {
		p.Delay = DefaultBreakerDelay
	}
	if p.Failures < 0 || p.Window < p.Failures || p.Window > maxBreakerWindow || p.Delay < 0 {
		return nil, errors.New("breaker: it takes 1 failure or more, a window of at least as many and at most 10,000 attempts, and a delay that is not negative")
	}
	return &Breakers{policy: p, all: map[breakerKey]*breaker{}}, nil
}

// BreakerState is how one breaker stands.
type BreakerState struct {
	Provider, Operation string
	State               State
}

// States lists all breakers, by operation and provider.
func (b *Breakers) States() []BreakerState {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []BreakerState
	for k, each := range b.all {
		out = append(out, BreakerState{k.provider, k.operation, each.state()})
	}
	slices.SortFunc(out, func(x, y BreakerState) int {
		return cmp.Or(cmp.Compare(x.Operation, y.Operation), cmp.Compare(x.Provider, y.Provider))
	})
	return out
}

// State is how the breaker of a provider stands; one that nobody uses is closed.
func (b *Breakers) State(provider, operation string) State {
	b.mu.Lock()
	each, ok := b.all[breakerKey{provider, operation}]
	b.mu.Unlock()
	if !ok {
		return StateClosed
	}
	return each.state()
}

// of returns the one breaker of a provider and operation.
func (b *Breakers) of(provider, operation string) *breaker {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := breakerKey{provider, operation}
	if b.all[key] == nil {
		policy := circuitbreaker.NewBuilder[any]().
			WithFailureThresholdRatio(uint(b.policy.Failures), uint(b.policy.Window)).
			WithSuccessThreshold(1). // one call is the probe
			WithDelay(b.policy.Delay)
		if tell := b.policy.OnState; tell != nil {
			policy.OnStateChanged(func(e circuitbreaker.StateChangedEvent) { tell(provider, operation, stateOf(e.NewState)) })
		}
		b.all[key] = &breaker{operation: operation, circuit: policy.Build()}
	}
	return b.all[key]
}

// breaker guards one provider. The circuit is not composed with the retry policy,
// as the library offers, but asked and told by hand: a model's attempt goes on long
// after its first words were handed over, and some outcomes say nothing about the
// provider, for which the library's composition has no third answer.
type breaker struct {
	operation string
	circuit   circuitbreaker.CircuitBreaker[any]
}

// verdict is what an attempt says about its provider.
type verdict int

const (
	silent verdict = iota // nothing
	healthy
	failing
)

// admit asks whether the provider may be called now. Whoever is let in must settle.
func (b *breaker) admit() (probe, ok bool) {
	if !b.circuit.TryAcquirePermit() {
		return false, false
	}
	return b.circuit.IsHalfOpen(), true
}

// settle tells how an admitted call went. A probe that says nothing, because its
// caller left or its request was at fault, puts the breaker back to open: the
// library keeps the one permit until a result is recorded, and nobody else would
// ever be let in.
func (b *breaker) settle(probe bool, v verdict) {
	switch {
	case v == healthy:
		b.circuit.RecordSuccess()
	case v == failing:
		b.circuit.RecordFailure()
	case probe && b.circuit.IsHalfOpen():
		b.circuit.Open()
	}
}

// shut reports whether a call now would be refused for sure.
func (b *breaker) shut() bool {
	return b.circuit.IsOpen() && b.circuit.RemainingDelay() > 0
}

// errShut is inside the error of a refused call.
var errShut = errors.New("the circuit breaker is open")

// refusal is the error of a call that was not let in. It is transient, so that
// another provider is asked, and names the time until the next probe.
func (b *breaker) refusal() error {
	return &ports.Error{Op: b.operation, Kind: ports.KindTransient, RetryAfter: b.circuit.RemainingDelay(), Err: errShut}
}

func (b *breaker) state() State { return stateOf(b.circuit.State()) }

func stateOf(s circuitbreaker.State) State {
	switch s {
	case circuitbreaker.OpenState:
		return StateOpen
	case circuitbreaker.HalfOpenState:
		return StateHalfOpen
	}
	return StateClosed
}
