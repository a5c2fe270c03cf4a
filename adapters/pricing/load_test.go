package pricing_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/pricing"
)

// list is a good price list with one entry; mend changes one line of it.
func list(from, to string) []byte {
	good := `
prices:
  - providers: [openai]
    page: A page
    url: https://example.com/prices
    read: 2026-10-08
    models:
      - names: [a-model]
        input: 0.10
        output: 0.50
`
	return []byte(strings.Replace(good, from, to, 1))
}

func TestParseTakesAGoodList(t *testing.T) {
	l, err := pricing.Parse(list("", ""))
	require.NoError(t, err)
	p, ok := l.Find("openai", "a-model", autumn)
	require.True(t, ok)
	require.Equal(t, pricing.Dollar/10, p.Input)
	require.Equal(t, "A page", p.Source.Page)
}

func TestParseIsStrict(t *testing.T) {
	for _, tt := range []struct{ name, from, to, want string }{
		{"an unknown key", "input: 0.10", "inputs: 0.10", "inputs"},
		{"a price that is no number", "0.10", "cheap", "US dollars"},
		{"a price with a sign", "0.10", "-0.10", "US dollars"},
		{"a price with an exponent", "0.10", "1e-1", "US dollars"},
		{"a price that is too exact", "0.10", "0.1000001", "US dollars"},
		{"a price that ends in a point", "0.10", "1.", "US dollars"},
		{"a list for a price", "0.10", "[0.10]", "US dollars"},
		{"a day that is none", "2026-10-08", "autumn", "2026-10-31"},
		{"no day", "    read: 2026-10-08\n", "", "read"},
		{"no page", "A page", `""`, "page and url"},
		{"an address without https", "https://", "http://", "page and url"},
		{"no provider", "[openai]", "[]", "providers"},
		{"no name", "[a-model]", "[]", "names"},
		{"no price at all", "        input: 0.10\n        output: 0.50\n", "", "no price"},
		{"sound without its tokens", "output: 0.50", "audio_input: 0.50", "tokens a second"},
		{"tokens without their price", "output: 0.50", "audio_output_per_second: 25", "tokens a second"},
		{"until before from", "output: 0.50", "output: 0.50\n        from: 2026-10-01\n        until: 2026-09-01", "until is before from"},
		{"a model twice", "[a-model]", "[a-model, a-model]", "two prices"},
		{"a key twice", "input: 0.10", "input: 0.10\n        input: 0.20", "already defined"},
		{"a second document", "output: 0.50\n", "output: 0.50\n---\nprices: []\n", "follows"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := pricing.Parse(list(tt.from, tt.to))
			require.ErrorContains(t, err, tt.want)
		})
	}
	_, err := pricing.Parse(nil)
	require.Error(t, err)
	_, err = pricing.Parse([]byte("prices: []"))
	require.ErrorContains(t, err, "no price")
}

func TestParseListsEveryFault(t *testing.T) {
	bad := strings.NewReplacer("A page", `""`, "[openai]", "[]", "[a-model]", "[]").Replace(string(list("", "")))
	_, err := pricing.Parse([]byte(bad))
	for _, want := range []string{"page and url", "providers", "names"} {
		require.ErrorContains(t, err, want)
	}
}

func TestPricesMustNotOverlap(t *testing.T) {
	second := "        output: 0.50\n%s      - names: [a-model]\n        input: 0.20\n        output: 1.00\n%s"
	line := func(key, day string) string { return fmt.Sprintf("        %s: %s\n", key, day) }
	_, err := pricing.Parse(list("        output: 0.50\n", fmt.Sprintf(second, line("until", "2026-12-31"), line("from", "2027-01-01"))))
	require.NoError(t, err)
	for _, overlapping := range [][2]string{
		{line("until", "2026-12-31"), line("from", "2026-12-31")},
		{line("until", "2026-12-31"), ""},
		{"", line("from", "2027-01-01")},
	} {
		_, err := pricing.Parse(list("        output: 0.50\n", fmt.Sprintf(second, overlapping[0], overlapping[1])))
		require.ErrorContains(t, err, "two prices")
	}
}
