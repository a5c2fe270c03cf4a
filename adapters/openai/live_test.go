package openai_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/openai"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// The live tests ask a real server. OPENAI_BASE_URL and the models may be set too.
const liveKey = "OPENAI_API_KEY"

func liveConfig(t *testing.T) (func() string, string) {
	t.Helper()
	secret := os.Getenv(liveKey)
	if secret == "" {
		t.Skipf("%s is not set", liveKey)
	}
	return func() string { return secret }, os.Getenv("OPENAI_BASE_URL")
}

func TestLiveLLM(t *testing.T) {
	secret, base := liveConfig(t)
	model, err := openai.NewLLM(openai.LLMConfig{APIKey: secret, BaseURL: base, Model: os.Getenv("OPENAI_LLM_MODEL")})
	require.NoError(t, err)
	text, last, err := ports.Collect(model.Generate(t.Context(), ports.LLMRequest{
		System:   "Answer with one word.",
		Messages: []ports.LLMMessage{{Role: domain.RoleUser, Text: "What is the capital of France?"}},
		User:     "live-test", MaxTokens: 200,
	}))
	require.NoError(t, err)
	require.Contains(t, text, "Paris")
	require.NotNil(t, last.Usage)
}

func TestLiveVoiceAndEar(t *testing.T) {
	secret, base := liveConfig(t)
	voice, err := openai.NewTTS(openai.TTSConfig{APIKey: secret, BaseURL: base, Model: os.Getenv("OPENAI_TTS_MODEL"), Voice: os.Getenv("OPENAI_TTS_VOICE")})
	require.NoError(t, err)
	said, err := voice.Synthesize(t.Context(), "My package was damaged and I want my money back.", ports.TTSOptions{Language: "en"})
	require.NoError(t, err)
	require.NoError(t, oggopus.Check(said.Bytes()))
	require.Greater(t, said.Duration(), time.Second)

	ear, err := openai.NewSTT(openai.STTConfig{APIKey: secret, BaseURL: base, Model: os.Getenv("OPENAI_STT_MODEL")})
	require.NoError(t, err)
	heard, err := ear.Transcribe(t.Context(), said, ports.STTOptions{Languages: []string{"en", "es"}})
	require.NoError(t, err)
	require.Contains(t, strings.ToLower(heard.Text), "money")
}
