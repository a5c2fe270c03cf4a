package sqlitestore_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/sqlitestore"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// What a conversation has is read in a transaction that others share. When it cannot be
// read, that is no matter of theirs.
func TestUnreadConversationSpoilsNoTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, sqlitestore.Options{})
		w, _ := checkpointed(t, s)
		require.NoError(t, s.Exec(`ALTER TABLE facts RENAME TO elsewhere`))
		got := make(chan error)
		go func() {
			_, err := s.Lease(t.Context())
			got <- err
		}()
		synctest.Wait()
		require.NoError(t, s.Release(t.Context(), w.Lease), "it shares the transaction with the lease")
		assert.Equal(t, ports.KindTransient, ports.KindOf(<-got))
		require.NoError(t, s.Exec(`ALTER TABLE elsewhere RENAME TO facts`))
		start := time.Now()
		w, err := s.Lease(t.Context())
		require.NoError(t, err)
		assert.Less(t, time.Since(start), time.Second, "it was given back")
		assert.Len(t, w.Open, 1)
		assert.Equal(t, 1, s.Held())
	})
}

// A message that comes when a conversation was read, and before its worker knows, is
// told to the worker.
func TestNewsBetweenClaimAndAnswer(t *testing.T) {
	s := open(t, sqlitestore.Options{})
	_, err := s.Admit(t.Context(), []domain.Message{textFrom(1, "1")})
	require.NoError(t, err)
	w, err := s.LeaseWith(func() {
		_, err := s.Admit(t.Context(), []domain.Message{textFrom(1, "2")})
		require.NoError(t, err)
	})
	require.NoError(t, err)
	assert.Len(t, w.Pending, 1)
	select {
	case <-w.News:
	default:
		assert.Fail(t, "nobody told the worker")
	}
	pending, err := s.Pending(t.Context(), w.Lease)
	require.NoError(t, err)
	assert.Len(t, pending, 2)
}
