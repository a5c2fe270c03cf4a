package bot_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/cmd/internal/bot"
	"whatsappnode/domain"
)

// ownPrices make the fake vendors cost something.
const ownPrices = `
prices:
  - providers: [fake]
    page: A contract
    url: https://example.com/contract
    read: 2026-11-01
    models:
      - {names: ["*"], input: 1.00, output: 2.00, per_minute: 0.60, per_million_characters: 10.00}
`

func priceFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prices.yaml")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func budgeted(t *testing.T, more ...string) ([]bot.Agent, error) {
	t.Helper()
	env := good()
	for _, v := range []string{"LLM_PROVIDER", "STT_PROVIDER", "TTS_PROVIDER"} {
		env[v] = "fake"
	}
	for i := 0; i+1 < len(more); i += 2 {
		env[more[i]] = more[i+1]
	}
	return bot.Assemble(from(env))
}

func TestBudgetsAreSettings(t *testing.T) {
	all, err := budgeted(t, "BUDGET_USER_DAY", "0.50", "BUDGET_NUMBER_DAY", "20", "PRICES_FILE", priceFile(t, ownPrices))
	require.NoError(t, err)
	a := all[0].Persona.Allowance
	require.Equal(t, domain.Dollar/2, a.User)
	require.Equal(t, 20*domain.Dollar, a.Number)
	require.Nil(t, a.CheaperLLM)
	require.Greater(t, a.Text, domain.Dollar*3/10, "half a minute is heard for 30 cents, and somebody thinks")
	require.Equal(t, domain.Dollar*600/1e6*10, a.Voice-a.Text-speechText(), "600 characters at ten dollars a million, and their tokens")

	all, err = budgeted(t, "BUDGET_DAY", "5", "BUDGET_LLM_PROVIDER", "offline", "PRICES_FILE", priceFile(t, ownPrices))
	require.NoError(t, err)
	a = all[0].Persona.Allowance
	require.NotNil(t, a.CheaperLLM)
	require.Less(t, a.Cheaper, a.Text)

	all, err = budgeted(t)
	require.NoError(t, err)
	require.Zero(t, all[0].Persona.Allowance, "nothing is limited")
}

// speechText is what the words cost that the voice reads: 150 tokens in.
func speechText() domain.Money { return 150 * domain.Dollar / 1e6 }

func TestAgentsHaveBudgetsOfTheirOwn(t *testing.T) {
	all, err := bot.Assemble(from(agentsFile(t, two("    budget: {user_day: 0.10, number_day: 3}"),
		"BUDGET_USER_DAY", "1", "PRICES_FILE", priceFile(t, ownPrices))))
	require.NoError(t, err)
	require.Equal(t, []domain.Money{domain.Dollar / 10, 3 * domain.Dollar}, []domain.Money{all[0].Persona.Allowance.User, all[0].Persona.Allowance.Number})
	require.Equal(t, []domain.Money{domain.Dollar, 0}, []domain.Money{all[1].Persona.Allowance.User, all[1].Persona.Allowance.Number}, "the environment's")
}

func TestWrongBudgetsAreFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		vars []string
		want []string
	}{
		"no amount":        {[]string{"BUDGET_DAY", "five"}, []string{"BUDGET_DAY", "US dollars"}},
		"nothing":          {[]string{"BUDGET_DAY", "0"}, []string{"BUDGET_DAY", "US dollars"}},
		"no percentage":    {[]string{"BUDGET_TEXT_AT", "101"}, []string{"BUDGET_TEXT_AT", "100"}},
		"a ladder upwards": {[]string{"BUDGET_TEXT_AT", "90", "BUDGET_CHEAPER_AT", "80"}, []string{"BUDGET_CHEAPER_AT", "order"}},
		"no zone":          {[]string{"BUDGET_TIMEZONE", "Mars/Olympus"}, []string{"BUDGET_TIMEZONE"}},
		"no file":          {[]string{"PRICES_FILE", "/nonexistent/prices.yaml"}, []string{"PRICES_FILE", "no such file"}},
		"a file of faults": {[]string{"PRICES_FILE", priceFile(t, strings.Replace(ownPrices, "A contract", `""`, 1))}, []string{"PRICES_FILE", "page and url"}},
		"no such model":    {[]string{"BUDGET_DAY", "1", "BUDGET_LLM_PROVIDER", "clever"}, []string{"BUDGET_LLM_PROVIDER", "clever"}},
		"unknown prices": {
			[]string{"BUDGET_DAY", "1", "LLM_PROVIDER", "patternai", "PATTERNAI_BASE_URL", "http://127.0.0.1:1"},
			[]string{"patternai", "PRICES_FILE"},
		},
		"unknown price of the cheaper model": {
			[]string{"BUDGET_DAY", "1", "BUDGET_LLM_PROVIDER", "openai", "OPENAI_API_KEY", "k", "BUDGET_LLM_MODEL", "brand-new"},
			[]string{"brand-new", "PRICES_FILE"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := budgeted(t, tt.vars...)
			require.ErrorIs(t, err, bot.ErrSettings)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

// TestCheaperModelOfTheSameVendor has a price of its own.
func TestCheaperModelOfTheSameVendor(t *testing.T) {
	all, err := budgeted(t, "BUDGET_DAY", "1", "LLM_PROVIDER", "openai", "OPENAI_API_KEY", "k", "OPENAI_LLM_MODEL", "gpt-5.6-terra",
		"BUDGET_LLM_MODEL", "gpt-6-luna")
	require.NoError(t, err)
	a := all[0].Persona.Allowance
	require.NotNil(t, a.CheaperLLM)
	require.Less(t, 10*a.Cheaper, a.Text, "$0.10 and $0.50 in place of $2 and $12")
}
