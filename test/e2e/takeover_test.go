package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/redisserver"
	"whatsappnode/test/simulator"
)

// answers is what somebody of the business writes to the person from a phone.
func (u *user) isAnswered(text string) string {
	u.t.Helper()
	id, err := u.b.sim.SendEcho(u.id, simulator.Text(text))
	require.NoError(u.t, err)
	return id
}

func droppedFor(reason string) func(lines []line) bool { return leftFor("turn.dropped", reason) }

func deferredFor(reason string) func(lines []line) bool { return leftFor("turn.deferred", reason) }

func leftFor(event, reason string) func(lines []line) bool {
	return func(lines []line) bool {
		return slices.ContainsFunc(lines, func(l line) bool { return l.event() == event && l.str("reason") == reason })
	}
}

// TestOperatorTakesOver: the bot is making an answer when somebody of the business
// answers from a phone. It says nothing, and nothing until the pause has ended by
// itself; then it knows what was said.
func TestOperatorTakesOver(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"FAKE_KNOBS": "speak=1s", "REPLY_MODE": "voice", "PAUSE_FOR": "4s"})
	ana := b.user(t)
	ana.writes("Is my bike ready?")
	b.logs("llm.ok", 1)
	ana.isAnswered("It is, come by!")
	b.until("the turn is left to the operator", droppedFor("human"))
	ana.writes("Thank you! And what does it cost?")
	b.until("the question waits", deferredFor("paused"))
	require.Empty(t, b.sim.Outbound(ana.id), "the bot talks over nobody")
	ana.hears("You said: Thank you! And what does it cost?")
	b.logs("turn.finished", 2)
	require.Len(t, b.sim.Outbound(ana.id), 1)
}

// TestEchoOfTheBot: another program on the number is told of the bot's own sends, and
// tells us in turn.
func TestEchoOfTheBot(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"REPLY_MODE": "text"})
	ana := b.user(t)
	ana.writes("hello")
	m := ana.reads("You said: hello")
	b.logs("turn.finished", 1)
	_, err := b.sim.SendEcho(ana.id, simulator.Text(m.Text).WithID(m.ID))
	require.NoError(t, err)
	b.idle()
	require.Contains(t, b.webhookAnswers("message_echoes", "")[0], "ignored")
	ana.writes("still there?")
	ana.reads("You said: still there?")
}

func TestOptOut(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"REPLY_MODE": "voice"})
	ana := b.user(t)
	ana.writes("Please stop the noise in the shop")
	ana.hears("You said: Please stop the noise in the shop")
	ana.writes("¡BAJA!")
	require.Contains(t, ana.gets().Text, "ALTA")
	ana.writes("hello?")
	b.until("the person is left alone", droppedFor("opted_out"))
	ana.writes("stop")
	b.idle()
	b.stop()
	b.restart() // it outlives the process
	ana.writes("one more thing")
	b.until("still", func(lines []line) bool {
		n := 0
		for _, l := range lines {
			if l.event() == "turn.dropped" && l.str("reason") == "opted_out" {
				n++
			}
		}
		return n == 3
	})
	require.Len(t, b.sim.Outbound(ana.id), 2)
	ana.writes("Start")
	require.Contains(t, ana.gets().Text, "Welcome back")
	ana.writes("hello again")
	ana.hears("You said: hello again")
}

func TestListsOfPeople(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"REPLY_MODE": "text", "BLOCKED_USERS": "+34 600 111 222", "ALLOWED_USERS": "34600111222,34600333444"})
	blocked := b.user(t, simulator.UserSpec{Phone: "34600111222"})
	allowed := b.user(t, simulator.UserSpec{Phone: "34600333444"})
	stranger := b.user(t, simulator.UserSpec{Phone: "34600555666"})
	for _, u := range []*user{blocked, stranger, allowed} {
		u.writes("hello")
	}
	allowed.reads("You said: hello")
	b.until("blocked", droppedFor("blocked"))
	b.until("not allowed", droppedFor("not_allowed"))
	require.Empty(t, b.sim.Outbound(blocked.id))
	require.Empty(t, b.sim.Outbound(stranger.id))
}

// admin calls the admin API.
func (b *bot) admin(t *testing.T, addr, token, method, path, body string) response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+path, strings.NewReader(body))
	require.NoError(t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return b.do(t, req)
}

