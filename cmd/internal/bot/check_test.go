package bot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/redisstore"
	"whatsappnode/adapters/sqlitestore"
	"whatsappnode/adapters/whatsapp"
	"whatsappnode/cmd/internal/bot"
	"whatsappnode/test/redisserver"
	"whatsappnode/test/simulator"
)

// checked is the report of a check, as machines read it.
type checked struct {
	OK       bool `json:"ok"`
	ExitCode int  `json:"exit_code"`
	Checks   []line
	Spent    *float64 `json:"cost_usd"`
	text     string
	err      error
}

type line struct {
	Check, Subject, Result, Detail string
	ToDo                           string   `json:"to_do"`
	Took                           float64  `json:"took_ms"`
	Cost                           *float64 `json:"cost_usd"`
}

// of finds the lines of a check, and of a subject where one is given.
func (c checked) of(check string, subject ...string) (found []line) {
	for _, l := range c.Checks {
		if l.Check == check && (len(subject) == 0 || l.Subject == subject[0]) {
			found = append(found, l)
		}
	}
	return found
}

// one is the only line of a check.
func (c checked) one(t *testing.T, check string, subject ...string) line {
	t.Helper()
	found := c.of(check, subject...)
	require.Len(t, found, 1, "%s %v in %s", check, subject, c.text)
	return found[0]
}

// world is an account at a simulated Meta and the settings that lead to it.
func world(t *testing.T, more ...string) map[string]string {
	t.Helper()
	vars := good()
	sim, err := simulator.New(simulator.Config{
		PhoneNumberID: vars["WHATSAPP_PHONE_NUMBER_ID"], DisplayPhone: "15550100200", AccessToken: vars["WHATSAPP_ACCESS_TOKEN"], Seed: 1,
	})
	require.NoError(t, err)
	graph := httptest.NewServer(sim.Handler())
	t.Cleanup(func() { graph.Close(); assert.NoError(t, sim.Close()) })
	vars["GRAPH_BASE_URL"], vars["MEDIA_HOSTS"] = graph.URL, "127.0.0.1"
	vars["STORE_PATH"] = filepath.Join(t.TempDir(), "bot.db")
	for _, v := range []string{"LLM_PROVIDER", "STT_PROVIDER", "TTS_PROVIDER"} {
		vars[v] = "fake"
	}
	for i := 0; i+1 < len(more); i += 2 {
		vars[more[i]] = more[i+1]
	}
	return vars
}

// passing are words that are others in each run.
var passing = regexp.MustCompile(`, fbtrace_id \w+|<1ms|\b[\d.]+m?s\b`)

// checkOnce is the report as JSON.
func checkOnce(t *testing.T, vars map[string]string, opt bot.CheckOptions) checked {
	t.Helper()
	var out bytes.Buffer
	opt.JSON = true
	c := checked{err: bot.Check(t.Context(), from(vars), &out, opt)}
	dec := json.NewDecoder(&out)
	require.NoError(t, dec.Decode(&c))
	require.ErrorIs(t, dec.Decode(new(any)), io.EOF, "one document")
	return c
}

// check runs one and reads both forms of its report; nothing secret or personal may
// be in either.
func check(t *testing.T, vars map[string]string, opt bot.CheckOptions) checked {
	t.Helper()
	c := checkOnce(t, vars, opt)
	err := c.err
	var text bytes.Buffer
	_ = bot.Check(t.Context(), from(vars), &text, opt)
	c.text = passing.ReplaceAllString(text.String(), "")
	for _, l := range c.Checks {
		require.NotEmpty(t, l.Detail, l.Check)
		if l.Result == "failed" {
			require.NotEmpty(t, l.ToDo, "%+v", l)
		}
		require.Contains(t, c.text, passing.ReplaceAllString(l.Detail, ""))
		require.Contains(t, c.text, passing.ReplaceAllString(l.ToDo, ""))
	}
	for _, secret := range []string{"token-value", "secret-value", "verify-value", "token-a", "secret-a", "15550100200", "5550100", "vendor-key"} {
		require.NotContains(t, c.text, secret)
		for _, l := range c.Checks {
			require.NotContains(t, l.Detail+l.ToDo+l.Subject, secret)
		}
	}
	switch c.ExitCode {
	case 0:
		require.NoError(t, err)
	case 1:
		require.ErrorIs(t, err, bot.ErrCheckFailed)
	default:
		require.Equal(t, 78, c.ExitCode)
		require.ErrorIs(t, err, bot.ErrSettings)
	}
	require.Equal(t, c.ExitCode == 0, c.OK)
	return c
}

