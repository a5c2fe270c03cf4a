package ports

import (
	"context"

	"whatsappnode/domain"
)

// ExportPort reads out what is stored about people, for the right of access. Find, of
// ErasurePort, tells whose conversations those are.
type ExportPort interface {
	// Export calls visit with everything that is stored of a conversation: what it
	// remembers, then each waiting message, each turn, and each dead letter, oldest
	// first in each. It holds a bounded number of records in memory. What is written
	// meanwhile may be in it or not. An error of visit ends it and is returned as it
	// is. A conversation that is not there is visited with nothing and is no error.
	Export(ctx context.Context, id domain.ConversationID, visit func(Stored) error) error
}

// Stored is one record of a conversation; one of its first four fields is set.
type Stored struct {
	// Conversation is what is remembered, as last finished.
	Conversation *domain.Conversation
	// Waiting is a message that no finished turn has consumed.
	Waiting *domain.Message
	// Turn is a turn with Facts applied to it.
	Turn *domain.Turn
	// Letter is the dead letter of a turn that was visited before.
	Letter *DeadLetter
	// Facts are the statuses received about Turn, in order of arrival.
	Facts []domain.Status
}
