package ports

import (
	"context"
	"errors"
	"time"

	"whatsappnode/domain"
)

// DedupPort lets each message in exactly once.
//
// Admit records every new message id and appends the message to its
// conversation's inbox, in one atomic and durable step, and answers for each
// message of the batch, in its order, whether it was new. A nil error means that
// all of it is durable; any error means that nothing may be promised, and the same
// batch may be admitted again: what was stored before is then a duplicate. There
// is no moment at which an id is known and its message is not stored.
//
// An id is remembered for 8 days from its first admission (Meta redelivers for
// 7); a duplicate never extends that. The same id twice in one batch is new once.
// Two business numbers are two conversations. A person is known by user id first
// and phone number second; both lead to the same conversation once a message
// carried both, and a System message moves a changed number or id to it. A phone
// number that was seen with one user id does not admit another: numbers are
// handed on to strangers, who must not inherit a conversation.
//
// A message with a Pause pauses its conversation in the same step, for PausedByOperator
// and until no earlier than a pause that is in force; and it acts like a change by
// ControlPort.Control: whoever holds the lease loses it, and the conversation is due at
// once. A duplicate pauses nothing.
//
// An invalid message fails the whole batch with KindInvalid; a store that cannot
// confirm fails it with KindTransient. Admit may be called concurrently and blocks
// at most until ctx ends. An empty batch is no error.
type DedupPort interface {
	Admit(ctx context.Context, batch []domain.Message) ([]Admission, error)
}

// DedupTTL is how long a message id is remembered.
const DedupTTL = 8 * 24 * time.Hour

// Admission says what became of one message.
type Admission struct {
	Message      domain.MessageID
	Conversation domain.ConversationID
	New          bool
}

// ErrLeaseLost says that the lease ran out or was taken over: the worker must not
// write or send for this conversation any more.
var ErrLeaseLost = errors.New("the lease on the conversation is lost")

// InboxPort hands conversations to workers, one worker at a time.
//
// It has seven methods because they are one protocol: the life of a lease. While a
// worker holds a lease on a conversation nobody else gets it; a lease that is not
// extended ends by itself, and its fencing token makes every later call of that
// worker fail with ErrLeaseLost and change nothing. All methods may be called
// concurrently; for one lease they are called one at a time, except Extend and
// Pending.
type InboxPort interface {
	// Lease blocks until a conversation is due and returns it with everything it
	// has waiting, or until ctx ends (then ctx's error). A conversation is due when
	// a message's Hold has passed, when a deferred turn's time has come, when a
	// status asks for work (see ConversationPort.Observe), or when a lease on it
	// ran out with work left. The conversation that is due longest comes first, but a
	// message of somebody who was leased before has HeadStart over those who write for
	// the first time, unless it has a Hold: a crowd of strangers must not make
	// customers wait.
	Lease(ctx context.Context) (Work, error)
	// Extend prolongs the lease by the store's lease time.
	Extend(ctx context.Context, lease Lease) error
	// Pending reads what Work.Pending would hold now: the messages no finished turn
	// has consumed, in order of admission, those of open turns too, at most
	// MaxPending. A message is in it if its admission was answered before the call,
	// unless older ones reach the bound; it waits for no Hold. It changes nothing: the
	// lease is not prolonged, and Finish removes the turn's inputs alone, whatever was
	// read. Without the lease the answer is ErrLeaseLost; a store that cannot be read
	// answers KindTransient.
	Pending(ctx context.Context, lease Lease) ([]domain.Message, error)
	// Checkpoint durably replaces the stored turn; the lease is kept.
	Checkpoint(ctx context.Context, lease Lease, turn domain.Turn) error
	// Finish durably stores the turn and the conversation, removes the turn's
	// inputs from the inbox and ends the lease, in one atomic step. A turn in state
	// TurnDead is kept as a dead letter. Messages that came meanwhile make the
	// conversation due again. Doing it twice is harmless: the second call answers
	// ErrLeaseLost.
	Finish(ctx context.Context, lease Lease, turn domain.Turn, conv domain.Conversation) error
	// Defer stores the turn if it is not nil, ends the lease and makes the
	// conversation due after the given time, by the store's clock, or earlier when
	// a status of an open turn arrives. New messages do not shorten the wait of a
	// deferred turn: its answer comes before theirs.
	Defer(ctx context.Context, lease Lease, turn *domain.Turn, after time.Duration) error
	// Release ends the lease and makes the conversation due at once, as a worker
	// that is told to stop does. Turns stay as they were last stored.
	Release(ctx context.Context, lease Lease) error
}

