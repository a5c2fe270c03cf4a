package sqlitestore_test

import (
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/sqlitestore"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// fill admits large messages from several callers until the store refuses, and
// returns the ids of those it took.
func fill(t *testing.T, s *sqlitestore.Store, round string) []domain.MessageID {
	t.Helper()
	var mu sync.Mutex
	var taken []domain.MessageID
	var wg sync.WaitGroup
	for caller := range 4 {
		wg.Go(func() {
			for i := range 2000 {
				m := textFrom(caller, round+"."+strconv.Itoa(caller)+"."+strconv.Itoa(i))
				m.Content = domain.Text{Body: strings.Repeat("x", 4000)}
				_, err := s.Admit(t.Context(), []domain.Message{m})
				if err != nil {
					assert.Equal(t, ports.KindTransient, ports.KindOf(err), err)
					return
				}
				mu.Lock()
				taken = append(taken, m.ID)
				mu.Unlock()
			}
			assert.Fail(t, "the store never got full")
		})
	}
	wg.Wait()
	return taken
}

// holds demands that every id is known and its message is stored.
func holds(t *testing.T, s *sqlitestore.Store, ids []domain.MessageID) {
	t.Helper()
	for _, table := range []string{"ids", "inbox"} {
		for _, id := range ids {
			n, err := s.Count(`SELECT count(*) FROM ` + table + ` WHERE id = '` + string(id) + `'`)
			require.NoError(t, err)
			require.Equal(t, 1, n, "%s lacks an acknowledged message", table)
		}
	}
}

func TestFullDatabaseRecovers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bot.db")
	s := open(t, sqlitestore.Options{Path: path})
	require.NoError(t, s.Exec(`PRAGMA max_page_count = 120`))
	taken := fill(t, s, "a")
	assert.NotEmpty(t, taken)
	small := textFrom(9, "status")
	_, err := s.Admit(t.Context(), []domain.Message{small, small})
	if err != nil {
		assert.Equal(t, ports.KindTransient, ports.KindOf(err))
	}
	require.NoError(t, s.Exec(`PRAGMA max_page_count = 100000`))
	last := textFrom(9, "last")
	_, err = s.Admit(t.Context(), []domain.Message{last})
	require.NoError(t, err, "there is room again")
	holds(t, s, append(taken, last.ID))
	require.NoError(t, s.Close())
	holds(t, open(t, sqlitestore.Options{Path: path}), append(taken, last.ID))
}

func big(id string) domain.Message {
	m := textFrom(7, id)
	m.Content = domain.Text{Body: strings.Repeat("x", 60000)}
	return m
}
