package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"whatsappnode/adapters/record"
	"whatsappnode/ports"
)

// maxBatch bounds the weight of one transaction. Meta puts up to 1,000 updates in
// one POST, so one job may weigh that much; a transaction holds several.
const maxBatch = 2048

// job is one write that waits for the writer. A message or a status weighs one.
type job struct {
	ctx    context.Context
	weight int
	// alone makes the job run between transactions, not in one.
	alone bool
	// run does the job, through w alone. It may be called twice: what the first call
	// wrote is taken back then, and what it left in the caller's variables must not
	// matter to the second. Nobody outside may learn of it before kept is called.
	run func(w *writer) error
	// kept, when set, is called by the writer once what the job wrote is durable.
	kept func()
	done chan error // buffered, so that the writer never waits for a caller
	err  error
}

// writer holds the one connection that writes. Only the writer's goroutine, and
// Open before it starts, touches it.
type writer struct {
	db    *sql.DB
	conn  *sql.Conn
	st    [statementCount]*sql.Stmt
	begun bool // a transaction is under way, as far as we know
	// touched is set by whatever may have changed the file; see runTogether.
	touched bool
	now     int64 // the clock at the start of the transaction, Unix nanoseconds
	known   aliasCache
	held    heldCache
	// sealer is the store's; nil without keys.
	sealer *record.Sealer
	// stale is set when the connection may be in a bad state and must be replaced
	// before the next transaction.
	stale bool
}

// connect opens the connection and prepares every statement.
func (w *writer) connect(ctx context.Context) error {
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return err
	}
	for i, text := range statementText {
		if w.st[i], err = conn.PrepareContext(ctx, text); err != nil {
			return errors.Join(fmt.Errorf("prepare statement %d: %w", i, err), conn.Close())
		}
	}
	w.conn, w.stale = conn, false
	w.unlearn()
	return nil
}

// unlearn forgets what was read of the file, or is to be in it once the transaction is
// committed.
func (w *writer) unlearn() {
	w.known.clear()
	w.held.clear()
}

// reconnect replaces a connection that met an I/O error: SQLite keeps some of
// them in the connection, and the store must mend itself when the disk does.
func (w *writer) reconnect(ctx context.Context) error {
	if w.conn != nil {
		// The pool would hand the same connection out again unless told it is bad.
		_ = w.conn.Raw(func(any) error { return errBadConn })
		_ = w.conn.Close()
		w.conn = nil
	}
	return w.connect(ctx)
}

func (w *writer) close() error {
	if w.conn == nil {
		return w.db.Close()
	}
	// Folding the log back spares the next start the work. It needs room on the
	// disk; where there is none, the log keeps everything until the next start.
	_, _ = w.conn.ExecContext(context.Background(), `PRAGMA wal_checkpoint(TRUNCATE)`)
	return errors.Join(w.conn.Close(), w.db.Close())
}

// do queues a write and waits until it is durable or has failed, or ctx ends. A
// write that the writer has begun by then may still become durable.
func (s *Store) do(ctx context.Context, op string, weight int, run func(w *writer) error) error {
	return s.submit(op, &job{ctx: ctx, weight: weight, run: run, done: make(chan error, 1)})
}

func (s *Store) submit(op string, j *job) error {
	ctx := j.ctx
	if err := ports.FromContext(ctx, "sqlitestore: "+op); err != nil {
		return err
	}
	select {
	case <-s.closing:
		return storeErr(op, ErrClosed)
	default:
	}
	select {
	case s.queue <- j:
	case <-ctx.Done():
		return ports.FromContext(ctx, "sqlitestore: "+op)
	case <-s.closing:
		return storeErr(op, ErrClosed)
	}
	select {
	case err := <-j.done:
		return storeErr(op, err)
	case <-ctx.Done():
		select {
		case err := <-j.done: // it became durable at the same moment
			return storeErr(op, err)
		default:
			return ports.FromContext(ctx, "sqlitestore: "+op)
		}
	case <-s.closing:
	}
	// The writer may have taken the job before it stopped, so its word is final.
	<-s.stopped
	select {
	case err := <-j.done:
		return storeErr(op, err)
	default:
		return storeErr(op, ErrClosed)
	}
}

