package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// controls are the columns of ports.ControlPort, as they are read.
type controls struct {
	until             int64 // when the pause ends, Unix nanoseconds; zero for none
	by                domain.PausedBy
	optedOut, blocked bool
}

func (c *controls) columns() []any { return []any{&c.until, &c.by, &c.optedOut, &c.blocked} }

func (c *controls) at(now int64) domain.Controls {
	out := domain.Controls{OptedOut: c.optedOut, Blocked: c.blocked}
	if c.until > now {
		out.Paused, out.PausedBy = time.Duration(c.until-now), c.by
	}
	return out
}

// Controls implements ports.ControlPort.
func (s *Store) Controls(ctx context.Context, id domain.ConversationID) (domain.Controls, error) {
	var c controls
	err := s.view(ctx, "controls", func(r *reader) error {
		err := r.one(s.read.controls, string(id)).Scan(c.columns()...)
		if errors.Is(err, sql.ErrNoRows) {
			return noConversation("controls")
		}
		return err
	})
	if err != nil {
		return domain.Controls{}, err
	}
	return c.at(s.clock().UnixNano()), nil
}

func noConversation(op string) error {
	return &ports.Error{Op: "sqlitestore: " + op, Kind: ports.KindNotFound, Err: errors.New("there is no such conversation")}
}

// Control implements ports.ControlPort.
func (s *Store) Control(ctx context.Context, id domain.ConversationID, change domain.ControlChange) error {
	if err := change.Validate(); err != nil {
		return invalid("control", err)
	}
	j := &job{ctx: ctx, weight: 1, done: make(chan error, 1)}
	j.run = func(w *writer) error {
		var n int64
		found, err := w.row(stFindConversation, []any{string(id)}, &n)
		if err != nil {
			return err
		}
		if !found {
			return noConversation("control")
		}
		if err := w.control(n, change); err != nil {
			return err
		}
		return w.recall(conversationKey{n: n, id: id})
	}
	j.kept = func() { s.news.Tell(id) } // so that whoever held the lease need not wait to learn it
	return s.submit("control", j)
}

// ControlHeld implements ports.ControlPort.
func (s *Store) ControlHeld(ctx context.Context, lease ports.Lease, change domain.ControlChange) error {
	if err := change.Validate(); err != nil {
		return invalid("control", err)
	}
	return s.held(ctx, "control", lease, func(w *writer, l *heldLease) error { return w.control(l.n, change) })
}

func (w *writer) control(conv int64, change domain.ControlChange) error {
	var err error
	switch change.Kind {
	case domain.ControlPause:
		_, err = w.exec(stPause, conv, w.now+int64(change.For), string(change.By))
	case domain.ControlResume:
		_, err = w.exec(stPause, conv, 0, "")
	case domain.ControlOptOut, domain.ControlOptIn:
		_, err = w.exec(stOptOut, conv, change.Kind == domain.ControlOptOut)
	case domain.ControlBlock, domain.ControlUnblock:
		_, err = w.exec(stBlock, conv, change.Kind == domain.ControlBlock)
	}
	return err
}

// pauseAtLeast is for a message of the operator: it pauses the conversation until no
// earlier than it is paused already, and calls it back from whoever is at it.
func (w *writer) pauseAtLeast(c conversationKey, d time.Duration) error {
	if _, err := w.exec(stPauseAtLeast, c.n, w.now+int64(d), string(domain.PausedByOperator)); err != nil {
		return err
	}
	return w.recall(c)
}

// recall takes a conversation from whoever has it, or ends its delay.
func (w *writer) recall(c conversationKey) error {
	w.held.forget(c.id)
	_, err := w.exec(stRecall, c.n, w.now)
	return err
}
