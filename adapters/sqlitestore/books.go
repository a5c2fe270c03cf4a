package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"whatsappnode/ports"
)

// booksText reads the books of a day.
const booksText = `SELECT number, stage, vendor, calls, doubtful, unpriced, cost, doubtful_cost,
	tokens_in, tokens_out, heard, spoken, characters FROM books WHERE day = ? ORDER BY number, stage, vendor`

// Book implements ports.LedgerPort, in one durable write.
func (s *Store) Book(ctx context.Context, day string, entries []ports.Entry) error {
	if day == "" {
		return invalid("book", errors.New("there is no day"))
	}
	if len(entries) == 0 {
		return ports.FromContext(ctx, "sqlitestore: book")
	}
	return s.do(ctx, "book", len(entries), func(w *writer) error {
		for _, e := range entries {
			_, err := w.exec(stBook, day, string(e.Number), e.Stage, e.Vendor, e.Calls, e.Doubtful, e.Unpriced, int64(e.Cost), int64(e.DoubtfulCost),
				e.InputTokens, e.OutputTokens, e.Heard.Milliseconds(), e.Spoken.Milliseconds(), e.Characters, w.now)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

var errManyDays = errors.New("too many days are asked for at once")

// Spending implements ports.LedgerPort.
func (s *Store) Spending(ctx context.Context, days []string) ([]ports.Entry, error) {
	if len(days) > ports.MaxSpendingDays {
		return nil, invalid("spending", errManyDays)
	}
	var out []ports.Entry
	err := s.view(ctx, "spending", func(r *reader) error {
		for _, day := range days {
			err := r.each(s.read.books, func(scan func(...any) error) error {
				e, err := scanEntry(day, scan)
				out = append(out, e)
				return err
			}, day)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func scanEntry(day string, scan func(...any) error) (ports.Entry, error) {
	e := ports.Entry{Day: day}
	var heard, spoken int64
	err := scan(&e.Number, &e.Stage, &e.Vendor, &e.Calls, &e.Doubtful, &e.Unpriced, &e.Cost, &e.DoubtfulCost,
		&e.InputTokens, &e.OutputTokens, &heard, &spoken, &e.Characters)
	e.Heard, e.Spoken = time.Duration(heard)*time.Millisecond, time.Duration(spoken)*time.Millisecond
	return e, err
}

// Books reads the books of a file that another process has open, which the store
// itself does not do: it takes no lock and changes nothing. The rest of the store is
// not to be had this way.
type Books struct{ db *sql.DB }

// OpenBooks opens the books of the store at path, which must exist.
func OpenBooks(path string) (*Books, error) {
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path) // SQLite would say less
	}
	if err != nil {
		return nil, fmt.Errorf("sqlitestore: open books: %w", err)
	}
	db, err := sql.Open("sqlite", dsn(path, readerPragmas))
	if err != nil {
		return nil, fmt.Errorf("sqlitestore: open books: %w", err)
	}
	db.SetMaxOpenConns(1)
	return &Books{db: db}, nil
}

// Spending reads as ports.LedgerPort says.
func (b *Books) Spending(ctx context.Context, days []string) ([]ports.Entry, error) {
	if len(days) > ports.MaxSpendingDays {
		return nil, invalid("spending", errManyDays)
	}
	var known int
	if err := b.db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'books'`).Scan(&known); err != nil {
		return nil, storeErr("spending", err)
	}
	if known == 0 {
		return nil, nil // a file of an earlier release, which kept no books
	}
	var out []ports.Entry
	for _, day := range days {
		if err := b.day(ctx, day, &out); err != nil {
			return nil, storeErr("spending", err)
		}
	}
	return out, nil
}

func (b *Books) day(ctx context.Context, day string, out *[]ports.Entry) error {
	rows, err := b.db.QueryContext(ctx, booksText, day)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	for rows.Next() {
		e, err := scanEntry(day, rows.Scan)
		if err != nil {
			return err
		}
		*out = append(*out, e)
	}
	return rows.Err()
}

// Close closes the file.
func (b *Books) Close() error { return b.db.Close() }
