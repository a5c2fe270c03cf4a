package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

// envelope is a webhook as Meta writes it, around one change.
func envelope(field, value string) string {
	return `{"object":"whatsapp_business_account","entry":[{"id":"109900112233445","changes":[{"value":` + value + `,"field":"` + field + `"}]}]}`
}

// from is the value of a change that holds messages of one user.
func from(u simulator.User, messages string) string {
	return fmt.Sprintf(`{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100200","phone_number_id":%q},`+
		`"contacts":[{"profile":{"name":%q},"wa_id":%q,"user_id":%q}],"messages":[%s]}`, numberID, u.Name, u.Phone, u.UserID, messages)
}

func text(u simulator.User, wamid, words string) string {
	return fmt.Sprintf(`{"from":%q,"from_user_id":%q,"id":%q,"timestamp":"%d","type":"text","text":{"body":%q}}`,
		u.Phone, u.UserID, wamid, time.Now().Unix(), words)
}

func TestTheThreeAnswers(t *testing.T) {
	t.Parallel()
	b := start(t)
	ana := b.user(t)
	ana.writes("the window is open")
	ana.hears("You said: the window is open")
	u := ana.card()

	one := envelope("messages", from(u, text(u, "wamid.ONE", "one")))
	first := b.postSigned(t, one)
	require.Equal(t, 200, first.code)
	require.Equal(t, `{"status":"accepted","message_id":"wamid.ONE"}`, first.body)
	require.Equal(t, "application/json", first.header.Get("Content-Type"))
	require.Equal(t, `{"status":"duplicate","message_id":"wamid.ONE"}`, b.postSigned(t, one).body)
	ana.hears("You said: one")
	require.Equal(t, `{"status":"duplicate","message_id":"wamid.ONE"}`, b.postSigned(t, one).body, "an answered message is still known")

	for name, value := range map[string]string{
		"statuses": fmt.Sprintf(`{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100200","phone_number_id":%q},`+
			`"statuses":[{"id":"wamid.UNKNOWN","status":"delivered","timestamp":"%d","recipient_id":%q}]}`, numberID, time.Now().Unix(), u.Phone),
		"errors": `{"messaging_product":"whatsapp","errors":[{"code":130429,"title":"Rate limit hit"}]}`,
		"empty":  `{"messaging_product":"whatsapp"}`,
	} {
		r := b.postSigned(t, envelope("messages", value))
		require.Equal(t, 200, r.code, name)
		require.Equal(t, `{"status":"ignored"}`, r.body, name)
	}
	ana.thatWasAll()
}

func TestDuplicateIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	b := start(t)
	ana := b.user(t)
	b.faults(func(f *simulator.Faults) { f.DuplicatePercent = 100 })
	wamid := ana.writes("hi")
	ana.hears("You said: hi")
	require.NoError(t, b.sim.Redeliver(wamid))
	b.idle()
	answers := b.webhookAnswers("messages", wamid)
	require.ElementsMatch(t, answers, []string{
		fmt.Sprintf(`{"status":"accepted","message_id":%q}`, wamid),
		fmt.Sprintf(`{"status":"duplicate","message_id":%q}`, wamid),
		fmt.Sprintf(`{"status":"duplicate","message_id":%q}`, wamid),
	})
	b.faults(noFaults)
	ana.thatWasAll()
	require.Len(t, b.events("dedup.hit"), 2)
}

// TestBatch: several messages of several users in one POST. What one user has
// waiting is answered together.
func TestBatch(t *testing.T) {
	t.Parallel()
	b := start(t)
	ana, luis, mara := b.user(t), b.user(t), b.user(t, simulator.UserSpec{UsernameOnly: true})
	known := mara.writes("before")
	mara.hears("You said: before")
	ids, err := b.sim.SendBatch(
		simulator.Outgoing{User: ana.id, Content: simulator.Text("one")},
		simulator.Outgoing{User: ana.id, Content: simulator.Text("two")},
		simulator.Outgoing{User: mara.id, Content: simulator.Text("before").WithID(known)},
		simulator.Outgoing{User: luis.id, Content: simulator.Text("three")},
		simulator.Outgoing{User: mara.id, Content: simulator.Text("four")},
		simulator.Outgoing{User: ana.id, Content: simulator.Text("five")},
	)
	require.NoError(t, err)
	ana.hears("You said: one. two. five")
	luis.hears("You said: three")
	mara.hears("You said: four")

	type told struct {
		Status  string `json:"status"`
		Message string `json:"message_id"`
	}
	var want []told
	for _, id := range ids {
		status := "accepted"
		if id == known {
			status = "duplicate"
		}
		want = append(want, told{status, id})
	}
	list, err := json.Marshal(want)
	require.NoError(t, err)
	b.idle()
	require.Equal(t, []string{`{"status":"accepted","messages":` + string(list) + `}`}, b.webhookAnswers("messages", ids[0]))
	for _, u := range []*user{ana, luis, mara} {
		u.thatWasAll()
	}
}

