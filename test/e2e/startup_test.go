package e2e_test

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Exit codes of the program; sysexits.h calls 78 a configuration error.
const (
	exitFailed   = 1
	exitSettings = 78
)

// TestListenersTakeAnyFreePort: port 0 leaves the choice to the system, and the log
// says what it was.
func TestListenersTakeAnyFreePort(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"LISTEN_ADDR": "127.0.0.1:0", "ADMIN_ADDR": "127.0.0.1:0"})
	require.Equal(t, 200, b.get(t, "http://"+b.addr+"/ready").code)
	admin := b.events("started")[0].str("admin")
	require.NotRegexp(t, `:0$`, admin, "the log must name the port the admin listener got")
	require.Equal(t, 200, b.get(t, "http://"+admin+"/ready").code)
}

// TestStoreThatCannotBeWritten: the program does not start, and says why.
func TestStoreThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, []byte("not a database, and long enough to be looked at as one"), 0o600))
	paths := map[string]string{
		"below a file":   filepath.Join(file, "bot.db"),
		"a folder":       dir,
		"a foreign file": file,
	}
	if os.Geteuid() != 0 { // root may write everywhere
		locked := filepath.Join(dir, "locked")
		require.NoError(t, os.Mkdir(locked, 0o500))
		paths["a locked folder"] = filepath.Join(locked, "bot.db")
	}
	for name, path := range paths {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := invoke(t, prepare(t, settings{"STORE_PATH": path}).env)
			require.Equal(t, exitFailed, out.code)
			require.Contains(t, out.stderr, "STORE_PATH")
			require.Contains(t, out.stderr, path, "the message names the file")
			require.LessOrEqual(t, strings.Count(out.stderr, "\n"), 2, "the message is a sentence and no stack")
			require.NotContains(t, out.stdout, `"started"`)
		})
	}
}

func TestSecondProcessOnTheSameStore(t *testing.T) {
	t.Parallel()
	b := start(t)
	ana := b.user(t)
	out := invoke(t, b.env.with(settings{"LISTEN_ADDR": freeAddress(t)}))
	require.Equal(t, exitFailed, out.code)
	require.Contains(t, out.stderr, "another process has it open")
	require.Contains(t, out.stderr, "stop the other process")
	ana.writes("hi")
	ana.hears("You said: hi")
	ana.thatWasAll()
}

func TestAddressThatIsTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	for _, variable := range []string{"LISTEN_ADDR", "ADMIN_ADDR"} {
		out := invoke(t, prepare(t, settings{variable: l.Addr().String()}).env)
		require.Equal(t, exitFailed, out.code, variable)
		require.Contains(t, out.stderr, "address already in use", variable)
		require.Contains(t, out.stderr, l.Addr().String(), variable)
	}
}

// TestWrongSettingsAreListedAtOnce, without the values: one of them may be a
// secret in the wrong place.
func TestWrongSettingsAreListedAtOnce(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "sesame-in-a-path")
	wrong := settings{
		"PORT": "sesame-port", "LISTEN_ADDR": "sesame-address", "ADMIN_ADDR": "sesame-admin", "MAX_BODY": "sesame-size", "DRAIN_TIMEOUT": "8",
		"WHATSAPP_ACCESS_TOKEN": "sesame-token", "WHATSAPP_ACCESS_TOKEN_FILE": missing, "WHATSAPP_APP_SECRET": "", "WHATSAPP_VERIFY_TOKEN_FILE": missing,
		"WHATSAPP_VERIFY_TOKEN": "", "WHATSAPP_PHONE_NUMBER_ID": "sesame-number", "GRAPH_BASE_URL": "sesame-url", "STORE": "sesame-store",
		"REPLY_MODE": "sesame-mode", "WORKERS": "0", "TURN_TIMEOUT": "sesame-time", "SEND_POLICY": "sesame-policy", "LOG_LEVEL": "sesame-level",
		"LOG_FORMAT": "sesame-format", "LOG_HASH_KEY": "sesame-key", "ROLE": "sesame-role",
		"LLM_PROVIDER": "sesame-vendor", "STT_PROVIDER": "sesame-vendor", "TTS_PROVIDER": "sesame-vendor", "FAKE_KNOBS": "sesame-knob",
	}
	listed := []string{
		"PORT", "LISTEN_ADDR", "ADMIN_ADDR", "MAX_BODY", "DRAIN_TIMEOUT", "WHATSAPP_ACCESS_TOKEN", "WHATSAPP_APP_SECRET", "WHATSAPP_VERIFY_TOKEN_FILE",
		"WHATSAPP_PHONE_NUMBER_ID", "GRAPH_BASE_URL", "STORE", "REPLY_MODE", "WORKERS", "TURN_TIMEOUT", "SEND_POLICY", "LOG_LEVEL", "LOG_FORMAT", "ROLE",
	}
	out := invoke(t, wrong)
	require.Equal(t, exitSettings, out.code)
	for _, variable := range listed {
		require.Regexp(t, regexp.MustCompile(`(?m)^\s*`+variable+`\b`), out.stderr)
	}
	for _, secret := range []string{"sesame-token", "sesame-key", "sesame-in-a-path", "sesame-number", "sesame-url"} {
		require.NotContains(t, out.stderr+out.stdout, secret)
	}
	require.Empty(t, out.stdout)
	require.NotContains(t, out.stderr, "goroutine")
}

