package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"whatsappnode/adapters/record"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// deadState says what became of a turn's dead letter; the column turns.dead.
type deadState int

const (
	notDead    deadState = iota
	letterKept           // the turn died, and there is a letter
	letterGone           // it was replayed or discarded; the turn is mere history
)

// DeadLetters implements ports.DeadLetterPort.
func (s *Store) DeadLetters(ctx context.Context, limit int) ([]ports.DeadLetter, error) {
	var out []ports.DeadLetter
	err := s.view(ctx, "dead letters", func(r *reader) error {
		var rows []int64
		err := r.each(s.read.deadLetters, func(scan func(...any) error) error {
			var n, at int64
			var id domain.TurnID
			var data sql.RawBytes
			if err := scan(&n, &at, &id, &data); err != nil {
				return err
			}
			turn, err := s.sealer.DecodeTurn(data, id)
			out, rows = append(out, ports.DeadLetter{Turn: turn, At: unix(at)}), append(rows, n)
			return err
		}, max(0, limit))
		if err != nil {
			return err
		}
		for i, n := range rows {
			if out[i].Messages, err = list(r, s.sealer.DecodeMessage, s.read.deadMessages, n); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// Replay implements ports.DeadLetterPort. The messages take their old places, in
// front of what came later. A lease or a deferred turn decides by itself when the
// conversation is due, as for a new message.
func (s *Store) Replay(ctx context.Context, turn domain.TurnID) error {
	return s.do(ctx, "replay", 1, func(w *writer) error {
		n, conv, err := w.buried("replay", turn)
		if err != nil {
			return err
		}
		messages, err := w.deadMessages(n)
		if err != nil {
			return err
		}
		if err := w.layToRest(n); err != nil {
			return err
		}
		for _, m := range messages {
			if _, err := w.exec(stReplayMessage, m.seq, conv, m.id, w.now, m.data); err != nil {
				return err
			}
		}
		if len(messages) > 0 {
			_, err = w.exec(stDueMessage, conv, w.now, 0)
		}
		return err
	})
}

// Discard implements ports.DeadLetterPort. The turn itself stays in the history of
// the conversation, for as long as any other.
func (s *Store) Discard(ctx context.Context, turn domain.TurnID) error {
	return s.do(ctx, "discard", 1, func(w *writer) error {
		n, _, err := w.buried("discard", turn)
		if err != nil {
			return err
		}
		return w.layToRest(n)
	})
}

func (w *writer) buried(op string, turn domain.TurnID) (n, conv int64, err error) {
	found, err := w.row(stBuried, []any{string(turn)}, &n, &conv)
	if err == nil && !found {
		err = &ports.Error{Op: "sqlitestore: " + op, Kind: ports.KindNotFound, Err: errors.New("there is no such dead letter")}
	}
	return n, conv, err
}

// layToRest removes a dead letter. The mark it leaves keeps the turn, should a late
// failure bring it up again, from becoming a dead letter once more.
func (w *writer) layToRest(turn int64) error {
	for _, st := range []int{stDropDead, stDropDeadMessages, stLayToRest} {
		if _, err := w.exec(st, turn); err != nil {
			return err
		}
	}
	return nil
}

type deadMessage struct {
	seq  int64
	id   string // its name
	data []byte
}

func (w *writer) deadMessages(turn int64) ([]deadMessage, error) {
	rows, err := w.st[stDeadMessages].Query(turn)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	var out []deadMessage
	for rows.Next() {
		var m deadMessage
		if err := rows.Scan(&m.seq, &m.id, &m.data); err != nil {
			return nil, err
		}
		if m.id == "" { // of a release that did not write it down, and so plain
			message, err := record.DecodeMessage(m.data)
			if err != nil {
				return nil, fmt.Errorf("read dead letter: %w", err)
			}
			m.id = string(message.ID)
		}
		out = append(out, m)
	}
	return out, rows.Err()
}
