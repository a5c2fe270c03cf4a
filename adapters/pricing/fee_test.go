package pricing_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/pricing"
	"whatsappnode/domain"
)

const card = `
messages:
  - page: A card
    url: https://example.com/card
    read: 2026-11-01
    rates:
      - {countries: ["34"], category: service, price: 0.02, until: 2026-12-31}
      - {countries: ["34"], category: service, price: 0.03, from: 2027-01-01}
      - {countries: ["1", "1242"], category: service, price: 0.01}
      - {countries: ["1868"], category: service, price: 0.04}
      - {countries: ["*"], category: service, price: 0.05}
`

func TestFeeFollowsTheCountry(t *testing.T) {
	l, err := pricing.Parse([]byte(card))
	require.NoError(t, err)
	for phone, want := range map[domain.Phone]pricing.Amount{
		"34600111222": 2, "12125550100": 1, "18685550100": 4, "4915112345678": 5, "": 5, "3": 5,
	} {
		got, ok := l.Fee(phone, "service", autumn)
		require.True(t, ok, phone)
		require.Equal(t, want*pricing.Dollar/100, got, phone)
	}
	got, _ := l.Fee("34600111222", "service", spring)
	require.Equal(t, 3*pricing.Dollar/100, got, "the price of the new year")
	_, ok := l.Fee("34600111222", "utility", autumn)
	require.False(t, ok, "another category")
	built, err := pricing.BuiltIn()
	require.NoError(t, err)
	_, ok = built.Fee("34600111222", "service", autumn)
	require.False(t, ok, "the list says nothing of messages")
}

func TestFeesAreRead(t *testing.T) {
	for _, tt := range []struct{ name, from, to, want string }{
		{"a country that is none", `["34"]`, `["+34"]`, "calling code"},
		{"no country", `["1868"]`, `[]`, "a rate needs"},
		{"no category", "category: service, price: 0.04", "price: 0.04", "a rate needs"},
		{"no price", "service, price: 0.04", "service", "a rate needs"},
		{"two at once", `["1868"]`, `["1242"]`, "two prices"},
		{"no page", "A card", `""`, "page and url"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := pricing.Parse([]byte(strings.Replace(card, tt.from, tt.to, 1)))
			require.ErrorContains(t, err, tt.want)
		})
	}
}
