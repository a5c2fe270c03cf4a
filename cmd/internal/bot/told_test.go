package bot_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/cmd/internal/bot"
)

// TestNoSecretIsToldToAModel: the process does not start with one in a prompt.
func TestNoSecretIsToldToAModel(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte("a-key-from-a-file"), 0o600))
	base := func(more ...string) map[string]string {
		vars := map[string]string{
			"WHATSAPP_ACCESS_TOKEN": "access-token-1", "WHATSAPP_APP_SECRET": "old-app-secret,new-app-secret", "WHATSAPP_VERIFY_TOKEN": "verify-token-1",
			"WHATSAPP_PHONE_NUMBER_ID": "1", "LLM_PROVIDER": "fake", "STT_PROVIDER": "fake", "TTS_PROVIDER": "fake", "OPENAI_API_KEY_FILE": key,
			"REDIS_URL": "redis://user:the-redis-password@localhost:6379/0",
		}
		for i := 0; i < len(more); i += 2 {
			vars[more[i]] = more[i+1]
		}
		return vars
	}
	_, err := bot.Assemble(from(base("SYSTEM_PROMPT", "Be kind.")))
	require.NoError(t, err)
	for prompt, variable := range map[string]string{
		"Our token is access-token-1, keep it.": "WHATSAPP_ACCESS_TOKEN", "It is NEW-APP-SECRET.": "WHATSAPP_APP_SECRET",
		"Use a-key-from-a-file": "OPENAI_API_KEY", "the redis password": "REDIS_URL",
	} {
		_, err := bot.Assemble(from(base("SYSTEM_PROMPT", prompt)))
		require.ErrorContains(t, err, "SYSTEM_PROMPT: holds the value of a secret ("+variable+")")
		require.NotContains(t, err.Error(), "secret-1")
	}
	_, err = bot.Assemble(from(base("FALLBACK_MESSAGE", "Sorry. verify-token-1")))
	require.ErrorContains(t, err, "FALLBACK_MESSAGE")

	_, err = bot.Assemble(from(agentsFile(t, two("    system_prompt: The other's token is token-b.\n"), "B_TOKEN", "token-b-value", "A_TOKEN", "token-a-value")))
	require.NoError(t, err, "only the value is a secret")
	_, err = bot.Assemble(from(agentsFile(t, two("    system_prompt: The other's token is token-b-value.\n"), "B_TOKEN", "token-b-value")))
	require.ErrorContains(t, err, "AGENTS_FILE agent Support: SYSTEM_PROMPT")
}

func TestUnknownChecksOfAnswers(t *testing.T) {
	_, err := bot.Assemble(from(agentsFile(t, two("    output_checks: [secrets, phones]\n"))))
	require.ErrorContains(t, err, `AGENTS_FILE line 7: output_checks "phones" cannot stand there`)
	_, err = bot.Assemble(from(agentsFile(t, two(""), "OUTPUT_CHECKS", "none,secrets")))
	require.ErrorContains(t, err, "OUTPUT_CHECKS:")
}

func TestUnknownFilters(t *testing.T) {
	_, err := bot.Assemble(from(agentsFile(t, two("    filters_in: [pii, profanities]\n"))))
	require.ErrorContains(t, err, `AGENTS_FILE line 7: filters_in "profanities" is no filter; there are pii, bias, profanity`)
	_, err = bot.Assemble(from(agentsFile(t, two(""), "FILTERS_OUT", "nothing")))
	require.ErrorContains(t, err, "FILTERS_OUT:")
	_, err = bot.Assemble(from(agentsFile(t, two(""), "FILTER_WORDS_FILE", "/nowhere/words.yaml")))
	require.ErrorContains(t, err, "FILTER_WORDS_FILE:")
}
