package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/test/simulator"
)

// The second number, of another Meta app.
const (
	ordersID     = "106500000000002"
	ordersToken  = "e2e-orders-token"
	ordersSecret = "e2e-orders-secret"
)

// twoAgents are a help line that speaks Spanish and an order line that writes English.
const twoAgents = `
agents:
  - phone_number_id: "` + numberID + `"
    name: Support
    access_token_from: SUPPORT_TOKEN
    app_secret_from: SUPPORT_SECRET
    verify_token_from: SHARED_VERIFY
    languages: [es]
    reply_mode: voice
    fallback_message: Ahora no puedo.
    limits: {burst_window: 1s, burst_limit: 20s}
  - phone_number_id: "` + ordersID + `"
    name: Orders
    access_token_from: ORDERS_TOKEN
    app_secret_from: ORDERS_SECRET
    verify_token_from: SHARED_VERIFY
    languages: [en]
    vendors: {llm: [offline]}
    reply_mode: text
    limits: {turn_timeout: 30s}
`

// office is one process that answers at two numbers of two apps. Each number has a
// WhatsApp of its own; both are behind one address, as Meta's is, which tells them
// apart by the token of a call.
type office struct {
	support, orders *bot
	mu              sync.Mutex
	calls           []call
}

// call is one request to the Graph API.
type call struct{ token, method, path string }

// newOffice starts it with an agents file.
func newOffice(t *testing.T, agents string, env ...settings) *office {
	t.Helper()
	o := &office{}
	o.support = prepareAs(t, account{accessToken, appSecret, verifyToken})
	o.orders = o.second(t)
	front := httptest.NewServer(http.HandlerFunc(o.route))
	t.Cleanup(front.Close)
	for _, b := range []*bot{o.support, o.orders} {
		require.NoError(t, b.sim.SetBaseURL(front.URL))
	}
	file := filepath.Join(t.TempDir(), "agents.yaml")
	require.NoError(t, os.WriteFile(file, []byte(agents), 0o600))
	alone := settings{
		"WHATSAPP_ACCESS_TOKEN": "", "WHATSAPP_APP_SECRET": "", "WHATSAPP_VERIFY_TOKEN": "", "WHATSAPP_PHONE_NUMBER_ID": "",
		"AGENTS_FILE": file, "GRAPH_BASE_URL": front.URL, "SHARED_VERIFY": verifyToken,
		"SUPPORT_TOKEN": accessToken, "SUPPORT_SECRET": appSecret, "ORDERS_TOKEN": ordersToken, "ORDERS_SECRET": ordersSecret,
	}
	o.support.restart(append([]settings{alone}, env...)...)
	o.orders.run, o.orders.addr = o.support.run, o.support.addr
	o.orders.plug()
	return o
}

// second makes the WhatsApp of the other number around the same program.
func (o *office) second(t *testing.T) *bot {
	t.Helper()
	sim, err := simulator.New(simulator.Config{
		PhoneNumberID: ordersID, DisplayPhone: "15550100300", AccessToken: ordersToken, AppSecret: ordersSecret, VerifyToken: verifyToken,
		RetrySchedule: simulator.FastRetries(), Seed: 2,
	})
	require.NoError(t, err)
	b := &bot{
		t: t, sim: sim, graph: httptest.NewServer(sim.Handler()), client: o.support.client,
		stdout: o.support.stdout, stderr: o.support.stderr,
	}
	t.Cleanup(func() {
		o.support.kill()
		assert.NoError(t, sim.Close())
		b.graph.Close()
	})
	require.NoError(t, sim.Start(context.Background())) // Close ends it
	return b
}

func (o *office) route(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	o.mu.Lock()
	o.calls = append(o.calls, call{token, r.Method, r.URL.Path})
	o.mu.Unlock()
	if token == ordersToken {
		o.orders.sim.Handler().ServeHTTP(w, r)
		return
	}
	o.support.sim.Handler().ServeHTTP(w, r) // which refuses a token it does not know
}

// made are the calls with a token whose path holds a word.
func (o *office) made(token, word string) (found []call) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range o.calls {
		if c.token == token && strings.Contains(c.path, word) {
			found = append(found, c)
		}
	}
	return found
}

