package ports

import (
	"context"

	"whatsappnode/domain"
)

// ControlPort keeps what people have decided about a conversation: that the bot is to
// keep silent for a while, that the person opted out, that the person is blocked.
//
// The controls may be changed at any time and by any process, also while a worker is
// at the conversation. They come with every lease (Work.Controls), so that a turn asks
// nobody for them; they outlive turns and memory, and go when the person is erased. A
// change is durable when nil is returned, and one that was made already changes nothing
// more. All methods may be called concurrently. A conversation that is not known is
// KindNotFound, a change that is not valid KindInvalid, a store that cannot confirm
// KindTransient.
type ControlPort interface {
	// Controls reads them as they are now. A pause whose time has passed is none.
	Controls(ctx context.Context, id domain.ConversationID) (domain.Controls, error)
	// Control makes a change from outside. Whoever holds a lease on the conversation
	// loses it at once, so that nothing is sent after the call returned but what was on
	// its way; the conversation is due at once if anything waits in it, deferred or not.
	Control(ctx context.Context, id domain.ConversationID, change domain.ControlChange) error
	// ControlHeld makes a change by the holder of the lease, who keeps it. Without the
	// lease the answer is ErrLeaseLost and nothing changes.
	ControlHeld(ctx context.Context, lease Lease, change domain.ControlChange) error
}
