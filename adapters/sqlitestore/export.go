package sqlitestore

import (
	"context"
	"database/sql"
	"errors"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.ExportPort = (*Store)(nil)

// The queries of Export. They are rare, so they are not kept prepared.
const (
	exportMemory  = `SELECT c.n, m.data FROM conversations c LEFT JOIN memory m ON m.conv = c.n WHERE c.id = ?`
	exportInbox   = `SELECT seq, id, data FROM inbox WHERE conv = ? AND seq > ? ORDER BY seq LIMIT 1`
	exportTurns   = `SELECT n, id, data FROM turns WHERE conv = ? AND n > ? ORDER BY n LIMIT 1`
	exportFacts   = `SELECT data FROM facts WHERE turn = ? ORDER BY seq`
	exportLetters = `SELECT d.turn, t.id, t.data, d.at FROM dead_letters d JOIN turns t ON t.n = d.turn WHERE t.conv = ? AND d.turn > ? ORDER BY d.turn LIMIT 1`
	exportBuried  = `SELECT id, data FROM dead_messages WHERE turn = ? ORDER BY seq`
)

// Export implements ports.ExportPort. Each record is read by itself, so that a slow
// reader of the export holds up nobody.
func (s *Store) Export(ctx context.Context, id domain.ConversationID, visit func(ports.Stored) error) error {
	var n int64
	one, err := s.exportConversation(ctx, id, &n)
	if err != nil || n == 0 {
		return err
	}
	if one != nil {
		if err := visit(*one); err != nil {
			return err
		}
	}
	for _, next := range []func(context.Context, int64, int64) (*ports.Stored, int64, error){s.exportMessage, s.exportTurn, s.exportLetter} {
		for after := int64(0); ; {
			one, at, err := next(ctx, n, after)
			if err != nil {
				return err
			}
			if one == nil {
				break
			}
			if err := visit(*one); err != nil {
				return err
			}
			after = at
		}
	}
	return nil
}

func (s *Store) exportConversation(ctx context.Context, id domain.ConversationID, n *int64) (*ports.Stored, error) {
	var out *ports.Stored
	err := s.view(ctx, "export", func(r *reader) error {
		var data []byte
		err := r.tx.QueryRowContext(r.ctx, exportMemory, string(id)).Scan(n, &data)
		if errors.Is(err, sql.ErrNoRows) || (err == nil && len(data) == 0) {
			return nil
		}
		if err != nil {
			return err
		}
		conv, err := s.sealer.DecodeConversation(data, id)
		out = &ports.Stored{Conversation: &conv}
		return err
	})
	return out, err
}

func (s *Store) exportMessage(ctx context.Context, conv, after int64) (*ports.Stored, int64, error) {
	var out *ports.Stored
	var at int64
	err := s.exportRow(ctx, exportInbox, conv, after, func(_ *reader, row *sql.Row) error {
		var name string
		var data []byte
		if err := row.Scan(&at, &name, &data); err != nil {
			return err
		}
		m, err := s.sealer.DecodeMessage(data, name)
		out = &ports.Stored{Waiting: &m}
		return err
	})
	return out, at, err
}

func (s *Store) exportTurn(ctx context.Context, conv, after int64) (*ports.Stored, int64, error) {
	var out *ports.Stored
	var at int64
	err := s.exportRow(ctx, exportTurns, conv, after, func(r *reader, row *sql.Row) error {
		var id domain.TurnID
		var data []byte
		if err := row.Scan(&at, &id, &data); err != nil {
			return err
		}
		turn, err := s.sealer.DecodeTurn(data, id)
		if err != nil {
			return err
		}
		out = &ports.Stored{Turn: &turn}
		rows, err := r.tx.QueryContext(r.ctx, exportFacts, at)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err tells what matters
		for rows.Next() {
			var data []byte
			if err := rows.Scan(&data); err != nil {
				return err
			}
			fact, err := s.sealer.DecodeStatus(data, id)
			if err != nil {
				return err
			}
			turn.Observe(fact)
			out.Facts = append(out.Facts, fact)
		}
		return rows.Err()
	})
	return out, at, err
}

func (s *Store) exportLetter(ctx context.Context, conv, after int64) (*ports.Stored, int64, error) {
	var out *ports.Stored
	var n int64
	err := s.exportRow(ctx, exportLetters, conv, after, func(r *reader, row *sql.Row) error {
		var id domain.TurnID
		var data []byte
		var at int64
		if err := row.Scan(&n, &id, &data, &at); err != nil {
			return err
		}
		turn, err := s.sealer.DecodeTurn(data, id)
		if err != nil {
			return err
		}
		letter := &ports.DeadLetter{Turn: turn, At: unix(at)}
		out = &ports.Stored{Letter: letter}
		rows, err := r.tx.QueryContext(r.ctx, exportBuried, n)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err tells what matters
		for rows.Next() {
			var name string
			var data []byte
			if err := rows.Scan(&name, &data); err != nil {
				return err
			}
			m, err := s.sealer.DecodeMessage(data, name)
			if err != nil {
				return err
			}
			letter.Messages = append(letter.Messages, m)
		}
		return rows.Err()
	})
	return out, n, err
}

// exportRow reads the next row behind a key, if there is one.
func (s *Store) exportRow(ctx context.Context, query string, conv, after int64, fn func(*reader, *sql.Row) error) error {
	return s.view(ctx, "export", func(r *reader) error {
		err := fn(r, r.tx.QueryRowContext(r.ctx, query, conv, after))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
}
