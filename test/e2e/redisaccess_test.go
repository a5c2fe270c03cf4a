package e2e_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/redisserver"
)

// TestRedisWithACAOfItsOwn: the server's certificate is signed by a CA that no system
// knows, and the password is a token of the machine's service account, as Memorystore
// has it.
func TestRedisWithACAOfItsOwn(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	metadata := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Metadata-Flavor", "Google")
		if r.URL.Path != "/computeMetadata/v1/instance/service-accounts/default/token" {
			_, _ = fmt.Fprint(w, "demo")
			return
		}
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"access_token":"a-short-lived-token","expires_in":3599,"token_type":"Bearer"}`)
	}))
	defer metadata.Close()
	redis := redisserver.Start(t, redisserver.Options{AppendOnly: true, AppendFsync: "always", TLS: true})
	_, err := redis.CLI("CONFIG", "SET", "requirepass", "a-short-lived-token")
	require.NoError(t, err)
	google := settings{
		"REDIS_URL": redis.URL(), "REDIS_CA_FILE": redis.Certificates().CA, "REDIS_AUTH": "google",
		"GCE_METADATA_HOST": metadata.Listener.Addr().String(), "REPLY_MODE": "text",
	}
	b := start(t, google)
	ana := b.user(t)
	ana.writes("hi")
	ana.reads("You said: hi")
	ana.thatWasAll()
	require.Positive(t, asked.Load())
	require.NotContains(t, b.stdout.text(), "a-short-lived-token")

	for name, c := range map[string]struct {
		env  settings
		says string
	}{
		"a CA that is none":         {settings{"REDIS_CA_FILE": "", "REDIS_CA": "sesame"}, "REDIS_CA"},
		"a token in the clear":      {settings{"REDIS_CA_FILE": "", "REDIS_URL": "redis://" + redis.Addr()}, "REDIS_AUTH"},
		"a CA for no TLS":           {settings{"REDIS_AUTH": "", "REDIS_URL": "redis://" + redis.Addr()}, "REDIS_CA"},
		"a password beside a token": {settings{"REDIS_PASSWORD": "sesame"}, "REDIS_AUTH"},
	} {
		t.Run(name, func(t *testing.T) {
			out := invoke(t, b.env.with(google, settings{"LISTEN_ADDR": freeAddress(t)}, c.env))
			require.Equal(t, exitSettings, out.code, out.stderr)
			require.Contains(t, out.stderr, c.says)
			require.NotContains(t, out.stderr, "sesame")
		})
	}
}
