package fake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Lease implements ports.InboxPort. Waiting callers are served in their order.
func (s *Store) Lease(ctx context.Context) (ports.Work, error) {
	s.mu.Lock()
	if err := s.usable(ctx, "lease"); err != nil {
		s.mu.Unlock()
		return ports.Work{}, err
	}
	mine := make(chan ports.Work, 1)
	s.waiters = append(s.waiters, mine)
	s.grant()
	s.mu.Unlock()
	select {
	case work := <-mine:
		return work, nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiters = slices.DeleteFunc(s.waiters, func(w chan ports.Work) bool { return w == mine })
	select {
	case work := <-mine: // granted at the same moment: give it back
		if c := s.convs[work.Lease.Conversation]; c != nil && c.token == work.Lease.Token {
			c.endLease()
			c.due = time.Now()
			s.grant()
		}
	default:
	}
	return ports.Work{}, ports.FromContext(ctx, "fake store: lease")
}

// grant serves the waiting callers as long as a conversation is due, and arms the
// timer for the next one.
func (s *Store) grant() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	for len(s.waiters) > 0 && s.broken == nil {
		c := s.longestDue()
		if c == nil {
			return
		}
		now := time.Now()
		if wait := c.due.Sub(now); wait > 0 {
			s.timer = time.AfterFunc(wait, func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.grant()
			})
			return
		}
		s.waiters[0] <- s.claim(c, now)
		s.waiters = s.waiters[1:]
	}
}

func (s *Store) longestDue() *conversation {
	var first *conversation
	for _, c := range s.order {
		if !c.due.IsZero() && (first == nil || c.due.Before(first.due)) {
			first = c
		}
	}
	return first
}

func (s *Store) claim(c *conversation, now time.Time) ports.Work {
	c.token++
	abandoned := !c.leaseUntil.IsZero()
	c.leaseUntil = now.Add(s.ttl)
	c.due, c.deferred = c.leaseUntil, false
	c.news = make(chan struct{}, 1)
	work := ports.Work{Lease: ports.Lease{Conversation: c.id, Token: c.token, TTL: s.ttl}, News: c.news, Controls: c.controls.at(now), Now: now, Abandoned: abandoned}
	if c.saved != nil {
		work.Conversation, _ = domain.RestoreConversation(c.saved.Record())
	} else {
		work.Conversation, _ = domain.NewConversation(c.id, c.number, c.contact)
	}
	var facts []fact
	for _, t := range c.turns {
		if t.open {
			work.Open = append(work.Open, copyTurn(t.turn))
			facts = append(facts, t.facts...)
		}
	}
	slices.SortFunc(facts, func(a, b fact) int { return int(a.seq - b.seq) })
	for _, f := range facts {
		work.Facts = append(work.Facts, f.status)
		work.Lease.Cursor = f.seq
	}
	work.Pending = c.pending()
	return work
}

func (c *conversation) pending() []domain.Message {
	var out []domain.Message
	for _, w := range c.inbox[:min(len(c.inbox), ports.MaxPending)] {
		out = append(out, w.message)
	}
	return out
}

// tell lets the holder of a lease that has not run out know of a message.
func (c *conversation) tell(now time.Time) {
	if !now.Before(c.leaseUntil) {
		return
	}
	select {
	case c.news <- struct{}{}:
	default: // it has been told already
	}
}

// held returns the conversation of a lease that still holds. A lease that ran out
// is lost even while nobody else has taken the conversation.
func (s *Store) held(ctx context.Context, op string, l ports.Lease) (*conversation, error) {
	if err := s.usable(ctx, op); err != nil {
		return nil, err
	}
	c := s.convs[l.Conversation]
	if c == nil || c.token != l.Token || !time.Now().Before(c.leaseUntil) {
		return nil, fmt.Errorf("fake store: %s: %w", op, ports.ErrLeaseLost)
	}
	return c, nil
}

func (c *conversation) endLease() {
	c.leaseUntil, c.due, c.deferred, c.news = time.Time{}, time.Time{}, false, nil
}

// Pending implements ports.InboxPort.
func (s *Store) Pending(ctx context.Context, lease ports.Lease) ([]domain.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.held(ctx, "pending", lease)
	if err != nil {
		return nil, err
	}
	return c.pending(), nil
}

// Extend implements ports.InboxPort.
func (s *Store) Extend(ctx context.Context, lease ports.Lease) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.held(ctx, "extend", lease)
	if err != nil {
		return err
	}
	c.leaseUntil = time.Now().Add(s.ttl)
	c.due = c.leaseUntil
	return nil
}

// Checkpoint implements ports.InboxPort.
func (s *Store) Checkpoint(ctx context.Context, lease ports.Lease, turn domain.Turn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.held(ctx, "checkpoint", lease)
	if err != nil {
		return err
	}
	_, err = s.keep("checkpoint", c, turn)
	return err
}

// Finish implements ports.InboxPort. A turn that is not settled is KindInvalid:
// work would be left and nothing would make it due.
func (s *Store) Finish(ctx context.Context, lease ports.Lease, turn domain.Turn, conv domain.Conversation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.held(ctx, "finish", lease)
	if err != nil {
		return err
	}
	if conv.ID() != c.id {
		return storeError("finish", ports.KindInvalid, errors.New("the conversation is not the leased one"))
	}
	if !turn.State().Settled() {
		return storeError("finish", ports.KindInvalid, fmt.Errorf("the turn is not settled but %s", turn.State()))
	}
	saved, err := domain.RestoreConversation(conv.Record())
	if err != nil {
		return storeError("finish", ports.KindInvalid, err)
	}
	t, err := s.keep("finish", c, turn)
	if err != nil {
		return err
	}
	c.saved, c.savedAt = &saved, time.Now()
	now := time.Now()
	c.endLease()
	var consumed []waiting
	c.inbox = slices.DeleteFunc(c.inbox, func(w waiting) bool {
		// What was replayed from a dead letter is another turn's to answer.
		if turn.Has(w.message.ID) && !(t.buried && turn.State() == domain.TurnDead) {
			consumed = append(consumed, w)
			return true
		}
		c.dueAt(w.due)
		return false
	})
	if turn.State() == domain.TurnDead {
		t.bury(consumed, now)
	}
	t.seen = max(t.seen, lease.Cursor)
	t.open = slices.ContainsFunc(t.facts, func(f fact) bool { return f.failed() && f.seq > t.seen })
	if slices.ContainsFunc(c.turns, func(t *storedTurn) bool { return t.open }) {
		c.due = now
	}
	s.grant()
	return nil
}

// Defer implements ports.InboxPort. A status of an open turn that came after the
// lease was given makes the conversation due at once: the worker has not seen it.
func (s *Store) Defer(ctx context.Context, lease ports.Lease, turn *domain.Turn, after time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.held(ctx, "defer", lease)
	if err != nil {
		return err
	}
	if turn != nil {
		if _, err := s.keep("defer", c, *turn); err != nil {
			return err
		}
	}
	c.endLease()
	c.due, c.deferred = time.Now().Add(max(0, after)), true
	for _, t := range c.turns {
		if t.open && slices.ContainsFunc(t.facts, func(f fact) bool { return f.seq > lease.Cursor }) {
			c.due, c.deferred = time.Now(), false
		}
	}
	s.grant()
	return nil
}

// Release implements ports.InboxPort.
func (s *Store) Release(ctx context.Context, lease ports.Lease) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.held(ctx, "release", lease)
	if err != nil {
		return err
	}
	c.endLease()
	c.due = time.Now()
	s.grant()
	return nil
}