// TestUnknownVendorsAreListedWithTheRest: a name nobody knows is a wrong setting
// like any other, and the message lists the known ones.
func TestUnknownVendorsAreListedWithTheRest(t *testing.T) {
	t.Parallel()
	out := invoke(t, prepare(t, settings{"LLM_PROVIDER": "nobody", "STT_PROVIDER": "noone", "TTS_PROVIDER": "fake,fake", "WORKERS": "0"}).env)
	require.Equal(t, exitSettings, out.code)
	for _, words := range []string{"LLM_PROVIDER", "nobody", "STT_PROVIDER", "noone", "TTS_PROVIDER", "named twice"} {
		require.Contains(t, out.stderr, words)
	}
	require.Contains(t, out.stderr, "WORKERS", "all faults are listed at once")
}

func TestMisspeltSettingIsPointedOut(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"REPLY_MDOE": "text"})
	warnings := b.events("unknown setting")
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0].str("variable"), "REPLY_MDOE")
	require.Contains(t, warnings[0].str("variable"), "REPLY_MODE", "with the name that was meant")
}

func TestRolesNeedASharedStore(t *testing.T) {
	t.Parallel()
	b := prepare(t)
	for _, role := range []string{"serve", "worker"} {
		out := invoke(t, b.env, role)
		require.Equal(t, exitSettings, out.code, role)
		require.Contains(t, out.stderr, "ROLE", role)
	}
}

func TestAdminListener(t *testing.T) {
	t.Parallel()
	admin := freeAddress(t)
	b := start(t, settings{"ADMIN_ADDR": admin})
	r := b.get(t, "http://"+admin+"/ready")
	require.Equal(t, 200, r.code)
	var detail struct {
		Status string `json:"status"`
		Checks []struct {
			Name string `json:"name"`
			OK   bool   `json:"ok"`
		} `json:"checks"`
	}
	require.NoError(t, json.Unmarshal([]byte(r.body), &detail))
	require.Equal(t, "ok", detail.Status)
	require.Len(t, detail.Checks, 2)
	for i, name := range []string{"store", "whatsapp"} {
		require.Equal(t, name, detail.Checks[i].Name)
		require.True(t, detail.Checks[i].OK)
	}
	require.Equal(t, 200, b.get(t, "http://"+admin+"/live").code)
	require.Equal(t, 200, b.get(t, "http://"+admin+"/debug/pprof/cmdline").code)
	require.Equal(t, 404, b.get(t, "http://"+admin+"/webhook").code, "the webhook is not served there")
}

// TestAdminTellsWhy: the public /ready says that something failed, the operator's
// says what.
func TestAdminTellsWhy(t *testing.T) {
	t.Parallel()
	admin := freeAddress(t)
	b := start(t, settings{"ADMIN_ADDR": admin, "WHATSAPP_ACCESS_TOKEN": "a-token-that-expired", "REPLY_MODE": "text"})
	b.user(t).writes("hi")
	b.logs("turn.deferred", 1)
	r := b.get(t, "http://"+admin+"/ready")
	require.Equal(t, 503, r.code)
	require.Contains(t, r.body, `"status":"failed"`)
	require.Contains(t, r.body, "access token")
	require.NotContains(t, r.body, "a-token-that-expired")
}

func TestHealthcheck(t *testing.T) {
	t.Parallel()
	b := start(t)
	only := func(addr string) settings { return settings{"LISTEN_ADDR": addr} } // no credentials are needed
	require.Equal(t, output{code: 0}, invoke(t, only(b.addr), "healthcheck"))
	_, port, err := net.SplitHostPort(b.addr)
	require.NoError(t, err)
	require.Zero(t, invoke(t, settings{"PORT": port}, "healthcheck").code)
	require.Zero(t, invoke(t, only("0.0.0.0:"+port), "healthcheck").code)
	down := invoke(t, only(freeAddress(t)), "healthcheck")
	require.Equal(t, exitFailed, down.code)
	require.Contains(t, down.stderr, "connection refused")
	require.Equal(t, exitSettings, invoke(t, only("nowhere"), "healthcheck").code)
}

func TestSubCommands(t *testing.T) {
	t.Parallel()
	version := invoke(t, settings{}, "version")
	require.Zero(t, version.code)
	require.NotEmpty(t, strings.TrimSpace(version.stdout))
	help := invoke(t, settings{}, "--help")
	require.Zero(t, help.code)
	require.Contains(t, help.stdout, "healthcheck")
	for _, args := range [][]string{{"nonsense"}, {"--nonsense"}, {"version", "more"}} {
		out := invoke(t, settings{}, args...)
		require.NotZero(t, out.code, "%v", args)
		require.NotEmpty(t, out.stderr, "%v", args)
	}
}
