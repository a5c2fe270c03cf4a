package domain

import "time"

// HandoffState is how far the request of a person for a human has come.
type HandoffState string

// The hand-off states; a turn without a hand-off has none of them.
const (
	HandoffOwed   HandoffState = "owed"   // the receiver is to be told
	HandoffTold   HandoffState = "told"   // it knows, or there is none
	HandoffFailed HandoffState = "failed" // it could not be told
)

// Handoff is the part of a turn in which the person asked for a human. It is stored with
// the intent to send the sentence that says so: from then on the turn stays open until
// the receiver was told or given up.
type Handoff struct {
	State HandoffState
	// Tries counts the calls to the receiver, and NextTry is when the next one is due.
	Tries   int
	NextTry time.Time
}

// Handoff is the zero value for a turn in which nobody asked for a human.
func (t Turn) Handoff() Handoff { return t.r.Handoff }

// HandOver fixes the sentence that tells the person that a human takes over, and that
// the receiver is owed the request.
func (t *Turn) HandOver(sentence Reply) error {
	if err := t.Answer(sentence); err != nil {
		return err
	}
	t.r.Handoff = Handoff{State: HandoffOwed}
	return nil
}

// HandOverUnsaid is HandOver without the sentence, for when nothing may be sent: the
// receiver is owed the request all the same, and once it is told the turn ends as dropped
// for the given reason. It must be stored before anything else is done about it.
func (t *Turn) HandOverUnsaid(language, reason string) error {
	if t.r.State != TurnReceived && t.r.State != TurnTranscribed {
		return t.refuse("hand over")
	}
	t.r.Reply, t.r.Reason = Reply{Language: language}, reason
	t.r.State, t.r.Handoff = TurnSending, Handoff{State: HandoffOwed}
	return nil
}

// Unsaid reports whether a person is handed over without having been told so.
func (t Turn) Unsaid() bool {
	return t.r.Handoff.State != "" && len(t.r.Parts) == 0 && t.reached(TurnSending)
}

// HandoffTried counts a call to the receiver that failed, and notes when the next is due.
func (t *Turn) HandoffTried(next time.Time) {
	t.r.Handoff.Tries++
	t.r.Handoff.NextTry = next
}

// HandoffEnds closes a hand-off that is owed; the turn then stands where its parts do.
func (t *Turn) HandoffEnds(state HandoffState) error {
	if t.r.Handoff.State != HandoffOwed {
		return t.refuse("end the hand-off")
	}
	t.r.Handoff.State, t.r.Handoff.NextTry = state, time.Time{}
	if t.reached(TurnSending) {
		t.settle()
	}
	return nil
}
