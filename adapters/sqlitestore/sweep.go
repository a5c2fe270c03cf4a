package sqlitestore

import (
	"context"
	"time"

	"whatsappnode/ports"
)

const (
	// sweepEvery is how often expired records are removed.
	sweepEvery = 10 * time.Minute
	// sweepPiece bounds how many records one write of the sweep removes, so that
	// messages do not wait behind it: about a millisecond's work.
	sweepPiece = 200
)

// sweepLoop is the sweeper's goroutine.
func (s *Store) sweepLoop(ctx context.Context) {
	defer s.running.Done()
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.closing:
			return
		case <-tick.C:
		}
		if err := s.sweepAll(ctx); err != nil && s.sweep != nil && !s.closed() {
			s.sweep(err)
		}
	}
}

// sweepAll removes what has expired, piece by piece.
func (s *Store) sweepAll(ctx context.Context) error {
	for _, piece := range []func(*writer) (int, error){
		sweepIDs,
		sweepMoney(stSweepBudgets, ports.BudgetRetention),
		sweepMoney(stSweepReserved, ports.BudgetRetention),
		sweepMoney(stSweepBooks, ports.BooksRetention),
		func(w *writer) (int, error) { return sweepTurns(w, notDead, s.keep.Turns) },
		func(w *writer) (int, error) { return sweepTurns(w, letterGone, s.keep.Turns) },
		func(w *writer) (int, error) { return sweepTurns(w, letterKept, s.keep.DeadLetters) },
		func(w *writer) (int, error) { return sweepMemory(w, s.keep.History) },
		func(w *writer) (int, error) { return sweepPeople(w, s.keep.Person()) },
	} {
		for removed := sweepPiece; removed == sweepPiece; {
			err := s.do(ctx, "sweep", sweepPiece, func(w *writer) (err error) {
				removed, err = piece(w)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func sweepIDs(w *writer) (int, error) {
	n, err := w.exec(stSweepIDs, w.now-int64(ports.DedupTTL), sweepPiece)
	return int(n), err
}

func sweepTurns(w *writer, dead deadState, keep time.Duration) (int, error) {
	old, err := column[int64](w, stOldTurns, int(dead), w.now-int64(keep), sweepPiece)
	if err != nil {
		return 0, err
	}
	for _, n := range old {
		for _, st := range []int{stDropFacts, stDropSends, stDropDead, stDropDeadMessages, stDropTurn} {
			if _, err := w.exec(st, n); err != nil {
				return 0, err
			}
		}
	}
	return len(old), nil
}

func sweepMoney(st int, keep time.Duration) func(*writer) (int, error) {
	return func(w *writer) (int, error) {
		n, err := w.exec(st, w.now-int64(keep), sweepPiece)
		return int(n), err
	}
}

// sweepMemory forgets what conversations remember. The rows stay, empty, until the
// conversation goes.
func sweepMemory(w *writer, keep time.Duration) (int, error) {
	n, err := w.exec(stSweepMemory, w.now-int64(keep), sweepPiece)
	return int(n), err
}

// lookAgain is how soon a conversation that still has something is looked at again.
const lookAgain = 24 * time.Hour

// sweepPeople removes conversations that have nothing left, and the names that lead
// to them. Who opted out or is blocked stays: it has to be known who that is. It runs after turns and dead letters were swept.
func sweepPeople(w *writer, keep time.Duration) (int, error) {
	idle, err := column[int64](w, stIdle, w.now-int64(keep), sweepPiece)
	if err != nil {
		return 0, err
	}
	var gone ports.Erased
	users := map[string]bool{}
	for _, n := range idle {
		var busy bool
		if _, err := w.row(stBusy, []any{n, w.now}, &busy); err != nil {
			return 0, err
		}
		if busy {
			if _, err := w.exec(stLookLater, n, w.now-int64(keep)+int64(lookAgain)); err != nil {
				return 0, err
			}
			continue
		}
		if err := w.forget(n, users, &gone); err != nil {
			return 0, err
		}
	}
	if len(idle) > 0 {
		w.unlearn()
	}
	return len(idle), w.disown(users, &gone)
}
