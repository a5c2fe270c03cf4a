package sqlitestore_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/sqlitestore"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

const halfWritten = `INSERT INTO facts (turn, part, attempt, state, data) VALUES (99, 0, 0, 'half', x'00')`

// Writes that share a transaction with one that fails are kept, whole and once, and
// are told the truth.
func TestWritesThatShareATransaction(t *testing.T) {
	errTest := errors.New("test")
	type exec = func(string) error
	for name, tc := range map[string]struct {
		bad   func(exec) error
		calls int // how often each of the others is run
		want  func(t *testing.T, err error)
	}{
		"none fails": {
			bad: func(exec) error { return nil }, calls: 1,
			want: func(t *testing.T, err error) { assert.NoError(t, err) },
		},
		"one fails before it changed anything": {
			bad: func(exec) error { return ports.ErrLeaseLost }, calls: 1,
			want: func(t *testing.T, err error) { assert.ErrorIs(t, err, ports.ErrLeaseLost) },
		},
		"one fails half-way": {
			bad: func(do exec) error { return errors.Join(do(halfWritten), errTest) }, calls: 2,
			want: func(t *testing.T, err error) { assert.ErrorIs(t, err, errTest) },
		},
		"one refuses half-way": {
			bad: func(do exec) error { return errors.Join(do(halfWritten), ports.ErrLeaseLost) }, calls: 2,
			want: func(t *testing.T, err error) { assert.ErrorIs(t, err, ports.ErrLeaseLost) },
		},
		"one fails in SQLite": {
			bad: func(do exec) error { return errors.Join(do(halfWritten), do(halfWritten)) }, calls: 2,
			want: func(t *testing.T, err error) { assert.Equal(t, ports.KindTransient, ports.KindOf(err)) },
		},
		"one panics": {
			// Of SQLite's state nothing is known then.
			bad: func(exec) error { panic(errTest) }, calls: 2,
			want: func(t *testing.T, err error) { assert.ErrorAs(t, err, new(*ports.PanicError)) },
		},
		"one panics half-way": {
			bad: func(do exec) error { panic(errors.Join(do(halfWritten), errTest)) }, calls: 2,
			want: func(t *testing.T, err error) { assert.ErrorAs(t, err, new(*ports.PanicError)) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sh := share(t, tc.bad)
				tc.want(t, sh.bad)
				sh.kept(t, tc.calls)
			})
		})
	}
}

// When SQLite itself takes the transaction back, nobody is told that his write is kept,
// and the next writes are.
func TestTransactionGivenUpBySQLite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := share(t, func(do func(string) error) error {
			return errors.Join(do(`INSERT OR ROLLBACK INTO beat VALUES (1, 1)`), do(`INSERT OR ROLLBACK INTO beat VALUES (1, 1)`))
		})
		for i, err := range append(sh.errs[:], sh.bad) {
			assert.Equal(t, ports.KindTransient, ports.KindOf(err), "%d: %v", i, err)
		}
		assert.Zero(t, sh.told)
		for table, want := range map[string]int{"inbox": 2, "turns": 0, "budgets": 0, "conversations": 2} {
			n, err := sh.s.Count(`SELECT count(*) FROM ` + table)
			require.NoError(t, err)
			assert.Equal(t, want, n, table)
		}
		out, err := sh.s.Admit(t.Context(), []domain.Message{textFrom(10, "a"), textFrom(10, "b")})
		require.NoError(t, err)
		assert.True(t, out[0].New && out[1].New)
	})
}

// shared is what became of writes that shared one transaction.
type shared struct {
	s           *sqlitestore.Store
	calls, told int // of a write that counts
	first, next []ports.Admission
	standing    ports.Standing
	errs        [5]error
	lost, bad   error
}

// share queues writes behind one that waits, so that the next transaction takes them
// all; bad is in their middle.
func share(t *testing.T, bad func(exec func(string) error) error) *shared {
	s := open(t, sqlitestore.Options{})
	sh := &shared{s: s}
	_, err := s.Admit(t.Context(), []domain.Message{textFrom(1, "1"), textFrom(2, "2")})
	require.NoError(t, err)
	held, err := s.Lease(t.Context())
	require.NoError(t, err)
	ended, err := s.Lease(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Release(t.Context(), ended.Lease))
	turn, err := domain.NewTurn("t1", held.Lease.Conversation, held.Pending, time.Now())
	require.NoError(t, err)

	var wg sync.WaitGroup
	goOn := make(chan struct{})
	queue := func(fn func()) {
		wg.Go(fn)
		synctest.Wait()
	}
	queue(func() {
		assert.NoError(t, s.Write(func(func(string) error) error { <-goOn; return nil }, nil))
	})
	queue(func() {
		sh.first, sh.errs[0] = s.Admit(t.Context(), []domain.Message{textFrom(10, "10"), textFrom(10, "11")})
	})
	queue(func() { sh.errs[1] = s.Checkpoint(t.Context(), held.Lease, turn) })
	queue(func() {
		sh.errs[2] = s.Write(func(func(string) error) error { sh.calls++; return nil }, func() { sh.told++ })
	})
	queue(func() { sh.lost = s.Extend(t.Context(), ended.Lease) })
	queue(func() { sh.bad = s.Write(bad, nil) })
	queue(func() {
		sh.standing, sh.errs[3] = s.Reserve(t.Context(), ports.Reservation{
			ID: "r", Payer: ports.Payer{Day: "2026-11-23", Number: "100", User: "u"},
			Steps: []ports.Step{{Amount: 7}}, TTL: time.Minute,
		})
	})
	queue(func() { sh.next, sh.errs[4] = s.Admit(t.Context(), []domain.Message{textFrom(10, "12")}) })
	close(goOn)
	wg.Wait()
	return sh
}

// kept demands that everything but the bad write and the lost lease is kept, once.
func (sh *shared) kept(t *testing.T, calls int) {
	for i, err := range sh.errs {
		require.NoError(t, err, i)
	}
	require.ErrorIs(t, sh.lost, ports.ErrLeaseLost)
	assert.Equal(t, calls, sh.calls)
	assert.Equal(t, 1, sh.told)
	conv := sh.next[0].Conversation
	for _, a := range append(sh.first, sh.next...) {
		assert.True(t, a.New)
		assert.Equal(t, conv, a.Conversation)
	}
	assert.Zero(t, sh.standing.Step)
	for query, want := range map[string]int{
		`SELECT count(*) FROM conversations WHERE id = '` + string(conv) + `'`: 1,
		`SELECT count(*) FROM conversations`:                                   3,
		`SELECT count(*) FROM inbox`:                                           5,
		`SELECT count(*) FROM ids`:                                             5,
		`SELECT count(*) FROM aliases`:                                         6,
		`SELECT count(*) FROM turns`:                                           1,
		`SELECT count(*) FROM facts`:                                           0,
		`SELECT max(held) FROM budgets`:                                        7,
	} {
		n, err := sh.s.Count(query)
		require.NoError(t, err)
		assert.Equal(t, want, n, query)
	}
}
