package app

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// session is one turn in one worker's hands.
type session struct {
	*Responder
	// persona is who answers; nil when the number is none of ours any more.
	persona *Persona
	// work is what was leased, conv the conversation in it. What people decide about the
	// conversation meanwhile is noted in the work's controls.
	work    *ports.Work
	conv    *domain.Conversation
	turn    domain.Turn
	inputs  []domain.Message // the turn's messages that are still in the inbox; not to be changed
	started time.Time
	// waiting are the messages that belonged to a later turn when this one was taken up;
	// moreWaiting is true when there are any by now.
	waiting []domain.Message
	// quiet is when the newest message was taken in.
	quiet time.Time
	// speech is the answer that is being spoken while it is written, or nil.
	speech *speech
	// instead is what a gate put in place of an answer, or nil.
	instead *domain.Reply
	// listened is how long the clips of the turn play; tooLong are those not heard.
	listened atomic.Int64
	tooLong  map[domain.MessageID]bool
	// secrets must not be said; vouched is what tools told; withheld says that the
	// model's answer was put aside, and withheldWhy what was found in it.
	secrets     domain.Secrets
	vouched     []string
	withheldWhy string
	// meter follows what is spent, carried is what was before; rung is how the turn is
	// answered, and holds that money is set aside.
	meter   *meter
	carried domain.Expenses
	rung    rung
	// wants is how the person asked for a human in this turn, or empty.
	wants string

	holds, withheld, moreWaiting bool
	// unstored is true while the turn is at work and nothing of it is stored.
	unstored bool
	// human is true when somebody of the business has answered what waits; silent when
	// nothing more may be sent of a turn that was begun.
	human, silent bool
	// mistaken is true when the conversation is paused for an echo of the bot's own.
	mistaken bool
	// confirms is true when this turn tells the person that they opted out.
	confirms bool
}

// open chooses the turn: the oldest unfinished one, or a new one.
func (r *Responder) open(work *ports.Work) (*session, error) {
	s := &session{Responder: r, work: work, conv: &work.Conversation, started: time.Now()}
	s.quiet = s.started
	pending, human := settledByPeople(work.Pending)
	s.human = human
	s.persona = r.deps.Personas.at(s.conv.Number())
	for _, m := range work.Pending {
		s.conv.Hear(m)
	}
	switch {
	case len(work.Open) > 0:
		s.turn = work.Open[0]
		for _, fact := range work.Facts {
			s.turn.Observe(fact)
		}
		if s.ownEcho(work.Pending) {
			s.human = false
		}
		s.turn.TakeUp()
		if s.turn.Unsent() {
			// What came meanwhile belongs to the same answer.
			if err := s.turn.Absorb(pending); err != nil {
				return nil, fmt.Errorf("take in what came meanwhile: %w", err)
			}
		}
	case len(work.Pending) > 0:
		turn, err := domain.NewTurn(domain.TurnID(r.opt.NewID()), s.conv.ID(), pending, s.started)
		if err != nil {
			return nil, fmt.Errorf("open a turn: %w", err)
		}
		s.turn = turn
		if work.Abandoned {
			s.turn.TakeUp() // whoever had it before may have died of it
		}
	default:
		return nil, errNothingWaiting
	}
	for _, m := range work.Pending {
		if !s.turn.Has(m.ID) {
			s.moreWaiting, s.waiting = true, append(s.waiting, m)
		}
	}
	if s.inputs = work.Pending; s.moreWaiting {
		s.inputs = slices.DeleteFunc(slices.Clone(work.Pending), func(m domain.Message) bool { return !s.turn.Has(m.ID) })
	}
	s.inputs = domain.Standing(s.inputs)
	s.event(ports.StageLeased, 0, "", nil)
	return s, nil
}

// errNothingWaiting says that a store handed out a conversation without work.
var errNothingWaiting = errors.New("the leased conversation has nothing waiting")

// needsNoAnswer gives the reason why a turn is dropped, or "".
func (s *session) needsNoAnswer() string {
	if s.persona == nil {
		return "unknown_number"
	}
	reason := ""
	for _, m := range s.inputs {
		switch {
		case m.Group != "":
			reason = "group"
		case !domain.StartsTurn(m.Content):
			if reason == "" {
				reason = string(m.Content.Kind())
			}
		case !s.conv.WindowOpen(s.now()):
			return "window"
		default:
			return ""
		}
	}
	return reason
}

// now is the time by the store's clock, which all processes share: the service window is
// counted from what Meta says, and a process whose clock is wrong must not misjudge it.
func (s *session) now() time.Time {
	if s.work.Now.IsZero() {
		return time.Now() // a store that does not tell
	}
	return s.work.Now.Add(time.Since(s.started))
}