// TestTwoNumbersTwoCharacters: one person writes and speaks to both numbers of one
// process.
func TestTwoNumbersTwoCharacters(t *testing.T) {
	t.Parallel()
	o := newOffice(t, twoAgents)
	spec := simulator.UserSpec{Name: "Ana", Phone: "34600111222", UserID: "ES.13490000000000000001"}
	there, here := o.support.user(t, spec), o.orders.user(t, spec)

	there.writes("one")
	there.writes("two")
	there.hears("You said: one. two")
	here.writes("three")
	require.Contains(t, here.gets().Text, "This is a demo without a language model. You said: three.")

	there.speaks(recording(t, "how late are you open?"))
	there.hears("You said: how late are you open?")
	here.speaks(recording(t, "two boxes"))
	require.Contains(t, here.gets().Text, "You said: two boxes.")

	for token, id := range map[string]string{accessToken: numberID, ordersToken: ordersID} {
		other := map[string]string{numberID: ordersID, ordersID: numberID}[id]
		require.NotEmpty(t, o.made(token, "/"+id+"/messages"))
		require.Empty(t, o.made(token, "/"+other+"/"), "a token goes to its own number only")
	}
	require.NotEmpty(t, o.made(accessToken, "/"+numberID+"/media"), "the voice note was uploaded at its number")
	require.Equal(t, 1, o.support.sim.Counts().Downloads)
	require.Equal(t, 1, o.orders.sim.Counts().Downloads)

	started := o.support.events("agent")
	require.Len(t, started, 2)
	require.Equal(t, []string{"Support", "Orders"}, []string{started[0].str("agent"), started[1].str("agent")})
	require.Equal(t, []string{"fake", "offline"}, []string{started[0].str("llm"), started[1].str("llm")})
	there.thatWasAll()
}

// TestSilenceIsAskedInTheirLanguage: each number asks to repeat in its own language,
// in text, and a burst with one good message uses that.
func TestSilenceIsAskedInTheirLanguage(t *testing.T) {
	t.Parallel()
	o := newOffice(t, twoAgents)
	there, here := o.support.user(t), o.orders.user(t)
	silence, err := fake.Clip("", 2*time.Second)
	require.NoError(t, err)

	there.speaks(silence.Bytes())
	there.reads("Perdona, no he entendido tu mensaje de voz. ¿Puedes repetirlo o escribirlo?")
	here.speaks(silence.Bytes())
	here.reads("Sorry, I couldn't make out your voice message. Could you say it again, or write it?")

	there.speaks(silence.Bytes())
	there.writes("¿a qué hora abren?")
	there.hears("You said: ¿a qué hora abren?")
	there.thatWasAll()
}

// TestNumbersApologiseInTheirWords.
func TestNumbersApologiseInTheirWords(t *testing.T) {
	t.Parallel()
	o := newOffice(t, strings.ReplaceAll(twoAgents, "vendors: {llm: [offline]}", ""), settings{"FAKE_KNOBS": "error=transient"})
	there, here := o.support.user(t), o.orders.user(t)
	there.writes("hi")
	there.reads("Ahora no puedo.")
	here.writes("hi")
	here.reads(fallback)
}

// postAs sends a body signed with an app's secret.
func (o *office) postAs(t *testing.T, secret, body string) response {
	t.Helper()
	return o.support.post(t, strings.NewReader(body), simulator.Sign(secret, []byte(body)))
}

// atNumber rewrites a webhook for another business number.
func atNumber(id, body string) string {
	return strings.ReplaceAll(body, `"phone_number_id":"`+numberID+`"`, `"phone_number_id":"`+id+`"`)
}

// setsAside waits until the log gives these reasons for what was not taken, and no
// others. A request is logged after it was answered.
func (o *office) setsAside(want ...string) {
	o.support.t.Helper()
	o.support.until(fmt.Sprintf("%v in the log", want), func(lines []line) bool {
		var reasons []string
		for _, l := range lines {
			aside, _ := l["set_aside"].([]any)
			for _, a := range aside {
				reasons = append(reasons, fmt.Sprint(a))
			}
		}
		return slices.Equal(reasons, want)
	})
}

// TestAppCannotSpeakForAnothersNumber: what is signed with the wrong app's secret is
// answered with 200 and set aside, and does not stand in the way of the real message.
func TestAppCannotSpeakForAnothersNumber(t *testing.T) {
	t.Parallel()
	o := newOffice(t, twoAgents)
	there, here := o.support.user(t), o.orders.user(t)
	there.writes("the window is open")
	note := there.hears("You said: the window is open")
	here.writes("the window is open")
	here.gets()
	u := there.card()

	forged := envelope("messages", from(u, text(u, "wamid.FORGED", "forged")))
	r := o.postAs(t, ordersSecret, forged)
	require.Equal(t, 200, r.code)
	require.Equal(t, `{"status":"ignored"}`, r.body)
	o.setsAside("messages:foreign_number")
	require.Equal(t, `{"status":"accepted","message_id":"wamid.FORGED"}`, o.postAs(t, appSecret, forged).body, "the id was not used up")
	there.hears("You said: forged")

	failed := envelope("messages", fmt.Sprintf(`{"messaging_product":"whatsapp","metadata":{"phone_number_id":%q},"statuses":[{"id":%q,"status":"failed",`+
		`"timestamp":"%d","recipient_id":%q,"errors":[{"code":131053}],"biz_opaque_callback_data":%q}]}`, numberID, note.ID, time.Now().Unix(), u.Phone, note.CallbackData))
	require.Equal(t, 200, o.postAs(t, ordersSecret, failed).code)
	require.Equal(t, 200, o.postAs(t, ordersSecret, atNumber(ordersID, failed)).code, "nor by its own number")
	require.Equal(t, 401, o.postAs(t, "another-secret", failed).code)
	o.setsAside("messages:foreign_number", "messages:foreign_number")
	there.thatWasAll()
}

