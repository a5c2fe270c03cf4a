package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
)

// migrations lead from one schema version to the next: migrations[0] makes
// version 1 of an empty file. One that was released is never changed.
var migrations = []func(ctx context.Context, tx *sql.Tx) error{schema1, schema2, schema3, schema4, schema5}

// errNewerSchema says that a later release wrote the file.
type errNewerSchema struct{ found, known int }

func (e errNewerSchema) Error() string {
	return fmt.Sprintf("a newer release wrote it: schema %d, this release knows up to %d", e.found, e.known)
}

// errForeign says that the file is a database of something else.
type errForeign struct{}

func (errForeign) Error() string { return "it is an SQLite file of another program" }

// migrate brings the file to the newest schema in one transaction.
func migrate(ctx context.Context, db *sql.Conn) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	var tables, mine int
	err = tx.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(name = 'schema_version'), 0) FROM sqlite_master WHERE type = 'table'`).Scan(&tables, &mine)
	if err != nil {
		return err
	}
	version := 0
	switch {
	case mine == 1:
		if err := tx.QueryRowContext(ctx, `SELECT version FROM schema_version`).Scan(&version); err != nil {
			return err
		}
	case tables > 0:
		return errForeign{}
	default:
		if _, err := tx.ExecContext(ctx, `CREATE TABLE schema_version(version INTEGER NOT NULL); INSERT INTO schema_version VALUES (0)`); err != nil {
			return err
		}
	}
	if version > len(migrations) {
		return errNewerSchema{found: version, known: len(migrations)}
	}
	if version == len(migrations) {
		return nil
	}
	for _, step := range migrations[version:] {
		if err := step(ctx, tx); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE schema_version SET version = ?`, len(migrations)); err != nil {
		return err
	}
	return tx.Commit()
}

// schema1 is the first schema. Times are Unix nanoseconds by the store's clock.
//
// conversations is small and rewritten at every message; what is remembered of a
// conversation can be long and is rewritten once a turn, so it is a table of its
// own. due is when the next worker may take the conversation: the end of the
// lease while there is one, NULL when nothing waits. lease_until is 0 once a lease was
// ended, and stays as it was when the lease ran out.
func schema1(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `
CREATE TABLE beat (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL);

CREATE TABLE ids (id TEXT PRIMARY KEY, conv INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX ids_at ON ids(at);

CREATE TABLE aliases (number TEXT NOT NULL, kind INTEGER NOT NULL, value TEXT NOT NULL, conv INTEGER NOT NULL, owner TEXT NOT NULL,
	PRIMARY KEY (number, kind, value)) WITHOUT ROWID;
CREATE INDEX aliases_conv ON aliases(conv);

CREATE TABLE conversations (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, first BLOB NOT NULL,
	token INTEGER NOT NULL DEFAULT 0, lease_until INTEGER NOT NULL DEFAULT 0,
	due INTEGER, deferred INTEGER NOT NULL DEFAULT 0);
CREATE INDEX conversations_due ON conversations(due) WHERE due IS NOT NULL;

CREATE TABLE memory (conv INTEGER PRIMARY KEY, data BLOB NOT NULL);

CREATE TABLE inbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, conv INTEGER NOT NULL, id TEXT NOT NULL,
	at INTEGER NOT NULL, due INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX inbox_conv ON inbox(conv, seq);

CREATE TABLE turns (n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, conv INTEGER NOT NULL,
	open INTEGER NOT NULL, dead INTEGER NOT NULL DEFAULT 0, seen INTEGER NOT NULL DEFAULT 0,
	at INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX turns_conv ON turns(conv, n);
CREATE INDEX turns_open ON turns(conv) WHERE open = 1;
CREATE INDEX turns_closed ON turns(dead, at) WHERE open = 0;

CREATE TABLE facts (seq INTEGER PRIMARY KEY AUTOINCREMENT, turn INTEGER NOT NULL, part INTEGER NOT NULL,
	attempt INTEGER NOT NULL, state TEXT NOT NULL, data BLOB NOT NULL, UNIQUE (turn, part, attempt, state));

CREATE TABLE sends (message TEXT PRIMARY KEY, turn INTEGER NOT NULL, part INTEGER NOT NULL, attempt INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX sends_turn ON sends(turn);

CREATE TABLE dead_letters (turn INTEGER PRIMARY KEY, at INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE dead_messages (turn INTEGER NOT NULL, seq INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (turn, seq)) WITHOUT ROWID;
`)
	return err
}

// schema2 is for sealed files. sealing has a row once a file is sealed: the id of the
// key that seals all of it, and the sealed key of the names. A dead letter's message
// is sealed under its name, so the name goes with it; ” for one that is plain.
func schema2(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `
CREATE TABLE sealing (one INTEGER PRIMARY KEY CHECK (one = 1), key TEXT NOT NULL, names BLOB NOT NULL);
ALTER TABLE dead_messages ADD COLUMN id TEXT NOT NULL DEFAULT '';
`)
	return err
}

// schema3 keeps money: what is left of the budgets of a day, what is set aside of
// them, and the books. Amounts are units of domain.Money, sound is in milliseconds.
//
// A status that says what its send costs is marked, so that it is booked once.
func schema3(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `
ALTER TABLE facts ADD COLUMN priced INTEGER NOT NULL DEFAULT 0;

CREATE TABLE budgets (day TEXT NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL,
	spent INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0, used INTEGER NOT NULL,
	PRIMARY KEY (day, kind, name)) WITHOUT ROWID;
CREATE INDEX budgets_used ON budgets(used);

CREATE TABLE reservations (id TEXT PRIMARY KEY, day TEXT NOT NULL, user TEXT NOT NULL, number TEXT NOT NULL,
	amount INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX reservations_until ON reservations(day, until);

CREATE TABLE books (day TEXT NOT NULL, number TEXT NOT NULL, stage TEXT NOT NULL, vendor TEXT NOT NULL,
	calls INTEGER NOT NULL, doubtful INTEGER NOT NULL, unpriced INTEGER NOT NULL, cost INTEGER NOT NULL, doubtful_cost INTEGER NOT NULL,
	tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, heard INTEGER NOT NULL, spoken INTEGER NOT NULL, characters INTEGER NOT NULL,
	used INTEGER NOT NULL, PRIMARY KEY (day, number, stage, vendor)) WITHOUT ROWID;
CREATE INDEX books_used ON books(used);
`)
	return err
}

// schema4 adds what people decide about a conversation; see ports.ControlPort.
func schema4(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `
ALTER TABLE conversations ADD COLUMN paused_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN paused_by TEXT NOT NULL DEFAULT '';
ALTER TABLE conversations ADD COLUMN opted_out INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0;
`)
	return err
}

// schema5 tells when a conversation was last finished. What an earlier release wrote
// counts from now.
func schema5(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `
ALTER TABLE memory ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
UPDATE memory SET at = CAST(strftime('%s', 'now') AS INTEGER) * 1000000000;
CREATE INDEX memory_at ON memory(at);
`)
	return err
}
