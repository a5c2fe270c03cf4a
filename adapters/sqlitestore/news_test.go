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

// Whatever ends a lease, nothing of it stays behind.
func TestEndedLeasesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, sqlitestore.Options{})
		take := func() ports.Work {
			w, err := s.Lease(t.Context())
			require.NoError(t, err)
			require.Equal(t, 1, s.Held())
			return w
		}
		admit := func(id string) {
			_, err := s.Admit(t.Context(), []domain.Message{textFrom(1, id)})
			require.NoError(t, err)
		}
		admit("1")
		require.NoError(t, s.Release(t.Context(), take().Lease))
		assert.Zero(t, s.Held())
		require.NoError(t, s.Defer(t.Context(), take().Lease, nil, 0))
		assert.Zero(t, s.Held())
		old := take()
		now := take() // the first has run out
		_, err := s.Pending(t.Context(), old.Lease)
		require.ErrorIs(t, err, ports.ErrLeaseLost)
		assert.Equal(t, 1, s.Held(), "the newer lease is another")
		_, err = s.Erase(t.Context(), now.Pending[0].From)
		require.NoError(t, err)
		require.ErrorIs(t, s.Extend(t.Context(), now.Lease), ports.ErrLeaseLost)
		assert.Zero(t, s.Held())
		admit("2")
		w := take()
		turn, err := domain.NewTurn("t", w.Lease.Conversation, w.Pending, time.Now())
		require.NoError(t, err)
		require.NoError(t, turn.Drop("test"))
		require.NoError(t, s.Finish(t.Context(), w.Lease, turn, w.Conversation))
		assert.Zero(t, s.Held())
		admit("3")
		w = take()
		time.Sleep(w.Lease.TTL)
		admit("4") // it ran out, and nobody said so
		assert.Zero(t, s.Held())
	})
}
