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
	lease   ports.Lease
	conv    domain.Conversation
	turn    domain.Turn
	inputs  []domain.Message // the turn's messages that are still in the inbox
	started time.Time
	// unstored is true while the turn is at work and nothing of it is stored.
	unstored bool
	// moreWaiting is true when messages wait that belong to a later turn; waiting are
	// those that did when the turn was taken up.
	moreWaiting bool
	waiting     []domain.Message
	// news hints at messages that came since; quiet is when the newest was taken in.
	news      <-chan struct{}
	newsExact bool
	quiet     time.Time
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
	withheld    bool
	withheldWhy string
	// meter follows what is spent, carried is what was before; rung is how the turn is
	// answered, and holds that money is set aside.
	meter   *meter
	carried domain.Expenses
	rung    rung
	holds   bool
	// controls are what people have decided about the conversation, and leasedAt is the
	// store's clock at started.
	controls domain.Controls
	leasedAt time.Time
	// human is true when somebody of the business has answered what waits; silent when
	// nothing more may be sent of a turn that was begun.
	human, silent bool
	// mistaken is true when the conversation is paused for an echo of the bot's own.
	mistaken bool
	// wants is how the person asked for a human in this turn, or empty.
	wants string
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
	if back, err := s.stepBack(ctx); back || err != nil {
		return err
	}
	if s.turn.Unsent() {
		if reason := s.needsNoAnswer(); reason != "" {
			return s.drop(ctx, reason)
		}
		if s.turn.Attempt() > 2*maxTakeUps {
			return s.bury(ctx, "poison")
		}
		if s.turn.Attempt() == 1 {
			s.unstored = true // until there is something to keep
		} else if err := s.checkpoint(ctx); err != nil {
			return err
		}
		for again := true; again; {
			v, err := s.pass(ctx) // again when messages joined: they may say otherwise
			if err != nil {
				return err
			}
			if v.drop != "" {
				return s.drop(ctx, v.drop)
			}
			if v.later > 0 {
				return s.postpone(ctx, v.later, reasonBudget, nil)
			}
			if s.instead = v.reply; v.unsaid {
				if err := s.handOverUnsaid(ctx); err != nil {
					return err
				}
				break
			}
			if again, err = s.compose(ctx); err != nil {
				return err
			}
			if reason := s.needsNoAnswer(); again && reason != "" {
				return s.drop(ctx, reason) // all of it was withdrawn
			}
		}
	}
	return s.deliver(ctx)
}

// open chooses the turn: the oldest unfinished one, or a new one.
func (r *Responder) open(work *ports.Work) (*session, error) {
	s := &session{Responder: r, lease: work.Lease, conv: work.Conversation, started: time.Now(), news: work.News, newsExact: work.NewsExact}
	s.quiet, s.controls, s.leasedAt = s.started, work.Controls, work.Now
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
		if s.turn.Has(m.ID) {
			s.inputs = append(s.inputs, m)
		} else {
			s.moreWaiting, s.waiting = true, append(s.waiting, m)
		}
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
	if s.leasedAt.IsZero() {
		return time.Now() // a store that does not tell
	}
	return s.leasedAt.Add(time.Since(s.started))
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
// process that stops end it with an error. It reports true when messages came
// meanwhile that the answer does not take into account: it is stale then, and they
// are part of the turn.
func (s *session) compose(ctx context.Context) (stale bool, err error) {
	turnCtx, cancel := context.WithTimeout(s.about(ctx), s.persona.TurnTimeout)
	defer cancel()
	stopTyping := s.showTyping(turnCtx)
	defer stopTyping()
	defer s.hush()

	var cause error
	if s.turn.Attempt() > maxTakeUps {
		cause = errTooManyTries
	} else {
		cause = s.answer(turnCtx)
	}
	if cause == nil {
		cause = s.plan(turnCtx)
	}
	if cause == nil {
		cause = s.settleBurst(turnCtx)
	}
	switch {
	case ctx.Err() != nil:
		return false, context.Cause(ctx) // told to stop, or the lease is lost: not the turn's fault
	case errors.Is(cause, errStale):
		return true, nil
	case errors.Is(cause, errStore):
		return false, cause
	case cause != nil && s.turn.State() != domain.TurnSpoken:
		if err := s.apologize(cause); err != nil {
			return false, err
		}
		return false, s.plan(turnCtx)
	}
	return false, nil
}

var errTooManyTries = errors.New("the turn was taken up too often without an answer")

// apologize puts the fallback message in place of an answer.
func (s *session) apologize(cause error) error {
	s.event(ports.StageFallback, 0, string(ports.KindOf(cause)), cause)
	return s.turn.Apologize(s.persona.Fallback)
}

// answer understands the user and asks the model.
func (s *session) answer(ctx context.Context) error {
	if s.turn.State() == domain.TurnAnswered {
		return nil // fixed before a crash: the model is not asked twice
	}
	if s.instead != nil {
		return s.interject()
	}
	hearing, done := s.step(ctx, stepUnderstand)
	said, err := s.understand(hearing)
	done(err)
	if err != nil {
		return err
	}
	if s.saysForHuman() {
		return s.interject()
	}
	if said.text == "" {
		return s.turn.Answer(s.own(said))
	}
	answering, done := s.step(ctx, stepAnswer)
	reply, err := s.generate(answering, said)
	done(err)
	if err != nil {
		return err
	}
	if err := s.turn.Answer(reply); err != nil {
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
	if err := s.deps.Inbox.Checkpoint(ctx, s.lease, s.turn); err != nil {
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
	if err := s.deps.Inbox.Finish(ctx, s.lease, s.turn, s.conv); err != nil {
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
	if err := s.deps.Inbox.Defer(ctx, s.lease, &s.turn, after); err != nil {
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
