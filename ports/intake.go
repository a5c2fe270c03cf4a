package ports

import (
	"context"

	"whatsappnode/domain"
)

// IntakePort is the driving port of the webhook: the application implements it
// and the HTTP adapter calls it.
//
// Receive stores everything the envelope says. A nil error means that it is
// durable and the sender may forget it; on any error the sender must deliver it
// again. It starts no conversation with the outside and returns within the time
// of one durable write.
type IntakePort interface {
	Receive(ctx context.Context, env domain.Envelope) (Receipt, error)
}

// Receipt lists what became of each message, in the envelope's order. It is empty
// for an envelope without messages.
type Receipt struct {
	Messages []Admission
}
