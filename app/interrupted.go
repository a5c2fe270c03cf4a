package app

import (
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// How often a turn is taken up is counted, so that one which always ends in trouble, or
// ends the process, is given up at last. The count is the turn's own, and stored with it:
//
//   - A new turn is not stored before there is something to keep: its answer, a
//     transcript, an intent to send. That its worker died meanwhile is known from the
//     lease, which ran out (ports.Work.Abandoned). The next worker begins the turn anew, as
//     taken up for the second time, and stores it before anything else.
//   - A turn that is interrupted before it was stored is stored by the write that gives
//     its lease back.
//
// So what goes well costs no write for the count.

// interrupted is an error that ended a turn of which nothing is stored.
type interrupted struct {
	turn  domain.Turn // as it began
	cause error
}

func (e *interrupted) Error() string { return e.cause.Error() }
func (e *interrupted) Unwrap() error { return e.cause }

// interruption makes an error of a panic, so that one bad message does not take down the
// others, and gives an error that interrupts a turn which is not stored the turn along.
func (s *session) interruption(work *ports.Work, panicked any, err error) error {
	if panicked != nil {
		err = ports.Panicked(panicked)
	}
	if err == nil || !s.unstored {
		return err
	}
	pending, _ := settledByPeople(work.Pending)
	turn, broken := domain.NewTurn(s.turn.ID(), s.conv.ID(), pending, s.started)
	if broken != nil {
		return err // it was made of the same messages before
	}
	return &interrupted{turn: turn, cause: err}
}
