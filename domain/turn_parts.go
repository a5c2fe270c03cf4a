package domain

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// PartKind is how a part is said.
type PartKind string

// The part kinds.
const (
	PartText  PartKind = "text"
	PartVoice PartKind = "voice"
)

// PartState is where one part stands.
type PartState string

// The part states. Intended means: the send may or may not have left. Unknown
// means: it left, or may have, and no answer came.
const (
	PartPlanned   PartState = "planned"
	PartIntended  PartState = "intended"
	PartUnknown   PartState = "unknown"
	PartSent      PartState = "sent"
	PartDelivered PartState = "delivered"
	PartRead      PartState = "read"
	PartPlayed    PartState = "played"
	PartFailed    PartState = "failed"
	// PartLost is an unknown outcome that was given up under at_most_once.
	PartLost PartState = "lost"
	// PartWithdrawn was not sent, because the conversation is somebody else's by now.
	PartWithdrawn PartState = "withdrawn"
)

// partRank orders the states a part moves through; failed and lost stand aside.
var partRank = map[PartState]int{
	PartPlanned: 0, PartIntended: 1, PartUnknown: 2, PartSent: 3, PartDelivered: 4, PartRead: 5, PartPlayed: 6,
}

// Part is one message of a turn's answer.
type Part struct {
	Kind PartKind
	// Text is the body of a text part, or the words a voice part speaks.
	Text string
	// Aside marks a text that adds to a voice note and does not repeat it.
	Aside bool
	// Media is the uploaded voice note.
	Media MediaID
	State PartState
	// Attempt counts the tries to send it.
	Attempt int
	// IntendedAt is when the newest try was recorded; UnknownSince when the wait for
	// its outcome began, and Waits how often it did.
	IntendedAt   time.Time
	UnknownSince time.Time
	Waits        int
	MessageID    MessageID
	Failure      *Failure
	// Pricing is Meta's note on what the message cost, once a status brought it.
	Pricing *Pricing
}

// Sent reports whether Meta accepted the part.
func (p Part) Sent() bool { return partRank[p.State] >= partRank[PartSent] && !p.closed() }

func (p Part) closed() bool {
	return p.State == PartFailed || p.State == PartLost || p.State == PartWithdrawn
}

// Plan fixes the parts to send, in order. A text part needs a body and a voice
// part an uploaded clip.
func (t *Turn) Plan(parts []Part) error {
	if t.r.State != TurnAnswered {
		return t.refuse("plan")
	}
	if len(parts) == 0 {
		return errors.New("plan: no parts")
	}
	for i := range parts {
		if parts[i].Text == "" || (parts[i].Kind == PartVoice) != (parts[i].Media != "") {
			return fmt.Errorf("plan: part %d lacks its text or its clip", i)
		}
		parts[i].State = PartPlanned
	}
	t.r.Parts, t.r.State = parts, TurnSpoken
	return nil
}

// Next returns the first part that still needs work, in order, or -1.
func (t Turn) Next() int {
	if t.r.State != TurnSpoken && t.r.State != TurnSending {
		return -1
	}
	for i, p := range t.r.Parts {
		if !p.closed() && !p.Sent() {
			return i
		}
	}
	return -1
}

// Ref names the newest attempt at part i.
func (t Turn) Ref(i int) PartRef {
	return PartRef{Conversation: t.r.Conversation, Turn: t.r.ID, Part: i, Attempt: t.r.Parts[i].Attempt}
}

// Intend records that part i is about to be sent. It must be stored before the
// call leaves. A part whose last outcome is open is refused: settle it first.
func (t *Turn) Intend(i int, at time.Time) error {
	if t.Next() != i || t.r.Parts[i].State != PartPlanned {
		return t.refuse(fmt.Sprintf("intend part %d", i))
	}
	p := &t.r.Parts[i]
	p.State, p.IntendedAt, p.Waits = PartIntended, at, 0
	p.Attempt++
	t.r.State = TurnSending
	return nil
}

