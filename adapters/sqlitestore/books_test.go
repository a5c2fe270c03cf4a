package sqlitestore_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/sqlitestore"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// TestBooksAreReadBesideTheProcessThatOwnsThem.
func TestBooksAreReadBesideTheProcessThatOwnsThem(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bot.db")
	s := open(t, sqlitestore.Options{Path: path})
	book := func() {
		require.NoError(t, s.Book(t.Context(), "2026-11-22", []ports.Entry{{Number: "106", Expense: domain.Expense{Stage: "llm", Vendor: "v", Calls: 1, Cost: 5}}}))
	}
	book()
	b, err := sqlitestore.OpenBooks(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, b.Close()) }()
	for want := range 3 {
		got, err := b.Spending(t.Context(), []string{"2026-11-21", "2026-11-22"})
		require.NoError(t, err)
		require.Len(t, got, 1)
		require.Equal(t, domain.Money(5*(want+1)), got[0].Cost)
		book() // the owner writes on
	}
	_, err = b.Spending(t.Context(), make([]string, ports.MaxSpendingDays+1))
	require.Equal(t, ports.KindInvalid, ports.KindOf(err))
}

func TestBooksOfNoStore(t *testing.T) {
	_, err := sqlitestore.OpenBooks(filepath.Join(t.TempDir(), "none.db"))
	require.ErrorContains(t, err, "no such file")
}

// TestFileOfAnEarlierReleaseGetsALedger: one without money opens, and has it then.
func TestFileOfAnEarlierReleaseGetsALedger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bot.db")
	require.NoError(t, sqlitestore.MakeOld(t.Context(), path, 2))
	b, err := sqlitestore.OpenBooks(path)
	require.NoError(t, err)
	got, err := b.Spending(t.Context(), []string{"2026-11-22"})
	require.NoError(t, err, "an old file has no books")
	require.Empty(t, got)
	require.NoError(t, b.Close())

	s := open(t, sqlitestore.Options{Path: path})
	standing, err := s.Reserve(t.Context(), ports.Reservation{
		ID: "r", Payer: ports.Payer{Day: "2026-11-22", User: "c", Number: "106"}, Caps: ports.Budgets{Total: 100}, Steps: []ports.Step{{Amount: 1, Below: 100}}, TTL: time.Hour,
	})
	require.NoError(t, err)
	require.Zero(t, standing.Step)
}
