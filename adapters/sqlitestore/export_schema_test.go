package sqlitestore

import (
	"context"
	"database/sql"
)

// MakeOld makes a file as a release left it that knew so many schemas.
func MakeOld(ctx context.Context, path string, schemas int) error {
	db, err := sql.Open("sqlite", dsn(path, writerPragmas))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if _, err := tx.ExecContext(ctx, `CREATE TABLE schema_version(version INTEGER NOT NULL); INSERT INTO schema_version VALUES (?)`, schemas); err != nil {
		return err
	}
	for _, step := range migrations[:schemas] {
		if err := step(ctx, tx); err != nil {
			return err
		}
	}
	return tx.Commit()
}