// write is the writer's goroutine.
func (s *Store) write() {
	defer s.running.Done()
	defer close(s.stopped)
	timer := time.NewTimer(recheck)
	defer timer.Stop()
	var pace pace
	for {
		var first *job
		select {
		case <-s.closing:
			s.waiting.refuse(storeErr("lease", ErrClosed))
			return
		case first = <-s.queue:
		case <-s.poke:
		case <-timer.C:
		}
		pace.wait()
		wait := s.transact(s.gather(first))
		pace.done(len(s.queue))
		timer.Reset(wait)
	}
}

// pace makes a writer that many people wait for take a breath between transactions, so
// that more jobs share each. A commit costs as much as a dozen jobs, and while the disk
// confirms it a process on one core does nothing else. Who is waited for by few people
// commits at once.
type pace struct {
	began time.Time // when the newest transaction began
	// crowd is how many jobs came while one of the newest transactions ran, in the mean.
	crowd float64
}

const (
	// breath is the time between transactions for each job that came meanwhile.
	breath = 2 * time.Millisecond
	// longestBreath is what an acknowledgement takes longer at most.
	longestBreath = 8 * time.Millisecond
)

// wait takes the breath that is left to take.
func (p *pace) wait() {
	if left := min(time.Duration(p.crowd*float64(breath)), longestBreath) - time.Since(p.began); left > 0 {
		time.Sleep(left)
	}
	p.began = time.Now()
}

// done notes how many jobs came during the transaction that just ended.
func (p *pace) done(came int) { p.crowd += (float64(came) - p.crowd) / 8 }

// gather takes what is queued behind first, up to a bound.
func (s *Store) gather(first *job) []*job {
	if first == nil {
		return nil
	}
	jobs, weight := []*job{first}, first.weight
	for weight < maxBatch {
		select {
		case j := <-s.queue:
			jobs, weight = append(jobs, j), weight+j.weight
		default:
			return jobs
		}
	}
	return jobs
}

// transact runs jobs and serves waiting callers in one transaction, answers all
// of them, and returns how long to wait until a conversation becomes due.
func (s *Store) transact(jobs []*job) time.Duration {
	w := s.writer
	jobs, alone := split(jobs)
	grants, wait, err := s.attempt(jobs)
	if err != nil {
		w.stale = w.stale || broken(err)
		wait = retryFailed
		if w.begun {
			_ = w.rollback()
		}
	} else if len(jobs)+len(grants) > 0 {
		s.lastSync.Store(w.now)
	}
	for _, j := range jobs {
		if err != nil {
			j.err = err
		}
		if j.err == nil && j.kept != nil {
			j.kept()
		}
		j.done <- j.err
	}
	for _, g := range grants {
		if g.err = err; err == nil {
			// Before the next transaction, so that no message after the reading is missed.
			g.news = s.news.Add(g.lease, unix(g.until))
		}
		g.to <- g
	}
	for _, j := range alone {
		j.done <- w.runAlone(j)
	}
	return wait
}

// split takes the jobs that want to run alone out of the others.
func split(jobs []*job) (shared, alone []*job) {
	if !slices.ContainsFunc(jobs, func(j *job) bool { return j.alone }) {
		return jobs, nil
	}
	for _, j := range jobs {
		if j.alone {
			alone = append(alone, j)
		} else {
			shared = append(shared, j)
		}
	}
	return shared, alone
}

// runAlone runs a job outside of a transaction.
func (w *writer) runAlone(j *job) error {
	if err := ports.FromContext(j.ctx, "sqlitestore"); err != nil {
		return err
	}
	if w.stale {
		return errStale
	}
	err := runSafely(w, j)
	var known *ports.Error
	w.stale = err != nil && !errors.As(err, &known) && broken(err)
	return err
}

var errStale = errors.New("the connection is to be replaced first")

func (s *Store) attempt(jobs []*job) ([]*grant, time.Duration, error) {
	w := s.writer
	w.begun = false
	if w.stale {
		if err := w.reconnect(context.Background()); err != nil {
			// Nobody is served, so nobody may go on waiting in silence.
			return s.waiting.takeAll(), recheck, err
		}
	}
	w.now = s.clock().UnixNano()
	if len(jobs) == 0 {
		wait, err := s.untilDue()
		if err != nil {
			return s.waiting.takeAll(), recheck, err
		}
		if wait > 0 {
			return nil, max(wait, retryPeek), nil
		}
	}
	if err := w.start(); err != nil {
		return s.waiting.takeAll(), recheck, err
	}
	if err := w.run(jobs); err != nil {
		return nil, recheck, err
	}
	grants, wait, err := s.grant()
	if err != nil {
		return grants, recheck, err
	}
	_, err = w.exec(stCommit)
	return grants, wait, err
}
