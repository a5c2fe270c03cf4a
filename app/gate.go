package app

import (
	"context"
	"time"

	"whatsappnode/domain"
)

// gate is asked before anything is spent on a turn. It may end the turn, or put words
// of the bot's own in place of an answer. Gates look at the turn's messages and at
// what is stored; they ask no vendor. An error is a store's and interrupts the turn.
type gate func(ctx context.Context, s *session) (verdict, error)

// verdict is what a gate says of a turn. The zero verdict lets it pass.
type verdict struct {
	// drop ends the turn unanswered, for this reason.
	drop string
	// later has the turn taken up again after that time.
	later time.Duration
	// reply is said instead of an answer of the model.
	reply *domain.Reply
	// unsaid hands the person over without the reply, for which there is no money.
	unsaid bool
}

// pass asks the gates in their order; the first that does not let the turn pass
// decides. They are asked again when messages joined the turn, and when the turn is taken
// up again, but not once its answer is fixed.
func (s *session) pass(ctx context.Context) (verdict, error) {
	if state := s.turn.State(); state != domain.TurnReceived && state != domain.TurnTranscribed {
		return verdict{}, nil
	}
	s.wants = ""
	for _, g := range s.gates {
		if v, err := g(ctx, s); err != nil || v != (verdict{}) {
			return s.afford(ctx, v, err)
		}
	}
	return s.budget(ctx) // last: who is not answered needs no money
}
