package app

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// deliver sends the parts in their order, from the first that was not sent, and
// finishes the turn. For every part the intent is stored before the call leaves,
// so that after a crash we know which send may have happened.
func (s *session) deliver(ctx context.Context) error {
	for {
		i := s.turn.Next()
		if i < 0 {
			if later, err := s.handOff(ctx); later || err != nil {
				return err
			}
			return s.finish(ctx)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var done bool
		var err error
		switch s.turn.Parts()[i].State {
		case domain.PartIntended:
			// A worker died between intent and outcome. The status was on its way since
			// then, also while the lease ran out, so the wait counts from there.
			done, err = s.unsettled(ctx, i, s.turn.Parts()[i].IntendedAt, errors.New("the process ended while the send was under way"))
		case domain.PartUnknown:
			done, err = s.settle(ctx, i)
		default:
			done, err = s.send(ctx, i)
		}
		if done || err != nil {
			return err
		}
	}
}

// send makes one attempt at part i. It reports true when the lease is given back.
func (s *session) send(ctx context.Context, i int) (bool, error) {
	if s.silent {
		return false, s.turn.Withdraw(i, s.silence())
	}
	if !s.conv.WindowOpen(s.now()) {
		return false, s.refused(i, domain.Failure{Class: domain.FailWindow}, nil)
	}
	if err := s.turn.Intend(i, time.Now()); err != nil {
		return false, err
	}
	if err := s.checkpoint(ctx); err != nil {
		return false, err
	}
	s.event(ports.StageSending, 0, string(s.turn.Parts()[i].Kind), nil)
	began := time.Now()
	sendCtx, cancel := context.WithTimeout(s.about(ctx), sendBudget)
	defer cancel()
	id, err := s.deps.Messenger.Send(sendCtx, s.outbound(i))
	if err != nil {
		return s.unsent(ctx, i, err)
	}
	if err := s.turn.Accepted(i, id); err != nil {
		return false, err
	}
	s.posted(false)
	s.observe(ports.Event{Stage: ports.StageSent, Took: time.Since(began), Detail: string(s.turn.Parts()[i].Kind), Reply: id})
	if s.turn.Next() < 0 && s.turn.Handoff().State != domain.HandoffOwed {
		return false, nil // finishing stores it
	}
	return false, s.checkpoint(ctx)
}

// outbound addresses part i to the one person the turn belongs to.
func (s *session) outbound(i int) domain.Outbound {
	part := s.turn.Parts()[i]
	out := domain.Outbound{Number: s.turn.Number(), To: s.turn.To(), Ref: s.turn.Ref(i), ReplyTo: s.quote(i)}
	if part.Kind == domain.PartVoice {
		out.Content = domain.OutboundVoice{Media: part.Media}
	} else {
		out.Content = domain.OutboundText{Body: part.Text}
	}
	return out
}

// quote makes the first part quote the user's message when another one has
// arrived since, so that it stays clear what is being answered.
func (s *session) quote(i int) domain.MessageID {
	inputs := s.turn.Inputs()
	if i > 0 || len(s.inputs) == 0 || !s.moreWaiting {
		return ""
	}
	return inputs[len(inputs)-1]
}

// unsent decides what a failed send calls for.
func (s *session) unsent(ctx context.Context, i int, err error) (bool, error) {
	if ports.MaybeDone(err) {
		s.posted(true)
		return s.unsettled(ctx, i, time.Now(), err)
	}
	if class, final := refusal(err); final {
		return false, s.refused(i, domain.Failure{Class: class}, err)
	}
	if err := s.turn.Replan(i); err != nil {
		return false, err
	}
	reason := string(ports.KindOf(err))
	wait := sendBackoff(s.turn.Parts()[i].Attempt, ports.RetryAfter(err))
	switch {
	case ports.KindOf(err) == ports.KindCanceled:
		wait, reason = 0, "stopping"
	case ports.KindOf(err) == ports.KindDenied:
		wait = max(wait, deniedWait)
	}
	return true, s.postpone(ctx, wait, reason, err)
}

// refusal tells a refusal that a repeat cannot change from trouble that may pass.
// A denial is not final: the messages are kept until somebody mends the token.
func refusal(err error) (domain.FailureClass, bool) {
	var e *ports.Error
	if !errors.As(err, &e) {
		return domain.FailPermanent, true
	}
	switch {
	case e.Scope == ports.ScopeMedia:
		return domain.FailMedia, true
	case e.Scope == ports.ScopeWindow:
		return domain.FailWindow, true
	}
	switch e.Kind {
	case ports.KindTransient, ports.KindRateLimited, ports.KindTimeout, ports.KindCanceled, ports.KindDenied:
		return "", false
	case ports.KindBlocked, ports.KindNotFound:
		return domain.FailRecipient, true
	}
	return domain.FailPermanent, true
}

// refused closes part i; a voice note refused for its clip is followed by its
// words, which the domain sees to.
func (s *session) refused(i int, f domain.Failure, err error) error {
	s.event(ports.StageRefused, 0, string(f.Class), err)
	return s.turn.Refused(i, f)
}

// unsettled stores that the outcome of part i is unknown, and since when, and waits for
// the status webhook that tells.
func (s *session) unsettled(ctx context.Context, i int, since time.Time, cause error) (bool, error) {
	if err := s.turn.Unsettled(i, since); err != nil {
		return false, err
	}
	s.event(ports.StageUnsettled, 0, "waiting", cause)
	return s.settle(ctx, i)
}

// settle decides about a part whose outcome is unknown. Its status would have been
// observed when the turn was taken up, so the only question is whether to wait on.
// While the store was out of order, or the process that takes the statuses was down,
// nobody could be told, so there is one more wait after that. One only, or processes
// that are replaced often would wait for ever.
func (s *session) settle(ctx context.Context, i int) (bool, error) {
	if s.turn.Parts()[i].UnknownSince.Before(s.deaf()) {
		s.turn.WaitAgain(i, time.Now())
	}
	if left := time.Until(s.turn.Parts()[i].UnknownSince.Add(s.opt.SettleWait)); left > 0 {
		return true, s.postpone(ctx, left, "unsettled", nil)
	}
	s.event(ports.StageUnsettled, 0, string(s.opt.SendPolicy), nil)
	if s.opt.SendPolicy == AtMostOnce || s.silent {
		return false, s.turn.GiveUp(i)
	}
	return false, s.turn.Replan(i)
}

// sendWaits is the schedule of retries after trouble that may pass. It goes on at
// its last step until the service window closes. The first steps are short because
// somebody is waiting for the answer, and most trouble passes in seconds; the last is
// how late an answer can be after a long outage has ended.
var sendWaits = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second,
	2 * time.Minute, 2 * time.Minute, 2 * time.Minute, 5 * time.Minute,
}

// deniedWait is the least wait after a denial: nobody mends a token in seconds.
const deniedWait = 30 * time.Second

// maxAskedJitter spreads out those who were asked to wait equally long.
const maxAskedJitter = 2 * time.Second

// sendBackoff gives the wait before the next attempt, with full jitter so that
// conversations that failed together do not come back together. Where the network or
// the pacer asked for a time that is what is waited, not more: who is held back by a
// limit has not failed.
func sendBackoff(attempt int, asked time.Duration) time.Duration {
	if asked > 0 {
		return asked + rand.N(min(asked/4, maxAskedJitter)+1) // #nosec G404 -- it spreads retries, it keeps no secret
	}
	step := sendWaits[min(max(attempt, 1), len(sendWaits))-1]
	return step/10 + rand.N(step) // #nosec G404 -- it spreads retries, it keeps no secret
}