func TestCheckOfWhatWorks(t *testing.T) {
	c := check(t, world(t), bot.CheckOptions{})
	require.NoError(t, c.err)
	var order []string
	for _, l := range c.Checks {
		if l.Check == "stt" { // the fake ear always hears something
			require.Equal(t, "warning", l.Result)
			require.Contains(t, l.ToDo, "MIN_CONFIDENCE")
		} else {
			require.Equal(t, "ok", l.Result, "%+v", l)
		}
		order = append(order, l.Check)
	}
	require.Equal(t, []string{"settings", "store", "webhook", "graph", "llm", "stt", "tts"}, order)
	require.Contains(t, c.one(t, "graph").Detail, "ends in 0200")
	require.Contains(t, c.one(t, "store").Detail, "disk")
	require.Regexp(t, `voice note of \d`, c.one(t, "tts").Detail)
	require.Contains(t, c.text, "Everything that was tried works; 1 warning.")
	require.NotNil(t, c.Spent)
	require.Zero(t, *c.Spent)
}

func TestCheckAsksMeta(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for _, tt := range []struct{ name, variable, value, detail, toDo string }{
		{"another token", "WHATSAPP_ACCESS_TOKEN", "expired", "denied", "WHATSAPP_ACCESS_TOKEN"},
		{"another number", "WHATSAPP_PHONE_NUMBER_ID", "999", "not_found", "WHATSAPP_PHONE_NUMBER_ID"},
		{"no network", "GRAPH_BASE_URL", closed.URL, "connection refused", "GRAPH_BASE_URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := check(t, world(t, tt.variable, tt.value), bot.CheckOptions{})
			require.Equal(t, 1, c.ExitCode)
			l := c.one(t, "graph")
			require.Equal(t, "failed", l.Result)
			require.Contains(t, l.Detail, tt.detail)
			require.Contains(t, l.ToDo, tt.toDo)
			require.Equal(t, "ok", c.one(t, "store").Result)
		})
	}
}

// TestCheckBesideARunningBot: the file belongs to the bot, and that is no fault.
func TestCheckBesideARunningBot(t *testing.T) {
	vars := world(t)
	s, err := sqlitestore.Open(t.Context(), sqlitestore.Options{Path: vars["STORE_PATH"]})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	c := check(t, vars, bot.CheckOptions{})
	require.NoError(t, c.err)
	l := c.one(t, "store")
	require.Equal(t, "skipped", l.Result)
	require.Contains(t, l.ToDo, "stop the bot")
	require.Equal(t, "ok", c.one(t, "webhook").Result, "signatures are judged all the same")
	require.Contains(t, c.text, "Everything that was tried works; 1 warning and 1 not tried.")
}

func TestCheckOfAStoreThatCannotBeOpened(t *testing.T) {
	c := check(t, world(t, "STORE_PATH", t.TempDir()), bot.CheckOptions{})
	require.Equal(t, 1, c.ExitCode)
	require.Equal(t, "failed", c.one(t, "store").Result)
	require.Contains(t, c.one(t, "store").ToDo, "STORE_PATH")

	l := check(t, world(t, "REDIS_URL", "redis://127.0.0.1:1"), bot.CheckOptions{Timeout: 200 * time.Millisecond}).one(t, "store", "redis")
	require.Equal(t, "failed", l.Result)
	require.Contains(t, l.ToDo, "REDIS_URL")
}

// TestCheckOnRedisLeavesNothing: a bot that runs on the same server must not find
// work.
func TestCheckOnRedisLeavesNothing(t *testing.T) {
	r := redisserver.Start(t, redisserver.Options{})
	c := check(t, world(t, "REDIS_URL", r.URL()), bot.CheckOptions{})
	l := c.one(t, "store", "redis")
	require.Equal(t, "warning", l.Result, "this server keeps nothing on a disk: %s", l.Detail)
	require.Contains(t, l.Detail, "ack memory")
	require.Equal(t, 0, c.ExitCode)

	s, err := redisstore.Open(t.Context(), redisstore.Options{URL: r.URL(), Prefix: "wa"})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	b, err := s.Backlog(t.Context())
	require.NoError(t, err)
	require.Zero(t, b)

	l = check(t, world(t, "REDIS_URL", r.URL(), "REDIS_ACK", "fsync"), bot.CheckOptions{}).one(t, "store", "redis")
	require.Equal(t, "failed", l.Result)
	require.Contains(t, l.ToDo, "REDIS_ACK")
}

