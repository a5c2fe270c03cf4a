package simulator_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

func TestDeliveryRepeatsTheSameBytesUntil200(t *testing.T) {
	w := newWorld(t, nil)
	w.bot.answer = func(n int) int { return []int{500, 202, 200}[min(n, 3)-1] }
	u := w.user(simulator.UserSpec{Name: "Añá/B", Phone: "34600111222", Username: "ana", ParentUserID: "ES.ENT.1181579"})
	id := w.says(u, "ñ <b> 👍")
	w.idle()

	got := w.bot.deliveries()
	require.Len(t, got, 3)
	for _, d := range got {
		require.True(t, d.genuine)
		require.Equal(t, string(got[0].body), string(d.body))
		require.Equal(t, "application/json", d.header.Get("Content-Type"))
		require.Equal(t, "facebookexternalua", d.header.Get("User-Agent"))
	}
	require.Equal(t, `{"object":"whatsapp_business_account","entry":[{"id":"109900112233445","changes":[{"value":{`+
		`"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100200","phone_number_id":"106500000000001"},`+
		`"contacts":[{"profile":{"name":"A\u00f1\u00e1\/B","username":"ana"},"wa_id":"34600111222","user_id":"`+u.UserID+`","parent_user_id":"ES.ENT.1181579"}],`+
		`"messages":[{"from":"34600111222","from_user_id":"`+u.UserID+`","id":"`+strings.ReplaceAll(id, "/", `\/`)+`","timestamp":"1795341600","type":"text",`+
		`"text":{"body":"\u00f1 <b> \ud83d\udc4d"}}]},"field":"messages"}]}]}`, string(got[0].body))

	c := w.Counts()
	require.Equal(t, simulator.Counts{Inbound: 1, InboundDelivered: 1, WebhookTries: 3, WebhookOK: 1}, c)
	require.Equal(t, simulator.StatusDelivered, w.Messages(u.ID)[0].Status)
	var attempts []string
	for _, e := range w.Log() {
		if e.Kind == simulator.LogWebhook {
			attempts = append(attempts, fmt.Sprint(e.Attempt, " ", e.HTTPStatus, " ", e.Answer))
		}
	}
	require.Equal(t, []string{`1 500 {"status":"accepted"}`, "2 202 ", `3 200 {"status":"accepted"}`}, normalise(attempts))
}

// normalise hides that a 202 keeps its body.
func normalise(in []string) []string {
	for i := range in {
		if strings.HasPrefix(in[i], "2 202") {
			in[i] = "2 202 "
		}
	}
	return in
}

func TestNextMessageOfAUserWaitsForTheOneBefore(t *testing.T) {
	w := newWorld(t, nil)
	w.bot.answer = func(n int) int {
		if n%3 != 0 {
			return 503
		}
		return 200
	}
	u := w.user(simulator.UserSpec{})
	var want []string
	for i := range 20 {
		want = append(want, fmt.Sprint("m", i))
		w.says(u, want[i])
	}
	w.idle()
	require.Equal(t, want, w.bot.texts())
}

func TestAStuckUserDoesNotStopOthers(t *testing.T) {
	w := newWorld(t, func(c *simulator.Config) { c.RetrySchedule = []time.Duration{0, time.Hour} })
	w.bot.answer = func(n int) int {
		if n == 1 {
			return 500
		}
		return 200
	}
	stuck, free := w.user(simulator.UserSpec{}), w.user(simulator.UserSpec{})
	w.says(stuck, "stuck")
	w.waitFor(func(v simulator.Snapshot) bool { return v.Counts().WebhookTries == 1 })
	w.says(stuck, "behind")
	w.says(free, "free")
	w.waitFor(func(v simulator.Snapshot) bool { return v.Counts().InboundDelivered == 1 })
	require.Equal(t, []string{"free"}, w.bot.texts())
}

func TestWebhooksWaitForAnAddress(t *testing.T) {
	w := newWorld(t, func(c *simulator.Config) { c.WebhookURL = "" })
	u := w.user(simulator.UserSpec{})
	w.says(u, "early")
	require.Equal(t, 1, w.Counts().Pending)
	require.NoError(t, w.SetWebhookURL(w.bot.URL))
	w.idle()
	require.Equal(t, []string{"early"}, w.bot.texts())
	require.Error(t, w.SetWebhookURL("not a URL"))
}