// TestNumberThatIsNotInTheFile: its messages are acknowledged, named in the log, and
// not answered.
func TestNumberThatIsNotInTheFile(t *testing.T) {
	t.Parallel()
	o := newOffice(t, twoAgents)
	there := o.support.user(t)
	there.writes("the window is open")
	there.hears("You said: the window is open")
	u := there.card()
	stray := atNumber("106500000000009", envelope("messages", from(u, text(u, "wamid.STRAY", "stray"))))
	r := o.postAs(t, appSecret, stray)
	require.Equal(t, 200, r.code)
	require.Equal(t, `{"status":"ignored"}`, r.body)
	o.setsAside("messages:unknown_number")
	there.thatWasAll()
	require.Empty(t, o.made(accessToken, "106500000000009"))
}

// TestTokenOfOneNumberIsRefused: the other goes on, the process stays in service,
// and the log names the agent.
func TestTokenOfOneNumberIsRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t, twoAgents, settings{"SUPPORT_TOKEN": "a-token-that-expired"})
	there, here := o.support.user(t), o.orders.user(t)
	there.writes("hi")
	o.support.logs("turn.deferred", 1)
	here.writes("hi")
	require.Contains(t, here.gets().Text, "You said: hi.")
	require.Equal(t, 200, o.support.get(t, "http://"+o.support.addr+"/ready").code)
	o.support.logs("access token refused", 1)
	require.Equal(t, "Support", o.support.events("access token refused")[0].str("agent"))
	require.Empty(t, o.support.sim.Outbound(there.id))
}

// TestNumberIsTakenOutOfTheFile: what waits for it is dropped with a reason.
func TestNumberIsTakenOutOfTheFile(t *testing.T) {
	t.Parallel()
	o := newOffice(t, strings.ReplaceAll(twoAgents, "burst_window: 1s", "burst_window: 30s"))
	there := o.support.user(t)
	wamid := there.writes("hi")
	o.support.idle()
	require.Equal(t, []string{fmt.Sprintf(`{"status":"accepted","message_id":%q}`, wamid)}, o.support.webhookAnswers("messages", wamid))
	code, _ := o.support.stop()
	require.Zero(t, code)
	_, rest, _ := strings.Cut(twoAgents, "  - phone_number_id: \""+ordersID)
	require.NoError(t, os.WriteFile(o.support.env["AGENTS_FILE"], []byte("agents:\n  - phone_number_id: \""+ordersID+rest), 0o600))
	o.support.restart()
	o.support.logs("turn.dropped", 1)
	require.Equal(t, "unknown_number", o.support.events("turn.dropped")[0].str("reason"))
	require.Empty(t, o.support.sim.Outbound(there.id))
}

// TestAgentsFileWithFaults: the process does not start and lists all of them, with
// those of the environment.
func TestAgentsFileWithFaults(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "agents.yaml")
	require.NoError(t, os.WriteFile(file, []byte("agents:\n  - phone_number_id: sesame\n    reply_mode: sesame\n    limits: {turn_timeout: 5}\n    app_secret_from: sesame\n"), 0o600))
	out := invoke(t, settings{"AGENTS_FILE": file, "WORKERS": "0", "LLM_PROVIDER": "nobody"})
	require.Equal(t, exitSettings, out.code)
	for _, want := range []string{
		"WORKERS", "AGENTS_FILE line 2: phone_number_id", "AGENTS_FILE line 3: reply_mode", "AGENTS_FILE line 4: limits.turn_timeout",
		"AGENTS_FILE line 5: app_secret_from", "WHATSAPP_ACCESS_TOKEN is not set", "nobody",
	} {
		require.Contains(t, out.stderr, want)
	}
	require.NotContains(t, out.stderr, "sesame")
	require.Empty(t, out.stdout)
}

// TestSpeechInAnotherLanguage: the offline ear hears English only, so
// with Spanish alone on the list it is asked for what it cannot do.
func TestSpeechInAnotherLanguage(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"STT_PROVIDER": "offline", "LANGUAGES": "es", "TURN_TIMEOUT": "5m"})
	ana := b.user(t)
	ana.speaks(spoken(t, "hello can you help me please"))
	ana.reads("Perdona, no he entendido tu mensaje de voz. ¿Puedes repetirlo o escribirlo?")
	ana.writes("hola")
	ana.hears("You said: hola")
	ana.thatWasAll()
}