// TestStatusesAreNoMessages: they are told again and in any order, and move the
// turn only once.
func TestStatusesAreNoMessages(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.faults(func(f *simulator.Faults) {
		f.StatusReorder, f.AutoRead, f.AutoPlayed, f.DuplicatePercent, f.StatusDelayMS = true, true, true, 100, 5
	})
	ana := b.user(t)
	ana.writes("hi")
	note := ana.hears("You said: hi")
	b.wait(t, "the note is played", func(v simulator.Snapshot) bool {
		m, _ := v.Message(note.ID)
		return m.Status == simulator.StatusPlayed && v.Counts().Pending == 0
	})
	answers := b.webhookAnswers("statuses", "")
	require.Len(t, answers, 8, "four statuses, each twice")
	for _, a := range answers {
		require.Equal(t, `{"status":"ignored"}`, a)
	}
	b.faults(noFaults)
	ana.thatWasAll()
	for _, event := range []string{"reply.read", "reply.played"} {
		b.logs(event, 1)
		require.Len(t, b.events(event), 1, "what is told twice happened once")
	}
}

func TestFieldsNobodyKnows(t *testing.T) {
	t.Parallel()
	b := start(t)
	require.NoError(t, b.sim.SendChange("account_update", map[string]any{"event": "PARTNER_ADDED", "messages": []any{1}}))
	require.NoError(t, b.sim.SendChange("messages", map[string]any{"messaging_product": "whatsapp", "surprises": []string{"one"}}))
	require.NoError(t, b.sim.SendSystemErrors(131031, "Account has been locked."))
	b.idle()
	entries := b.entries(simulator.LogWebhook)
	require.Len(t, entries, 3, "none is told a second time")
	for _, e := range entries {
		require.Equal(t, 200, e.HTTPStatus)
		require.Equal(t, `{"status":"ignored"}`, e.Answer)
	}
	b.logs("webhook.request", 3)
	var setAside []any
	for _, l := range b.events("webhook.request") {
		list, _ := l["set_aside"].([]any)
		setAside = append(setAside, list...)
	}
	require.ElementsMatch(t, []any{"account_update:field", "messages:empty", "messages:error:131031"}, setAside, "the log names what was set aside")
}

func TestWhatIsNotFromMetaIsRefused(t *testing.T) {
	t.Parallel()
	b := start(t)
	ana := b.user(t)
	ana.writes("the window is open")
	ana.hears("You said: the window is open")
	u := ana.card()
	good := envelope("messages", from(u, text(u, "wamid.FORGED", "forged")))
	signed := simulator.Sign(appSecret, []byte(good))
	for name, signature := range map[string]string{
		"none": "", "of another key": simulator.Sign("another secret", []byte(good)), "of another body": simulator.Sign(appSecret, []byte(good+" ")),
		"sha1": "sha1=" + signed[len("sha256="):], "bare": signed[len("sha256="):], "upper-case prefix": "SHA256=" + signed[len("sha256="):],
		"cut": signed[:len(signed)-2], "not hex": "sha256=" + strings.Repeat("zz", 32),
	} {
		r := b.post(t, strings.NewReader(good), signature)
		require.Equal(t, 401, r.code, name)
		require.Equal(t, `{"error":"bad_signature"}`, r.body, name)
	}
	for name, body := range map[string]string{
		"nothing": "", "cut": good[:len(good)-1], "an array": "[]", "a number": "7", "no webhook": `{"hello":"world"}`, "nested": strings.Repeat("[", 1000),
	} {
		r := b.postSigned(t, body)
		require.Equal(t, 400, r.code, name)
		require.Equal(t, `{"error":"bad_json"}`, r.body, name)
	}
	ana.thatWasAll()
}

// TestRotatedSecret: while the app secret is exchanged, both are accepted.
func TestRotatedSecret(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"WHATSAPP_APP_SECRET": "the-next-secret," + appSecret})
	body := envelope("messages", `{"messaging_product":"whatsapp"}`)
	for _, secret := range []string{appSecret, "the-next-secret"} {
		require.Equal(t, 200, b.post(t, strings.NewReader(body), simulator.Sign(secret, []byte(body))).code)
	}
	for _, secret := range []string{"", ",", "the-next-secret," + appSecret} {
		require.Equal(t, 401, b.post(t, strings.NewReader(body), simulator.Sign(secret, []byte(body))).code)
	}
}

