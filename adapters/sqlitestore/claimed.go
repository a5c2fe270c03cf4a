package sqlitestore

import (
	"fmt"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// claimed is a conversation that was leased, with what it has, as it is stored. The
// writer reads it in the transaction of the claim: its pages are in the writer's memory,
// where a reading connection would have to begin anew after each commit. The caller of
// Lease decodes it, and so the writer does not do it.
type claimed struct {
	n     int64
	id    domain.ConversationID
	token int64 // of the lease before
	due   int64
	// abandoned is true when the lease before ran out.
	abandoned bool
	open      bool // it has open turns
	controls  controls
	memory    []byte
	turns     []stored // open ones
	facts     []stored // of the open turns
	pending   []stored
	err       error // why it could not be read
}

// stored is one record with the id of its place.
type stored struct {
	id   string
	data []byte
	seq  int64 // of a fact
}

// nextWork finds the conversation that is due first. What is remembered of it is read
// when it is due by now.
func (w *writer) nextWork(c *claimed) (found bool, err error) {
	return w.row(stNextWork, []any{w.now}, &c.n, &c.id, &c.token, &c.due, &c.abandoned,
		&c.controls.until, &c.controls.by, &c.controls.optedOut, &c.controls.blocked, &c.open, &c.memory)
}

// readWork reads what else the conversation has.
func (w *writer) readWork(c *claimed) error {
	var err error
	if c.open {
		if c.turns, err = w.stored(stOpenTurns, c.n); err != nil {
			return fmt.Errorf("read open turns: %w", err)
		}
		if c.facts, err = w.stored(stOpenFacts, c.n); err != nil {
			return fmt.Errorf("read statuses: %w", err)
		}
	}
	if c.pending, err = w.stored(stPending, c.n); err != nil {
		return fmt.Errorf("read pending messages: %w", err)
	}
	return nil
}

// stored runs a query for records.
func (w *writer) stored(st int, conv int64) ([]stored, error) {
	rows, err := w.st[st].Query(conv)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	var out []stored
	for rows.Next() {
		var r stored
		dest := []any{&r.id, &r.data, &r.seq}
		if st != stOpenFacts {
			dest = dest[:2]
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// work decodes what was read for a grant.
func (s *Store) work(g *grant) (ports.Work, error) {
	c := &g.work
	// The writer is in this process and tells before it answers.
	w := ports.Work{Lease: g.lease, Now: unix(g.until - int64(s.ttl)), Abandoned: c.abandoned, News: g.news, NewsExact: true}
	if c.err != nil {
		return w, c.err
	}
	var err error
	w.Controls = c.controls.at(w.Now.UnixNano())
	if w.Conversation, err = s.sealer.DecodeConversation(c.memory, c.id); err != nil {
		return w, err
	}
	if w.Open, err = decodeAll(c.turns, s.sealer.DecodeTurn); err != nil {
		return w, fmt.Errorf("read open turns: %w", err)
	}
	if w.Pending, err = decodeAll(c.pending, s.sealer.DecodeMessage); err != nil {
		return w, fmt.Errorf("read pending messages: %w", err)
	}
	if w.Facts, err = decodeAll(c.facts, s.sealer.DecodeStatus); err != nil {
		return w, fmt.Errorf("read statuses: %w", err)
	}
	if len(c.facts) > 0 {
		w.Lease.Cursor = c.facts[len(c.facts)-1].seq
	}
	return w, nil
}

func decodeAll[T any, ID ~string](all []stored, decode func([]byte, ID) (T, error)) ([]T, error) {
	var out []T
	for _, r := range all {
		v, err := decode(r.data, ID(r.id))
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}
