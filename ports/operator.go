package ports

import (
	"context"
	"time"

	"whatsappnode/domain"
)

// DeadLetterPort is for the operator: the turns that were given up, with the
// messages they did not answer. All methods may be called concurrently with
// everything else. A turn that is not a dead letter is KindNotFound.
type DeadLetterPort interface {
	// DeadLetters returns the newest dead letters first, at most limit.
	DeadLetters(ctx context.Context, limit int) ([]DeadLetter, error)
	// Replay puts the messages of a dead letter back into their conversation's
	// inbox, due at once, and removes the dead letter, in one atomic step. The ids
	// stay known: a redelivery is still a duplicate. Doing it twice is KindNotFound.
	Replay(ctx context.Context, turn domain.TurnID) error
	// Discard removes a dead letter for good.
	Discard(ctx context.Context, turn domain.TurnID) error
}

// DeadLetter is a turn in state TurnDead with what it failed to answer.
type DeadLetter struct {
	Turn     domain.Turn
	Messages []domain.Message
	At       time.Time
}

// ErasurePort finds and forgets people.
type ErasurePort interface {
	// Find returns the conversations a person has, at all business numbers: those
	// that any name in who leads to. None is not an error.
	Find(ctx context.Context, who domain.Contact) ([]domain.ConversationID, error)
	// Erase removes everything that is stored about a person: conversations,
	// inboxes, turns, facts, dead letters, message ids and the names that lead to
	// them. When it returns nil nothing in the store mentions the person. A worker
	// that holds the conversation loses its lease. Doing it again removes nothing
	// and is no error. A message that arrives afterwards starts anew.
	Erase(ctx context.Context, who domain.Contact) (Erased, error)
}

// Erased counts what was removed.
type Erased struct {
	Conversations, Messages, Turns, DeadLetters, MessageIDs, Names int
}

// PacerPort keeps sends below limits that all processes share. A bucket holds
// Capacity tokens and gains one each Every; it starts full. Time is the store's.
// All methods may be called concurrently.
type PacerPort interface {
	// Take takes a token and returns 0, or takes none and returns how long it will
	// be until there is one.
	Take(ctx context.Context, b Bucket) (time.Duration, error)
	// Hold empties a bucket and keeps it empty for d, because the network said that
	// it is. A hold never shortens one that is in force.
	Hold(ctx context.Context, b Bucket, d time.Duration) error
}

// Bucket is one limit. Key must not contain personal data.
type Bucket struct {
	Key      string
	Capacity int
	Every    time.Duration
}
