package ports

import (
	"context"
	"time"

	"whatsappnode/domain"
)

// HandoffPort tells a receiver outside, as a help desk, that a person asked for a human.
//
// Request blocks until the receiver has confirmed, or until its deadline, which is five
// seconds at most. It is idempotent: the same Handoff may be sent any number of times, by
// any process, and the receiver knows it by its ID. It may be called concurrently. It
// does not retry: whoever calls does, while the failure is KindTransient,
// KindRateLimited, KindTimeout or KindDenied; every other kind stays as it is. The end of
// ctx is KindCanceled or KindTimeout. An error tells neither the address nor the person.
type HandoffPort interface {
	Request(ctx context.Context, h Handoff) error
}

// Handoff is one request of a person for a human. It has no words of the person.
type Handoff struct {
	ID           domain.TurnID
	At           time.Time // when the turn began in which the person asked
	Number       domain.NumberID
	Conversation domain.ConversationID
	// Contact is who asked; the name is not passed on.
	Contact domain.Contact
	// Language is the BCP 47 tag of the sentence the person was told, or empty.
	Language string
	// Unsaid is true for a person who was told nothing, since no money was left for it.
	Unsaid bool
}
