package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/test/simulator"
)

// checkManual shows what the runs of these tests print.
const checkManual = "../../docs/check.md"

// manual is held while it is rewritten: the tests run side by side.
var manual sync.Mutex

// checkVendors are three vendors at one address: Claude and ElevenLabs work, OpenAI
// refuses every key.
func checkVendors(t *testing.T) settings {
	t.Helper()
	events := func(w http.ResponseWriter, lines ...string) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := 0; i < len(lines); i += 2 {
			_, _ = io.WriteString(w, "event: "+lines[i]+"\ndata: "+lines[i+1]+"\n\n")
		}
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch {
		case r.URL.Path == "/v1/messages":
			events(w,
				"message_start", `{"type":"message_start","message":{"id":"msg_01","type":"message","role":"assistant","model":"claude-haiku-5-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":17,"output_tokens":1}}}`,
				"content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`,
				"content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello!"}}`,
				"content_block_stop", `{"type":"content_block_stop","index":0}`,
				"message_delta", `{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":5}}`,
				"message_stop", `{"type":"message_stop"}`)
		case r.URL.Path == "/v1/speech-to-text":
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"language_code":"eng","language_probability":0.5,"text":"","words":[],"transcription_id":"tr1"}`)
		case strings.HasPrefix(r.URL.Path, "/v1/text-to-speech/"):
			clip, err := fake.Clip("Hello.", 640*time.Millisecond)
			if err != nil {
				t.Error(err)
				return
			}
			w.Header().Set("Content-Type", "audio/opus")
			_, _ = w.Write(clip.Bytes())
		default:
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"message":"Incorrect API key provided: e2e-openai-key","type":"invalid_request_error","code":"invalid_api_key"}}`)
		}
	}))
	t.Cleanup(s.Close)
	return settings{
		"LLM_PROVIDER": "anthropic", "STT_PROVIDER": "elevenlabs", "TTS_PROVIDER": "elevenlabs",
		"ANTHROPIC_API_KEY": "e2e-anthropic-key", "ANTHROPIC_BASE_URL": s.URL, "ELEVENLABS_API_KEY": "e2e-eleven-key", "ELEVENLABS_BASE_URL": s.URL,
		"OPENAI_API_KEY": "e2e-openai-key", "OPENAI_BASE_URL": s.URL + "/v1", "LOG_LEVEL": "", "STORE_PATH": "data/bot.db",
	}
}

// checkedBy runs the check twice, for people and for machines.
func checkedBy(t *testing.T, env settings, args ...string) (output, checkReport) {
	t.Helper()
	text := invoke(t, env, append([]string{"check"}, args...)...)
	machine := invoke(t, env, append([]string{"check", "--json"}, args...)...)
	var r checkReport
	dec := json.NewDecoder(strings.NewReader(machine.stdout))
	require.NoError(t, dec.Decode(&r), machine.stdout)
	require.ErrorIs(t, dec.Decode(new(any)), io.EOF, "one document and nothing else")
	require.Equal(t, text.code, machine.code)
	require.Equal(t, r.ExitCode, machine.code)
	require.Equal(t, r.ExitCode == 0, r.OK)
	for _, out := range []string{text.stdout + text.stderr, machine.stdout + machine.stderr} {
		for _, secret := range []string{accessToken, appSecret, verifyToken, "e2e-anthropic-key", "e2e-eleven-key", "e2e-openai-key", "15550100200", "555-010-0200"} {
			require.NotContains(t, out, secret)
		}
	}
	return text, r
}

type checkReport struct {
	OK       bool          `json:"ok"`
	ExitCode int           `json:"exit_code"`
	Checks   []checkResult `json:"checks"`
	Spent    *float64      `json:"cost_usd"`
	Turns    []struct {
		Cost  *float64 `json:"cost_usd"`
		Parts []struct {
			Doing, Provider, Model, Source string
			Cost                           *float64 `json:"cost_usd"`
		}
	} `json:"typical_turns"`
}

type checkResult struct {
	Check, Subject, Result, Detail string
	ToDo                           string   `json:"to_do"`
	Cost                           *float64 `json:"cost_usd"`
}

