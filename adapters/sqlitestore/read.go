package sqlitestore

import (
	"context"
	"database/sql"
	"errors"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// readStatements are prepared on every reading connection that needs them.
type readStatements struct {
	countDue, countInbox, pending                              *sql.Stmt
	load, turns, facts, deadLetters, deadMessages, find, books *sql.Stmt
	controls                                                   *sql.Stmt
}

func (r *readStatements) prepare(ctx context.Context, db *sql.DB) error {
	for _, each := range []struct {
		st   **sql.Stmt
		text string
	}{
		{&r.countDue, `SELECT count(*), (SELECT count(*) FROM dead_letters) FROM conversations WHERE due IS NOT NULL`},
		{&r.countInbox, `SELECT count(*), (SELECT at FROM inbox ORDER BY seq LIMIT 1) FROM inbox`},
		{&r.pending, heldPendingText},
		{&r.load, `SELECT m.data FROM conversations c JOIN memory m ON m.conv = c.n WHERE c.id = ? AND m.data <> x''`},
		{&r.turns, `SELECT t.n, t.id, t.data FROM conversations c JOIN turns t ON t.conv = c.n WHERE c.id = ? ORDER BY t.n DESC LIMIT ?`},
		{&r.facts, `SELECT t.id, f.data FROM facts f JOIN turns t ON t.n = f.turn WHERE f.turn = ? ORDER BY f.seq`},
		{&r.deadLetters, `SELECT d.turn, d.at, t.id, t.data FROM dead_letters d JOIN turns t ON t.n = d.turn ORDER BY d.at DESC, d.turn DESC LIMIT ?`},
		{&r.deadMessages, `SELECT id, data FROM dead_messages WHERE turn = ? ORDER BY seq`},
		{&r.find, findText},
		{&r.books, booksText},
		{&r.controls, `SELECT paused_until, paused_by, opted_out, blocked FROM conversations WHERE id = ?`},
	} {
		st, err := db.PrepareContext(ctx, each.text)
		if err != nil {
			return err
		}
		*each.st = st
	}
	return nil
}

// reader is one reading transaction: everything it reads is of one moment.
type reader struct {
	ctx context.Context
	tx  *sql.Tx
}

func (s *Store) readable(ctx context.Context, op string) error {
	if err := ports.FromContext(ctx, "sqlitestore: "+op); err != nil {
		return err
	}
	if s.closed() {
		return storeErr(op, ErrClosed)
	}
	return nil
}

// view runs fn in a reading transaction.
func (s *Store) view(ctx context.Context, op string, fn func(r *reader) error) error {
	if err := s.readable(ctx, op); err != nil {
		return err
	}
	// The reads are short. Left to run, they cost no watching goroutine each.
	ctx = context.WithoutCancel(ctx)
	tx, err := s.readers.BeginTx(ctx, nil)
	if err != nil {
		return storeErr(op, err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	return storeErr(op, fn(&reader{ctx: ctx, tx: tx}))
}

func (r *reader) one(st *sql.Stmt, args ...any) *sql.Row {
	return r.tx.StmtContext(r.ctx, st).QueryRowContext(r.ctx, args...)
}

// each calls fn for every row; the bytes it gets are its own.
func (r *reader) each(st *sql.Stmt, fn func(scan func(...any) error) error, args ...any) error {
	rows, err := r.tx.StmtContext(r.ctx, st).QueryContext(r.ctx, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// list decodes every row of a query for a record and the id of its place.
func list[T any, ID ~string](r *reader, decode func([]byte, ID) (T, error), st *sql.Stmt, args ...any) ([]T, error) {
	var out []T
	err := r.each(st, func(scan func(...any) error) error {
		var id ID
		var data sql.RawBytes
		if err := scan(&id, &data); err != nil {
			return err
		}
		v, err := decode(data, id)
		out = append(out, v)
		return err
	}, args...)
	return out, err
}

// Pending implements ports.InboxPort. It reads beside the writer, and so waits for no
// commit. One statement reads of one moment.
func (s *Store) Pending(ctx context.Context, lease ports.Lease) ([]domain.Message, error) {
	if err := s.readable(ctx, "pending"); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx) // as in view
	rows, err := s.read.pending.QueryContext(ctx, string(lease.Conversation), lease.Token, s.clock().UnixNano())
	if err != nil {
		return nil, storeErr("pending", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	var out []domain.Message
	held := false
	for rows.Next() {
		held = true
		var id sql.NullString // NULL when nothing waits
		var data sql.RawBytes
		if err := rows.Scan(&id, &data); err != nil {
			return nil, storeErr("pending", err)
		}
		if !id.Valid {
			continue
		}
		m, err := s.sealer.DecodeMessage(data, id.String)
		if err != nil {
			return nil, storeErr("pending", err)
		}
		out = append(out, m)
	}
	if err := rows.Err(); err != nil {
		return nil, storeErr("pending", err)
	}
	if !held {
		s.news.Remove(lease)
		return nil, lost("pending")
	}
	return out, nil
}

// Load implements ports.ConversationPort.
func (s *Store) Load(ctx context.Context, id domain.ConversationID) (domain.Conversation, error) {
	var conv domain.Conversation
	err := s.view(ctx, "load", func(r *reader) error {
		var data []byte
		err := r.one(s.read.load, string(id)).Scan(&data)
		if errors.Is(err, sql.ErrNoRows) {
			return &ports.Error{Op: "sqlitestore: load", Kind: ports.KindNotFound, Err: errors.New("no such conversation was finished")}
		}
		if err != nil {
			return err
		}
		conv, err = s.sealer.DecodeConversation(data, id)
		return err
	})
	return conv, err
}

// Turns implements ports.ConversationPort.
func (s *Store) Turns(ctx context.Context, id domain.ConversationID, limit int) ([]domain.Turn, error) {
	var out []domain.Turn
	err := s.view(ctx, "turns", func(r *reader) error {
		var rows []int64
		err := r.each(s.read.turns, func(scan func(...any) error) error {
			var n int64
			var id domain.TurnID
			var data sql.RawBytes
			if err := scan(&n, &id, &data); err != nil {
				return err
			}
			turn, err := s.sealer.DecodeTurn(data, id)
			out, rows = append(out, turn), append(rows, n)
			return err
		}, string(id), max(0, limit))
		if err != nil {
			return err
		}
		for i, n := range rows {
			facts, err := list(r, s.sealer.DecodeStatus, s.read.facts, n)
			if err != nil {
				return err
			}
			for _, f := range facts {
				out[i].Observe(f)
			}
		}
		return nil
	})
	return out, err
}
