package sqlitestore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"whatsappnode/adapters/news"
	"whatsappnode/adapters/record"
)

var errBadConn = driver.ErrBadConn

const (
	readConnections = 4
	// checkedSize bounds the files that are checked for corruption at Open; a check
	// reads the whole file, and a start must not take minutes. A larger file that
	// is damaged fails where the damage is read.
	checkedSize = 32 << 20
)

// The pragmas of every connection. busy_timeout covers the moments in which
// SQLite recovers the log or a backup tool reads the file.
const commonPragmas = "_pragma=busy_timeout(5000)&_pragma=temp_store(memory)"

// Writers: the log is folded back after about 16 MiB, and cut to that size.
const writerPragmas = commonPragmas + "&_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
	"&_pragma=wal_autocheckpoint(4000)&_pragma=journal_size_limit(16777216)&_pragma=cache_size(-32000)"

const readerPragmas = commonPragmas + "&_pragma=query_only(1)&_pragma=cache_size(-4000)"

// Open opens the store at opt.Path, makes it when there is none, and starts its
// two goroutines. Its errors name the path and say what to do. ctx bounds the
// opening alone.
func Open(ctx context.Context, opt Options) (*Store, error) {
	if opt.Path == "" {
		return nil, errors.New("sqlitestore: open: no path given")
	}
	path, err := filepath.Abs(opt.Path)
	if err != nil {
		return nil, fmt.Errorf("sqlitestore: open: %w", err)
	}
	s := &Store{
		path: path, ttl: opt.LeaseTTL, clock: opt.Clock, sweep: opt.OnSweepError, keep: opt.Retention.OrDefault(),
		poke: make(chan struct{}, 1), closing: make(chan struct{}), stopped: make(chan struct{}),
	}
	if s.ttl <= 0 {
		s.ttl = DefaultLeaseTTL
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	if opt.MaxQueue <= 0 {
		opt.MaxQueue = DefaultMaxQueue
	}
	s.news = news.New(s.clock)
	s.queue = make(chan *job, opt.MaxQueue)
	if err := s.open(ctx, opt.Keys); err != nil {
		return nil, fmt.Errorf("sqlitestore: open %s: %w", path, explain(path, err))
	}
	s.running.Add(2)
	go s.write()
	go s.sweepLoop(context.WithoutCancel(ctx))
	return s, nil
}

func (s *Store) open(ctx context.Context, keys []record.Key) (err error) {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return err
	}
	if s.lock, err = lockFile(s.path + ".lock"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = s.lock.Close()
		}
	}()
	if err := probeRoom(s.path + ".probe"); err != nil {
		return err
	}
	// SQLite would create the file with the process's mask; it holds what people
	// wrote. The log and its index take over the mode of the file.
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("it is not a regular file")
	}
	if s.writer, err = s.openWriter(ctx, info.Size(), keys); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = s.writer.close()
		}
	}()
	if err := syncDir(filepath.Dir(s.path)); err != nil {
		return err
	}
	if s.readers, err = sql.Open("sqlite", dsn(s.path, readerPragmas)); err != nil {
		return err
	}
	s.readers.SetMaxOpenConns(readConnections)
	s.readers.SetMaxIdleConns(readConnections)
	if err := s.read.prepare(ctx, s.readers); err != nil {
		return errors.Join(err, s.readers.Close())
	}
	return nil
}

// minRoom is the free space a start demands. One small write may still succeed on
// a full disk, inside space the log owns already; the first messages would not.
const minRoom = 1 << 20

func probeRoom(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, minRoom))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(path))
}

// openWriter opens the writing connection, checks and migrates the file, and
// makes one durable write: leases of an earlier process are void, since only one
// process owns the file, and a disk that takes no write must show now.
func (s *Store) openWriter(ctx context.Context, size int64, keys []record.Key) (_ *writer, err error) {
	w := &writer{}
	if w.db, err = sql.Open("sqlite", dsn(s.path, writerPragmas)); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = w.close()
		}
	}()
	w.db.SetMaxOpenConns(1)
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if err = prepareFile(ctx, conn, size); err == nil {
		err = s.unlock(ctx, conn, keys)
	}
	w.sealer = s.sealer
	if closing := conn.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, err
	}
	if err := w.connect(ctx); err != nil {
		return nil, err
	}
	w.now = s.clock().UnixNano()
	// The leases of a process that is gone are over. They were not ended, though: see
	// ports.Work.Abandoned.
	if _, err := w.conn.ExecContext(ctx, `UPDATE conversations SET lease_until = 1, due = ? WHERE lease_until > 0`, w.now); err != nil {
		return nil, err
	}
	if _, err := w.exec(stBeat, w.now); err != nil {
		return nil, err
	}
	if s.sealer == nil {
		return w, nil
	}
	// What was plain or sealed with a former key must not be left in free space. A
	// process that died in front of this left the file marked.
	return w, scrub(w)
}

func prepareFile(ctx context.Context, conn *sql.Conn, size int64) error {
	var mode string
	if err := conn.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("the file system does not support SQLite's WAL mode (it gave %q): use a local disk", mode)
	}
	if size > 0 && size <= checkedSize {
		var verdict string
		if err := conn.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
			return err
		}
		if verdict != "ok" {
			return errCorrupt
		}
	}
	return migrate(ctx, conn)
}

var errCorrupt = errors.New("the check of the file found damage")

// explain adds what the operator can do about a failure to open.
func explain(path string, err error) error {
	var newer errNewerSchema
	var foreign errForeign
	hint := ""
	switch code := codeOf(err); {
	case errors.Is(err, errLocked):
		hint = "stop the other process, or give this one a path of its own"
	case errors.As(err, &newer):
		hint = "run that release, or restore a copy made before it"
	case errors.As(err, &foreign):
		hint = "choose another path"
	case errors.Is(err, errNoKey), errors.Is(err, errWrongKey):
		hint = "give the key with which it was sealed (STORE_KEY or STORE_KEYS), or restore the right one; without it nobody can read the file"
	case errors.Is(err, errCorrupt), code == sqlite3.SQLITE_CORRUPT, code == sqlite3.SQLITE_NOTADB:
		hint = "the file is damaged or no database: move it and its -wal file away, and restore a copy or start empty"
	case code == sqlite3.SQLITE_FULL, errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		hint = "the disk is full: make room on it"
	case errors.Is(err, os.ErrPermission), code == sqlite3.SQLITE_READONLY, code == sqlite3.SQLITE_CANTOPEN, code == sqlite3.SQLITE_PERM:
		hint = "make the folder " + filepath.Dir(path) + " and the file writable for this user"
	case code == sqlite3.SQLITE_IOERR:
		hint = "check the disk: it may be full or failing"
	default:
		return err
	}
	return fmt.Errorf("%w: %s", err, hint)
}

func dsn(path, query string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query
}