// of is the only result of a check about a subject.
func (r checkReport) of(t *testing.T, check, subject string) checkResult {
	t.Helper()
	var found []checkResult
	for _, c := range r.Checks {
		if c.Check == check && c.Subject == subject {
			found = append(found, c)
		}
	}
	require.Len(t, found, 1, "%s %s in %+v", check, subject, r.Checks)
	return found[0]
}

// results counts how the checks ended.
func (r checkReport) results() map[string]int {
	counts := map[string]int{}
	for _, c := range r.Checks {
		counts[c.Result]++
	}
	return counts
}

// TestCheckOfARightConfiguration: a bot runs at the public address, and everything
// works.
func TestCheckOfARightConfiguration(t *testing.T) {
	t.Parallel()
	vendors := checkVendors(t)
	b := start(t)
	text, r := checkedBy(t, b.env.with(vendors), "--url", "http://"+b.addr+"/webhook")
	require.Zero(t, text.code, text.stdout)
	require.Empty(t, text.stderr)
	require.Equal(t, map[string]int{"ok": 8}, r.results())
	require.Contains(t, r.of(t, "graph", "").Detail, "ends in 0200")
	require.Contains(t, r.of(t, "tts", "elevenlabs").Detail, "640ms")
	require.Contains(t, r.of(t, "llm", "anthropic").Detail, "17 tokens in and 5 out")
	require.InDelta(t, (17*0.10+5*0.50)/1e6, *r.of(t, "llm", "anthropic").Cost, 1e-12)
	require.Greater(t, *r.Spent, 0.0)
	require.Len(t, r.Turns, 1)
	require.Nil(t, r.Turns[0].Cost, "what WhatsApp charges is not known")
	for _, p := range r.Turns[0].Parts[:3] {
		require.Greater(t, *p.Cost, 0.0, p.Doing)
		require.Regexp(t, `, 20\d\d-\d\d-\d\d`, p.Source, "the page and the day of the price")
	}
	isInTheManual(t, "right", text.stdout)

	require.Empty(t, b.entries(simulator.LogSend), "nobody got a message")
	require.Zero(t, b.sim.Counts().Uploads)
	require.Empty(t, b.events("turn.started"))
}

// TestCheckOfAHalfRightConfiguration: the settings can be read, the token has expired,
// the second model refuses its key, and the store is the one of the running bot.
func TestCheckOfAHalfRightConfiguration(t *testing.T) {
	t.Parallel()
	vendors := checkVendors(t)
	b := start(t)
	env := b.env.with(vendors, settings{
		"STORE_PATH": b.env["STORE_PATH"], "LLM_PROVIDER": "anthropic,openai", "WHATSAPP_ACCESS_TOKEN": "a-token-that-expired",
	})
	text, r := checkedBy(t, env)
	require.Equal(t, exitFailed, text.code)
	require.NotContains(t, text.stdout, "a-token-that-expired")
	require.Equal(t, map[string]int{"ok": 5, "skipped": 1, "failed": 2}, r.results())
	require.Equal(t, "skipped", r.of(t, "store", "embedded").Result)
	require.Contains(t, r.of(t, "store", "embedded").ToDo, "stop the bot")
	require.Contains(t, r.of(t, "graph", "").ToDo, "WHATSAPP_ACCESS_TOKEN")
	require.Equal(t, "ok", r.of(t, "llm", "anthropic").Result)
	require.Contains(t, r.of(t, "llm", "openai").ToDo, "OPENAI_API_KEY")
	isInTheManual(t, "half right", text.stdout)

	ana := b.user(t) // the bot beside it did not notice
	ana.writes("hi")
	ana.hears("You said: hi")
}

// TestCheckOfAWrongConfiguration: every fault has its line, and what can be tried all
// the same is tried.
func TestCheckOfAWrongConfiguration(t *testing.T) {
	t.Parallel()
	b := prepare(t, checkVendors(t), settings{
		"WHATSAPP_APP_SECRET": "", "TURN_TIMEOUT": "60", "LLM_PROVIDER": "anthropic,genai", "REPLY_MDOE": "text",
	})
	text, r := checkedBy(t, b.env)
	require.Equal(t, exitSettings, text.code)
	require.Contains(t, text.stderr, "the settings are wrong")
	require.Equal(t, map[string]int{"failed": 3, "warning": 1, "ok": 5, "skipped": 2}, r.results())
	require.Contains(t, r.of(t, "settings", "TURN_TIMEOUT").Detail, "unit")
	require.Contains(t, r.of(t, "settings", "REPLY_MDOE").ToDo, "REPLY_MODE")
	require.Equal(t, "ok", r.of(t, "graph", "").Result)
	require.Equal(t, "skipped", r.of(t, "webhook", "in this process").Result)
	isInTheManual(t, "wrong", text.stdout)
}