// TestAdminAPI pauses, resumes, blocks, unblocks, exports and erases, and lets nobody in
// without the token.
func TestAdminAPI(t *testing.T) {
	t.Parallel()
	addr := freeAddress(t)
	b := start(t, settings{"REPLY_MODE": "text", "ADMIN_ADDR": addr, "ADMIN_TOKEN": "e2e-admin-token"})
	ana := b.user(t, simulator.UserSpec{Name: "Ana", Phone: "34600111222"})
	ana.writes("hello")
	ana.reads("You said: hello")
	b.logs("turn.finished", 1)
	call := func(path, body string) response {
		t.Helper()
		return b.admin(t, addr, "e2e-admin-token", http.MethodPost, "/v1/conversations/"+path, body)
	}
	who := `{"phone":"+34 600 111 222"`

	for _, token := range []string{"", "e2e-admin-toke", "e2e-admin-token2"} {
		require.Equal(t, 401, b.admin(t, addr, token, http.MethodPost, "/v1/conversations/block", who+"}").code)
	}
	for body, want := range map[string]int{
		"": 400, "{}": 400, who: 400, who + `,"also":1}`: 400, who + `,"user":"ES.1"}`: 400, `{"phone":"ana"}`: 400,
		who + `,"for":"long"}`: 400, who + `,"for":"-1h"}`: 400, `{"phone":"34600999888"}`: 404, `{"conversation":"nobody"}`: 404,
		`{"phone":"` + strings.Repeat("1", 5000) + `"}`: 400,
	} {
		r := call("pause", body)
		require.Equal(t, want, r.code, body)
		require.Equal(t, "application/problem+json", r.header.Get("Content-Type"))
		require.NotContains(t, r.body, "34600")
	}

	r := call("pause", who+`,"for":"1h"}`)
	require.Equal(t, 200, r.code, r.body)
	require.Contains(t, r.body, `"paused_by":"order"`)
	ana.writes("are you there?")
	b.until("the message waits", deferredFor("paused"))
	require.Equal(t, 200, call("resume", who+"}").code)
	ana.reads("You said: are you there?")

	require.Equal(t, 200, call("block", who+"}").code)
	ana.writes("and now?")
	b.until("the person is blocked", droppedFor("blocked"))
	require.Equal(t, 200, call("unblock", who+"}").code)
	ana.writes("again?")
	ana.reads("You said: again?")
	b.idle()
	b.logs("turn.finished", 4)

	export := b.admin(t, addr, "e2e-admin-token", http.MethodGet, "/v1/conversations/export?phone=34600111222", "")
	require.Equal(t, 200, export.code, export.body)
	require.Contains(t, export.body, "are you there?")
	require.Equal(t, "no-store", export.header.Get("Cache-Control"))
	require.Equal(t, 200, call("erase", who+"}").code)
	require.Equal(t, 404, call("pause", who+"}").code, "nobody is known any more")
	require.NotContains(t, b.stdout.text(), "34600111222")
	require.NotContains(t, b.stdout.text(), "e2e-admin-token")
	require.NotEmpty(t, b.events("admin.call"))
}

// TestControlsByCommand: the same decisions from a shell beside the running bot.
func TestControlsByCommand(t *testing.T) {
	t.Parallel()
	redis := redisserver.Start(t, redisserver.Options{})
	b := start(t, settings{"REPLY_MODE": "text", "REDIS_URL": redis.URL(), "PAUSE_FOR": "3h"})
	ana := b.user(t, simulator.UserSpec{Name: "Ana", Phone: "34600111222"})
	run := func(code int, args ...string) output {
		t.Helper()
		out := invoke(t, b.env, args...)
		require.Equal(t, code, out.code, out.stdout+out.stderr)
		require.NotContains(t, out.stdout+out.stderr, "Ana")
		return out
	}
	run(exitFailed, "pause", "--phone", "34600111222") // nobody knows her yet
	ana.writes("hello")
	ana.reads("You said: hello")
	b.idle()
	require.Regexp(t, `is paused for (3h0m0s|2h59m5\ds) \(order\)`, run(0, "pause", "--phone", "34600111222").stdout, "PAUSE_FOR")
	require.Regexp(t, `is paused for (1h0m0s|59m5\ds) \(order\)`, run(0, "pause", "--phone", "+34 600 111 222", "--for", "1h").stdout)
	ana.writes("are you there?")
	b.until("the message waits", deferredFor("paused"))
	require.Contains(t, run(0, "resume", "--user", ana.card().UserID).stdout, "is answered")
	ana.reads("You said: are you there?")
	b.idle()
	require.Contains(t, run(0, "block", "--phone", "34600111222").stdout, "is blocked")
	ana.writes("and now?")
	b.until("the person is blocked", droppedFor("blocked"))
	require.Contains(t, run(0, "unblock", "--phone", "34600111222").stdout, "is answered")
	ana.writes("again?")
	ana.reads("You said: again?")
	for _, wrong := range [][]string{{"pause"}, {"pause", "--phone", "34600111222", "--for", "0s"}, {"block", "--phone", "1", "--user", "2"}} {
		run(exitFailed, wrong...)
	}
}

// TestAdminAPIWithoutAToken refuses everything.
func TestAdminAPIWithoutAToken(t *testing.T) {
	t.Parallel()
	addr := freeAddress(t)
	b := start(t, settings{"ADMIN_ADDR": addr})
	for _, token := range []string{"", "x"} {
		require.Equal(t, 403, b.admin(t, addr, token, http.MethodPost, "/v1/conversations/block", `{"phone":"34600111222"}`).code)
	}
	require.Equal(t, 403, b.admin(t, addr, "", http.MethodGet, "/v1/conversations/export?phone=34600111222", "").code)
}