func TestBodySize(t *testing.T) {
	t.Parallel()
	const limit = 4 << 20
	b := start(t)
	ignored := envelope("messages", `{"messaging_product":"whatsapp"}`)
	padded := func(size int) []byte {
		return append([]byte(ignored), bytes.Repeat([]byte(" "), size-len(ignored))...)
	}
	for _, tt := range []struct {
		name string
		size int
		code int
		body string
	}{
		{"at the limit", limit, 200, `{"status":"ignored"}`},
		{"a byte more", limit + 1, 413, `{"error":"too_large"}`},
		{"5 MiB", 5 << 20, 413, `{"error":"too_large"}`},
	} {
		raw := padded(tt.size)
		signature := simulator.Sign(appSecret, raw)
		for name, body := range map[string]io.Reader{"plain": bytes.NewReader(raw), "chunked": struct{ io.Reader }{bytes.NewReader(raw)}} {
			r := b.post(t, body, signature)
			require.Equal(t, tt.code, r.code, "%s, %s", tt.name, name)
			require.Equal(t, tt.body, r.body, "%s, %s", tt.name, name)
		}
	}
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	b := start(t)
	require.NoError(t, b.sim.VerifyWebhook(t.Context()))
	hook := "http://" + b.addr + "/webhook"
	r := b.get(t, hook+"?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="+verifyToken)
	require.Equal(t, 200, r.code)
	require.Equal(t, "1158201444", r.body)
	for name, query := range map[string]string{
		"wrong token":  "?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=wrong",
		"no token":     "?hub.mode=subscribe&hub.challenge=1158201444",
		"no mode":      "?hub.challenge=1158201444&hub.verify_token=" + verifyToken,
		"other mode":   "?hub.mode=unsubscribe&hub.challenge=1158201444&hub.verify_token=" + verifyToken,
		"no challenge": "?hub.mode=subscribe&hub.verify_token=" + verifyToken,
		"nothing":      "",
	} {
		r := b.get(t, hook+query)
		require.Equal(t, 403, r.code, name)
		require.Equal(t, `{"error":"forbidden"}`, r.body, name)
	}
}

func TestOtherRequests(t *testing.T) {
	t.Parallel()
	b := start(t)
	for _, tt := range []struct {
		method, path string
		code         int
		body         string
	}{
		{"GET", "/live", 200, `{"status":"ok"}`},
		{"GET", "/startup", 200, `{"status":"ok"}`},
		{"GET", "/ready", 200, `{"status":"ok","checks":{"store":"ok","whatsapp":"ok"}}`},
		{"GET", "/", 404, `{"error":"not_found"}`},
		{"GET", "/debug/pprof/", 404, `{"error":"not_found"}`},
		{"PUT", "/webhook", 405, `{"error":"method_not_allowed"}`},
		{"OPTIONS", "/webhook", 405, `{"error":"method_not_allowed"}`},
		{"POST", "/live", 405, `{"error":"method_not_allowed"}`},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, "http://"+b.addr+tt.path, nil)
		require.NoError(t, err)
		r := b.do(t, req)
		require.Equal(t, tt.code, r.code, "%s %s", tt.method, tt.path)
		require.Equal(t, tt.body, r.body, "%s %s", tt.method, tt.path)
	}
}

// TestSlowClientIsDisconnected drips a header byte by byte. The limit is 5 s for
// all of it, however steadily it comes; meanwhile everybody else is served.
func TestSlowClientIsDisconnected(t *testing.T) {
	t.Parallel()
	b := start(t)
	conn, err := net.Dial("tcp", b.addr)
	require.NoError(t, err)
	defer conn.Close()
	header := "POST /webhook HTTP/1.1\r\nHost: bot\r\nX-Slow: " + strings.Repeat("a", 1<<10)
	served := 0
	for i := range header {
		if _, err := conn.Write([]byte{header[i]}); err != nil {
			break
		}
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
		_, err := io.Copy(io.Discard, conn)
		if err == nil {
			require.Positive(t, served)
			return // the other side has closed
		}
		var timeout net.Error
		if !(errors.As(err, &timeout) && timeout.Timeout()) {
			return // cut off
		}
		if b.get(t, "http://"+b.addr+"/live").code == 200 {
			served++
		}
	}
	t.Fatal("a client that dawdles for minutes is not disconnected")
}
