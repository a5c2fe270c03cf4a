package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/redisserver"
	"whatsappnode/test/simulator"
)

// helper is one more process of the program beside the one of a bot.
type helper struct {
	*process
	addr   string
	stdout *journal
}

// shared runs the program as serve on a Redis of its own; workers are added with
// join.
func shared(t *testing.T, env ...settings) (*bot, *redisserver.Server) {
	t.Helper()
	redis := redisserver.Start(t, redisserver.Options{
		AppendOnly: true, AppendFsync: "always", Args: []string{"--rdbcompression", "no"}, // so that DUMP hides no words
	})
	return start(t, append([]settings{{"ROLE": "serve", "REDIS_URL": redis.URL(), "LEASE_TIME": "1s"}}, env...)...), redis
}

// join starts one more process on the bot's Redis and WhatsApp.
func (b *bot) join(role string, env ...settings) *helper {
	b.t.Helper()
	h := &helper{addr: freeAddress(b.t), stdout: b.journal()}
	errOut := newJournal()
	h.process = launch(b.t, b.env.with(settings{"LISTEN_ADDR": h.addr, "ROLE": ""}).with(env...), h.stdout, errOut, role)
	eventually(b.t, role+" starts", func() bool {
		lines, _, _ := h.stdout.lines()
		require.True(b.t, h.running(), "%s ended: %s", role, errOut.text())
		return count(lines, "started") > 0
	})
	return h
}

func (h *helper) events(name string) int {
	lines, _, _ := h.stdout.lines()
	return count(lines, name)
}

// TestServeTakesAndWorkerAnswers: what serve acknowledged waits for a worker, however
// late it comes, and a worker has no door of its own.
func TestServeTakesAndWorkerAnswers(t *testing.T) {
	t.Parallel()
	b, _ := shared(t)
	ana := b.user(t)
	ana.writes("hi")
	b.idle()
	require.Empty(t, b.sim.Outbound(ana.id), "serve does not answer")
	require.Empty(t, b.events("turn.leased"))

	w := b.join("worker")
	ana.hears("You said: hi")
	ana.writes("and now?")
	ana.hears("You said: and now?")
	ana.thatWasAll()
	require.Equal(t, 404, b.get(t, "http://"+w.addr+"/webhook").code)
	require.Equal(t, 200, b.get(t, "http://"+w.addr+"/ready").code)
}

// TestWorkerThatEndsLeavesItsTurnToTheNext: by SIGTERM the turn is given back at
// once; by SIGKILL it is taken over when its lease has run out.
func TestWorkerThatEndsLeavesItsTurnToTheNext(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, h *helper){
		"SIGTERM": func(t *testing.T, h *helper) {
			h.terminate(t)
			require.Zero(t, h.wait(t))
		},
		"SIGKILL": func(_ *testing.T, h *helper) { h.kill() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _ := shared(t)
			slow := b.join("worker", settings{"FAKE_KNOBS": "hang", "DRAIN_TIMEOUT": "200ms"})
			ana := b.user(t)
			ana.writes("hi")
			b.wait(t, "the turn is in flight", func(v simulator.Snapshot) bool { return v.Typing(ana.id) })
			next := b.join("worker")
			require.Zero(t, next.events("turn.leased"), "nobody else works on a leased conversation")
			end(t, slow)
			ana.hears("You said: hi")
			ana.thatWasAll()
			require.Zero(t, slow.events("reply.sent"))
			require.Equal(t, 2, next.events("reply.sent"), "this answer and the one that proves there is no other")
		})
	}
}

// TestRedisThatGoesAndComesBack: while it is away nothing is acknowledged and the
// probe says so; afterwards everything is answered, once.
func TestRedisThatGoesAndComesBack(t *testing.T) {
	t.Parallel()
	b, redis := shared(t, settings{"REDIS_ACK": "fsync"})
	b.join("worker")
	ana := b.user(t)
	ana.writes("one")
	ana.hears("You said: one")

	redis.Kill9()
	id := ana.writes("two")
	b.wait(t, "WhatsApp was refused", func(simulator.Snapshot) bool {
		for _, e := range b.entries(simulator.LogWebhook) {
			if e.HTTPStatus == http.StatusServiceUnavailable && strings.Join(e.IDs, "") == id {
				return true
			}
		}
		return false
	})
	eventually(t, "the probe turns red", func() bool { return b.get(t, "http://"+b.addr+"/ready").code == 503 })
	require.NoError(t, redis.Restart())
	ana.hears("You said: two")
	ana.thatWasAll()
	eventually(t, "the probe turns green", func() bool { return b.get(t, "http://"+b.addr+"/ready").code == 200 })
}

// TestEraseOnRedis: after the command no key holds what was said, or by whom.
func TestEraseOnRedis(t *testing.T) {
	t.Parallel()
	b, redis := shared(t)
	b.join("worker")
	ana := b.user(t, simulator.UserSpec{Name: "Planted Name"})
	ana.writes("planted secret words")
	ana.hears("You said: planted secret words")
	b.idle()
	contents := func() string {
		all, err := redis.CLI("EVAL", `local out = {} for _, k in ipairs(redis.call('KEYS', '*')) do out[#out+1] = k .. ' ' .. redis.call('DUMP', k) end return out`, "0")
		require.NoError(t, err)
		return all
	}
	require.Contains(t, contents(), ana.card().UserID)
	out := invoke(t, b.env.with(settings{"ROLE": ""}), "erase", ana.card().UserID, "--yes")
	require.Zero(t, out.code, out.stderr)
	left := contents()
	for _, planted := range []string{ana.card().UserID, ana.card().Phone, "planted", "Planted Name"} {
		require.NotContains(t, left, planted)
	}
}
