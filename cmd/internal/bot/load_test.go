package bot_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/settings"
	"whatsappnode/app"
	"whatsappnode/cmd/internal/bot"
)

// good are the least settings a bot starts with.
func good() map[string]string {
	return map[string]string{
		"WHATSAPP_ACCESS_TOKEN": "token-value", "WHATSAPP_APP_SECRET": "secret-value",
		"WHATSAPP_VERIFY_TOKEN": "verify-value", "WHATSAPP_PHONE_NUMBER_ID": "106500000000001",
	}
}

func from(vars map[string]string) settings.Getenv {
	return func(name string) string { return vars[name] }
}

func TestDefaultsAreTheDocumentedOnes(t *testing.T) {
	cfg, err := bot.Load(from(good()), "")
	require.NoError(t, err)
	require.Equal(t, "all", cfg.Role)
	require.Equal(t, 8080, cfg.HTTP.Port)
	require.Equal(t, "127.0.0.1:9090", cfg.HTTP.AdminAddr)
	require.Equal(t, "https://graph.facebook.com", cfg.WhatsApp.GraphBaseURL)
	require.Equal(t, "v26.0", cfg.WhatsApp.GraphVersion)
	require.Equal(t, []string{"lookaside.fbsbx.com"}, cfg.WhatsApp.MediaHosts)
	require.Equal(t, app.ReplyVoice, cfg.Dialogue.ReplyMode)
	require.Equal(t, app.DefaultFallback, cfg.Dialogue.Fallback)
	require.Equal(t, "cloud", cfg.Log.Format)
}

func TestAllFaultsAreListedAtOnceByName(t *testing.T) {
	vars := good()
	delete(vars, "WHATSAPP_ACCESS_TOKEN")
	vars["WHATSAPP_PHONE_NUMBER_ID"] = "+1 555"
	vars["REPLY_MODE"] = "shout"
	vars["TURN_TIMEOUT"] = "60"
	vars["MAX_BODY"] = "4"
	vars["WORKERS"] = "many"
	vars["GRAPH_BASE_URL"] = "graph"
	_, err := bot.Load(from(vars), "")
	require.ErrorIs(t, err, bot.ErrSettings)
	for _, name := range []string{"WHATSAPP_ACCESS_TOKEN", "WHATSAPP_PHONE_NUMBER_ID", "REPLY_MODE", "TURN_TIMEOUT", "MAX_BODY", "WORKERS", "GRAPH_BASE_URL"} {
		require.Contains(t, err.Error(), name)
	}
	require.NotContains(t, err.Error(), "secret-value")
}

func TestRolesThatNeedASharedStoreAreRefused(t *testing.T) {
	for _, role := range []string{"serve", "worker"} {
		_, err := bot.Load(from(good()), role)
		require.ErrorContains(t, err, "ROLE")
	}
}

func TestUnknownProviderListsTheKnownOnes(t *testing.T) {
	vars := good()
	vars["LLM_PROVIDER"], vars["STT_PROVIDER"], vars["TTS_PROVIDER"] = "nobody", "fake", "fake,noone"
	vars["STORE_PATH"] = filepath.Join(t.TempDir(), "x.db")
	err := bot.Run(context.Background(), from(vars), "", &bytes.Buffer{}, bot.Options{})
	require.ErrorIs(t, err, bot.ErrSettings)
	require.ErrorContains(t, err, `LLM_PROVIDER: unknown provider "nobody"; known are anthropic, fake, `)
	require.ErrorContains(t, err, `TTS_PROVIDER: unknown provider "noone"; known are deepgram, elevenlabs, fake, `)
	require.NotContains(t, err.Error(), "STT_PROVIDER")
}

func TestSettingsNeverShowTheirSecrets(t *testing.T) {
	cfg, err := bot.Load(from(good()), "")
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		out := fmt.Sprintf(verb, cfg)
		for _, secret := range []string{"token-value", "secret-value", "verify-value"} {
			require.NotContains(t, out, secret, verb)
			require.NotContains(t, out, fmt.Sprintf("%x", secret), verb)
		}
	}
}

func TestDotEnvIsBelowTheEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".env")
	require.NoError(t, os.WriteFile(file, []byte("REPLY_MODE=text\nWORKERS=7\n"), 0o600))
	t.Setenv("REPLY_MODE", "both")
	getenv, err := bot.Environment(file)
	require.NoError(t, err)
	require.Equal(t, "both", getenv("REPLY_MODE"))
	require.Equal(t, "7", getenv("WORKERS"))
	getenv, err = bot.Environment(filepath.Join(t.TempDir(), "missing"))
	require.NoError(t, err)
	require.Empty(t, getenv("WORKERS"))
}
