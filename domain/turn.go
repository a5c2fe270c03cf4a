package domain

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// TurnState is where a turn stands. See turnMoves for the allowed moves.
type TurnState string

// The turn states, in their order, and the three ways to end without an answer.
const (
	TurnReceived    TurnState = "received"
	TurnTranscribed TurnState = "transcribed" // every utterance is text now
	TurnAnswered    TurnState = "answered"    // the reply's words are fixed
	TurnSpoken      TurnState = "spoken"      // the parts to send are fixed
	TurnSending     TurnState = "sending"     // at least one intent is recorded
	TurnSent        TurnState = "sent"        // every part was accepted
	TurnDelivered   TurnState = "delivered"
	TurnRead        TurnState = "read"
	TurnPlayed      TurnState = "played"
	TurnFailed      TurnState = "failed"  // refused for good, or nothing could be sent
	TurnDropped     TurnState = "dropped" // needs no answer; Reason says why
	TurnDead        TurnState = "dead"    // given up after repeated trouble; kept as a dead letter
)

// ErrTurnMove says that a turn was asked for a move its state does not allow.
var ErrTurnMove = errors.New("turn does not allow this move")

// turnRank orders the states of the normal course.
var turnRank = map[TurnState]int{
	TurnReceived: 0, TurnTranscribed: 1, TurnAnswered: 2, TurnSpoken: 3, TurnSending: 4,
	TurnSent: 5, TurnDelivered: 6, TurnRead: 7, TurnPlayed: 8,
}

// Turn is one answer to everything a conversation had waiting: the explicit state
// machine from the first utterance to "played". It is a value; copies are
// independent. It is not safe for concurrent use.
//
// Each stage's result is kept in it, so that a turn that is taken up again after
// a crash neither asks the model twice nor says something else.
type Turn struct {
	r TurnRecord
}

// TurnRecord is a turn laid open, for stores. Restore it with RestoreTurn.
type TurnRecord struct {
	ID           TurnID
	Conversation ConversationID
	Number       NumberID
	To           Contact
	State        TurnState
	// Reason says why the turn was dropped, failed or died; a stable word.
	Reason    string
	Inputs    []MessageID
	StartedAt time.Time
	// Attempt counts how often a worker took the turn up, from 1.
	Attempt     int
	Transcripts map[MessageID]Transcript
	Reply       Reply
	// Apology is true when the words are the fallback message, not an answer.
	Apology bool
	// Recovered is true once a voice note that failed late was answered with text.
	Recovered bool
	Parts     []Part
	// Trace is the W3C traceparent of the first webhook, or empty.
	Trace string
	// Expenses are what the turn cost so far.
	Expenses Expenses
	// Handoff is owed once the person asked for a human.
	Handoff Handoff
}

// Transcript is what was heard in one utterance.
type Transcript struct {
	Text string
	// Language is the BCP 47 tag that was detected or assumed, or empty.
	Language string
	// Confidence is between 0 and 1; 0 means that the engine does not say.
	Confidence float64
}

// NewTurn opens a turn over at least one message. The recipient is the sender of
// the newest message, so that an answer goes where the last word came from.
func NewTurn(id TurnID, conv ConversationID, inputs []Message, at time.Time) (Turn, error) {
	if id == "" || conv == "" {
		return Turn{}, errors.New("turn needs an id and a conversation")
	}
	if len(inputs) == 0 {
		return Turn{}, errors.New("turn needs at least one message")
	}
	t := Turn{r: TurnRecord{
		ID: id, Conversation: conv, Number: inputs[0].Number, State: TurnReceived,
		StartedAt: at, Attempt: 1, Trace: inputs[0].Trace,
	}}
	return t, t.Absorb(inputs)
}

// RestoreTurn brings back a turn from a record and checks what must hold.
func RestoreTurn(r TurnRecord) (Turn, error) {
	if r.ID == "" || r.Conversation == "" || len(r.Inputs) == 0 {
		return Turn{}, errors.New("turn record lacks id, conversation or inputs")
	}
	if _, ok := turnRank[r.State]; !ok && !r.State.Ended() {
		return Turn{}, fmt.Errorf("turn record has unknown state %q", r.State)
	}
	return Turn{r: cloneRecord(r)}, nil
}

// Record lays the turn open for a store.
func (t Turn) Record() TurnRecord { return cloneRecord(t.r) }

func cloneRecord(r TurnRecord) TurnRecord {
	r.Inputs = slices.Clone(r.Inputs)
	r.Parts = slices.Clone(r.Parts)
	r.Expenses = slices.Clone(r.Expenses)
	transcripts := make(map[MessageID]Transcript, len(r.Transcripts))
	for id, tr := range r.Transcripts {
		transcripts[id] = tr
	}
	r.Transcripts = transcripts
	return r
}

// Ended reports whether the state is a terminal one without an answer.
func (s TurnState) Ended() bool {
	return s == TurnFailed || s == TurnDropped || s == TurnDead
}

// Settled reports whether nothing is left to do unless a late status says so.
func (s TurnState) Settled() bool { return s.Ended() || turnRank[s] >= turnRank[TurnSent] }

// Accessors; all of them return copies.

