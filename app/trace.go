package app

import (
	"context"

	"whatsappnode/ports"
)

// The steps of a turn in its trace. Calls of vendors and of the network stand below
// them.
const (
	stepUnderstand = "understand"
	stepAnswer     = "answer"
	stepSpeak      = "speak"
	stepEncode     = "encode"
)

// traced begins a worker's work on the turn in its trace.
func (s *session) traced(ctx context.Context) (context.Context, func(err error)) {
	if s.deps.Tracer == nil {
		return ctx, func(error) {}
	}
	t := ports.TurnTrace{
		Turn: s.turn.ID(), Conversation: s.conv.ID(), Trace: s.turn.Trace(), Messages: len(s.inputs), Attempt: s.turn.Attempt(),
	}
	for _, m := range s.inputs {
		if m.Trace != "" && m.Trace != t.Trace {
			t.Also = append(t.Also, m.Trace)
		}
	}
	if len(s.inputs) > 0 && t.Attempt == 1 {
		t.ReceivedAt = s.inputs[0].ReceivedAt
	}
	ctx, done := s.deps.Tracer.Turn(ctx, t)
	return ctx, func(err error) { done(string(s.turn.State()), err) }
}

// about has what is called for the answer know the turn that it is called for, and the
// messages that are in it by now.
//
//go:noinline
func (s *session) about(ctx context.Context) context.Context {
	return ports.WithSubject(ctx, &ports.Subject{
		Turn: s.turn.ID(), Conversation: s.conv.ID(), User: s.turn.To(), Messages: s.turn.Inputs(),
	})
}

// step begins a step of the turn in its trace.
func (s *session) step(ctx context.Context, name string) (context.Context, func(err error)) {
	if s.deps.Tracer == nil {
		return ctx, func(error) {}
	}
	return s.deps.Tracer.Step(ctx, name)
}

// calling begins a call of a tool in the turn's trace.
func (s *session) calling(ctx context.Context, tool string) (context.Context, func(err error)) {
	if s.deps.Tracer == nil {
		return ctx, func(error) {}
	}
	return s.deps.Tracer.Tool(ctx, tool)
}