func TestRedirectIsNoSuccess(t *testing.T) {
	w := newWorld(t, nil)
	w.bot.answer = func(n int) int { return []int{302, 200}[min(n, 2)-1] }
	w.says(w.user(simulator.UserSpec{}), "x")
	w.idle()
	require.Len(t, w.bot.deliveries(), 2)
}

func TestWebhookGivenUpAfterRetryFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := inBubble(t, simulator.Config{WebhookURL: "http://bot.invalid/webhook", WebhookTimeout: time.Second})
		u, err := sim.AddUser(simulator.UserSpec{})
		require.NoError(t, err)
		start := time.Now()
		id, err := sim.SendText(u.ID, "lost")
		require.NoError(t, err)
		require.NoError(t, sim.WaitIdle(t.Context()))
		require.InDelta(t, 7*24, time.Since(start).Hours(), 12)
		sim.View(func(v simulator.Snapshot) {
			m, _ := v.Message(id)
			require.Equal(t, simulator.StatusFailed, m.Status)
			require.Equal(t, 1, v.Counts().InboundDropped)
		})
		var waits []time.Duration
		var last int64
		for _, e := range sim.Log() {
			if e.Kind == simulator.LogWebhook {
				if last != 0 {
					waits = append(waits, time.Duration(e.At-last)*time.Millisecond)
				}
				last = e.At
			}
		}
		require.Equal(t, []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour}, waits[:5])
		require.Equal(t, 12*time.Hour, waits[len(waits)-1])
		require.NoError(t, sim.Close())
	})
}

// inBubble is a simulator whose webhooks cannot leave the process: its transport fails at once.
func inBubble(t *testing.T, cfg simulator.Config) *simulator.Simulator {
	t.Helper()
	sim, err := simulator.New(cfg)
	require.NoError(t, err)
	sim.SetTransport(roundTrip(func(*http.Request) (*http.Response, error) { return nil, fmt.Errorf("no bot here") }))
	require.NoError(t, sim.Start(t.Context()))
	return sim
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestFastRetriesGoOnWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := inBubble(t, simulator.Config{WebhookURL: "http://bot.invalid", RetrySchedule: simulator.FastRetries()})
		u, _ := sim.AddUser(simulator.UserSpec{})
		_, err := sim.SendText(u.ID, "x")
		require.NoError(t, err)
		time.Sleep(60 * time.Second) // instant in the bubble
		synctest.Wait()
		require.InDelta(t, 65, sim.Counts().WebhookTries, 2)
		require.Equal(t, 1, sim.Counts().Pending)
		require.NoError(t, sim.Close())
	})
}

func TestVerifyWebhook(t *testing.T) {
	w := newWorld(t, nil)
	require.NoError(t, w.VerifyWebhook(t.Context()))

	wrong := newWorld(t, func(c *simulator.Config) { c.VerifyToken = "other" })
	err := wrong.VerifyWebhook(t.Context())
	require.ErrorContains(t, err, "403")

	require.NoError(t, w.SetWebhookURL(w.url+"/")) // answers 200 with a page
	require.ErrorContains(t, w.VerifyWebhook(t.Context()), "challenge")
	require.NoError(t, w.SetWebhookURL("http://127.0.0.1:1/webhook"))
	err = w.VerifyWebhook(t.Context())
	require.Error(t, err)
	require.NotContains(t, err.Error(), "verify-me")
}

func TestRedeliverIsTheSamePost(t *testing.T) {
	w := newWorld(t, nil)
	u := w.user(simulator.UserSpec{})
	id := w.says(u, "again")
	w.idle()
	require.NoError(t, w.Redeliver(id))
	w.idle()
	got := w.bot.deliveries()
	require.Len(t, got, 2)
	require.Equal(t, string(got[0].body), string(got[1].body))
	require.Error(t, w.Redeliver("wamid.unknown"))
	require.Equal(t, 1, w.Counts().InboundDelivered)
}