// HeadStart is how much longer than its message a conversation that was leased before
// counts as due. It is longer than a crowd lasts, and bounds how long a stranger is kept
// waiting by others.
const HeadStart = 10 * time.Minute

// Lease is the right to work on one conversation.
type Lease struct {
	Conversation domain.ConversationID
	// Token is the fencing token; it grows with every lease of the conversation.
	Token int64
	// TTL is the time after which the lease ends unless it is extended.
	TTL time.Duration
	// Cursor is the store's note of how many status facts Work held.
	Cursor int64
}

// Work is what a leased conversation has waiting.
type Work struct {
	Lease        Lease
	Conversation domain.Conversation
	// Open are the turns that are not finished, or that a late failure may have
	// reopened, oldest first, as they were last stored.
	Open []domain.Turn
	// Pending are the messages no finished turn has consumed, in order of
	// admission: those of open turns too. It is bounded by MaxPending; the rest
	// waits for the next lease.
	Pending []domain.Message
	// Facts are the statuses received for the sends of Open, in order of arrival.
	Facts []domain.Status
	// Controls are what people have decided about the conversation, see ControlPort.
	Controls domain.Controls
	// Abandoned says that the lease before this one was not ended but ran out, as it does
	// when its process is killed: what waits may have been what killed it. Finish, Defer
	// and Release end a lease while it holds, and ControlPort.Control and a message with a
	// Pause take it away; a call that is refused with ErrLeaseLost ends nothing. A lease
	// that reached nobody may have run out, too. The store knows it from what Lease reads
	// and writes anyway, so it costs no write.
	Abandoned bool
	// Now is the store's clock when the lease was given.
	Now time.Time
	// News receives a value when a message was admitted to the conversation after
	// Pending was read, by this process or another. It is a hint to call
	// InboxPort.Pending: it may be late, be missing or come without reason. It has room
	// for one value, so one may stand for several messages, and nobody needs to read
	// it; it is never closed, and silent once the lease ended. It is nil for a store
	// that cannot tell.
	News <-chan struct{}
	// NewsExact says that News misses nothing: when Admit has returned, the value is
	// there. Who holds the lease need not ask Pending then as long as there is none.
	NewsExact bool
}

// MaxPending bounds Work.Pending.
const MaxPending = 100

// ConversationPort reads conversations and records what Meta says of our sends.
type ConversationPort interface {
	// Observe durably records each status as a fact about the turn its Ref names,
	// or, without one, about the turn whose send has that wamid. The same fact
	// twice is recorded once. A fact about an open turn, and any failure, makes the
	// conversation due at once. The answer says for each status, in order, whether
	// it was new and which turn it belongs to; a status of an unknown send is not
	// an error. Errors are as for DedupPort.Admit.
	Observe(ctx context.Context, statuses []domain.Status) ([]Observation, error)
	// Load returns the conversation as last finished, or KindNotFound.
	Load(ctx context.Context, id domain.ConversationID) (domain.Conversation, error)
	// Turns returns the stored turns of a conversation, newest first, at most
	// limit, each with the facts received applied to it.
	Turns(ctx context.Context, id domain.ConversationID, limit int) ([]domain.Turn, error)
}

// Observation says what became of one status.
type Observation struct {
	// Turn is empty when the send is unknown.
	Turn         domain.TurnID
	Conversation domain.ConversationID
	New          bool
	// Priced is true for the first status of a send that says what it costs: it is the
	// one to book.
	Priced bool
}