func TestCheckTriesEveryVendorByItself(t *testing.T) {
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"type":"error","error":{"type":"authentication_error","message":"vendor-key is wrong"}}`)
	}))
	defer refuses.Close()
	c := check(t, world(t, "LLM_PROVIDER", "fake,anthropic", "ANTHROPIC_API_KEY", "vendor-key", "ANTHROPIC_BASE_URL", refuses.URL), bot.CheckOptions{})
	require.Equal(t, 1, c.ExitCode)
	require.Equal(t, "ok", c.one(t, "llm", "fake").Result, "the first alone would do for a bot")
	l := c.one(t, "llm", "anthropic")
	require.Equal(t, "failed", l.Result)
	require.Contains(t, l.Detail, "denied")
	require.Contains(t, l.ToDo, "ANTHROPIC_API_KEY")
	require.Contains(t, c.text, "1 of 8 checks failed")
}

func TestCheckOfVendorsThatFail(t *testing.T) {
	for knobs, detail := range map[string]string{
		"error=denied": "denied", "error=rate_limited": "rate_limited", "error=blocked": "blocked", "error=transient": "transient", "error=unknown": "unknown",
	} {
		c := check(t, world(t, "FAKE_KNOBS", knobs), bot.CheckOptions{})
		for _, stage := range []string{"llm", "stt", "tts"} {
			l := c.one(t, stage)
			require.Equal(t, "failed", l.Result, "%s %s", stage, knobs)
			require.Contains(t, l.Detail, detail)
		}
		require.Contains(t, c.text, "3 of 7 checks failed")
	}
	for knobs, failing := range map[string]string{"empty": "llm", "corrupt": "tts", "wrongformat": "tts"} {
		c := check(t, world(t, "FAKE_KNOBS", knobs), bot.CheckOptions{})
		require.Equal(t, "failed", c.one(t, failing).Result, knobs)
		require.Equal(t, 1, c.ExitCode)
	}
}

// TestCheckHasADeadline for each of its parts; one that hangs keeps nobody waiting. On a busy
// machine more than those may miss it, and not the same ones twice: hence one report.
func TestCheckHasADeadline(t *testing.T) {
	c := checkOnce(t, world(t, "FAKE_KNOBS", "hang"), bot.CheckOptions{Timeout: 300 * time.Millisecond})
	for _, stage := range []string{"llm", "stt", "tts"} {
		require.Contains(t, c.one(t, stage).Detail, "timeout")
	}
}

func TestCheckThatIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	require.ErrorIs(t, bot.Check(ctx, from(world(t)), &out, bot.CheckOptions{}), context.Canceled)
	require.Empty(t, out.String(), "half a report would mislead")
}

// TestCheckGoesOnWithFaultySettings, and repeats none of their values.
func TestCheckGoesOnWithFaultySettings(t *testing.T) {
	vars := world(t, "WORKERS", "sesame-many", "REPLY_MODE", "sesame-mode", "STORE", "sesame-store", "LLM_PROVIDER", "fake,nobody,genai",
		"BREAKER_FAILURES", "20", "BREAKER_WINDOW", "10")
	delete(vars, "WHATSAPP_APP_SECRET")
	c := check(t, vars, bot.CheckOptions{Environ: []string{"REPLY_MDOE=sesame-word", "PATH=/bin"}})
	require.Equal(t, 78, c.ExitCode)
	for _, variable := range []string{"WORKERS", "REPLY_MODE", "STORE", "WHATSAPP_APP_SECRET", "BREAKER_FAILURES"} {
		require.Equal(t, "failed", c.one(t, "settings", variable).Result, variable)
	}
	providers := c.of("settings", "LLM_PROVIDER")
	require.Len(t, providers, 2, "each has its own line: %+v", providers)
	require.Contains(t, providers[0].ToDo, "known")
	require.Contains(t, providers[1].ToDo, "set GEMINI_API_KEY, or take the provider that needs it out of LLM_PROVIDER")
	require.Equal(t, "warning", c.one(t, "settings", "REPLY_MDOE").Result)
	require.Contains(t, c.one(t, "settings", "REPLY_MDOE").ToDo, "REPLY_MODE")
	require.NotContains(t, c.text, "sesame")

	require.Equal(t, "skipped", c.one(t, "store").Result)
	require.Equal(t, "skipped", c.one(t, "webhook").Result)
	require.Contains(t, c.one(t, "webhook").ToDo, "WHATSAPP_APP_SECRET")
	require.Equal(t, "skipped", c.one(t, "llm", "genai").Result)
	require.Equal(t, "skipped", c.one(t, "llm", "nobody").Result)
	for _, works := range [][]string{{"graph", ""}, {"llm", "fake"}, {"tts", "fake"}} {
		require.Equal(t, "ok", c.one(t, works[0], works[1]).Result, works)
	}
}

func TestCheckOfSeveralNumbers(t *testing.T) {
	vars := world(t)
	for k, v := range agentsFile(t, two("    languages: [es]")) {
		vars[k] = v
	}
	c := check(t, vars, bot.CheckOptions{})
	require.Equal(t, 1, c.ExitCode)
	require.Contains(t, c.one(t, "settings").Detail, "2 business numbers")
	l := c.one(t, "graph", "Support")
	require.Equal(t, "failed", l.Result)
	require.Contains(t, l.ToDo, "A_TOKEN", "the variable that the file names")
	require.Contains(t, c.one(t, "graph", "202").ToDo, "B_TOKEN")
	require.Equal(t, "ok", c.one(t, "webhook").Result, "both apps are known")
	require.Len(t, c.of("llm"), 1, "a vendor that both have is asked once")

	delete(vars, "B_TOKEN")
	c = check(t, vars, bot.CheckOptions{})
	require.Equal(t, 78, c.ExitCode)
	require.Equal(t, "skipped", c.one(t, "graph", "202").Result)
	require.Contains(t, c.one(t, "settings", "AGENTS_FILE").ToDo, "B_TOKEN")
}

// street is what answers at a public address.
func street(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL + "/webhook"
}

// door takes webhooks as the bot does.
func door(secret, token string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		hook, _ := whatsapp.NewWebhook(func() []string { return []string{secret} }, func() string { return token })
		body, _ := io.ReadAll(r.Body)
		switch {
		case r.URL.Path != "/webhook":
			http.NotFound(w, r)
		case r.Method == http.MethodGet && hook.Token(r.URL.Query().Get("hub.verify_token")) && r.URL.Query().Get("hub.mode") == "subscribe":
			_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
		case r.Method == http.MethodGet:
			w.WriteHeader(http.StatusForbidden)
		case hook.Verify(body, r.Header.Get(whatsapp.SignatureHeader)) != nil:
			w.WriteHeader(http.StatusUnauthorized)
		default:
			env, err := hook.Decode(body)
			if err != nil || len(env.Messages)+len(env.Statuses) > 0 {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			_, _ = io.WriteString(w, `{"status":"ignored"}`)
		}
	}
}

func TestCheckOfThePublicAddress(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for _, tt := range []struct{ name, url, result, detail, toDo string }{
		{"the bot", street(t, door("secret-value", "verify-value")), "ok", "200 ignored", ""},
		{"another app secret", street(t, door("other", "verify-value")), "failed", "status 401", "the same WHATSAPP_APP_SECRET"},
		{"another verify token", street(t, door("secret-value", "other")), "failed", "status 403", "the same WHATSAPP_VERIFY_TOKEN"},
		{"another path", strings.TrimSuffix(street(t, door("secret-value", "verify-value")), "webhook"), "failed", "status 404", "/webhook"},
		{"somebody who says yes to everything", street(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }), "failed", "status 200", "WHATSAPP_APP_SECRET"},
		{"another program's JSON", street(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, `{"status":"ok"}`) }), "failed", "status 200", "WHATSAPP_APP_SECRET"},
		{"a redirect", street(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://example.com/webhook", http.StatusFound)
		}), "failed", "status 302", "redirects"},
		{"a bot that is down", street(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }), "failed", "status 503", "/ready"},
		{"nobody", closed.URL + "/webhook", "failed", "connection refused", "name resolution"},
		{"an address without encryption", "http://bot.example.com/webhook", "failed", "https://", "--url"},
		{"no address", "bot.example.com/webhook", "failed", "form", "--url"},
		{"an address with a query", "https://bot.example.com/webhook?a=b", "failed", "form", "--url"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := check(t, world(t), bot.CheckOptions{URL: tt.url})
			require.Len(t, c.of("webhook"), 2)
			l := c.of("webhook")[1]
			require.Equal(t, tt.result, l.Result, "%+v", l)
			require.Contains(t, l.Detail, tt.detail)
			require.Contains(t, l.ToDo, tt.toDo)
			require.Equal(t, tt.result == "ok", c.OK)
		})
	}
}

// TestCheckOfABrokenPart: a panic is told without its words.
func TestCheckOfABrokenPart(t *testing.T) {
	result, detail := bot.Guarded(func(context.Context) { panic("secret-value") })
	require.Equal(t, "failed", result)
	require.Equal(t, "the check itself broke (string)", detail)
	result, _ = bot.Guarded(func(ctx context.Context) {
		_, ok := ctx.Deadline()
		require.True(t, ok)
	})
	require.Equal(t, "ok", result)
}

// TestCheckGivesEverythingBack: it leaves the store's files and nothing else.
func TestCheckGivesEverythingBack(t *testing.T) {
	vars := world(t)
	check(t, vars, bot.CheckOptions{})
	files, err := os.ReadDir(filepath.Dir(vars["STORE_PATH"]))
	require.NoError(t, err)
	for _, f := range files {
		require.True(t, strings.HasPrefix(f.Name(), "bot.db"), f.Name())
	}
	s, err := sqlitestore.Open(t.Context(), sqlitestore.Options{Path: vars["STORE_PATH"]})
	require.NoError(t, err, "the file was given back")
	require.NoError(t, s.Close())
}
