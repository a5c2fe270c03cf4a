package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// heldLease is a lease as the file has it.
type heldLease struct {
	n, token, until int64
	// turn is the newest turn that was stored under the lease, turnRow its row.
	turn    domain.TurnID
	turnRow int64
}

// heldCache remembers the leases that are in hand, so that a write under one need not
// look it up. Only the writer changes leases, so it cannot go stale, except when a
// transaction is taken back: it is cleared then. What is not in it is looked up.
type heldCache struct {
	m map[domain.ConversationID]*heldLease
}

// maxHeld bounds the cache, at about 200 bytes each. Leases that run out stay in it until
// their conversation is leased again.
const maxHeld = 1 << 14

func (c *heldCache) clear() { c.m = map[domain.ConversationID]*heldLease{} }

func (c *heldCache) put(id domain.ConversationID, l heldLease) *heldLease {
	if len(c.m) >= maxHeld {
		c.clear() // rare; the next look-ups fill it again
	}
	c.m[id] = &l
	return &l
}

func (c *heldCache) forget(id domain.ConversationID) { delete(c.m, id) }

// holds returns the lease if it still holds.
func (w *writer) holds(op string, l ports.Lease) (*heldLease, error) {
	if h := w.held.m[l.Conversation]; h != nil && h.token == l.Token && h.until > w.now {
		return h, nil
	}
	h := heldLease{token: l.Token}
	found, err := w.row(stHeld, []any{string(l.Conversation), l.Token, w.now}, &h.n, &h.until)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, lost(op)
	}
	return w.held.put(l.Conversation, h), nil
}

func (w *writer) endLease(lease ports.Lease, l *heldLease, due int64, deferred bool) error {
	w.held.forget(lease.Conversation)
	_, err := w.exec(stEndLease, l.n, due, deferred)
	return err
}

// held runs fn if the lease still holds. A lease that ran out is lost even while
// nobody else has taken the conversation.
func (s *Store) held(ctx context.Context, op string, l ports.Lease, fn func(w *writer, l *heldLease) error) error {
	err := s.do(ctx, op, 1, func(w *writer) error {
		h, err := w.holds(op, l)
		if err != nil {
			return err
		}
		return fn(w, h)
	})
	if errors.Is(err, ports.ErrLeaseLost) {
		s.news.Remove(l)
	}
	return err
}

func lost(op string) error { return fmt.Errorf("sqlitestore: %s: %w", op, ports.ErrLeaseLost) }

// ending is held for a write with which the lease ends.
func (s *Store) ending(ctx context.Context, op string, l ports.Lease, fn func(w *writer, l *heldLease) error) error {
	err := s.held(ctx, op, l, fn)
	if err == nil {
		s.news.Remove(l)
	}
	return err
}

// Extend implements ports.InboxPort.
func (s *Store) Extend(ctx context.Context, lease ports.Lease) error {
	var until int64
	err := s.held(ctx, "extend", lease, func(w *writer, l *heldLease) error {
		until = w.now + int64(s.ttl)
		l.until = until
		_, err := w.exec(stExtend, l.n, until)
		return err
	})
	if err == nil {
		s.news.Extend(lease, unix(until))
	}
	return err
}

// Release implements ports.InboxPort.
func (s *Store) Release(ctx context.Context, lease ports.Lease) error {
	return s.ending(ctx, "release", lease, func(w *writer, l *heldLease) error {
		return w.endLease(lease, l, w.now, false)
	})
}

// Defer implements ports.InboxPort. A status of an open turn that came after the
// lease was given makes the conversation due at once: the worker has not seen it.
func (s *Store) Defer(ctx context.Context, lease ports.Lease, turn *domain.Turn, after time.Duration) error {
	var kept *storedTurn
	if turn != nil {
		var err error
		if kept, err = s.prepareTurn("defer", lease, *turn); err != nil {
			return err
		}
	}
	return s.ending(ctx, "defer", lease, func(w *writer, l *heldLease) error {
		if kept != nil {
			if _, err := w.keep("defer", l, kept); err != nil {
				return err
			}
		}
		var unseen bool
		if _, err := w.row(stUnseenOpen, []any{l.n, lease.Cursor}, &unseen); err != nil {
			return err
		}
		due := w.now
		if !unseen {
			due += int64(max(0, after))
		}
		return w.endLease(lease, l, due, !unseen)
	})
}

// Checkpoint implements ports.InboxPort.
func (s *Store) Checkpoint(ctx context.Context, lease ports.Lease, turn domain.Turn) error {
	kept, err := s.prepareTurn("checkpoint", lease, turn)
	if err != nil {
		return err
	}
	return s.held(ctx, "checkpoint", lease, func(w *writer, l *heldLease) error {
		_, err := w.keep("checkpoint", l, kept)
		return err
	})
}