func TestBatchHoldsSeveralUsersInOnePost(t *testing.T) {
	w := newWorld(t, nil)
	a, b := w.user(simulator.UserSpec{}), w.user(simulator.UserSpec{UsernameOnly: true})
	ids, err := w.SendBatch(
		simulator.Outgoing{User: a.ID, Content: simulator.Text("a1")},
		simulator.Outgoing{User: a.ID, Content: simulator.Text("a2")},
		simulator.Outgoing{User: b.ID, Content: simulator.Text("b1")},
		simulator.Outgoing{User: a.ID, Content: simulator.Text("a3")})
	require.NoError(t, err)
	require.Len(t, ids, 4)
	w.idle()
	got := w.bot.deliveries()
	require.Len(t, got, 1)
	require.Equal(t, []int{2, 1, 1}, got[0].perChange)
	require.Equal(t, []string{"a1", "a2", "b1", "a3"}, w.bot.texts())

	_, err = w.SendBatch(simulator.Outgoing{User: "u99", Content: simulator.Text("x")})
	require.ErrorIs(t, err, simulator.ErrUnknownUser)
	_, err = w.SendBatch()
	require.Error(t, err)
}

func TestCloseWaitsAndLeavesNothingRunning(t *testing.T) {
	for range 5 {
		b := newBot(t)
		release := make(chan struct{})
		b.answer = func(int) int { <-release; return 200 }
		sim, err := simulator.New(simulator.Config{AppSecret: secret, WebhookURL: b.URL})
		require.NoError(t, err)
		require.NoError(t, sim.Start(context.Background()))
		require.Error(t, sim.Start(context.Background()), "a second start")
		for range 20 {
			u, err := sim.AddUser(simulator.UserSpec{})
			require.NoError(t, err)
			_, err = sim.SendText(u.ID, "x")
			require.NoError(t, err)
		}
		require.NoError(t, sim.Close()) // deliveries hang in the bot; Close cancels them
		require.NoError(t, sim.Close())
		require.ErrorIs(t, sim.WaitIdle(context.Background()), simulator.ErrClosed)
		require.ErrorIs(t, sim.Start(context.Background()), simulator.ErrClosed)
		close(release)
		b.Close()
	}
	// Close has waited for every goroutine's last statement; the scheduler may still have to remove it.
	stack := func() string {
		buf := make([]byte, 1<<20)
		return string(buf[:runtime.Stack(buf, true)])
	}
	for range 10_000 {
		if !strings.Contains(stack(), "simulator.(*Simulator)") {
			return
		}
		runtime.Gosched()
	}
	t.Fatal("still running:\n" + stack())
}

func TestCloseWaitsForADeliveryThatIgnoresItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := simulator.New(simulator.Config{WebhookURL: "http://bot.invalid"})
		require.NoError(t, err)
		release := make(chan struct{})
		sim.SetTransport(roundTrip(func(*http.Request) (*http.Response, error) {
			<-release
			return nil, fmt.Errorf("too late")
		}))
		require.NoError(t, sim.Start(t.Context()))
		u, _ := sim.AddUser(simulator.UserSpec{})
		_, err = sim.SendText(u.ID, "x")
		require.NoError(t, err)
		synctest.Wait()
		closed := make(chan error, 1)
		go func() { closed <- sim.Close() }()
		synctest.Wait()
		require.Empty(t, closed)
		close(release)
		require.NoError(t, <-closed)
	})
}

func TestManyUsersAtOnce(t *testing.T) {
	w := newWorld(t, func(c *simulator.Config) { c.MaxInFlightWebhooks = 8 })
	const users, each = 40, 10
	start := make(chan struct{})
	errs := make(chan error, users)
	all := make([]simulator.User, users)
	for i := range all {
		all[i] = w.user(simulator.UserSpec{})
	}
	for _, u := range all {
		go func() {
			<-start
			var err error
			for n := range each {
				if _, e := w.SendText(u.ID, fmt.Sprintf("%s:%02d", u.ID, n)); e != nil {
					err = e
				}
			}
			errs <- err
		}()
	}
	close(start)
	for range users {
		require.NoError(t, <-errs)
	}
	w.idle()
	last := map[string]string{}
	for _, text := range w.bot.texts() {
		user, _, _ := strings.Cut(text, ":")
		require.Greater(t, text, last[user], "order within a user")
		last[user] = text
	}
	require.Equal(t, users*each, w.Counts().InboundDelivered)
}
