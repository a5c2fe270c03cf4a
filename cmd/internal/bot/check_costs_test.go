package bot_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/cmd/internal/bot"
)

var autumn = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

// quotes is the estimate of one bot with these settings.
func quotes(t *testing.T, vars ...string) map[string]bot.Quote {
	t.Helper()
	env := good()
	for _, v := range []string{"LLM_PROVIDER", "STT_PROVIDER", "TTS_PROVIDER"} {
		env[v] = "fake"
	}
	for _, vendor := range []string{"GEMINI", "OPENAI", "ANTHROPIC", "ELEVENLABS", "DEEPGRAM"} {
		env[vendor+"_API_KEY"] = "k"
	}
	for i := 0; i+1 < len(vars); i += 2 {
		env[vars[i]] = vars[i+1]
	}
	all, err := bot.TypicalTurns(from(env), autumn)
	require.NoError(t, err)
	require.Len(t, all, 1)
	return all[0]
}

// TestDefaultModelsHaveAPrice: whoever changes a default looks up what it costs.
// Missing are only those that have no fixed model or voice.
func TestDefaultModelsHaveAPrice(t *testing.T) {
	for _, tt := range []struct{ stage, doing, provider, model, cost string }{
		{"LLM", "thinking", "genai", "gemini-3.5-flash-lite", "$0.00029"},
		{"LLM", "thinking", "openai", "gpt-6-luna", "$0.00007"},
		{"LLM", "thinking", "anthropic", "claude-haiku-5-5", "$0.00007"},
		{"LLM", "thinking", "gemini", "gemini-flash-latest", "unknown"}, // a name that moves
		{"STT", "hearing", "genai", "gemini-3.5-flash-lite", "$0.00028"},
		{"STT", "hearing", "openai", "gpt-transcribe", "$0.00075"},
		{"STT", "hearing", "elevenlabs", "scribe_v2", "$0.00061"},
		{"STT", "hearing", "googlespeech", "chirp_3", "$0.0027"},
		{"STT", "hearing", "deepgram", "nova-3", "$0.00087"},
		{"TTS", "speaking", "deepgram", "aura-2-thalia-en", "$0.0075"},
		{"TTS", "speaking", "genai", "gemini-3.8-flash-lite-tts", "$0.0025"},
		{"TTS", "speaking", "openai", "gpt-4o-mini-tts", "$0.0042"},
		{"TTS", "speaking", "elevenlabs", "eleven_flash_v2_5", "$0.01"},
		{"TTS", "speaking", "googletts", "", "unknown"}, // Google chooses a voice
	} {
		q := quotes(t, tt.stage+"_PROVIDER", tt.provider, "GOOGLE_CLOUD_PROJECT", "p", "GOOGLE_SPEECH_ENDPOINT", "http://127.0.0.1:1",
			"GOOGLE_TTS_ENDPOINT", "http://127.0.0.1:1")[tt.doing]
		require.Equal(t, tt.provider, q.Provider)
		require.Equal(t, tt.model, q.Model)
		require.Equal(t, tt.cost, q.Cost, "%+v", q)
		require.NotEmpty(t, q.Source)
	}
}

// TestNoPriceIsGuessed: neither for a model that is not listed nor for somebody who
// sells another's model.
func TestNoPriceIsGuessed(t *testing.T) {
	for name, vars := range map[string][]string{
		"a model nobody knows":       {"LLM_PROVIDER", "openai", "OPENAI_LLM_MODEL", "gpt-99"},
		"a server of one's own":      {"LLM_PROVIDER", "openai", "OPENAI_BASE_URL", "http://127.0.0.1:11434/v1"},
		"a router":                   {"LLM_PROVIDER", "openai", "OPENAI_BASE_URL", "https://openrouter.ai/api/v1"},
		"an agent's own services":    {"LLM_PROVIDER", "patternai", "PATTERNAI_BASE_URL", "http://127.0.0.1:1"},
		"a model that hears and not": {"LLM_PROVIDER", "gemini", "GEMINI_MODEL", "gemini-latest"},
	} {
		q := quotes(t, vars...)
		require.Equal(t, "unknown", q["thinking"].Cost, name)
		require.Equal(t, "an unknown sum", q["together"].Cost, name)
	}
	q := quotes(t, "STT_PROVIDER", "openai", "OPENAI_STT_BASE_URL", "http://127.0.0.1:1", "TTS_PROVIDER", "openai")
	require.Equal(t, "unknown", q["hearing"].Cost, "a whisper server")
	require.Equal(t, "$0.0042", q["speaking"].Cost, "and OpenAI's voice")
	require.Equal(t, "$0.0042 and what is unknown", q["together"].Cost)
	require.Equal(t, "$0.00029", quotes(t, "LLM_PROVIDER", "genai", "GEMINI_BASE_URL", "https://proxy.example.com")["thinking"].Cost, "a proxy costs nothing more")
}

func TestVoicesAreOfAFamily(t *testing.T) {
	for voices, cost := range map[string]string{
		"es-ES=es-ES-Chirp3-HD-Aoede,en-US=en-US-Chirp3-HD-Kore": "$0.0075",
		"en-US=en-US-Neural2-A":                                  "$0.004",
		"en-US=en-US-Standard-B":                                 "$0.001",
		"en-US=en-US-Neural2-A,es-ES=es-ES-Studio-C":             "unknown",
		"en-US=Kore": "unknown",
	} {
		q := quotes(t, "TTS_PROVIDER", "googletts", "GOOGLE_TTS_ENDPOINT", "http://127.0.0.1:1", "GOOGLE_TTS_VOICES", voices)
		require.Equal(t, cost, q["speaking"].Cost, voices)
	}
	for voices, cost := range map[string]string{"": "$0.0075", "es=aura-2-celeste-es": "$0.0075", "es=aura-3-celeste-es": "unknown"} {
		require.Equal(t, cost, quotes(t, "TTS_PROVIDER", "deepgram", "DEEPGRAM_TTS_VOICES", voices)["speaking"].Cost, voices)
	}
}

// TestEveryProviderIsKnownToTheCheck: what to do about a failure names its settings.
func TestEveryProviderIsKnownToTheCheck(t *testing.T) {
	for _, p := range bot.Providers() {
		advice := bot.Advice(p[0], p[1])
		require.NotContains(t, advice, "its key", "%v: add it to check_products.go", p)
		require.Regexp(t, `[A-Z]{3,}_[A-Z]+|demo engines`, advice, "%v", p)
	}
	require.Contains(t, bot.Advice("LLM", "somebody new"), "its key", "a vendor that was forgotten is not called free")
}

// TestPricesFollowTheDay: some end with the year.
func TestPricesFollowTheDay(t *testing.T) {
	env := good()
	env["GEMINI_API_KEY"] = "k"
	now, err := bot.TypicalTurns(from(env), autumn)
	require.NoError(t, err)
	later, err := bot.TypicalTurns(from(env), autumn.AddDate(0, 2, 0))
	require.NoError(t, err)
	require.Equal(t, "$0.0025", now[0]["speaking"].Cost)
	require.Equal(t, "$0.0051", later[0]["speaking"].Cost)
}

func TestWhatWhatsAppCostsDependsOnTheUser(t *testing.T) {
	q := quotes(t)["sending"]
	require.Equal(t, "unknown", q.Cost)
	require.Contains(t, q.Source, "country")
	require.Equal(t, "free", quotes(t)["thinking"].Cost)
}
