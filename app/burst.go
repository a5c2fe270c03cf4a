package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Burst says how messages that come in a row are gathered to one answer. The bot
// does not sit and wait: it hears and thinks at once, holds the answer back for a
// moment, and drops it unsent when a message comes that it does not take into account.
type Burst struct {
	// Window is the least time between the newest message being taken up and the answer
	// leaving. Hearing, thinking and speaking run inside it, so that it delays an answer
	// only when they are quicker. Zero: no window.
	Window time.Duration
	// Unfinished is how long a message that reads as if its writer goes on waits for
	// the next one before anybody thinks about it; see domain.SoundsUnfinished. Zero: it
	// is answered like any other.
	Unfinished time.Duration
	// Limit is how long after a turn began messages still join it. The answer of who
	// never stops writing is sent then, and later messages get the next one. Zero:
	// nothing joins a turn that has begun.
	Limit time.Duration
}

func (b Burst) valid() bool { return b.Window >= 0 && b.Unfinished >= 0 && b.Limit >= 0 }

// hold is how long the inbox keeps a message before anybody looks at it. A voice
// message is never kept: it is heard while it waits.
func (b Burst) hold(c domain.Content) time.Duration {
	if text, ok := c.(domain.Text); ok && domain.SoundsUnfinished(text.Body) {
		return b.Unfinished
	}
	return 0
}

// errStale says that messages joined the turn which its answer does not know of.
var errStale = errors.New("messages came meanwhile that the answer does not know of")

// told reports whether the store hinted at new messages, without waiting.
func (s *session) told() bool {
	select {
	case <-s.work.News:
		return true
	default:
		return false
	}
}

// overtaken takes in what came meanwhile, when the store hints at something, and
// reports that with errStale.
func (s *session) overtaken(ctx context.Context) error {
	if !s.told() {
		return nil
	}
	return s.newcomers(ctx)
}

// newcomers takes in what came meanwhile and reports that with errStale.
func (s *session) newcomers(ctx context.Context) error {
	if joined, err := s.join(ctx); err != nil || !joined {
		return err
	}
	return errStale
}

// join takes the messages that came since into the turn. It reports false when there
// are none that ask for an answer, or when the burst has gone on for too long: they
// belong to the next turn then.
func (s *session) join(ctx context.Context) (bool, error) {
	since := time.Since(s.started)
	late := since >= s.persona.Burst.Limit || s.turn.Attempt() > maxTakeUps
	if late && since >= s.persona.TurnTimeout {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeBudget)
	defer cancel()
	pending, err := s.deps.Inbox.Pending(ctx, s.work.Lease)
	if err != nil {
		return false, fmt.Errorf("%w: look for what came meanwhile: %w", errStore, err)
	}
	asks := false
	pending = slices.DeleteFunc(pending, func(m domain.Message) bool {
		switch {
		case s.turn.Has(m.ID):
			return false
		case m.Group == "" && s.turn.Has(domain.Amends(m.Content)):
			asks = true // what is answered was changed or withdrawn, whatever the limit
			return false
		case late:
			s.moreWaiting = true
			return true
		}
		asks = asks || (m.Group == "" && domain.StartsTurn(m.Content))
		return false
	})
	if !asks {
		return false, nil
	}
	if err := s.turn.Absorb(pending); err != nil {
		return false, fmt.Errorf("take in what came meanwhile: %w", err)
	}
	for _, m := range pending {
		s.conv.Hear(m)
	}
	s.inputs = domain.Standing(pending)
	s.quiet = time.Now()
	s.event(ports.StageJoined, 0, "", nil)
	return true, nil
}

// linger waits a moment for the next message when the newest is a voice message
// that ends in the middle of a thought.
func (s *session) linger(ctx context.Context) error {
	newest := s.inputs[len(s.inputs)-1]
	tr, heard := s.turn.Transcript(newest.ID)
	if !heard || tr.Text == "" || !domain.SoundsUnfinished(tr.Text) {
		return nil
	}
	return s.wait(ctx, s.persona.Burst.Unfinished-time.Since(s.quiet))
}

// settleBurst waits out the window, and looks a last time for messages before the
// answer leaves.
func (s *session) settleBurst(ctx context.Context) error {
	if s.turn.State() != domain.TurnSpoken {
		return nil
	}
	if err := s.wait(ctx, s.persona.Burst.Window-time.Since(s.quiet)); err != nil {
		return err
	}
	if s.work.NewsExact && !s.told() {
		return nil
	}
	return s.newcomers(ctx)
}

// wait ends with nil after d, or with errStale as soon as messages joined the turn.
func (s *session) wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-s.work.News:
			if err := s.newcomers(ctx); err != nil {
				return err
			}
		}
	}
}
