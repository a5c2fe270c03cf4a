package fake

import (
	"context"
	"errors"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// controls are what people have decided about a conversation.
type controls struct {
	until             time.Time // when the pause ends
	by                domain.PausedBy
	optedOut, blocked bool
}

func (c controls) at(now time.Time) domain.Controls {
	out := domain.Controls{OptedOut: c.optedOut, Blocked: c.blocked}
	if left := c.until.Sub(now); left > 0 {
		out.Paused, out.PausedBy = left, c.by
	}
	return out
}

func (c *controls) pauseAtLeast(until time.Time) {
	if until.After(c.until) {
		c.until, c.by = until, domain.PausedByOperator
	}
}

func (c *controls) change(ch domain.ControlChange, now time.Time) {
	switch ch.Kind {
	case domain.ControlPause:
		c.until, c.by = now.Add(ch.For), ch.By
	case domain.ControlResume:
		c.until, c.by = time.Time{}, ""
	case domain.ControlOptOut, domain.ControlOptIn:
		c.optedOut = ch.Kind == domain.ControlOptOut
	case domain.ControlBlock, domain.ControlUnblock:
		c.blocked = ch.Kind == domain.ControlBlock
	}
}

// recall ends a lease or a delay, so that the next worker looks at once.
func (c *conversation) recall(now time.Time) {
	switch {
	case !c.leaseUntil.IsZero():
		c.tell(now)
		c.endLease()
		c.due = now
	case c.deferred:
		c.due, c.deferred = now, false
	}
}

// Controls implements ports.ControlPort.
func (s *Store) Controls(ctx context.Context, id domain.ConversationID) (domain.Controls, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.known(ctx, "controls", id)
	if err != nil {
		return domain.Controls{}, err
	}
	return c.controls.at(time.Now()), nil
}

// Control implements ports.ControlPort.
func (s *Store) Control(ctx context.Context, id domain.ConversationID, change domain.ControlChange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := change.Validate(); err != nil {
		return storeError("control", ports.KindInvalid, err)
	}
	c, err := s.known(ctx, "control", id)
	if err != nil {
		return err
	}
	now := time.Now()
	c.controls.change(change, now)
	c.recall(now)
	s.grant()
	return nil
}

// ControlHeld implements ports.ControlPort.
func (s *Store) ControlHeld(ctx context.Context, lease ports.Lease, change domain.ControlChange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := change.Validate(); err != nil {
		return storeError("control", ports.KindInvalid, err)
	}
	c, err := s.held(ctx, "control", lease)
	if err != nil {
		return err
	}
	c.controls.change(change, time.Now())
	return nil
}

func (s *Store) known(ctx context.Context, op string, id domain.ConversationID) (*conversation, error) {
	if err := s.usable(ctx, op); err != nil {
		return nil, err
	}
	c := s.convs[id]
	if c == nil {
		return nil, storeError(op, ports.KindNotFound, errors.New("there is no such conversation"))
	}
	return c, nil
}
