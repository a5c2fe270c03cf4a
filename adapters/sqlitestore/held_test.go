package sqlitestore_test

import (
	"context"
	"errors"
	"strings"
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

// What the writer remembers of a lease is what the file has, also when a transaction was
// taken back.
func TestExtensionTakenBackIsNotRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, sqlitestore.Options{})
		w, turn := checkpointed(t, s) // so the writer knows the lease
		time.Sleep(sqlitestore.DefaultLeaseTTL / 2)

		var wg sync.WaitGroup
		goOn := make(chan struct{})
		queue := func(fn func()) {
			wg.Go(fn)
			synctest.Wait()
		}
		queue(func() { assert.NoError(t, s.Write(func(func(string) error) error { <-goOn; return nil }, nil)) })
		ctx, cancel := context.WithCancel(t.Context())
		queue(func() { assert.Equal(t, ports.KindCanceled, ports.KindOf(s.Extend(ctx, w.Lease))) })
		calls := 0
		queue(func() {
			assert.NoError(t, s.Write(func(func(string) error) error {
				if calls++; calls > 1 {
					return nil
				}
				cancel() // so that the extension is not made the second time
				return errors.New("test")
			}, nil))
		})
		close(goOn)
		wg.Wait()
		assert.Equal(t, 2, calls)
		require.NoError(t, s.Checkpoint(t.Context(), w.Lease, turn))
		time.Sleep(sqlitestore.DefaultLeaseTTL/2 + time.Second)
		require.ErrorIs(t, s.Checkpoint(t.Context(), w.Lease, turn), ports.ErrLeaseLost)
	})
}

// Turns of a lease that take turns are each kept in their own row.
func TestTurnsOfOneLeaseKeepApart(t *testing.T) {
	s := open(t, sqlitestore.Options{})
	_, err := s.Admit(t.Context(), []domain.Message{textFrom(1, "1"), textFrom(1, "2")})
	require.NoError(t, err)
	w, err := s.Lease(t.Context())
	require.NoError(t, err)
	require.Len(t, w.Pending, 2)
	var turns []domain.Turn
	for i, id := range []domain.TurnID{"a", "b"} {
		turn, err := domain.NewTurn(id, w.Lease.Conversation, w.Pending[i:i+1], time.Now())
		require.NoError(t, err)
		turns = append(turns, turn)
	}
	for range 2 {
		for _, turn := range turns {
			require.NoError(t, s.Checkpoint(t.Context(), w.Lease, turn))
		}
	}
	require.NoError(t, s.Release(t.Context(), w.Lease))
	w, err = s.Lease(t.Context())
	require.NoError(t, err)
	require.Len(t, w.Open, 2)
	for i, turn := range turns {
		assert.Equal(t, turn.ID(), w.Open[i].ID())
		assert.Equal(t, turn.Inputs(), w.Open[i].Inputs())
	}
}

// A wamid leads to the send that was stored last under it.
func TestWamidLeadsToTheNewestSend(t *testing.T) {
	s := open(t, sqlitestore.Options{})
	_, err := s.Admit(t.Context(), []domain.Message{textFrom(1, "1"), textFrom(1, "2")})
	require.NoError(t, err)
	w, err := s.Lease(t.Context())
	require.NoError(t, err)
	for i, id := range []domain.TurnID{"a", "b"} {
		turn, err := domain.NewTurn(id, w.Lease.Conversation, w.Pending[i:i+1], time.Now())
		require.NoError(t, err)
		require.NoError(t, turn.Answer(domain.Reply{Text: "x"}))
		require.NoError(t, turn.Plan([]domain.Part{{Kind: domain.PartText, Text: "x"}}))
		require.NoError(t, turn.Intend(0, time.Now()))
		require.NoError(t, turn.Accepted(0, "wamid.sent"))
		for range 2 {
			require.NoError(t, s.Checkpoint(t.Context(), w.Lease, turn))
		}
		seen, err := s.Observe(t.Context(), []domain.Status{{Message: "wamid.sent", State: domain.DeliverySent}})
		require.NoError(t, err)
		assert.Equal(t, id, seen[0].Turn)
	}
}

// An id is new again when its time is up, though nobody has swept it yet.
func TestIDOfLongAgoIsNew(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := open(t, sqlitestore.Options{Clock: func() time.Time { return now }})
	for _, tc := range []struct {
		after time.Duration
		fresh bool
	}{{0, true}, {0, false}, {ports.DedupTTL - 1, false}, {1, true}, {ports.DedupTTL - 1, false}} {
		now = now.Add(tc.after)
		out, err := s.Admit(t.Context(), []domain.Message{textFrom(1, "1")})
		require.NoError(t, err)
		assert.Equal(t, tc.fresh, out[0].New, now)
	}
}

// A status that was seen is not new.
func TestStatusIsNewOnce(t *testing.T) {
	s := open(t, sqlitestore.Options{})
	checkpointed(t, s)
	for _, pricing := range []*domain.Pricing{nil, {}} {
		status := domain.Status{State: domain.DeliverySent, HasRef: true, Ref: domain.PartRef{Turn: "t1", Attempt: 1}, Pricing: pricing}
		if pricing != nil {
			status.State = domain.DeliveryDelivered
		}
		for i := range 2 {
			seen, err := s.Observe(t.Context(), []domain.Status{status})
			require.NoError(t, err)
			assert.Equal(t, i == 0, seen[0].New)
			assert.Equal(t, i == 0 && pricing != nil, seen[0].Priced)
		}
	}
}

// Every statement that ends or moves a lease is known to whoever keeps leases in mind.
func TestStatementsThatChangeLeases(t *testing.T) {
	changing := 0
	for _, text := range sqlitestore.Statements() {
		set, _, _ := strings.Cut(text, "WHERE")
		if strings.Contains(set, "lease_until =") || strings.Contains(set, "token =") {
			changing++
		}
	}
	assert.Equal(t, 5, changing, "claim, extend, end, finish and recall; does a new one change heldCache, too?")
}

// checkpointed leases the conversation of a new message and stores its turn t1.
func checkpointed(t *testing.T, s *sqlitestore.Store) (ports.Work, domain.Turn) {
	t.Helper()
	_, err := s.Admit(t.Context(), []domain.Message{textFrom(1, "1")})
	require.NoError(t, err)
	w, err := s.Lease(t.Context())
	require.NoError(t, err)
	turn, err := domain.NewTurn("t1", w.Lease.Conversation, w.Pending, time.Now())
	require.NoError(t, err)
	require.NoError(t, s.Checkpoint(t.Context(), w.Lease, turn))
	return w, turn
}
