package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// How the bot steps back for people, in one place:
//
//   - While a conversation is paused its messages wait. Whatever of an answer has not
//     left by then does not leave; a send whose outcome is unknown is settled, and not
//     repeated.
//   - What somebody of the business writes settles everything that came before it. It is
//     remembered as the bot's own words, and no vendor is asked for any of it.
//   - What is still unanswered when the pause ends gets one answer, like a burst, as long
//     as the service window is open.
//
// That nothing is sent after a pause began is the store's doing: a pause takes the
// lease, and no send leaves without a checkpoint under the lease.

// DefaultPause is how long the bot keeps silent after somebody of the business wrote.
const DefaultPause = 2 * time.Hour

// The reasons of turns that were left to people.
const (
	reasonHuman   = "human"   // somebody of the business answered
	reasonPaused  = "paused"  // more came during a pause than is kept for later
	reasonBlocked = "blocked" // the operator does not want the person answered
)

// stepBack ends or postpones a turn that is not the bot's to answer, and reports that it
// did. A turn of which something was sent goes on to its end, and sends nothing more.
func (s *session) stepBack(ctx context.Context) (bool, error) {
	if s.mistaken {
		if err := s.decide(ctx, domain.ControlResume); err != nil {
			return false, err
		}
		s.work.Controls.Paused = 0
	}
	paused := s.pausedByOthers()
	switch {
	case s.human && s.turn.Unsent():
		return true, s.drop(ctx, reasonHuman)
	case s.work.Controls.Blocked && s.turn.Unsent():
		return true, s.drop(ctx, reasonBlocked)
	case !s.turn.Unsent():
		s.silent = s.human || paused || s.work.Controls.Blocked || s.leftAlone()
		return false, nil
	case !paused || s.needsNoAnswer() != "":
		return false, nil
	case len(s.inputs) >= ports.MaxPending:
		return true, s.drop(ctx, reasonPaused)
	}
	return true, s.leave(ctx, s.work.Controls.Paused)
}

// silence is why nothing more is sent of a turn.
func (s *session) silence() string {
	switch {
	case s.human:
		return reasonHuman
	case s.work.Controls.Blocked:
		return reasonBlocked
	case s.pausedByOthers():
		return reasonPaused
	}
	return reasonOptedOut
}

// leave gives the conversation back until later. Nothing is stored of the turn, which was
// only looked at, unless it has something to confirm later.
func (s *session) leave(ctx context.Context, after time.Duration) error {
	owes, err := s.heedStop(ctx)
	if err != nil {
		return err
	}
	var turn *domain.Turn
	if owes {
		turn = &s.turn // taken up again, it knows that it has not told the person
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeBudget)
	defer cancel()
	if err := s.deps.Inbox.Defer(ctx, s.work.Lease, turn, after); err != nil {
		return storeTrouble("leave the conversation to people", err)
	}
	s.event(ports.StageDeferred, after, reasonPaused, nil)
	return nil
}

// settledByPeople cuts what is waiting behind the newest message that somebody of the
// business wrote, and reports whether there is one. A message that was on its way for so
// long that the person had written again meanwhile settles nothing.
func settledByPeople(pending []domain.Message) ([]domain.Message, bool) {
	for i, m := range slices.Backward(pending) {
		if _, echo := m.Content.(domain.Echo); !echo {
			continue
		}
		later := func(before domain.Message) bool {
			return domain.StartsTurn(before.Content) && before.SentAt.After(m.SentAt)
		}
		if !slices.ContainsFunc(pending[:i], later) {
			return pending[:i+1], true
		}
	}
	return pending, false
}

// ownEcho looks for the echo of a send of this turn whose outcome was not stored yet
// when the echo came, so that it was taken for somebody else's. It says that the send
// left. It reports true when there is no other echo, and the pause that came with it was
// a mistake then.
func (s *session) ownEcho(pending []domain.Message) bool {
	own, others := false, false
	for _, m := range pending {
		echo, ok := m.Content.(domain.Echo)
		if !ok {
			continue
		}
		part := slices.IndexFunc(s.turn.Parts(), func(p domain.Part) bool { return p.MessageID == m.ID || says(p, echo) })
		if part < 0 {
			others = true
			continue
		}
		own = true
		s.turn.Observe(domain.Status{
			Message: m.ID, Number: m.Number, Recipient: m.From, State: domain.DeliverySent, At: m.SentAt, Ref: s.turn.Ref(part), HasRef: true,
		})
	}
	s.mistaken = own && !others && s.work.Controls.Paused > 0 && s.work.Controls.PausedBy == domain.PausedByOperator
	return own && !others
}

// says reports whether a part that is on its way says what an echo does.
func says(p domain.Part, echo domain.Echo) bool {
	if p.State != domain.PartIntended && p.State != domain.PartUnknown {
		return false
	}
	switch c := echo.Content.(type) {
	case domain.Text:
		return p.Kind == domain.PartText && p.Text == c.Body
	case domain.Voice:
		return p.Kind == domain.PartVoice
	}
	return false
}

// witnessed are the remarks of a turn that people settled, or that waited in vain: the
// person's words, and those of the business as the bot's.
func (s *session) witnessed() []domain.Remark {
	var out []domain.Remark
	before := s.conv.History()
	for _, m := range s.inputs {
		role, said := domain.RoleUser, m
		if echo, ok := m.Content.(domain.Echo); ok {
			role, said.Content = domain.RoleAssistant, echo.Content
		}
		text := s.inWords(said)
		switch {
		case text == "":
		case len(out) == 0 && len(before) > 0 && before[len(before)-1].Role == role && before[len(before)-1].Text == text:
			// The echo of what the bot said itself.
		case len(out) > 0 && out[len(out)-1].Role == role:
			out[len(out)-1].Text += "\n" + text
		default:
			// A turn has one remark of each side; these have several, told apart by a number.
			id := domain.TurnID(string(s.turn.ID()) + "." + string(rune('a'+len(out)%26)) + strings.Repeat("z", len(out)/26))
			out = append(out, domain.Remark{Role: role, Text: text, At: m.SentAt, Turn: id})
		}
	}
	return out
}

// inWords is what is remembered of a message nobody was asked about.
func (s *session) inWords(m domain.Message) string {
	if m.Content == nil || !domain.StartsTurn(m.Content) {
		return ""
	}
	if line, _ := s.words(m); line != "" {
		return line
	}
	return "(" + strings.ReplaceAll(string(m.Content.Kind()), "_", " ") + ")"
}
