package openai_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/openai"
	"whatsappnode/ports"
)

const local = "http://localhost:8000/v1"

func TestConfigurations(t *testing.T) {
	llm := func(c openai.LLMConfig) error { _, err := openai.NewLLM(c); return err }
	stt := func(c openai.STTConfig) error { _, err := openai.NewSTT(c); return err }
	tts := func(c openai.TTSConfig) error { _, err := openai.NewTTS(c); return err }
	for name, tt := range map[string]struct {
		err   error
		wants []string // none: the configuration is good
	}{
		"key alone, model":     {llm(openai.LLMConfig{APIKey: key}), nil},
		"key alone, ear":       {stt(openai.STTConfig{APIKey: key}), nil},
		"key alone, voice":     {tts(openai.TTSConfig{APIKey: key}), nil},
		"server alone, model":  {llm(openai.LLMConfig{BaseURL: local}), nil},
		"server alone, ear":    {stt(openai.STTConfig{BaseURL: local}), nil},
		"server alone, voice":  {tts(openai.TTSConfig{BaseURL: local}), nil},
		"no key":               {llm(openai.LLMConfig{}), []string{"API key is missing"}},
		"empty key":            {stt(openai.STTConfig{APIKey: func() string { return "" }, BaseURL: "https://API.openai.com/v1/"}), []string{"API key is missing"}},
		"no host":              {llm(openai.LLMConfig{BaseURL: "http:///v1"}), []string{"base URL"}},
		"no scheme":            {tts(openai.TTSConfig{BaseURL: "localhost:8000/v1"}), []string{"base URL"}},
		"key in the URL":       {llm(openai.LLMConfig{BaseURL: "https://" + testKey + "@example.org/v1"}), []string{"base URL"}},
		"query":                {llm(openai.LLMConfig{BaseURL: "https://example.org/v1?key=" + testKey}), []string{"base URL"}},
		"organisation":         {llm(openai.LLMConfig{BaseURL: local, Organization: "a\r\nX-Evil: 1"}), []string{"organisation"}},
		"all at once, model":   {llm(openai.LLMConfig{TokenLimit: "tokens", ReasoningEffort: "heroic", Organization: "\n"}), []string{"API key", "organisation", "token limit", "max_completion_tokens", "reasoning effort", "xhigh"}},
		"all at once, ear":     {stt(openai.STTConfig{BaseURL: "ftp://example.org", ResponseFormat: "srt", Organization: "\n"}), []string{"base URL", "response format", "verbose_json"}},
		"all at once, voice":   {tts(openai.TTSConfig{BaseURL: "ftp://example.org", ResponseFormat: "aac", PCMRate: 96_000, MaxText: -1, Voices: map[string]string{"english": "x"}}), []string{"base URL", "speech response format", "8000 to 48000", "negative", `"english"`}},
		"WAV without encoder":  {tts(openai.TTSConfig{BaseURL: local, ResponseFormat: "wav"}), []string{"needs an Opus encoder"}},
		"WAV with encoder":     {tts(openai.TTSConfig{BaseURL: local, ResponseFormat: "wav", Encoder: &encoder{}}), nil},
		"voice without a name": {tts(openai.TTSConfig{BaseURL: local, Voices: map[string]string{"en": ""}}), []string{`"en"`}},
		"old limit, new model": {llm(openai.LLMConfig{BaseURL: local, Model: "gpt-5-mini", TokenLimit: openai.TokensOld}), []string{"max_completion_tokens"}},
		"unknown effort":       {llm(openai.LLMConfig{BaseURL: local, Model: "gpt-6-astra", ReasoningEffort: "none"}), []string{"reasoning effort"}},
	} {
		t.Run(name, func(t *testing.T) {
			if len(tt.wants) == 0 {
				require.NoError(t, tt.err)
				return
			}
			require.Error(t, tt.err)
			for _, w := range tt.wants {
				assert.Contains(t, tt.err.Error(), w)
			}
			assert.NotContains(t, tt.err.Error(), testKey)
		})
	}
}

func TestCallersClientIsLeftAlone(t *testing.T) {
	client := &http.Client{}
	model, err := openai.NewLLM(openai.LLMConfig{BaseURL: local, Client: client})
	require.NoError(t, err)
	require.NoError(t, model.Close())
	assert.Nil(t, client.CheckRedirect)
	assert.Nil(t, client.Transport)
}

// TestPrivateClients: without a client of the caller's each engine makes its own.
func TestPrivateClients(t *testing.T) {
	s := newServer(t, nil)
	model := s.llm(func(c *openai.LLMConfig) { c.Client = nil })
	ear := s.stt(func(c *openai.STTConfig) { c.Client = nil })
	voice := s.tts(func(c *openai.TTSConfig) { c.Client = nil })
	_, _, err := ports.Collect(model.Generate(t.Context(), ask("hi")))
	require.NoError(t, err)
	said, err := voice.Synthesize(t.Context(), "hi", ports.TTSOptions{})
	require.NoError(t, err)
	heard, err := ear.Transcribe(t.Context(), said, ports.STTOptions{})
	require.NoError(t, err)
	assert.Equal(t, "hi", heard.Text)
	for _, engine := range []io.Closer{model, ear, voice} {
		require.NoError(t, engine.Close())
	}
}