func (t Turn) ID() TurnID                   { return t.r.ID }
func (t Turn) Conversation() ConversationID { return t.r.Conversation }
func (t Turn) Number() NumberID             { return t.r.Number }
func (t Turn) To() Contact                  { return t.r.To }
func (t Turn) State() TurnState             { return t.r.State }
func (t Turn) Reason() string               { return t.r.Reason }
func (t Turn) Inputs() []MessageID          { return slices.Clone(t.r.Inputs) }
func (t Turn) StartedAt() time.Time         { return t.r.StartedAt }
func (t Turn) Attempt() int                 { return t.r.Attempt }
func (t Turn) Reply() Reply                 { return t.r.Reply }
func (t Turn) Apology() bool                { return t.r.Apology }
func (t Turn) Parts() []Part                { return slices.Clone(t.r.Parts) }
func (t Turn) Trace() string                { return t.r.Trace }
func (t Turn) Expenses() Expenses           { return slices.Clone(t.r.Expenses) }
func (t Turn) Has(id MessageID) bool        { return slices.Contains(t.r.Inputs, id) }
func (t Turn) reached(s TurnState) bool     { return turnRank[t.r.State] >= turnRank[s] }
func (t Turn) refuse(move string) error {
	return fmt.Errorf("%w: %s in state %s", ErrTurnMove, move, t.r.State)
}

// Transcript returns what was heard in one utterance, if it was heard already.
func (t Turn) Transcript(id MessageID) (Transcript, bool) {
	tr, ok := t.r.Transcripts[id]
	return tr, ok
}

// Unsent reports whether no part was ever tried: the turn can still take in
// further messages.
func (t Turn) Unsent() bool { return !t.r.State.Ended() && !t.reached(TurnSending) }

// TakeUp counts another attempt.
func (t *Turn) TakeUp() { t.r.Attempt++ }

// Charge notes what the turn has cost from its beginning. What was spent on an answer
// that went stale stays spent.
func (t *Turn) Charge(all Expenses) { t.r.Expenses = slices.Clone(all) }

// Absorb takes further messages into a turn of which nothing was sent yet. An
// answer that was already made is stale then and is dropped unsent; transcripts
// stay. Messages the turn has already are passed over.
func (t *Turn) Absorb(messages []Message) error {
	if !t.Unsent() {
		return t.refuse("absorb")
	}
	added := false
	for _, m := range messages {
		if err := m.Validate(); err != nil {
			return fmt.Errorf("absorb message: %w", err)
		}
		if m.Number != t.r.Number {
			return errors.New("absorb message: it was sent to another business number")
		}
		if t.Has(m.ID) {
			continue
		}
		t.r.Inputs = append(t.r.Inputs, m.ID)
		t.r.To = t.r.To.Merge(m.From)
		added = true
	}
	if added {
		t.r.State, t.r.Reply, t.r.Apology, t.r.Parts, t.r.Handoff = TurnReceived, Reply{}, false, nil, Handoff{}
	}
	return nil
}

// Hear keeps the transcript of one utterance of the turn.
func (t *Turn) Hear(id MessageID, tr Transcript) error {
	if t.r.State != TurnReceived {
		return t.refuse("hear")
	}
	if !t.Has(id) {
		return fmt.Errorf("%w: the message is not part of the turn", ErrTurnMove)
	}
	if t.r.Transcripts == nil {
		t.r.Transcripts = map[MessageID]Transcript{}
	}
	t.r.Transcripts[id] = tr
	return nil
}

// Transcribed closes the understanding of all utterances.
func (t *Turn) Transcribed() error {
	if t.r.State != TurnReceived {
		return t.refuse("transcribed")
	}
	t.r.State = TurnTranscribed
	return nil
}

// Answer fixes the words of the reply.
func (t *Turn) Answer(reply Reply) error {
	if t.r.State != TurnReceived && t.r.State != TurnTranscribed {
		return t.refuse("answer")
	}
	if reply.Text == "" {
		return ErrEmptyReply
	}
	t.r.Reply, t.r.State = reply, TurnAnswered
	return nil
}

// Apologize fixes the fallback message as the only thing the turn will say. It is
// allowed until something was sent, and only once.
func (t *Turn) Apologize(text string) error {
	if !t.Unsent() || t.r.Apology {
		return t.refuse("apologize")
	}
	if text == "" {
		return ErrEmptyReply
	}
	t.r.Reply, t.r.Apology, t.r.State, t.r.Parts, t.r.Handoff = Reply{Text: text}, true, TurnAnswered, nil, Handoff{}
	return nil
}

// Drop ends a turn that needs no answer.
func (t *Turn) Drop(reason string) error { return t.end(TurnDropped, reason) }

// Fail ends a turn whose answer cannot be brought to the user.
func (t *Turn) Fail(reason string) error { return t.end(TurnFailed, reason) }

// Die ends a turn that was given up; it is kept as a dead letter.
func (t *Turn) Die(reason string) error { return t.end(TurnDead, reason) }

func (t *Turn) end(state TurnState, reason string) error {
	if t.r.State.Settled() {
		return t.refuse(string(state))
	}
	t.r.State, t.r.Reason = state, reason
	return nil
}
