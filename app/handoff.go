package app

import (
	"context"
	"slices"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// What follows when a person asks for a human, in one place:
//
//   - The person is told so in one sentence, in writing. With the intent to send it the
//     turn notes durably that the receiver is owed the request.
//   - Once the sentence has left, the bot keeps silent for PauseFor, and the receiver is
//     told. The turn ends only then: a process that dies in between leaves an open turn,
//     and the next one goes on where the note stands.
//   - When the budget has no money left for the sentence, all of that is done without it,
//     and the receiver is told so.
//   - A receiver that is out of order is tried again while the pause lasts, at most
//     maxHandoffTries times.

// HandoffButton is the id of a button or of a list row that asks for a human.
const HandoffButton = "handoff"

// handoffBudget bounds one call to the receiver.
const handoffBudget = 5 * time.Second

// handoffWaits are the waits between the calls; together they take less than
// DefaultPause, since nobody needs to be told of a person the bot answers again.
var handoffWaits = []time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour}

var maxHandoffTries = len(handoffWaits) + 1

const reasonHandoff = "handoff"

// Handing says how a persona hands people over to humans. The zero value does not.
type Handing struct {
	On bool
	// Words are whole messages that ask for a human, in the form of domain.Plain, beside
	// those the bot knows by itself.
	Words []string
}

// handedOver is the gate of those who ask for a human, in writing, by a button, or by a
// voice message that was heard before.
func handedOver(_ context.Context, s *session) (verdict, error) {
	if reply := s.handsOver(); reply != nil {
		return verdict{reply: reply}, nil
	}
	return verdict{}, nil
}

// handsOver gives the sentence for a person who asks for a human, or nil, and notes how
// the person asked.
func (s *session) handsOver() *domain.Reply {
	if !s.persona.Handing.On {
		return nil
	}
	for _, m := range slices.Backward(s.inputs) {
		if m.Group != "" {
			continue
		}
		if language, how := s.asksIn(m); how != "" {
			s.wants = how
			return &domain.Reply{Text: sentence(noticeHandoff, language), Language: language}
		}
	}
	return nil
}

// saysForHuman looks again once voice messages were heard, and puts the sentence in place
// of an answer.
func (s *session) saysForHuman() bool {
	voice := func(m domain.Message) bool { _, ok := m.Content.(domain.Voice); return ok }
	if !slices.ContainsFunc(s.inputs, voice) {
		return false // the gate has read it
	}
	s.instead = s.handsOver()
	return s.instead != nil
}

// asksIn reports how a message asks for a human, or "", and in which language.
func (s *session) asksIn(m domain.Message) (language, how string) {
	text := ""
	switch c := m.Content.(type) {
	case domain.Text:
		text, how = c.Body, "text"
	case domain.ButtonReply:
		if c.ID == HandoffButton {
			return s.spoken(), "button"
		}
		text, how = c.Title, "button"
	case domain.ListReply:
		if c.ID == HandoffButton {
			return s.spoken(), "button"
		}
		text, how = c.Title, "button"
	case domain.Voice:
		tr, _ := s.turn.Transcript(m.ID)
		words, heard, why := s.persona.judge(tr)
		if why != "" {
			return "", ""
		}
		if language, ok := asksForHuman(words, s.persona.Handing.Words, firstOf(heard, s.spoken())); ok {
			return language, "voice"
		}
		return "", ""
	default:
		return "", ""
	}
	language, ok := asksForHuman(text, s.persona.Handing.Words, s.spoken())
	if !ok {
		return "", ""
	}
	return language, how
}

// interject fixes what a gate put in place of an answer.
func (s *session) interject() error {
	if s.wants != "" {
		return s.turn.HandOver(*s.instead)
	}
	return s.turn.Answer(*s.instead)
}

// handOverUnsaid notes durably that the receiver is owed the request, which costs nothing,
// of a person nobody may spend a message on any more.
func (s *session) handOverUnsaid(ctx context.Context) error {
	if err := s.turn.HandOverUnsaid(s.instead.Language, reasonBudget); err != nil {
		return err
	}
	return s.checkpoint(ctx)
}

// handOff pauses the conversation and tells the receiver, once the sentence that says so
// has left. It reports true when the lease is given back because the receiver is to be
// tried again.
func (s *session) handOff(ctx context.Context) (bool, error) {
	h := s.turn.Handoff()
	if h.State != domain.HandoffOwed {
		return false, nil
	}
	if h.Tries == 0 && s.work.Controls.Paused == 0 && s.persona != nil {
		pause := domain.ControlChange{Kind: domain.ControlPause, For: s.persona.PauseFor, By: domain.PausedByUser}
		if err := s.change(ctx, pause); err != nil {
			return false, err
		}
		s.work.Controls.Paused, s.work.Controls.PausedBy = pause.For, pause.By
		s.event(ports.StageHandoff, 0, firstOf(s.wants, "resumed"), nil)
	}
	if s.deps.Handoffs == nil {
		return false, s.endHandoff(domain.HandoffTold)
	}
	// A status of the sentence, or somebody of the business, brings the turn up early. Who
	// ended the pause wants the bot to go on, though: the receiver gets a last call.
	last := h.Tries+1 >= maxHandoffTries || s.work.Controls.Paused == 0
	if early := h.NextTry.Sub(s.now()); early > 0 && !last {
		return true, s.postpone(ctx, early, reasonHandoff, nil)
	}
	began := time.Now()
	err := s.tell(ctx)
	switch {
	case err == nil:
		s.event(ports.StageHandoffTold, time.Since(began), "", nil)
		return false, s.endHandoff(domain.HandoffTold)
	case ctx.Err() != nil:
		return false, context.Cause(ctx) // told to stop, or the lease is lost
	case last || !(ports.Retryable(err) || ports.KindOf(err) == ports.KindDenied):
		s.event(ports.StageHandoffTold, time.Since(began), string(ports.KindOf(err)), err)
		return false, s.endHandoff(domain.HandoffFailed)
	}
	wait := min(max(handoffWaits[h.Tries], ports.RetryAfter(err)), s.work.Controls.Paused)
	s.turn.HandoffTried(s.now().Add(wait))
	return true, s.postpone(ctx, wait, reasonHandoff, err)
}

// endHandoff closes the hand-off. Of a person who was told nothing the turn ends with it.
func (s *session) endHandoff(state domain.HandoffState) error {
	unsaid := s.turn.Unsaid()
	if err := s.turn.HandoffEnds(state); err != nil {
		return err
	}
	if unsaid {
		s.event(ports.StageDropped, 0, s.turn.Reason(), nil)
	}
	return nil
}

// tell makes one call to the receiver.
func (s *session) tell(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, handoffBudget)
	defer cancel()
	return s.deps.Handoffs.Request(ctx, ports.Handoff{
		ID: s.turn.ID(), At: s.turn.StartedAt(), Number: s.turn.Number(), Conversation: s.turn.Conversation(),
		Contact: s.turn.To(), Language: s.turn.Reply().Language, Unsaid: s.turn.Unsaid(),
	})
}

// pausedByOthers reports a pause that is not this turn's own.
func (s *session) pausedByOthers() bool {
	own := s.work.Controls.PausedBy == domain.PausedByUser && s.turn.Handoff().State != ""
	return s.work.Controls.Paused > 0 && !own
}
