package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
)

func TestMoneyIsReadExactly(t *testing.T) {
	for text, want := range map[string]domain.Money{
		"2.50": 5 * domain.Dollar / 2, "0.000001": domain.Dollar / 1e6, "12": 12 * domain.Dollar, "999999.999999": 999999999999 * (domain.Dollar / 1e6),
	} {
		got, err := domain.ParseMoney(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "-1", "+1", "1.", ".5", "1,5", "1e3", "$1", "1.0000001", "1000000"} {
		_, err := domain.ParseMoney(text)
		require.ErrorIs(t, err, domain.ErrMoney, text)
	}
	var m domain.Money
	require.ErrorIs(t, m.UnmarshalText([]byte("0.00")), domain.ErrMoney, "a limit of nothing")
	require.NoError(t, m.UnmarshalText([]byte("0.25")))
	require.Equal(t, domain.Dollar/4, m)
}

func TestExpensesAddUpByStageAndVendor(t *testing.T) {
	first := domain.Expenses{}.Plus(domain.Expense{Stage: "tts", Vendor: "b", Calls: 1, Cost: 5})
	all := first.Plus(domain.Expense{Stage: "llm", Vendor: "b", Calls: 1, Cost: 1, Unpriced: 1}).
		Plus(domain.Expense{Stage: "llm", Vendor: "a", Calls: 1, Cost: 2}).
		Plus(domain.Expense{Stage: "tts", Vendor: "b", Calls: 1, Cost: 7, Doubtful: 1, DoubtfulCost: 7})
	require.Equal(t, domain.Expenses{
		{Stage: "llm", Vendor: "a", Calls: 1, Cost: 2},
		{Stage: "llm", Vendor: "b", Calls: 1, Cost: 1, Unpriced: 1},
		{Stage: "tts", Vendor: "b", Calls: 2, Cost: 12, Doubtful: 1, DoubtfulCost: 7},
	}, all)
	require.Equal(t, domain.Money(15), all.Cost())
	require.Equal(t, domain.Money(5), first.Cost(), "what was is not changed")
}
