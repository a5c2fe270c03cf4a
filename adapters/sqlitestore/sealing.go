package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"whatsappnode/adapters/record"
	"whatsappnode/ports"
)

// The reasons for which a sealed file is refused.
var (
	errNoKey    = errors.New("it is sealed, and no key is given")
	errWrongKey = errors.New("it is sealed, and none of the keys given opens it")
)

// unlock finds out whether the file is sealed and brings it under the first key: a
// file that is plain is sealed, one that another key seals is sealed anew. One process
// owns the file, so it is done whole and at once, in one transaction: about a second
// for 100 MB. What was replaced is then scrubbed from the file as after an erasure.
func (s *Store) unlock(ctx context.Context, conn *sql.Conn, keys []record.Key) error {
	var err error
	if s.sealer, err = record.NewSealer(keys); err != nil {
		return err
	}
	var by string
	var kept []byte
	err = conn.QueryRowContext(ctx, `SELECT key, names FROM sealing`).Scan(&by, &kept)
	fresh := errors.Is(err, sql.ErrNoRows)
	switch {
	case err != nil && !fresh:
		return err
	case fresh && s.sealer == nil:
		return nil
	case s.sealer == nil:
		return errNoKey
	case fresh:
		s.names, kept = s.sealer.NewNames()
	default:
		if s.names, err = s.sealer.OpenNames(kept); err != nil {
			return errWrongKey
		}
		if kept, _, err = s.sealer.Reseal(kept, record.KindNames, ""); err != nil {
			return err
		}
	}
	if by == s.sealer.KeyID() {
		return nil
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	r := &resealing{ctx: ctx, tx: tx, s: s}
	if fresh {
		if err := r.hideNames(); err != nil {
			return fmt.Errorf("seal the names: %w", err)
		}
	}
	if err := r.records(); err != nil {
		return fmt.Errorf("seal the records: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO sealing (one, key, names) VALUES (1, ?, ?)`, s.sealer.KeyID(), kept); err != nil {
		return err
	}
	if r.changed {
		if _, err := tx.ExecContext(ctx, markDirty); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Reseal tells how many records were sealed anew by Open, which leaves none. Without
// keys it is KindInvalid.
func (s *Store) Reseal(ctx context.Context) (int, error) {
	if s.sealer == nil {
		return 0, invalid("reseal", errors.New("no key is given (STORE_KEY or STORE_KEYS)"))
	}
	return s.resealed, ports.FromContext(ctx, "sqlitestore: reseal")
}

// resealing rewrites what a file holds, in one transaction.
type resealing struct {
	ctx     context.Context
	tx      *sql.Tx
	s       *Store
	changed bool
}

// resealPage is how many rows are held in memory at once.
const resealPage = 256

// hideNames replaces every name by its keyed hash. A hash is known by its first
// letter, so a page is always what is left.
func (r *resealing) hideNames() error {
	const plain = ` < '#' OR %[1]s >= '$') AND %[1]s <> '' LIMIT ?`
	for _, col := range []struct{ table, column, where, kind string }{
		{"ids", "id", "", "id"},
		{"inbox", "id", "", "id"},
		{"sends", "message", "", "id"},
		{"aliases", "value", "kind = 0 AND ", "user"},
		{"aliases", "value", "kind = 1 AND ", "phone"},
		{"aliases", "owner", "", "user"},
	} {
		find := fmt.Sprintf(`SELECT DISTINCT %[1]s FROM %[2]s WHERE %[3]s(%[1]s`+plain, col.column, col.table, col.where)
		set := fmt.Sprintf(`UPDATE %[2]s SET %[1]s = ? WHERE %[3]s%[1]s = ?`, col.column, col.table, col.where)
		for {
			names, err := r.column(find, resealPage)
			if err != nil {
				return err
			}
			for _, n := range names {
				if _, err := r.tx.ExecContext(r.ctx, set, r.s.name(col.kind, n), n); err != nil {
					return err
				}
			}
			r.changed = r.changed || len(names) > 0
			if len(names) < resealPage {
				break
			}
		}
	}
	return r.nameDeadMessages()
}

func (r *resealing) column(query string, args ...any) ([]string, error) {
	rows, err := r.tx.QueryContext(r.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	var out []string
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// nameDeadMessages writes the names of dead letters' messages, under which they will
// be sealed. Until now they are plain, and releases that knew no keys left the name out.
func (r *resealing) nameDeadMessages() error {
	return r.each(`SELECT turn, seq, id, data FROM dead_messages WHERE turn >= ?1 AND (turn, seq) > (?1, ?2) ORDER BY turn, seq LIMIT ?3`, func(row sealedRow) error {
		message, err := record.DecodeMessage(row.data)
		if err != nil {
			return err
		}
		_, err = r.tx.ExecContext(r.ctx, `UPDATE dead_messages SET id = ? WHERE turn = ? AND seq = ?`, r.s.messageName(message.ID), row.a, row.b)
		return err
	})
}

// sealedRow is one record with its key, of two numbers, and the id of its place.
type sealedRow struct {
	a, b int64
	id   string
	data []byte
}

// records seals every record with the first key.
func (r *resealing) records() error {
	for _, t := range []struct {
		find, set string
		kind      record.Kind
	}{
		{
			`SELECT n, 0, id, first FROM conversations WHERE n > ?1 AND ?2 = 0 ORDER BY n LIMIT ?3`,
			`UPDATE conversations SET first = ?3 WHERE n = ?1 AND ?2 = 0`, record.KindConversation,
		},
		{
			`SELECT m.conv, 0, c.id, m.data FROM memory m JOIN conversations c ON c.n = m.conv WHERE m.conv > ?1 AND ?2 = 0 AND m.data <> x'' ORDER BY m.conv LIMIT ?3`,
			`UPDATE memory SET data = ?3 WHERE conv = ?1 AND ?2 = 0`, record.KindConversation,
		},
		{
			`SELECT seq, 0, id, data FROM inbox WHERE seq > ?1 AND ?2 = 0 ORDER BY seq LIMIT ?3`,
			`UPDATE inbox SET data = ?3 WHERE seq = ?1 AND ?2 = 0`, record.KindMessage,
		},
		{
			`SELECT n, 0, id, data FROM turns WHERE n > ?1 AND ?2 = 0 ORDER BY n LIMIT ?3`,
			`UPDATE turns SET data = ?3 WHERE n = ?1 AND ?2 = 0`, record.KindTurn,
		},
		{
			`SELECT f.seq, 0, t.id, f.data FROM facts f JOIN turns t ON t.n = f.turn WHERE f.seq > ?1 AND ?2 = 0 ORDER BY f.seq LIMIT ?3`,
			`UPDATE facts SET data = ?3 WHERE seq = ?1 AND ?2 = 0`, record.KindFact,
		},
		{
			`SELECT turn, seq, id, data FROM dead_messages WHERE turn >= ?1 AND (turn, seq) > (?1, ?2) ORDER BY turn, seq LIMIT ?3`,
			`UPDATE dead_messages SET data = ?3 WHERE turn = ?1 AND seq = ?2`, record.KindMessage,
		},
	} {
		err := r.each(t.find, func(row sealedRow) error {
			data, changed, err := r.s.sealer.Reseal(row.data, t.kind, row.id)
			if err != nil || !changed {
				return err
			}
			r.changed = true
			r.s.resealed++
			_, err = r.tx.ExecContext(r.ctx, t.set, row.a, row.b, data)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// each calls fn for every row of a query that begins behind a key and has a limit.
func (r *resealing) each(query string, fn func(sealedRow) error) error {
	var last sealedRow
	last.a = -1 << 62
	for {
		page, err := r.page(query, last)
		if err != nil {
			return err
		}
		for _, row := range page {
			if err := fn(row); err != nil {
				return err
			}
			last = row
		}
		if len(page) < resealPage {
			return nil
		}
	}
}

func (r *resealing) page(query string, after sealedRow) ([]sealedRow, error) {
	rows, err := r.tx.QueryContext(r.ctx, query, after.a, after.b, resealPage)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	var out []sealedRow
	for rows.Next() {
		var row sealedRow
		if err := rows.Scan(&row.a, &row.b, &row.id, &row.data); err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, rows.Err()
}
