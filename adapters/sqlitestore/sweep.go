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
		func(w *writer) (int, error) { return sweepTurns(w, notDead, TurnRetention) },
		func(w *writer) (int, error) { return sweepTurns(w, letterGone, TurnRetention) },
		func(w *writer) (int, error) { return sweepTurns(w, letterKept, DeadLetterRetention) },
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
	rows, err := w.st[stOldTurns].Query(int(dead), w.now-int64(keep), sweepPiece)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	var old []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return 0, err
		}
		old = append(old, n)
	}
	if err := rows.Err(); err != nil {
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
