package elevenlabs_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/elevenlabs"
)

func TestConfigsNeedOnlyAKey(t *testing.T) {
	ear, err := elevenlabs.NewSTT(elevenlabs.STTConfig{APIKey: key})
	require.NoError(t, err)
	require.NoError(t, ear.Close())
	voice, err := elevenlabs.NewTTS(elevenlabs.TTSConfig{APIKey: key})
	require.NoError(t, err)
	require.NoError(t, voice.Close())
}

func TestConfigListsAllFaults(t *testing.T) {
	_, err := elevenlabs.NewTTS(elevenlabs.TTSConfig{
		BaseURL: "http://api.elevenlabs.io?key=secret", Model: "a b", Voice: "a/b", Voices: map[string]string{"no tag": "", "es": "v"},
		MaxChars: -1, OutputFormat: "mp3_44100_64",
	})
	require.Error(t, err)
	for _, fault := range []string{
		"elevenlabs text-to-speech", "API key function", "base URL", "model's name", "voice id is malformed", `"no tag" of a voice`,
		`voice id for the language "no tag"`, "limit of characters", "needs an encoder",
	} {
		assert.ErrorContains(t, err, fault)
	}
	assert.NotContains(t, err.Error(), "secret")
	assert.NotContains(t, err.Error(), `"es"`)

	_, err = elevenlabs.NewSTT(elevenlabs.STTConfig{BaseURL: "ftp://x", Model: "../v2"})
	require.Error(t, err)
	assert.Equal(t, 3, strings.Count(err.Error(), "\n")+1)
}

func TestBaseURLs(t *testing.T) {
	for base, good := range map[string]bool{
		"https://api.eu.residency.elevenlabs.io": true, "https://proxy.example/elevenlabs/": true, "http://localhost:8080": true, "http://127.0.0.1:1": true, "http://[::1]:1": true,
		"http://api.elevenlabs.io": false, "api.elevenlabs.io": false, "https://": false, "https://user:pw@h": false, "https://h/#f": false, "://": false,
	} {
		_, err := elevenlabs.NewSTT(elevenlabs.STTConfig{APIKey: key, BaseURL: base})
		assert.Equal(t, good, err == nil, base)
	}
}

func TestOutputFormats(t *testing.T) {
	for name, good := range map[string]bool{
		"opus_48000_32": true, "opus_48000_192": true, "mp3_44100_128": true, "pcm_16000": true, "wav_24000": true,
		"ulaw_8000": false, "alaw_8000": false, "opus": false, "ogg_opus": false, "mp3_44100_128&x=y": false,
	} {
		_, err := elevenlabs.NewTTS(elevenlabs.TTSConfig{APIKey: key, OutputFormat: name, Encoder: &encoder{}})
		assert.Equal(t, good, err == nil, name)
	}
}
