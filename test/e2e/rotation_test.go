package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

// nothing is a webhook without updates.
const nothing = `{"object":"whatsapp_business_account","entry":[]}`

// TestSecretsAreRotatedInPlace: the files are written anew, as an operator or a
// mounted secret does it, and the process goes on: the old secret opens until the new
// one is alone, and a file that is empty takes nothing away.
func TestSecretsAreRotatedInPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret, word := filepath.Join(dir, "app-secret"), filepath.Join(dir, "verify-token")
	write := func(path, content string) {
		t.Helper()
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	write(secret, appSecret+"\n")
	write(word, verifyToken+"\n")
	b := start(t, settings{
		"WHATSAPP_APP_SECRET": "", "WHATSAPP_APP_SECRET_FILE": secret,
		"WHATSAPP_VERIFY_TOKEN": "", "WHATSAPP_VERIFY_TOKEN_FILE": word, "REPLY_MODE": "text",
	})
	pid := b.run.cmd.Process.Pid
	signed := func(with string) int {
		return b.post(t, strings.NewReader(nothing), simulator.Sign(with, []byte(nothing))).code
	}
	greeted := func(with string) int {
		return b.get(t, "http://"+b.addr+"/webhook?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="+with).code
	}
	require.Equal(t, 200, signed(appSecret))
	require.Equal(t, 401, signed("the-next-secret"))

	write(secret, appSecret+",the-next-secret\n")
	write(word, "another-word\n")
	eventually(t, "the new secret opens", func() bool { return signed("the-next-secret") == 200 })
	require.Equal(t, 200, signed(appSecret), "Meta still signs with the old one")
	eventually(t, "the new word opens", func() bool { return greeted("another-word") == 200 })
	require.NotEqual(t, 200, greeted(verifyToken))
	b.logs("secret.changed", 2)

	write(secret, "")
	b.logs("secret.unreadable", 1)
	require.Equal(t, "WHATSAPP_APP_SECRET_FILE", b.events("secret.unreadable")[0].str("variable"))
	require.Equal(t, 200, signed("the-next-secret"), "an empty file takes nothing away")
	require.Equal(t, 200, signed(appSecret))

	write(secret, "the-next-secret\n")
	eventually(t, "the old secret no longer opens", func() bool { return signed(appSecret) == 401 })
	require.Equal(t, 200, signed("the-next-secret"))
	b.logs("secret.changed", 3)

	write(secret, appSecret+"\n")
	eventually(t, "and back", func() bool { return signed(appSecret) == 200 })
	ana := b.user(t)
	ana.writes("hi")
	ana.reads("You said: hi")
	ana.thatWasAll()
	require.Equal(t, pid, b.run.cmd.Process.Pid)
	require.True(t, b.run.running())
	for _, planted := range []string{appSecret, "the-next-secret", "another-word"} {
		require.NotContains(t, b.stdout.text(), planted)
	}
}