// Accepted records Meta's answer to the send of part i.
func (t *Turn) Accepted(i int, id MessageID) error {
	if i < 0 || i >= len(t.r.Parts) || t.r.Parts[i].closed() {
		return t.refuse("accept")
	}
	p := &t.r.Parts[i]
	if !p.Sent() {
		p.State = PartSent
	}
	p.MessageID = id
	t.settle()
	return nil
}

// Unsettled records that nobody knows whether part i was sent.
func (t *Turn) Unsettled(i int, at time.Time) error {
	if t.Next() != i || t.r.Parts[i].State != PartIntended {
		return t.refuse("unsettled")
	}
	p := &t.r.Parts[i]
	p.State, p.UnknownSince, p.Waits = PartUnknown, at, 1
	return nil
}

// WaitAgain begins the wait for the outcome of part i anew, once for each attempt,
// and reports whether it did.
func (t *Turn) WaitAgain(i int, at time.Time) bool {
	if t.Next() != i || t.r.Parts[i].State != PartUnknown || t.r.Parts[i].Waits > 1 {
		return false
	}
	t.r.Parts[i].UnknownSince = at
	t.r.Parts[i].Waits++
	return true
}

// Replan makes part i ready to be sent again: after a refusal that may pass, or
// after an unknown outcome under at_least_once.
func (t *Turn) Replan(i int) error {
	if t.Next() != i {
		return t.refuse("replan")
	}
	t.r.Parts[i].State = PartPlanned
	return nil
}

// GiveUp closes part i with an outcome nobody learnt, under at_most_once.
func (t *Turn) GiveUp(i int) error {
	if t.Next() != i || t.r.Parts[i].State != PartUnknown {
		return t.refuse("give up")
	}
	t.r.Parts[i].State = PartLost
	t.settle()
	return nil
}

// Withdraw closes part i, of which no try is under way, without sending it. A turn of
// which nothing was sent then is dropped for that reason.
func (t *Turn) Withdraw(i int, reason string) error {
	if t.Next() != i || t.r.Parts[i].State != PartPlanned {
		return t.refuse("withdraw")
	}
	t.r.Parts[i].State = PartWithdrawn
	t.r.Handoff = Handoff{} // somebody has taken the conversation already
	t.r.State = TurnSending
	t.settle()
	if t.r.State == TurnFailed && !slices.ContainsFunc(t.r.Parts, func(p Part) bool { return p.State != PartWithdrawn }) {
		t.r.State, t.r.Reason = TurnDropped, reason
	}
	return nil
}

// MaxPartAttempts is how often a part is tried when Meta accepts it and then says
// that it failed for a reason that may pass.
const MaxPartAttempts = 3

// Refused records that part i was refused. A voice part refused for its media is
// followed by its words as text, exactly once a turn.
func (t *Turn) Refused(i int, f Failure) error {
	if i < 0 || i >= len(t.r.Parts) || t.r.State.Ended() {
		return t.refuse("refuse part")
	}
	p := &t.r.Parts[i]
	if partRank[p.State] >= partRank[PartDelivered] || p.closed() {
		return nil // delivery proves more than a late refusal, and one refusal is enough
	}
	p.State, p.Failure = PartFailed, &f
	t.recover(i, f)
	t.settle()
	return nil
}

// recover appends the words of a failed voice part as text parts, where they are not
// sent as text anyway. A part fails once, so its words follow once.
func (t *Turn) recover(i int, f Failure) {
	p := t.r.Parts[i]
	if p.Kind != PartVoice || f.Class != FailMedia {
		return
	}
	for _, other := range t.r.Parts {
		if other.Kind == PartText && !other.Aside && !t.r.Recovered {
			return
		}
	}
	t.r.Recovered = true
	for _, piece := range SplitText(p.Text, MaxTextUnits) {
		t.r.Parts = append(t.r.Parts, Part{Kind: PartText, Text: piece, State: PartPlanned})
	}
	t.r.State = TurnSending
}

