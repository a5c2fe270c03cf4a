package e2e_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

// The account both sides agree on.
const (
	numberID    = "106500000000001"
	accessToken = "e2e-access-token"
	appSecret   = "e2e-app-secret"
	verifyToken = "e2e-verify-token"
)

// account holds the credentials of a business number.
type account struct{ token, secret, verify string }

// bot is the program with a WhatsApp of its own around it.
type bot struct {
	t      *testing.T
	sim    *simulator.Simulator
	graph  *httptest.Server
	client *http.Client
	env    settings
	stdout *journal
	stderr *journal
	more   []*journal // of further processes
	run    *process
	addr   string // of the public listener

	unplugged bool
}

// start runs the program with fake vendors and the given settings, and returns
// when it takes requests. The test ends with no process and no listener left.
func start(t *testing.T, env ...settings) *bot {
	t.Helper()
	b := prepare(t, env...)
	b.restart()
	return b
}

// prepare makes everything around the program without starting it.
func prepare(t *testing.T, env ...settings) *bot {
	t.Helper()
	return prepareAs(t, account{accessToken, appSecret, verifyToken}, env...)
}

func prepareAs(t *testing.T, a account, env ...settings) *bot {
	t.Helper()
	sim, err := simulator.New(simulator.Config{
		PhoneNumberID: numberID, AccessToken: a.token, AppSecret: a.secret, VerifyToken: a.verify,
		RetrySchedule: simulator.FastRetries(), Seed: 1,
	})
	require.NoError(t, err)
	b := &bot{
		t: t, sim: sim, graph: httptest.NewServer(sim.Handler()),
		client: &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second},
		stdout: newJournal(), stderr: newJournal(),
	}
	t.Cleanup(b.close)
	require.NoError(t, sim.SetBaseURL(b.graph.URL))
	require.NoError(t, sim.Start(context.Background())) // Close ends it
	b.env = settings{
		"LISTEN_ADDR": freeAddress(t), "ADMIN_ADDR": "off", "STORE_PATH": filepath.Join(t.TempDir(), "bot.db"),
		"WHATSAPP_ACCESS_TOKEN": a.token, "WHATSAPP_APP_SECRET": a.secret, "WHATSAPP_VERIFY_TOKEN": a.verify,
		"WHATSAPP_PHONE_NUMBER_ID": numberID, "GRAPH_BASE_URL": b.graph.URL, "MEDIA_HOSTS": "127.0.0.1",
		"LLM_PROVIDER": "fake", "STT_PROVIDER": "fake", "TTS_PROVIDER": "fake", "LOG_LEVEL": "debug",
		// A test that is not about bursts wants an answer for each message, at once.
		"BURST_WINDOW": "0", "BURST_UNFINISHED": "0", "BURST_LIMIT": "0",
		// Nor is it about limits, unless it says so.
		"RATE_LIMIT_MESSAGES": "0", "LOOP_TURNS": "0",
		// The fake voice leaves its words in the clip, which is lost when clips are joined.
		"SPEAK_PARALLEL": "1",
	}.with(env...)
	return b
}

// close ends the world in the order in which nothing waits for something gone, and
// looks at what every run must have kept to.
func (b *bot) close() {
	b.kill()
	b.discreet()
	assert.NoError(b.t, b.sim.Close())
	b.graph.Close()
	b.client.CloseIdleConnections()
	_, broken, _ := b.stdout.lines()
	assert.Empty(b.t, broken, "every line of the log is a JSON object")
	assert.Empty(b.t, b.stderr.text(), "a program that runs prints nothing to stderr")
	if b.t.Failed() {
		log := b.stdout.text()
		b.t.Logf("the log ends with:\n%s", log[max(0, len(log)-6000):])
	}
}

// restart starts the program on the store it had, perhaps with other settings, and
// tells WhatsApp where it is.
func (b *bot) restart(env ...settings) {
	b.t.Helper()
	require.False(b.t, b.run != nil && b.run.running(), "the program runs already")
	b.env = b.env.with(env...)
	starts := len(b.events("started"))
	b.run = launch(b.t, b.env, b.stdout, b.stderr)
	b.until("the program starts", func(lines []line) bool { return count(lines, "started") > starts })
	all := b.events("started")
	b.addr = all[len(all)-1].str("addr")
	if !b.unplugged {
		b.plug()
	}
}

// unplug makes WhatsApp keep its webhooks for itself until plug.
func (b *bot) unplug() {
	b.t.Helper()
	b.unplugged = true
	require.NoError(b.t, b.sim.SetWebhookURL(""))
}

func (b *bot) plug() {
	b.t.Helper()
	b.unplugged = false
	require.NoError(b.t, b.sim.SetWebhookURL("http://"+b.addr+"/webhook"))
}

// kill ends the program with SIGKILL.
func (b *bot) kill() {
	if b.run != nil {
		b.run.kill()
	}
}

