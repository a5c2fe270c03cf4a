package app

import (
	"context"
	"errors"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

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
