package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/googlefake"
	"whatsappnode/test/simulator"
)

// nobody leaves the choice of the vendors to the keys.
var nobody = settings{"LLM_PROVIDER": "", "STT_PROVIDER": "", "TTS_PROVIDER": ""}

// TestVoiceTurnOnGeminiAlone: one key, and the bot hears, thinks and speaks.
func TestVoiceTurnOnGeminiAlone(t *testing.T) {
	t.Parallel()
	vendor := geminiServer(t)
	b := start(t, nobody, settings{"GEMINI_API_KEY": vendorKey, "GEMINI_BASE_URL": vendor.http.URL})
	answersAloud(t, b, b.user(t), "where is my parcel", vendor.says)
	started := b.events("started")[0]
	require.Equal(t, "genai genai genai", started.str("llm")+" "+started.str("stt")+" "+started.str("tts"))
}

// TestVoiceTurnOnOpenAIAlone: the same on any server that speaks OpenAI's API.
func TestVoiceTurnOnOpenAIAlone(t *testing.T) {
	t.Parallel()
	vendor := openaiServer(t)
	b := start(t, nobody, settings{"OPENAI_API_KEY": vendorKey, "OPENAI_BASE_URL": vendor.http.URL + "/v1"})
	answersAloud(t, b, b.user(t), "where is my parcel", vendor.says)
	started := b.events("started")[0]
	require.Equal(t, "openai openai openai", started.str("llm")+" "+started.str("stt")+" "+started.str("tts"))
}

// TestVoiceTurnOnGoogleCloud: Speech-to-Text, Gemini by its first library, and
// Text-to-Speech.
func TestVoiceTurnOnGoogleCloud(t *testing.T) {
	t.Parallel()
	model, google := geminiServer(t), googlefake.Start(t)
	google.Hears(googlefake.Result{Text: "where is my parcel", Language: "en-US", Confidence: 0.9})
	b := start(t, settings{
		"LLM_PROVIDER": "gemini", "STT_PROVIDER": "googlespeech", "TTS_PROVIDER": "googletts",
		"GEMINI_API_KEY": vendorKey, "GEMINI_BASE_URL": model.http.URL, "GOOGLE_CLOUD_PROJECT": "e2e-project",
		"GOOGLE_SPEECH_ENDPOINT": google.Endpoint(), "GOOGLE_TTS_ENDPOINT": google.Endpoint(),
	})
	ana := b.user(t)
	ana.speaks(recording(t, "where is my parcel"))
	note := ana.gets()
	require.Equal(t, "audio", note.Type, "text: %s", note.Text)
	validOpus(t, b.file(t, note))
	require.Len(t, google.Hearings(), 1)
	said := google.Speakings()
	require.Len(t, said, 1)
	require.Equal(t, "You said: where is my parcel", said[0].Text)
}

// TestATurnThatCostMoneyIsTakenUpAgain: what was spent on a turn is stored with it, and
// the turn can be read again when it has to wait.
func TestATurnThatCostMoneyIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	model := geminiServer(t)
	b := start(t, settings{
		"LLM_PROVIDER": "genai", "GEMINI_API_KEY": vendorKey, "GEMINI_BASE_URL": model.http.URL, "REPLY_MODE": "text", "ADMIN_ADDR": freeAddress(t),
	})
	ana := b.user(t, simulator.UserSpec{Phone: "34600111222"})
	b.faults(func(f *simulator.Faults) {
		f.ErrorByRecipient["34600111222"] = simulator.RecipientError{Code: 131016, Times: 1} // it passes
	})
	ana.writes("one")
	ana.reads("You said: one")
	b.logs("turn.deferred", 1)
	require.Empty(t, b.events("bot.trouble"))
	s := b.scrape(t)
	require.EqualValues(t, 1, s[`unpriced_calls_total{stage="llm",vendor="genai"}`], "this server does not count tokens")
	require.Zero(t, s[`spend_dollars_total{stage="llm",vendor="genai"}`])
	eventually(t, "what was spent before the wait is in the books", func() bool {
		dollars, _ := b.spentInDollars(t)
		return dollars > 0 // estimated there
	})
}

// TestVendorThatDiesInATurnIsReplaced: the second answers within the turn's budget,
// the breaker opens, and a probe closes it again. The user notices nothing but time.
func TestVendorThatDiesInATurnIsReplaced(t *testing.T) {
	t.Parallel()
	first, second := geminiServer(t), openaiServer(t)
	b := start(t, settings{
		"LLM_PROVIDER": "genai,openai", "GEMINI_API_KEY": vendorKey, "GEMINI_BASE_URL": first.http.URL,
		"OPENAI_API_KEY": vendorKey, "OPENAI_BASE_URL": second.http.URL + "/v1",
		"LLM_FIRST_TOKEN": "1s", "VENDOR_ATTEMPTS": "1", "BREAKER_FAILURES": "2", "BREAKER_WINDOW": "2", "BREAKER_DELAY": "2s",
	})
	ana := b.user(t)
	ana.writes("one")
	ana.hears("You said: one")
	require.Zero(t, second.calls.Load())

	first.hang.Store(true) // it takes the question and dies
	ana.writes("two")
	ana.hears("You said: two")
	ana.writes("three")
	ana.hears("You said: three")
	require.EqualValues(t, 2, second.calls.Load())
	b.logs("vendor.switched", 2)
	b.until("the breaker opens", func(lines []line) bool { return breaker(lines, "open") })

	asked := first.calls.Load()
	ana.writes("four")
	ana.hears("You said: four")
	require.Equal(t, asked, first.calls.Load(), "nobody waits for a vendor that is known to be down")

	first.hang.Store(false)
	eventually(t, "the probe closes the breaker", func() bool {
		ana.writes("and now")
		ana.hears("You said: and now")
		return breaker(b.log(), "closed")
	})
	asked = second.calls.Load()
	ana.writes("five")
	ana.hears("You said: five")
	require.Equal(t, asked, second.calls.Load(), "the first answers again")
	require.Empty(t, b.events("turn.fallback"))
}

// breaker tells whether the first vendor's breaker went into a state.
func breaker(lines []line, state string) bool {
	for _, l := range lines {
		if l.str("message") == "vendor.breaker" && l.str("vendor") == "genai" && l.str("state") == state {
			return true
		}
	}
	return false
}
