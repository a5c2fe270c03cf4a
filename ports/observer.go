package ports

import (
	"fmt"
	"runtime/debug"
	"time"

	"whatsappnode/domain"
)

// ObserverPort is told what happens to turns, for timelines, logs and metrics.
//
// Observe must return at once: it may drop an event but never block, fail or
// panic. It may be called concurrently. Events hold ids and measures, never text.
type ObserverPort interface {
	Observe(ev Event)
}

// Stage names a step of a turn or of the bot.
type Stage string

// The stages, in the order a voice turn passes them.
const (
	StageReceived    Stage = "received"    // admitted; the 200 follows
	StageLeased      Stage = "leased"      // a worker took the conversation
	StageJoined      Stage = "joined"      // more messages joined the turn: what was made of it is stale
	StageTranscribed Stage = "transcribed" // every utterance is text
	StageFirstToken  Stage = "first_token" // the model began to answer
	StageToolCalled  Stage = "tool_called" // a tool was called for the model; Detail is its name, or unknown_tool
	StageAnswered    Stage = "answered"    // the answer's words are fixed
	StageFirstAudio  Stage = "first_audio" // the first piece of the answer is spoken
	StageSpoken      Stage = "spoken"      // the voice note is made
	StageSending     Stage = "sending"     // intent recorded, call leaves
	StageSent        Stage = "sent"        // Meta accepted a part
	StageUnsettled   Stage = "unsettled"   // the outcome of a send is unknown
	StageDelivered   Stage = "delivered"
	StageRead        Stage = "read"
	StagePlayed      Stage = "played"
	StageRefused     Stage = "refused" // Meta refused a part, now or late
	StageDeferred    Stage = "deferred"
	StageFallback    Stage = "fallback" // the apology is used; Detail says why
	StageFinished    Stage = "finished" // Detail is the turn's state
	StageDropped     Stage = "dropped"
	StageDead        Stage = "dead"
	StageDuplicate   Stage = "duplicate"    // a message was seen before
	StageWithheld    Stage = "withheld"     // the model's answer must not be given; Detail says why
	StageTrimmed     Stage = "trimmed"      // the model's answer was cut; Detail says why
	StageFiltered    Stage = "filtered"     // a filter changed words; Detail is "in" or "out" and what it found
	StageHandoff     Stage = "handoff"      // a person asked for a human; Detail says how
	StageHandoffTold Stage = "handoff_told" // the receiver knows; with Err it could not be told, and is given up
	StageTrouble     Stage = "trouble"      // the bot itself has a problem; see Err
)

// Event is one thing that happened.
type Event struct {
	At           time.Time
	Stage        Stage
	Turn         domain.TurnID
	Conversation domain.ConversationID
	// User is the person concerned, or empty.
	User domain.Contact
	// Messages are the user's messages concerned.
	Messages []domain.MessageID
	// Reply is the wamid of the part of the answer concerned, once it has one.
	Reply domain.MessageID
	// Took is the time of the step itself, or zero.
	Took time.Duration
	// Age is the time since the turn's first message was received, or zero where that
	// is not known.
	Age time.Duration
	// Late marks a refusal that a status webhook told, after the send was accepted.
	Late bool
	// Trace is the W3C traceparent of the webhook behind the event, or of the send where
	// a status tells of one; or empty.
	Trace string
	// Detail is a stable word: vendor, reason or state.
	Detail string
	// Err is the failure behind the event, or nil; its text is safe to log.
	Err error
}

// PanicError is the Err of a panic that was caught: its type and where it
// happened. The panic's value is left out, since it may quote what a user wrote.
type PanicError struct {
	Type  string // Go type of the panic's value
	Stack []byte // as runtime/debug.Stack gives it
}

// Panicked makes the error of what recover returned. It is called by the function that
// recovered, while the stack is still that of the panic.
func Panicked(value any) *PanicError {
	return &PanicError{Type: fmt.Sprintf("%T", value), Stack: debug.Stack()}
}

// Error implements error.
func (e *PanicError) Error() string { return "panic of type " + e.Type }

// Observers tells several observers in turn.
type Observers []ObserverPort

// Observe implements ObserverPort.
func (o Observers) Observe(ev Event) {
	for _, each := range o {
		each.Observe(ev)
	}
}
