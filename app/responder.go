package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	// speaking counts the answers that are being spoken.
	speaking atomic.Int64
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
	return &Responder{deps: deps, opt: opt, started: time.Now(), gates: []gate{listed, optedOut, handedOver, notLooping, withinRate}}, nil
}

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

// compose makes the answer and fixes the parts that say it. Whatever goes wrong
// in it ends in words to the user; only a lost lease, a store that fails or a
// process that stops end it with an error. When messages came meanwhile that the answer
// does not take into account, it is stale, and they are part of the turn: another is made.
func (s *session) compose(ctx context.Context) (after, error) {
	turnCtx, cancel := context.WithTimeout(s.about(ctx), s.persona.TurnTimeout)
	defer cancel()
	stopTyping := s.showTyping(turnCtx)
	defer stopTyping()
	defer s.hush()

	cause := errTooManyTries
	if s.turn.Attempt() <= maxTakeUps {
		cause = s.answer(turnCtx)
	}
	return s.composed(ctx, turnCtx, cause)
}

// composed fixes the parts of an answer, or of the apology for its failure.
//
//go:noinline
func (s *session) composed(ctx, turnCtx context.Context, cause error) (after, error) {
	if cause == nil {
		cause = s.plan(turnCtx)
	}
	if cause == nil {
		cause = s.settleBurst(turnCtx)
	}
	switch {
	case ctx.Err() != nil:
		return thenEnd, context.Cause(ctx) // told to stop, or the lease is lost: not the turn's fault
	case errors.Is(cause, errStale):
		return thenCompose, nil
	case errors.Is(cause, errStore):
		return thenEnd, cause
	case cause != nil && s.turn.State() != domain.TurnSpoken:
		if err := s.apologize(cause); err != nil {
			return thenEnd, err
		}
		return thenDeliver, s.plan(turnCtx)
	}
	return thenDeliver, nil
}

var errTooManyTries = errors.New("the turn was taken up too often without an answer")

// apologize puts the fallback message in place of an answer.
func (s *session) apologize(cause error) error {
	s.event(ports.StageFallback, 0, string(ports.KindOf(cause)), cause)
	return s.turn.Apologize(s.persona.Fallback)
}

// answer understands the user and asks the model.
func (s *session) answer(ctx context.Context) error {
	said, err := s.asks(ctx)
	if said == nil {
		return err
	}
	answering, done := s.step(ctx, stepAnswer)
	reply, err := s.generate(answering, said)
	done(err)
	return s.fix(ctx, &reply, err)
}

// asks is what the model is to be asked, or nil when the turn needs none.
//
//go:noinline
func (s *session) asks(ctx context.Context) (*understanding, error) {
	if s.turn.State() == domain.TurnAnswered {
		return nil, nil // fixed before a crash: the model is not asked twice
	}
	if s.instead != nil {
		return nil, s.interject()
	}
	hearing, done := s.step(ctx, stepUnderstand)
	said, err := s.understand(hearing)
	done(err)
	if err != nil {
		return nil, err
	}
	if s.saysForHuman() {
		return nil, s.interject()
	}
	if said.text == "" {
		return nil, s.turn.Answer(s.own(said))
	}
	return &said, nil
}

// fix stores an answer, unless there is an error in its place.
//
//go:noinline
func (s *session) fix(ctx context.Context, reply *domain.Reply, err error) error {
	if err != nil {
		return err
	}
	if err := s.turn.Answer(*reply); err != nil {
		return err
	}
	s.speakRest(ctx) // the last words are spoken while the answer is stored
	return s.checkpoint(ctx)
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
