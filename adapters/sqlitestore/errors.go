package sqlitestore

import (
	"errors"
	"strconv"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"whatsappnode/ports"
)

// codeOf returns SQLite's primary result code, or 0 for another error.
func codeOf(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// broken reports whether the connection that met err should be replaced. A full
// disk or a read-only file is no fault of the connection.
func broken(err error) bool {
	switch codeOf(err) {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CONSTRAINT:
		return false
	}
	return true
}

// storeErr turns what went wrong into an Error. Everything SQLite reports is
// KindTransient: nothing was promised, the same call may be repeated, and an
// operator who makes room or mends the disk makes it succeed.
func storeErr(op string, err error) error {
	var e *ports.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e), errors.Is(err, ports.ErrLeaseLost):
		return err
	}
	code := ""
	if c := codeOf(err); c != 0 {
		code = strconv.Itoa(c)
	}
	return &ports.Error{Op: "sqlitestore: " + op, Kind: ports.KindTransient, Code: code, Err: err}
}

func invalid(op string, err error) error {
	return &ports.Error{Op: "sqlitestore: " + op, Kind: ports.KindInvalid, Err: err}
}
