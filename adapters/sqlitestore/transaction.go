package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"

	"whatsappnode/ports"
)

// exec runs a prepared statement and returns how many rows it changed. It takes
// no context: a transaction that others share is not broken off for one caller.
func (w *writer) exec(st int, args ...any) (int64, error) {
	w.touched = true
	res, err := w.st[st].Exec(args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// insert runs a prepared INSERT and returns the number of the new row, or zero when
// there is none because of a conflict.
func (w *writer) insert(st int, args ...any) (int64, error) {
	w.touched = true
	res, err := w.st[st].Exec(args...)
	if err != nil {
		return 0, err
	}
	if added, err := res.RowsAffected(); err != nil || added == 0 {
		return 0, err
	}
	return res.LastInsertId()
}

// row runs a prepared statement for one row; found is false when there is none.
func (w *writer) row(st int, args []any, dest ...any) (found bool, err error) {
	w.touched = w.touched || !reads[st]
	err = w.st[st].QueryRow(args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// script runs SQL that is not prepared.
func (w *writer) script(text string) error {
	w.touched = true
	w.unlearn()
	_, err := w.conn.ExecContext(context.Background(), text)
	return err
}

// reads tells the statements that cannot change anything.
var reads = func() (out [statementCount]bool) {
	for i, text := range statementText {
		out[i] = strings.HasPrefix(text, "SELECT ")
	}
	return out
}()

func (w *writer) start() error {
	_, err := w.exec(stBegin)
	w.begun = err == nil
	return err
}

// rollback takes the transaction back.
func (w *writer) rollback() error {
	w.unlearn()
	w.begun = false
	// It is an error when SQLite has taken the transaction back by itself.
	if _, err := w.exec(stRollback); err != nil && codeOf(err) != sqlite3.SQLITE_ERROR {
		w.stale = true
		return err
	}
	return nil
}

// run runs the jobs of a transaction. The error it returns spoils the whole
// transaction; a job's own failure is kept in the job and takes no other with it.
func (w *writer) run(jobs []*job) error {
	if w.runTogether(jobs) {
		return nil
	}
	if err := w.rollback(); err != nil {
		return err
	}
	if err := w.start(); err != nil {
		return err
	}
	for _, j := range jobs {
		if err := w.runApart(j); err != nil {
			return err
		}
	}
	return nil
}

// runTogether runs jobs straight in the transaction. It reports false when one failed
// that may have changed something: its changes cannot be told from those of the others,
// so the transaction is to be taken back. That is rare. A savepoint for each job would
// spare it, but costs every job two statements and a copy of each page it changes.
func (w *writer) runTogether(jobs []*job) bool {
	for _, j := range jobs {
		if j.err = ports.FromContext(j.ctx, "sqlitestore"); j.err != nil {
			continue // the caller has gone; nothing was promised
		}
		w.touched = false
		if j.err = runSafely(w, j); j.err != nil && (w.touched || !refused(j.err)) {
			return false
		}
	}
	return true
}

// refused reports whether a job failed by its own judgement, as one does whose lease is
// lost. After any other failure SQLite may have given up the transaction.
func refused(err error) bool {
	var known *ports.Error
	return errors.As(err, &known) || errors.Is(err, ports.ErrLeaseLost)
}

// runApart runs a job inside a savepoint.
func (w *writer) runApart(j *job) error {
	if j.err = ports.FromContext(j.ctx, "sqlitestore"); j.err != nil {
		return nil
	}
	if _, err := w.exec(stSavepoint); err != nil {
		return err
	}
	if j.err = runSafely(w, j); j.err != nil {
		w.unlearn()
		// SQLite gives up the whole transaction for some errors. Then this fails, and
		// so does everything that shares the transaction.
		if _, err := w.exec(stRollbackTo); err != nil {
			return j.err
		}
	}
	_, err := w.exec(stRelease)
	return err
}

func runSafely(w *writer, j *job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("write: %w", ports.Panicked(p))
		}
	}()
	return j.run(w)
}