// TestCheckOfTheWebhookFields: what Meta's app is not subscribed to never comes, and
// nothing else would tell.
func TestCheckOfTheWebhookFields(t *testing.T) {
	t.Parallel()
	all := []string{"messages", "smb_message_echoes", "message_echoes", "account_update"}
	for name, c := range map[string]struct {
		fields               []string
		onPhones             bool
		secret               string
		result, detail, toDo string
	}{
		"all of them":                  {all, true, appSecret, "ok", "fields messages smb_message_echoes message_echoes", ""},
		"no echoes":                    {all[:1], false, appSecret, "ok", "fields messages", "message_echoes"},
		"no echoes, people answer":     {all[:1], true, appSecret, "warning", "WhatsApp Business app", "smb_message_echoes"},
		"nothing":                      {[]string{"account_update"}, true, appSecret, "failed", "not subscribed", "WHATSAPP_APP_SECRET"},
		"another app's secret":         {all, false, "another-secret", "ok", "could not be asked", ""},
		"another's, and people answer": {all[:1], true, "another-secret", "warning", "could not be asked", "smb_message_echoes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, err := simulator.New(simulator.Config{
				PhoneNumberID: numberID, AccessToken: accessToken, AppSecret: c.secret, WebhookFields: c.fields, OnBizApp: c.onPhones, Seed: 1,
			})
			require.NoError(t, err)
			graph := httptest.NewServer(sim.Handler())
			t.Cleanup(func() { require.NoError(t, sim.Close()); graph.Close() })
			_, r := checkedBy(t, prepare(t, settings{"GRAPH_BASE_URL": graph.URL}).env)
			found := r.of(t, "graph", "")
			require.Equal(t, c.result, found.Result, found.Detail)
			require.Contains(t, found.Detail, c.detail)
			require.Contains(t, found.ToDo, c.toDo)
			require.Equal(t, c.toDo == "", found.ToDo == "", found.ToDo)
		})
	}
}

func TestCheckIsAskedRightly(t *testing.T) {
	t.Parallel()
	help := invoke(t, settings{}, "check", "--help")
	require.Zero(t, help.code)
	for _, words := range []string{"--json", "--url", "78"} {
		require.Contains(t, help.stdout, words)
	}
	require.Equal(t, exitFailed, invoke(t, settings{}, "check", "everything").code)
}

// ephemeral is what differs from run to run: times, ports, trace ids, and the spaces
// that make columns of them.
var ephemeral = regexp.MustCompile(`<1ms|\b[\d.]+m?s\b|127\.0\.0\.1:\d+|fbtrace_id \w+|[ \t]+`)

// isInTheManual compares what the program printed with the example in the docs, or
// puts it there: RECORD=1 go test ./test/e2e -run TestCheckOf
func isInTheManual(t *testing.T, example, printed string) {
	t.Helper()
	printed = regexp.MustCompile(`127\.0\.0\.1:\d{5}`).ReplaceAllString(printed, "127.0.0.1:20080")
	printed = regexp.MustCompile(`(?m) +$`).ReplaceAllString(printed, "")
	manual.Lock()
	defer manual.Unlock()
	page, err := os.ReadFile(checkManual)
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)(<!-- example: " + example + " -->\n```text\n)(.*?)(```\n)")
	found := block.FindSubmatch(page)
	require.NotNil(t, found, "docs/check.md has no example %q", example)
	if os.Getenv("RECORD") != "" {
		page = block.ReplaceAll(page, []byte("${1}"+strings.ReplaceAll(printed, "$", "$$")+"${3}"))
		require.NoError(t, os.WriteFile(checkManual, page, 0o644))
		return
	}
	level := func(s string) string { return ephemeral.ReplaceAllString(s, " ") }
	require.Equal(t, level(string(found[2])), level(printed), "docs/check.md shows something else; record it anew with RECORD=1")
}