// settle derives the turn's state from its parts once something was sent.
func (t *Turn) settle() {
	if t.r.State.Ended() {
		return
	}
	best, open := -1, false
	var failure *Failure
	for _, p := range t.r.Parts {
		switch {
		case p.State == PartFailed:
			failure = p.Failure
		case p.State == PartLost, p.State == PartWithdrawn:
		case p.Sent():
			best = max(best, partRank[p.State])
		default:
			open = true
		}
	}
	switch {
	case open, t.r.Handoff.State == HandoffOwed:
		t.r.State = TurnSending
	case len(t.r.Parts) == 0:
		t.r.State = TurnDropped // the person was handed over unsaid
	case best < 0 && failure != nil:
		t.r.State, t.r.Reason = TurnFailed, string(failure.Class)
	case best < 0:
		t.r.State, t.r.Reason = TurnFailed, "unsettled"
	default:
		t.r.State = [...]TurnState{TurnSent, TurnDelivered, TurnRead, TurnPlayed}[best-partRank[PartSent]]
	}
}

// Observe applies one status to the turn and reports whether anything changed.
// Facts come repeated and in any order: a part never moves backwards, a delivery
// settles an unknown outcome, and a late failure counts only while nothing proves
// that the part arrived.
func (t *Turn) Observe(s Status) bool {
	i := t.partOf(s)
	if i < 0 || t.r.State == TurnDropped || t.r.State == TurnDead {
		return false
	}
	p := &t.r.Parts[i]
	if s.Pricing != nil && !t.stale(*p, s) {
		p.Pricing = s.Pricing // of no matter for the state
	}
	if s.State == DeliveryFailed {
		if s.Failure == nil || p.closed() || p.State == PartPlanned || partRank[p.State] >= partRank[PartDelivered] || t.stale(*p, s) {
			return false
		}
		if s.Failure.passes() && p.Attempt < MaxPartAttempts {
			// Meta says that this attempt is over, so a new one cannot double it.
			p.State, p.MessageID, p.Failure = PartPlanned, "", s.Failure
			t.r.State = TurnSending
			return true
		}
		if p.MessageID == "" {
			p.MessageID = s.Message
		}
		_ = t.Refused(i, *s.Failure) // the guards above are those of Refused
		return true
	}
	state, ok := map[DeliveryState]PartState{
		DeliverySent: PartSent, DeliveryDelivered: PartDelivered, DeliveryRead: PartRead, DeliveryPlayed: PartPlayed,
	}[s.State]
	if !ok || p.State == PartFailed || (!p.closed() && partRank[p.State] >= partRank[state]) {
		return false
	}
	wasLost := p.State == PartLost
	p.State = state
	if p.MessageID == "" {
		p.MessageID = s.Message
	}
	if wasLost && t.r.State == TurnFailed {
		t.r.State, t.r.Reason = TurnSending, "" // it arrived after all
	}
	t.settle()
	return true
}

// stale tells a failure of an earlier attempt from one of the newest.
func (t Turn) stale(p Part, s Status) bool {
	if p.MessageID != "" && s.Message != "" {
		return p.MessageID != s.Message
	}
	return s.HasRef && s.Ref.Attempt != p.Attempt
}

// partOf finds the part a status speaks of: by our reference, else by wamid.
func (t Turn) partOf(s Status) int {
	if s.Number != "" && s.Number != t.r.Number {
		return -1 // one business number cannot speak for another
	}
	if s.HasRef && s.Ref.Turn == t.r.ID && s.Ref.Part < len(t.r.Parts) {
		return s.Ref.Part
	}
	for i, p := range t.r.Parts {
		if s.Message != "" && p.MessageID == s.Message {
			return i
		}
	}
	return -1
}