// stop ends the program with SIGTERM.
func (b *bot) stop() (code int, took time.Duration) {
	b.t.Helper()
	began := time.Now()
	b.run.terminate(b.t)
	code = b.run.wait(b.t)
	return code, time.Since(began)
}

var nextPort atomic.Int32

// freeAddress finds a port for a program that is to come back at the same address
// after a restart, as Meta knows only one. It is outside of the range the system
// hands out for ":0" and for outgoing connections, so nobody takes it meanwhile.
func freeAddress(t *testing.T) string {
	t.Helper()
	nextPort.CompareAndSwap(0, 20000+rand.Int32N(8000))
	for range 1000 {
		addr := fmt.Sprintf("127.0.0.1:%d", nextPort.Add(1))
		if l, err := net.Listen("tcp", addr); err == nil {
			require.NoError(t, l.Close())
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}

// faults turns switches of the simulated WhatsApp.
func (b *bot) faults(change func(f *simulator.Faults)) {
	b.t.Helper()
	f := b.sim.Faults()
	change(&f)
	require.NoError(b.t, b.sim.SetFaults(f))
}

func noFaults(f *simulator.Faults) { *f = simulator.DefaultFaults() }

// log is what the program has logged so far, in all its runs.
func (b *bot) log() []line { lines, _, _ := b.stdout.lines(); return lines }

// events are the lines of one event.
func (b *bot) events(name string) (found []line) {
	for _, l := range b.log() {
		if l.event() == name {
			found = append(found, l)
		}
	}
	return found
}

func count(lines []line, event string) (n int) {
	for _, l := range lines {
		if l.event() == event {
			n++
		}
	}
	return n
}

// until waits for the log.
func (b *bot) until(what string, cond func(lines []line) bool) {
	b.t.Helper()
	limit := time.After(patience)
	ended := b.run.ended
	for {
		lines, _, changed := b.stdout.lines()
		if cond(lines) {
			return
		}
		select {
		case <-changed:
		case <-ended:
			ended = nil // everything it printed is here: one more look
			if lines, _, _ = b.stdout.lines(); !cond(lines) {
				b.t.Fatalf("%s: the program has ended: %s", what, b.stderr.text())
			}
			return
		case <-limit:
			b.t.Fatal("waited in vain for: " + what)
		}
	}
}

// logs waits until an event was logged so many times.
func (b *bot) logs(event string, times int) {
	b.t.Helper()
	b.until(fmt.Sprintf("%d times %s in the log", times, event), func(lines []line) bool { return count(lines, event) >= times })
}

// wait returns when the simulated WhatsApp is in a certain state.
func (b *bot) wait(t *testing.T, what string, cond func(v simulator.Snapshot) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, b.sim.Wait(ctx, cond), "waited in vain for: %s", what)
}

// idle returns when everything WhatsApp had to tell was told.
func (b *bot) idle() {
	b.t.Helper()
	b.wait(b.t, "all webhooks are delivered", func(v simulator.Snapshot) bool { return v.Counts().Pending == 0 })
}

// entries are what the simulated WhatsApp logged of one kind.
func (b *bot) entries(kind string) (found []simulator.Entry) {
	for _, e := range b.sim.Log() {
		if e.Kind == kind {
			found = append(found, e)
		}
	}
	return found
}

// webhookAnswers are the bodies with which the program answered the webhooks that
// carried a message, or every webhook of a kind when id is empty.
func (b *bot) webhookAnswers(kind, id string) (answers []string) {
	for _, e := range b.entries(simulator.LogWebhook) {
		if e.Webhook == kind && (id == "" || strings.Contains(strings.Join(e.IDs, " "), id)) {
			answers = append(answers, e.Answer)
		}
	}
	return answers
}

// response is an HTTP answer, read to its end.
type response struct {
	code   int
	body   string
	header http.Header
}

func (b *bot) do(t *testing.T, req *http.Request) response {
	t.Helper()
	resp, err := b.client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return response{resp.StatusCode, string(body), resp.Header}
}

func (b *bot) get(t *testing.T, url string) response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	return b.do(t, req)
}

// post sends a body to the webhook under a signature of the caller's choice.
func (b *bot) post(t *testing.T, body io.Reader, signature string) response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+b.addr+"/webhook", body)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	if signature != "" {
		req.Header.Set("X-Hub-Signature-256", signature)
	}
	return b.do(t, req)
}

// postSigned sends a body as Meta would.
func (b *bot) postSigned(t *testing.T, body string) response {
	t.Helper()
	return b.post(t, strings.NewReader(body), simulator.Sign(appSecret, []byte(body)))
}

// serveAt answers the program's calls at one more address.
func (b *bot) serveAt(addr string) {
	b.t.Helper()
	l, err := net.Listen("tcp", addr)
	require.NoError(b.t, err)
	server := &http.Server{Handler: b.sim.Handler(), ReadHeaderTimeout: 5 * time.Second}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l) // until Close
	}()
	b.t.Cleanup(func() {
		_ = server.Close()
		<-served
	})
}
