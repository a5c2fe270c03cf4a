package e2e_test

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/chaos/rig"
	"whatsappnode/test/redisserver"
	"whatsappnode/test/simulator"
)

// replicas are processes of one bot behind a balancer that asks them whether they are
// ready.
type replicas struct {
	b     *bot
	front *rig.Balancer

	mu    sync.Mutex
	addrs []string
}

// addresses are those the balancer asks.
func (r *replicas) addresses() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.addrs...)
}

// start adds a replica of a binary and returns when it takes webhooks.
func (r *replicas) start(binary string) *helper {
	h := &helper{addr: freeAddress(r.b.t), stdout: r.b.journal()}
	errOut := newJournal()
	h.process = launchAs(r.b.t, binary, r.b.env.with(settings{"LISTEN_ADDR": h.addr}), h.stdout, errOut)
	eventually(r.b.t, "a replica starts", func() bool {
		require.True(r.b.t, h.running(), "it ended: %s", errOut.text())
		return h.events("started") > 0 && r.b.get(r.b.t, "http://"+h.addr+"/ready").code == 200
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addrs = append(r.addrs, h.addr)
	return h
}

// TestRollFromOneVersionToTheNext: two replicas are replaced one after the other while
// people write. Every webhook is taken at its first delivery, every message is answered
// once and in order, and both versions did some of it.
func TestRollFromOneVersionToTheNext(t *testing.T) {
	next := filepath.Join(t.TempDir(), "whatsapp-node")
	args := []string{"build", "-ldflags", "-X whatsappnode/cmd/internal/bot.Version=next", "-o", next}
	if underRace {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "whatsappnode/cmd/whatsapp-node")...).CombinedOutput()
	require.NoError(t, err, "%s", out)

	redis := redisserver.Start(t, redisserver.Options{AppendOnly: true, AppendFsync: "always"})
	b := prepare(t, settings{
		"REDIS_URL": redis.URL(), "REDIS_ACK": "fsync", "STORE_PATH": "", "REPLY_MODE": "text", "FAKE_KNOBS": "ttft=50ms,rate=400",
		"DRAIN_DELAY": "1s", "LEASE_TIME": "5s", "NUMBER_RATE": "10000", "RECIPIENT_BURST": "10000", "LOG_LEVEL": "info",
	})
	r := &replicas{b: b}
	first, second := r.start(program), r.start(program)
	r.front, err = rig.NewBalancer(r.addresses()...)
	require.NoError(t, err)
	t.Cleanup(r.front.Close)
	ctx, stop := context.WithCancel(t.Context())
	var background sync.WaitGroup
	t.Cleanup(background.Wait)
	t.Cleanup(stop)
	background.Go(func() { r.front.Steer(ctx, r.addresses) })
	require.NoError(t, b.sim.SetWebhookURL("http://"+r.front.Addr+"/webhook"))

	// People write until both old replicas are gone, and a little longer.
	const people, pause = 24, 100 * time.Millisecond
	var users []string
	for range people {
		u, err := b.sim.AddUser(simulator.UserSpec{})
		require.NoError(t, err)
		users = append(users, u.ID)
	}
	writing, rest := context.WithCancel(ctx)
	sent := make(chan error, 1)
	background.Go(func() {
		for n := range 10_000 {
			for i := range people / 2 { // half of them at once, so that there are many connections
				u := users[i*2+n%2]
				if _, err := b.sim.SendText(u, rig.Token(u, n/2)); err != nil {
					sent <- err
					return
				}
			}
			if rig.Sleep(writing, pause) != nil {
				sent <- nil
				return
			}
		}
	})
	taken := func() int { return b.sim.Counts().InboundDelivered }
	more := func(n int) {
		until := taken() + n
		eventually(t, "webhooks go on", func() bool { return taken() >= until })
	}
	more(100)
	var young []*helper
	for _, old := range []*helper{first, second} {
		young = append(young, r.start(next))
		more(50)
		old.terminate(t)
		require.Zero(t, old.wait(t), "it ends by itself")
		more(50)
	}
	rest()
	require.NoError(t, <-sent)

	chats := func() rig.Verdict {
		return rig.Audit(b.sim, func(string) ([]byte, error) { return nil, errors.New("all answers are text") })
	}
	eventually(t, "everybody is answered", func() bool { return b.sim.Counts().Pending == 0 && chats().Lost == 0 })
	verdict := chats()
	require.True(t, verdict.Clean(), "%+v", verdict)
	require.Greater(t, verdict.Messages, 300)
	for _, e := range b.entries(simulator.LogWebhook) {
		require.Equal(t, 200, e.HTTPStatus, "a webhook was refused: %+v", e)
		require.LessOrEqual(t, e.Attempt, 1, "a webhook had to be delivered again: %+v", e)
	}
	for _, h := range []*helper{first, second, young[0], young[1]} {
		require.Positive(t, h.events("turn.finished"), "a replica did nothing")
		require.Positive(t, h.events("webhook.request"), "a replica took no webhook")
	}
	lines, _, _ := young[0].stdout.lines()
	for _, l := range lines {
		if l.event() == "started" || l.str("message") == "started" {
			require.Equal(t, "next", l.str("version"))
		}
	}
	t.Logf("%d messages, %d webhooks, each taken at its first delivery", verdict.Messages, len(b.entries(simulator.LogWebhook)))
}
