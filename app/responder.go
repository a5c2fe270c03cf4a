package app

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Responder is the slow half: it brings one leased conversation one turn further.
// It is safe for concurrent use on different conversations.
type Responder struct {
	deps    Deps
	opt     Options
	started time.Time
	// outage is when the store was last found out of order, in Unix nanoseconds.
	outage atomic.Int64
	voices voices
	// gates are asked before anything is spent on a turn.
	gates []gate
	loops loops
}

// storeFailed notes that the store was out of order just now.
func (r *Responder) storeFailed() { r.outage.Store(time.Now().UnixNano()) }

// deaf is the latest moment at which a status may not have been taken, as far as this
// process knows: the store was out of order, or the process that takes them was not up.
func (r *Responder) deaf() time.Time {
	at := time.Unix(0, r.outage.Load())
	if r.opt.TakesStatuses && r.started.After(at) {
		return r.started
	}
	return at
}

// NewResponder checks the options and makes the slow half.
func NewResponder(deps Deps, opt Options) (*Responder, error) {
	if err := opt.validate(); err != nil {
		return nil, fmt.Errorf("responder: %w", err)
	}
	if deps.Inbox == nil || deps.Controls == nil || deps.Messenger == nil || deps.Personas == nil || deps.Observer == nil {
		return nil, errors.New("responder: inbox, controls, messenger, personas and observer are required")
	}
	if err := checkMoney(deps, opt); err != nil {
		return nil, err
	}
	return &Responder{deps: deps, opt: opt, started: time.Now(), gates: []gate{listed, optedOut, handedOver, notLooping, withinRate}, voices: voices{crew: newCrew()}}, nil
}

// Handle brings the oldest open turn of the conversation, or a new turn over
// everything that waits, as far as it goes: to its end, or to the next wait. It
// ends the lease unless it returns an error, in which case nothing was lost and
// the caller gives the lease back. A panic is an error.
//
// When ctx ends with ErrLeaseLost as its cause, another worker may be at the
// conversation already, and every further step is refused.
func (r *Responder) Handle(ctx context.Context, work *ports.Work) (err error) {
	s, err := r.open(work)
	if err != nil {
		return err
	}
	ctx, done := s.traced(ctx)
	defer func() { done(err) }()
	ctx = s.metered(ctx)
	defer s.account(ctx)
	defer func() { err = s.interruption(work, recover(), err) }()
	return s.bring(ctx)
}

// bring brings the turn as far as it goes.
func (s *session) bring(ctx context.Context) error {
	then, err := s.begin(ctx)
	for err == nil && then == thenCompose {
		then, err = s.gated(ctx) // again when messages joined: they may say otherwise
		if err == nil && then == thenCompose {
			then, err = s.compose(ctx)
		}
	}
	if err != nil || then == thenEnd {
		return err
	}
	return s.deliver(ctx)
}

// after is how a turn goes on.
type after int

const (
	thenCompose after = iota // an answer is made
	thenDeliver              // what is to be said is ready
	thenEnd                  // the turn has ended, or waits
)

// begin sees to what is settled before anybody is asked.
//
//go:noinline
func (s *session) begin(ctx context.Context) (after, error) {
	if back, err := s.stepBack(ctx); back || err != nil {
		return thenEnd, err
	}
	if !s.turn.Unsent() {
		return thenDeliver, nil
	}
	if reason := s.needsNoAnswer(); reason != "" {
		return thenEnd, s.drop(ctx, reason)
	}
	if s.turn.Attempt() > 2*maxTakeUps {
		return thenEnd, s.bury(ctx, "poison")
	}
	if s.turn.Attempt() == 1 {
		s.unstored = true // until there is something to keep
		return thenCompose, nil
	}
	return thenCompose, s.checkpoint(ctx)
}

// gated asks the gates and does what they say.
//
//go:noinline
func (s *session) gated(ctx context.Context) (after, error) {
	if reason := s.needsNoAnswer(); reason != "" {
		return thenEnd, s.drop(ctx, reason) // all of it was withdrawn
	}
	v, err := s.pass(ctx)
	switch {
	case err != nil:
		return thenEnd, err
	case v.drop != "":
		return thenEnd, s.drop(ctx, v.drop)
	case v.later > 0:
		return thenEnd, s.postpone(ctx, v.later, reasonBudget, nil)
	}
	if s.instead = v.reply; v.unsaid {
		return thenDeliver, s.handOverUnsaid(ctx)
	}
	return thenCompose, nil
}

