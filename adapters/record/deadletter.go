package record

import (
	"time"

	"whatsappnode/domain"
)

// DeadLetter is a turn that was given up, with the messages it could not answer,
// as stores hand it to operator commands.
type DeadLetter struct {
	Turn domain.Turn
	// Messages are the turn's inputs as far as they were still in the inbox when
	// the turn died, in order of admission.
	Messages []domain.Message
	// At is when the turn was finished, by the store's clock.
	At time.Time
}

// Reason is the stable word under which the turn died.
func (d DeadLetter) Reason() string { return d.Turn.Reason() }
