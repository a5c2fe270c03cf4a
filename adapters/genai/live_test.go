package genai_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/genai"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// live is the real Gemini API, for whoever has a key and does not mind paying a
// fraction of a cent.
func live(t *testing.T) genai.Config {
	t.Helper()
	key := os.Getenv("GEMINI_API_KEY")
	if key == "" {
		t.Skip("GEMINI_API_KEY is not set")
	}
	return genai.Config{APIKey: func() string { return key }}
}

func TestLiveLLM(t *testing.T) {
	l, err := genai.NewLLM(genai.LLMConfig{Config: live(t), Model: os.Getenv("GEMINI_MODEL")})
	require.NoError(t, err)
	defer l.Close()
	text, done, err := ports.Collect(l.Generate(t.Context(), ports.LLMRequest{
		System:   "Answer with one word, in lower case, without a full stop.",
		Messages: []ports.LLMMessage{{Role: domain.RoleUser, Text: "What colour is grass?"}},
	}))
	require.NoError(t, err)
	assert.Equal(t, "green", strings.TrimSpace(text))
	assert.NotNil(t, done.Usage)
}

// TestLiveVoiceAndEar has the ear write down what the voice says, and silence.
func TestLiveVoiceAndEar(t *testing.T) {
	cfg := live(t)
	v, err := genai.NewTTS(genai.TTSConfig{Config: cfg, Model: os.Getenv("GEMINI_TTS_MODEL"), WAVOnly: true})
	require.NoError(t, err)
	defer v.Close()
	clip, err := v.Synthesize(t.Context(), "The umbrella is green.", asWAV)
	require.NoError(t, err)
	t.Logf("spoken in %v of sound", clip.Duration())

	e, err := genai.NewSTT(genai.STTConfig{Config: cfg, Model: os.Getenv("GEMINI_STT_MODEL")})
	require.NoError(t, err)
	defer e.Close()
	got, err := e.Transcribe(t.Context(), clip, ports.STTOptions{})
	require.NoError(t, err)
	assert.Contains(t, strings.ToLower(got.Text), "umbrella")
	assert.Equal(t, "en", strings.SplitN(got.Language, "-", 2)[0])

	got, err = e.Transcribe(t.Context(), note(t, 1, 2*time.Second), ports.STTOptions{})
	require.NoError(t, err)
	assert.Empty(t, got.Text)
}
