package sqlitestore

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"whatsappnode/adapters/record"
	"whatsappnode/ports"
)

const (
	// recheck bounds how long the writer sleeps. A timer does not see the wall
	// clock being set, or the machine sleeping; due times are wall-clock times.
	recheck = time.Minute
	// retryPeek keeps a failing or very near due time from spinning the writer.
	retryPeek = time.Millisecond
	// retryFailed is how soon a failed transaction is followed by another look for
	// due conversations, when nothing else wakes the writer.
	retryFailed = 250 * time.Millisecond
)

// grant is a lease that was claimed for a waiting caller.
type grant struct {
	to    chan *grant // buffered, so that the writer never waits for a caller
	lease ports.Lease
	until int64 // when the lease ends, Unix nanoseconds
	work  claimed
	news  <-chan struct{}
	err   error
}

// waitList holds the callers of Lease, first come first served.
type waitList struct {
	mu      sync.Mutex
	waiters []*grant
}

func (l *waitList) add(g *grant) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiters = append(l.waiters, g)
}

// take removes the first waiter, or returns nil.
func (l *waitList) take() *grant {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiters) == 0 {
		return nil
	}
	g := l.waiters[0]
	l.waiters = slices.Delete(l.waiters, 0, 1)
	return g
}

func (l *waitList) takeAll() []*grant {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.waiters
	l.waiters = nil
	return all
}

// drop removes a waiter and reports whether it was still waiting.
func (l *waitList) drop(g *grant) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.waiters, g)
	if i < 0 {
		return false
	}
	l.waiters = slices.Delete(l.waiters, i, i+1)
	return true
}

func (l *waitList) any() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiters) > 0
}

func (l *waitList) refuse(err error) {
	for _, g := range l.takeAll() {
		g.err = err
		g.to <- g
	}
}

// Lease implements ports.InboxPort. Callers wait in a list; the writer claims for
// as many of them as conversations are due, in the transaction that made them
// due, so a new message wakes exactly one worker and costs no second fsync. While
// the store cannot write, Lease fails with KindTransient instead of waiting on.
func (s *Store) Lease(ctx context.Context) (ports.Work, error) {
	if err := ports.FromContext(ctx, "sqlitestore: lease"); err != nil {
		return ports.Work{}, err
	}
	g := &grant{to: make(chan *grant, 1)}
	s.waiting.add(g)
	select {
	case s.poke <- struct{}{}:
	default: // the writer has been told already
	}
	select {
	case <-g.to:
		return s.take(g)
	case <-ctx.Done():
	case <-s.closing:
		if s.waiting.drop(g) {
			return ports.Work{}, storeErr("lease", ErrClosed)
		}
	}
	if !s.waiting.drop(g) {
		<-g.to // the writer has taken it and always answers
		s.giveBack(g)
	}
	if err := ports.FromContext(ctx, "sqlitestore: lease"); err != nil {
		return ports.Work{}, err
	}
	return ports.Work{}, storeErr("lease", ErrClosed)
}

// take makes work of what was read for a grant.
func (s *Store) take(g *grant) (ports.Work, error) {
	if g.err != nil {
		return ports.Work{}, storeErr("lease", g.err)
	}
	work, err := s.work(g)
	if err != nil {
		// A record that cannot be read will not be readable at once: its conversation
		// waits for the lease to run out, and the others go on.
		if record.Unreadable(err) {
			s.news.Remove(g.lease)
		} else {
			s.giveBack(g)
		}
		return ports.Work{}, storeErr("lease", err)
	}
	return work, nil
}

// giveBack releases a lease nobody received. If that fails the lease runs out.
func (s *Store) giveBack(g *grant) {
	if g.err == nil {
		s.news.Remove(g.lease)
		_ = s.Release(context.Background(), g.lease)
	}
}

// untilDue returns how long to wait for the next conversation, or zero when one
// is due and somebody waits for it.
func (s *Store) untilDue() (time.Duration, error) {
	if !s.waiting.any() {
		return recheck, nil
	}
	var due int64
	found, err := s.writer.row(stNextDue, nil, &due)
	if err != nil || !found {
		return recheck, err
	}
	return min(recheck, time.Duration(max(0, due-s.writer.now))), nil
}

// grant claims due conversations for waiting callers, and reads what they have.
func (s *Store) grant() ([]*grant, time.Duration, error) {
	w := s.writer
	var grants []*grant
	for s.waiting.any() {
		var next claimed
		found, err := w.nextWork(&next)
		if err != nil || !found {
			return grants, recheck, err
		}
		if next.due > w.now {
			return grants, min(recheck, max(retryPeek, time.Duration(next.due-w.now))), nil
		}
		g := s.waiting.take()
		if g == nil {
			break
		}
		grants = append(grants, g)
		g.lease = ports.Lease{Conversation: next.id, Token: next.token + 1, TTL: s.ttl}
		g.until = w.now + int64(s.ttl)
		if _, err := w.exec(stClaim, next.n, g.lease.Token, g.until); err != nil {
			return grants, recheck, err
		}
		w.held.put(next.id, heldLease{n: next.n, token: g.lease.Token, until: g.until})
		g.work = next
		if g.work.err = w.readWork(&g.work); g.work.err != nil {
			// The fault of one conversation alone, or COMMIT fails.
			return grants, retryPeek, nil
		}
	}
	return grants, recheck, nil
}

var errOtherConversation = errors.New("the turn belongs to another conversation")
