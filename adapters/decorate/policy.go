package decorate

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// The operations, as errors, meters and breakers name them.
const (
	OperationLLM = "llm"
	OperationSTT = "stt"
	OperationTTS = "tts"
)

// What a Policy says where it says nothing.
const (
	// A model that streams for a minute wrote more than anybody listens to.
	DefaultAnswer = 60 * time.Second
	// A clip of some minutes is heard or spoken in far less by every engine that
	// can keep up with a conversation.
	DefaultTranscribe = 30 * time.Second
	DefaultSynthesize = 30 * time.Second
	// Models that think first are silent for some seconds; a person who sees
	// "typing" waits about as long.
	DefaultFirstToken = 15 * time.Second
	DefaultIdle       = 10 * time.Second
	DefaultBudget     = 60 * time.Second
	DefaultFloor      = 2 * time.Second
	DefaultAttempts   = 2
	DefaultBackoff    = 200 * time.Millisecond
	DefaultMaxBackoff = 2 * time.Second
)

// maxAttempts bounds Policy.Attempts: more would only delay the next provider.
const maxAttempts = 10

// Policy says how LLM, STT and TTS treat their providers. The zero value is usable:
// every field that is zero has the default its comment names.
//
// All times are parts of one budget, the deadline of the call's context, which
// whoever calls shares out among the stages of a turn: what a slow ear used up, the
// model and the voice do not have.
type Policy struct {
	// Attempt bounds one attempt as a whole, a model's answer to its last word:
	// DefaultAnswer, DefaultTranscribe or DefaultSynthesize.
	Attempt time.Duration
	// FirstToken bounds the wait for a model's first words, and Idle its silence
	// between two chunks after them. The time a reader spends on a chunk does not
	// count. Models only.
	FirstToken, Idle time.Duration
	// Budget bounds a call whose context has no deadline.
	Budget time.Duration
	// Floor is the time an attempt is worth making for. A provider is given the
	// budget that is left divided by the providers that are left, but not less than
	// Floor while there is that much; a repeat that would have less is not made; and
	// a provider that was given less is not blamed for being late. It is at most
	// Attempt, and for a model at most FirstToken.
	Floor time.Duration
	// Least refuses, at once and as KindTimeout, a call that begins with less than
	// this left, and ends failover when less is left. It is for a voice that would
	// not be ready in time, so that the answer goes out as text early. Zero tries
	// with whatever there is.
	Least time.Duration

	// Attempts is how often one provider is asked in one call, the first time
	// included; at most 10. Only failures that ports.Retryable names are repeated, a
	// model's only before its first words. A timeout is repeated only where no other
	// provider is left to ask: it has cost too much already.
	Attempts int
	// Backoff and MaxBackoff are full jitter: the wait before repeat n is random
	// between nothing and Backoff doubled n-1 times, MaxBackoff at most. What the
	// vendor itself asks us to wait comes on top; a wait that does not fit into the
	// provider's share of the budget is not begun, and the next provider is asked.
	Backoff, MaxBackoff time.Duration

	// Hedge is how long the first provider may take before the second is asked as
	// well. The first to answer (a model: with its first words) is taken and the
	// other is cancelled, but its vendor may bill it all the same. At most two are
	// under way at a time. Zero is off.
	Hedge time.Duration

	// Random gives numbers in [0,1) for the jitter; nil is math/rand/v2. It may be
	// called concurrently.
	Random func() float64
	// Breakers are shared by all decorators that use the same accounts; nil gives
	// this one its own, with the defaults.
	Breakers *Breakers
	Observer Observer
}

// withDefaults fills what is zero and lists what is wrong.
func (p Policy) withDefaults(operation string) (Policy, error) {
	whole := map[string]time.Duration{
		OperationLLM: DefaultAnswer, OperationSTT: DefaultTranscribe, OperationTTS: DefaultSynthesize,
	}[operation]
	var faults []error
	for _, f := range []struct {
		name     string
		value    *time.Duration
		standard time.Duration
	}{
		{"attempt", &p.Attempt, whole},
		{"first token", &p.FirstToken, DefaultFirstToken},
		{"idle", &p.Idle, DefaultIdle},
		{"budget", &p.Budget, DefaultBudget},
		{"floor", &p.Floor, DefaultFloor},
		{"least", &p.Least, 0},
		{"backoff", &p.Backoff, DefaultBackoff},
		{"longest backoff", &p.MaxBackoff, DefaultMaxBackoff},
		{"hedge", &p.Hedge, 0},
	} {
		if *f.value < 0 {
			faults = append(faults, fmt.Errorf("the %s time is negative", f.name))
		}
		if *f.value == 0 {
			*f.value = f.standard
		}
	}
	p.Floor = min(p.Floor, p.Attempt)
	if operation == OperationLLM {
		p.Floor = min(p.Floor, p.FirstToken)
	}
	if p.Attempts == 0 {
		p.Attempts = DefaultAttempts
	}
	if p.Attempts < 0 || p.Attempts > maxAttempts {
		faults = append(faults, fmt.Errorf("%d attempts are outside 1..%d", p.Attempts, maxAttempts))
	}
	if p.Random == nil {
		p.Random = rand.Float64
	}
	if p.Breakers == nil {
		b, err := NewBreakers(BreakerPolicy{})
		faults = append(faults, err)
		p.Breakers = b
	}
	return p, errors.Join(faults...)
}
