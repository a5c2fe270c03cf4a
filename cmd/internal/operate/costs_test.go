package operate_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/cmd/internal/operate"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// spent is a store with the books of two days.
func spent(t *testing.T) *fake.Store {
	t.Helper()
	s := fake.NewStore(fake.StoreOptions{})
	book := func(day string, number domain.NumberID, e domain.Expense) {
		require.NoError(t, s.Book(t.Context(), day, []ports.Entry{{Number: number, Expense: e}}))
	}
	book("2026-11-21", "106", domain.Expense{Stage: "llm", Vendor: "openai", Calls: 2, Cost: domain.Dollar / 4, Use: domain.Use{InputTokens: 300, OutputTokens: 80}})
	book("2026-11-22", "106", domain.Expense{Stage: "tts", Vendor: "openai", Calls: 1, Cost: domain.Dollar / 2, Doubtful: 1, DoubtfulCost: domain.Dollar / 8})
	book("2026-11-22", "107", domain.Expense{Stage: "whatsapp", Vendor: "whatsapp", Calls: 3, Unpriced: 3})
	book("2026-11-01", "106", domain.Expense{Stage: "llm", Vendor: "openai", Calls: 9, Cost: domain.Dollar})
	return s
}

var today = time.Date(2026, 11, 22, 23, 30, 0, 0, time.UTC)

func TestCostsByDayNumberStageAndVendor(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, operate.Costs(t.Context(), spent(t), &out, today, 7, operate.Options{}))
	for _, want := range []string{
		`2026-11-21 +106 +llm +openai +2 +300 tokens in, 80 tokens out +\$0\.25`,
		`2026-11-22 +106 +tts +openai +1 +\$0\.5 \(\$0\.13 of it for 1 call that failed or came too late\)`,
		`2026-11-22 +107 +whatsapp +whatsapp +3 +\$0 and 3 calls of unknown price`,
		`2026-11-21 +all +\$0\.25`, `2026-11-22 +all +\$0\.5 and 3 calls`, `total +\$0\.75 and 3 calls`, `midnight in UTC`,
	} {
		require.Regexp(t, want, out.String())
	}
	require.NotContains(t, out.String(), "2026-11-01", "longer ago")
}

func TestCostsAsJSON(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, operate.Costs(t.Context(), spent(t), &out, today, 30, operate.Options{JSON: true}))
	var got struct {
		From, To, Zone string
		Entries        []struct {
			Day, Number, Stage, Vendor string
			Calls                      int
			Dollars                    float64
		}
		Days  []struct{ Day string }
		Total struct {
			Dollars  float64
			Unpriced int
		}
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	require.Equal(t, []string{"2026-10-24", "2026-11-22", "UTC"}, []string{got.From, got.To, got.Zone})
	require.Len(t, got.Entries, 4)
	require.Equal(t, "2026-11-01", got.Entries[0].Day)
	require.Len(t, got.Days, 3)
	require.InDelta(t, 1.75, got.Total.Dollars, 1e-9)
	require.Equal(t, 3, got.Total.Unpriced)
}

func TestCostsAreBounded(t *testing.T) {
	for _, days := range []int{0, -1, ports.MaxSpendingDays + 1} {
		require.ErrorContains(t, operate.Costs(t.Context(), spent(t), &bytes.Buffer{}, today, days, operate.Options{}), "days")
	}
	var out bytes.Buffer
	require.NoError(t, operate.Costs(t.Context(), fake.NewStore(fake.StoreOptions{}), &out, today, 1, operate.Options{}))
	require.Equal(t, "Nothing was spent from 2026-11-22 to 2026-11-22 (UTC).\n", out.String())
}
