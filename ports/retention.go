package ports

import "time"

// Retention says how long a store keeps what is not needed any more to answer. Time is
// the store's; what is over its time goes within minutes. What still has to be answered
// is kept however old it is.
type Retention struct {
	// History is how long a conversation remembers after its last finished turn. Who
	// comes back later is answered as a stranger.
	History time.Duration
	// Turns is how long a finished turn is kept, with what was heard, what was answered
	// and the statuses of its sends. A status that comes later finds no turn.
	Turns time.Duration
	// DeadLetters is how long an operator has to look at a dead letter.
	DeadLetters time.Duration
}

// The defaults of Retention.
const (
	DefaultHistory     = 30 * 24 * time.Hour
	DefaultTurns       = DedupTTL + 24*time.Hour // statuses follow their send within the week in which Meta redelivers
	DefaultDeadLetters = 30 * 24 * time.Hour
)

// OrDefault replaces what is zero.
func (r Retention) OrDefault() Retention {
	if r.History <= 0 {
		r.History = DefaultHistory
	}
	if r.Turns <= 0 {
		r.Turns = DefaultTurns
	}
	if r.DeadLetters <= 0 {
		r.DeadLetters = DefaultDeadLetters
	}
	return r
}

// Person is how long after its last finished turn a conversation that has nothing left
// goes altogether, with the names that lead to it: not before its message ids are
// forgotten, and not while the person is opted out, blocked or paused.
func (r Retention) Person() time.Duration { return max(r.History, DedupTTL+24*time.Hour) }
