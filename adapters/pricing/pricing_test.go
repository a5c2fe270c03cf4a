package pricing_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/pricing"
)

var (
	autumn = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	spring = time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
)

func builtIn(t *testing.T) *pricing.List {
	t.Helper()
	l, err := pricing.BuiltIn()
	require.NoError(t, err)
	return l
}

func TestCosts(t *testing.T) {
	for _, tt := range []struct {
		name, provider, model string
		use                   pricing.Use
		want                  pricing.Amount
	}{
		{"a million tokens each way", "genai", "gemini-3.5-flash-lite", pricing.Use{InputTokens: 1e6, OutputTokens: 1e6}, 28 * pricing.Dollar / 10},
		{"one token", "openai", "gpt-6-luna", pricing.Use{InputTokens: 1}, pricing.Dollar / 1e7},
		{"a typical answer", "anthropic", "claude-haiku-5-5", pricing.Use{InputTokens: 300, OutputTokens: 80}, 70 * pricing.Dollar / 1e6},
		{"sound by the minute", "openai", "gpt-transcribe", pricing.Use{Heard: 10 * time.Second, OutputTokens: 40}, 750 * pricing.Dollar / 1e6},
		{"sound by tokens", "genai", "gemini-3.5-flash-lite", pricing.Use{Heard: 10 * time.Second, OutputTokens: 40}, 196 * pricing.Dollar / 1e6},
		{"speech by characters", "googletts", "Chirp3-HD", pricing.Use{InputTokens: 60, Characters: 250, Spoken: 17 * time.Second}, 7500 * pricing.Dollar / 1e6},
		{"speech by tokens", "genai", "gemini-3.8-flash-lite-tts", pricing.Use{InputTokens: 60, Characters: 250, Spoken: 16 * time.Second}, 2430 * pricing.Dollar / 1e6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, ok := builtIn(t).Find(tt.provider, tt.model, autumn)
			require.True(t, ok)
			got, ok := p.Cost(tt.use)
			require.True(t, ok)
			require.Equal(t, tt.want, got)
		})
	}
}

// TestPriceThatDoesNotCoverTheUse: no number is better than one that leaves
// something out.
func TestPriceThatDoesNotCoverTheUse(t *testing.T) {
	for _, tt := range []struct {
		name, provider, model string
		use                   pricing.Use
	}{
		{"a chat model whose price of sound is not known", "genai", "gemini-3.5-flash", pricing.Use{Heard: time.Second}},
		{"an ear that should think", "openai", "gpt-transcribe", pricing.Use{InputTokens: 1}},
		{"a voice that should hear", "elevenlabs", "eleven_flash_v2_5", pricing.Use{Heard: time.Second}},
		{"a clip of unknown length", "genai", "gemini-3.8-flash-lite-tts", pricing.Use{Characters: 6}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, ok := builtIn(t).Find(tt.provider, tt.model, autumn)
			require.True(t, ok)
			_, ok = p.Cost(tt.use)
			require.False(t, ok)
		})
	}
}

// TestNothingIsInferred: a name that is nearly right has no price.
func TestNothingIsInferred(t *testing.T) {
	for provider, models := range map[string][]string{
		"openai":     {"", "gpt-6", "gpt-6-luna-2027-01-01", "openai/gpt-6-luna", "GPT-6-LUNA"},
		"genai":      {"gemini-flash-latest", "gpt-6-luna"},
		"patternai":  {"gpt-6-luna"},
		"googletts":  {"en-US-Chirp3-HD-Kore"},
		"elevenlabs": {"scribe"},
	} {
		for _, m := range models {
			_, ok := builtIn(t).Find(provider, m, autumn)
			require.False(t, ok, "%s %q", provider, m)
		}
	}
}

func TestPricesHaveTheirTime(t *testing.T) {
	find := func(model string, at time.Time) (pricing.Price, bool) { return builtIn(t).Find("genai", model, at) }
	newYear := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	before, ok := find("gemini-3.8-flash", newYear.Add(-time.Nanosecond))
	require.True(t, ok, "the last day counts to its end")
	after, ok := find("gemini-3.8-flash", newYear)
	require.True(t, ok)
	require.Equal(t, 2*before.Input, after.Input)
	_, ok = builtIn(t).Find("openai", "gpt-4o-mini-tts", spring)
	require.False(t, ok, "a model that is gone costs nothing we know")
}

// TestEveryPriceHasASource, and none is older than a year: prices age.
func TestEveryPriceHasASource(t *testing.T) {
	for _, each := range []struct{ provider, model string }{
		{"genai", "gemini-3.5-flash-lite"},
		{"gemini", "gemini-3.8-flash"},
		{"googlespeech", "chirp_3"},
		{"googletts", "Neural2"},
		{"openai", "gpt-6-luna"},
		{"anthropic", "claude-haiku-5-5"},
		{"elevenlabs", "scribe_v2"},
	} {
		p, ok := builtIn(t).Find(each.provider, each.model, autumn)
		require.True(t, ok, each.model)
		require.NotEmpty(t, p.Source.Page)
		require.True(t, strings.HasPrefix(p.Source.URL, "https://"))
		require.WithinRange(t, p.Source.Read, autumn.AddDate(-1, 0, 0), autumn)
		require.Equal(t, each.model, p.Model)
	}
}

func TestAmountsForPeople(t *testing.T) {
	const micro = pricing.Dollar / 1e6
	for want, a := range map[string]pricing.Amount{
		"$0": 0, "$0.00012": 123 * micro, "$0.0025": 2490 * micro, "$0.015": 15000 * micro, "$0.1": 99900 * micro, "$0.99": 990000 * micro,
		"$1.00": pricing.Dollar, "$12.35": 12345 * pricing.Dollar / 1000, "<$0.0000001": 1, "$0.0000001": pricing.Dollar / 1e7, "-$0.015": -15000 * micro,
		"$0.00075": 750 * micro,
	} {
		require.Equal(t, want, a.String())
	}
	require.InDelta(t, 0.00075, (750 * micro).Dollars(), 1e-18)
}
