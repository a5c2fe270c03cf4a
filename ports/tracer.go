package ports

import (
	"context"
	"time"

	"whatsappnode/domain"
)

// TracerPort files the work on a turn under the trace that began with its webhook. It
// is optional: without one nothing is filed and nothing is spent.
//
// All methods return at once, with a context to do the work under, so that what is
// called below finds its place, and a function that is called once, when the work has
// ended. They may be called concurrently, never fail and never panic. They are given
// ids, measures and stable words, never text.
type TracerPort interface {
	// Turn begins a worker's work on a turn. Its outcome is a stable word.
	Turn(ctx context.Context, turn TurnTrace) (context.Context, func(outcome string, err error))
	// Step begins a step of the turn that ctx belongs to; its name is a stable word.
	Step(ctx context.Context, name string) (context.Context, func(err error))
	// Tool begins a call of a tool for the model, below the step that ctx belongs to. The
	// name is one that the model was offered or a stable word.
	Tool(ctx context.Context, name string) (context.Context, func(err error))
}

// TurnTrace is what a trace is told of a turn that is taken up.
type TurnTrace struct {
	Turn         domain.TurnID
	Conversation domain.ConversationID
	// Trace is the W3C traceparent of the webhook behind the turn, and Also those of
	// further messages in it; empty ones are of messages that came without.
	Trace string
	Also  []string
	// ReceivedAt is when the first message came; zero when that is not known or when
	// the turn did not wait since then.
	ReceivedAt time.Time
	Messages   int
	Attempt    int
}
