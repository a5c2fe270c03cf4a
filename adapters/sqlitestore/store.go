package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"whatsappnode/adapters/news"
	"whatsappnode/adapters/record"
	"whatsappnode/ports"
)

var (
	_ ports.DedupPort        = (*Store)(nil)
	_ ports.InboxPort        = (*Store)(nil)
	_ ports.ConversationPort = (*Store)(nil)
	_ ports.DeadLetterPort   = (*Store)(nil)
	_ ports.ErasurePort      = (*Store)(nil)
	_ ports.PacerPort        = (*Store)(nil)
	_ ports.LedgerPort       = (*Store)(nil)
	_ ports.ControlPort      = (*Store)(nil)
)

// The defaults.
const (
	DefaultLeaseTTL = 30 * time.Second
	DefaultMaxQueue = 4096
)

// ErrClosed says that Close was called.
var ErrClosed = errors.New("the store is closed")

// Options configure Open.
type Options struct {
	// Path of the database file. Its folder is made when it is missing.
	Path string
	// LeaseTTL is how long a lease lasts unless extended; DefaultLeaseTTL when zero.
	LeaseTTL time.Duration
	// Clock gives the time by which holds, delays, leases and retention are
	// judged; time.Now when nil. Waiting for a future moment uses package time.
	Clock func() time.Time
	// MaxQueue bounds the writes that wait for the writer; DefaultMaxQueue when
	// zero. A caller that finds the queue full waits until its context ends.
	MaxQueue int
	// Keys seal what is stored: the first seals, all open. A file that is not sealed by
	// the first is sealed anew by Open, whole, before it returns. Without keys a file
	// that is sealed is refused, and any other stays as it is.
	Keys []record.Key
	// Retention says how long what is done with is kept; the defaults where it is zero.
	Retention ports.Retention
	// OnSweepError, when set, is told of a failed removal of expired records. The
	// sweep is tried again at its next turn.
	OnSweepError func(error)
}

// Store is an open database file. It is safe for concurrent use. It owns two
// goroutines, the writer and the sweeper, which end with Close.
type Store struct {
	path  string
	ttl   time.Duration
	clock func() time.Time
	sweep func(error)
	keep  ports.Retention

	sealer *record.Sealer // nil without keys
	names  *record.Names  // nil without keys
	// resealed is how many records Open brought under the first key.
	resealed int

	lock    *os.File
	writer  *writer
	readers *sql.DB
	read    readStatements
	pace    pacer
	news    *news.Leases

	queue    chan *job
	poke     chan struct{} // tells the writer that somebody waits for a lease
	waiting  waitList
	lastSync atomic.Int64 // clock's nanoseconds of the newest durable commit

	closing   chan struct{} // closed by Close
	stopped   chan struct{} // closed by the writer at its end
	closeOnce sync.Once
	closeErr  error
	running   sync.WaitGroup
}

// Close stops the goroutines, answers waiting callers with ErrClosed, folds the
// write-ahead log into the file and gives up the lock. Further calls do nothing.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		close(s.closing)
		s.running.Wait()
		s.closeErr = errors.Join(s.readers.Close(), s.writer.close(), s.lock.Close())
	})
	return s.closeErr
}

// pingFresh is how long a durable commit proves that the store works. It keeps
// frequent probes from costing an fsync each.
const pingFresh = time.Second

// Ping reports whether the store can make something durable. It writes unless a
// commit of the last second has shown it already.
func (s *Store) Ping(ctx context.Context) error {
	if age := s.clock().UnixNano() - s.lastSync.Load(); age >= 0 && age < int64(pingFresh) && !s.closed() {
		return ports.FromContext(ctx, "sqlitestore: ping")
	}
	return s.do(ctx, "ping", 1, func(w *writer) error {
		_, err := w.exec(stBeat, w.now)
		return err
	})
}

// Backlog implements ports.BacklogPort.
func (s *Store) Backlog(ctx context.Context) (ports.Backlog, error) {
	var b ports.Backlog
	var at sql.NullInt64
	err := s.view(ctx, "backlog", func(r *reader) error {
		if err := r.one(s.read.countDue).Scan(&b.Conversations, &b.DeadLetters); err != nil {
			return err
		}
		return r.one(s.read.countInbox).Scan(&b.Messages, &at)
	})
	if err != nil {
		return ports.Backlog{}, err
	}
	if at.Valid {
		b.Oldest = unix(at.Int64)
	}
	return b, nil
}

func (s *Store) closed() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}