func (s *session) drop(ctx context.Context, reason string) error {
	if err := s.heed(ctx); err != nil {
		return err
	}
	if err := s.turn.Drop(reason); err != nil {
		return err
	}
	s.event(ports.StageDropped, 0, reason, nil)
	return s.finish(ctx)
}

// bury gives a turn up; the store keeps it as a dead letter.
func (s *session) bury(ctx context.Context, reason string) error {
	if err := s.turn.Die(reason); err != nil {
		return err
	}
	return s.finish(ctx)
}

// errStore marks a failed write of the session, which no apology can mend.
var errStore = errors.New("store")

func storeTrouble(what string, err error) error { return fmt.Errorf("%w: %s: %w", errStore, what, err) }

// checkpoint stores the turn; the lease goes on. It does not end with the turn's
// own deadline: what was paid for is kept even when time is up.
func (s *session) checkpoint(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeBudget)
	defer cancel()
	s.charge()
	if err := s.deps.Inbox.Checkpoint(ctx, s.work.Lease, s.turn); err != nil {
		return fmt.Errorf("%w: checkpoint the turn: %w", errStore, err)
	}
	s.unstored = false
	return nil
}

// finish stores the outcome and ends the lease.
func (s *session) finish(ctx context.Context) error {
	s.remember()
	s.exchanged()
	s.charge()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeBudget)
	defer cancel()
	if err := s.deps.Inbox.Finish(ctx, s.work.Lease, s.turn, *s.conv); err != nil {
		return fmt.Errorf("%w: finish the turn: %w", errStore, err)
	}
	stage := ports.StageFinished
	if s.turn.State() == domain.TurnDead {
		stage = ports.StageDead
	}
	s.event(stage, time.Since(s.turn.StartedAt()), string(s.turn.State()), nil)
	return nil
}

// postpone stores the turn and gives the conversation back until later.
func (s *session) postpone(ctx context.Context, after time.Duration, reason string, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeBudget)
	defer cancel()
	s.charge()
	if err := s.deps.Inbox.Defer(ctx, s.work.Lease, &s.turn, after); err != nil {
		return fmt.Errorf("%w: defer the turn: %w", errStore, err)
	}
	s.event(ports.StageDeferred, after, reason, cause)
	return nil
}

// remember adds the turn to the conversation's memory. An apology and the polite
// sentences are not remembered: they would teach the model to be helpless.
func (s *session) remember() {
	if s.persona == nil {
		return // nobody answered
	}
	if s.turn.State() == domain.TurnDropped && (s.turn.Reason() == reasonHuman || s.turn.Reason() == reasonPaused) {
		s.conv.Remember(s.persona.Memory, s.witnessed()...)
		return
	}
	if s.turn.State() == domain.TurnDropped {
		return // it was not answered, whatever was made ready
	}
	said := s.understood()
	if s.instead != nil || s.turn.Handoff().State != "" || s.withheld || len(s.inputs) == 0 || said.text == "" || s.turn.Apology() || s.turn.Reply().Text == "" {
		return
	}
	s.conv.SpeakIn(said.language)
	s.conv.Remember(s.persona.Memory,
		domain.Remark{Role: domain.RoleUser, Text: said.text, At: s.turn.StartedAt(), Turn: s.turn.ID()},
		domain.Remark{Role: domain.RoleAssistant, Text: s.turn.Reply().Text, At: s.started, Turn: s.turn.ID()})
}

// event tells the observer of a step. It is called from many places and has no part of
// their stacks, on which turns wait for their vendors.
//
//go:noinline
func (s *session) event(stage ports.Stage, took time.Duration, detail string, err error) {
	s.observe(ports.Event{Stage: stage, Took: took, Detail: detail, Err: err})
}

// observe tells the observer of a step, and with it whom and what the step is about.
func (s *session) observe(ev ports.Event) {
	ev.At, ev.Turn, ev.Conversation = time.Now(), s.turn.ID(), s.conv.ID()
	ev.User, ev.Messages, ev.Trace = s.turn.To(), s.turn.Inputs(), s.turn.Trace()
	if len(s.inputs) > 0 && !s.inputs[0].ReceivedAt.IsZero() {
		ev.Age = ev.At.Sub(s.inputs[0].ReceivedAt)
	}
	s.deps.Observer.Observe(ev)
}
