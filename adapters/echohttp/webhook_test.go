package echohttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"whatsappnode/adapters/echohttp"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

func TestVerification(t *testing.T) {
	h := start(t)
	ask := func(mode, token, challenge string) reply {
		q := url.Values{"hub.mode": {mode}, "hub.verify_token": {token}, "hub.challenge": {challenge}}
		return h.do(http.MethodGet, "/webhook?"+q.Encode(), "")
	}
	t.Run("RightTokenEchoesTheChallenge", func(t *testing.T) {
		for _, challenge := range []string{"1158201444", "<script>alert(1)</script>", " +%20é\"", strings.Repeat("9", 256)} {
			r := ask("subscribe", verifyToken, challenge)
			assert.Equal(t, http.StatusOK, r.code)
			assert.Equal(t, challenge, r.body)
			assert.Equal(t, "text/plain; charset=UTF-8", r.header.Get("Content-Type"))
			assert.Equal(t, "nosniff", r.header.Get("X-Content-Type-Options"))
		}
	})
	for name, r := range map[string]reply{
		"WrongToken":       ask("subscribe", "wrong-token", "1"),
		"NoToken":          ask("subscribe", "", "1"),
		"WrongMode":        ask("unsubscribe", verifyToken, "1"),
		"NoChallenge":      ask("subscribe", verifyToken, ""),
		"ChallengeTooLong": ask("subscribe", verifyToken, strings.Repeat("9", 257)),
		"NoQuery":          h.do(http.MethodGet, "/webhook", ""),
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, http.StatusForbidden, r.code)
			assert.Equal(t, `{"error":"forbidden"}`, r.body)
		})
	}
	assert.EqualValues(t, 6, h.server.Counters().Forbidden)
	assert.NotContains(t, h.logText(), "-token", "the token must not reach the log")
}

func TestAnswers(t *testing.T) {
	h := start(t)
	for _, step := range []struct{ name, body, want string }{
		{"OneNew", `{"messages":["wamid.A="]}`, `{"status":"accepted","message_id":"wamid.A="}`},
		{"SeenBefore", `{"messages":["wamid.A="]}`, `{"status":"duplicate","message_id":"wamid.A="}`},
		{"StatusesOnly", `{"statuses":3}`, `{"status":"ignored"}`},
		{"OtherEvents", `{"others":1}`, `{"status":"ignored"}`},
		{"Nothing", `{}`, `{"status":"ignored"}`},
		{
			"SomeNew", `{"messages":["wamid.A=","wamid.B=","wamid.B="]}`,
			`{"status":"accepted","messages":[{"status":"duplicate","message_id":"wamid.A="},{"status":"accepted","message_id":"wamid.B="},{"status":"duplicate","message_id":"wamid.B="}]}`,
		},
		{
			"AllSeen", `{"messages":["wamid.B=","wamid.A="]}`,
			`{"status":"duplicate","messages":[{"status":"duplicate","message_id":"wamid.B="},{"status":"duplicate","message_id":"wamid.A="}]}`,
		},
	} {
		r := h.post(step.body)
		assert.Equal(t, http.StatusOK, r.code, step.name)
		assert.Equal(t, step.want, r.body, step.name)
		assert.Equal(t, "application/json", r.header.Get("Content-Type"), step.name)
		assert.NotEmpty(t, r.header.Get("X-Request-Id"), step.name)
	}
	s := h.server.Counters()
	assert.Equal(t, echohttp.Snapshot{New: 2, Seen: 5, Ignored: 3, Others: 1}, s)
}

func TestSignatureComesFirst(t *testing.T) {
	h := start(t)
	h.intake.receive = func(context.Context, domain.Envelope) (ports.Receipt, error) {
		t.Error("an unverified body was stored")
		return ports.Receipt{}, nil
	}
	good := `{"messages":["wamid.A"]}`
	for name, c := range map[string]struct{ body, signature string }{
		"Missing":           {good, ""},
		"Short":             {good, sign([]byte(good))[:40]},
		"Wrong":             {good, sign([]byte(good + " "))},
		"OfAnotherBody":     {good, sign([]byte(`{}`))},
		"WrongAndBadJSON":   {`{"messages":`, "sha256=" + strings.Repeat("0", 64)},
		"MissingAndBadJSON": {`}`, ""},
	} {
		r := h.do(http.MethodPost, "/webhook", c.body, "X-Hub-Signature-256", c.signature)
		assert.Equal(t, http.StatusUnauthorized, r.code, name)
		assert.Equal(t, `{"error":"bad_signature"}`, r.body, name)
	}
	assert.EqualValues(t, 6, h.server.Counters().BadSignature)
	assert.NotContains(t, h.logText(), "wamid.A")
}

func TestForgedJSON(t *testing.T) {
	h := start(t)
	for _, body := range []string{`{"messages":`, `[]`, `"marker"`, `{"messages":"marker"}`, ``} {
		r := h.post(body)
		assert.Equal(t, http.StatusBadRequest, r.code, body)
		assert.Equal(t, `{"error":"bad_json"}`, r.body, body)
	}
	assert.EqualValues(t, 5, h.server.Counters().BadJSON)
	assert.NotContains(t, h.logText(), "marker")
}

func TestStoreDown(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"Transient":    {&ports.Error{Op: "store.admit", Kind: ports.KindTransient}, "5"},
		"AsksForAWait": {&ports.Error{Op: "store.admit", Kind: ports.KindRateLimited, RetryAfter: 2500 * time.Millisecond}, "3"},
		"AsksTooMuch":  {&ports.Error{Op: "store.admit", Kind: ports.KindRateLimited, RetryAfter: time.Hour}, "60"},
		"Foreign":      {errors.New("marker of a foreign error"), "5"},
	} {
		t.Run(name, func(t *testing.T) {
			h := start(t)
			h.intake.receive = func(context.Context, domain.Envelope) (ports.Receipt, error) { return ports.Receipt{}, c.err }
			r := h.post(`{"messages":["wamid.A"]}`)
			assert.Equal(t, http.StatusServiceUnavailable, r.code)
			assert.Equal(t, `{"error":"unavailable"}`, r.body)
			assert.Equal(t, c.want, r.header.Get("Retry-After"))
			assert.EqualValues(t, 1, h.server.Counters().Unavailable)
			assert.NotContains(t, h.logText(), "marker")
			line := h.logs.FilterMessage("webhook.rejected").All()
			require.Len(t, line, 1)
			assert.Equal(t, zapcore.ErrorLevel, line[0].Level)
		})
	}
	t.Run("TooSlow", func(t *testing.T) {
		h := start(t, limits(echohttp.Limits{IntakeTimeout: time.Millisecond}))
		h.intake.receive = func(ctx context.Context, _ domain.Envelope) (ports.Receipt, error) {
			<-ctx.Done()
			return ports.Receipt{}, ports.FromContext(ctx, "store.admit")
		}
		assert.Equal(t, http.StatusServiceUnavailable, h.post(`{"messages":["wamid.A"]}`).code)
	})
}

func TestPanicIsAnsweredAndLogged(t *testing.T) {
	h := start(t)
	h.intake.receive = func(context.Context, domain.Envelope) (ports.Receipt, error) { panic("marker of a person") }
	r := h.post(`{"messages":["wamid.A"]}`)
	assert.Equal(t, http.StatusInternalServerError, r.code)
	assert.Equal(t, `{"error":"internal"}`, r.body)
	assert.EqualValues(t, 1, h.server.Counters().Panics)
	lines := h.logs.FilterMessage("panic in a request").All()
	require.Len(t, lines, 1)
	stack := fmt.Sprint(lines[0].ContextMap()["stack_trace"])
	assert.Contains(t, stack, "goroutine ")
	assert.Contains(t, stack, "TestPanicIsAnsweredAndLogged")
	assert.NotContains(t, h.logText(), "marker")

	h.intake.receive = remembering()
	assert.Equal(t, http.StatusOK, h.post(`{"messages":["wamid.A"]}`).code, "the server lives on")
}

func TestOtherMethodsAndPaths(t *testing.T) {
	h := start(t)
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions} {
		r := h.do(method, "/webhook", "")
		assert.Equal(t, http.StatusMethodNotAllowed, r.code, method)
		for _, allowed := range []string{"GET", "POST"} {
			assert.Contains(t, r.header.Get("Allow"), allowed, method)
		}
		if method != http.MethodHead {
			assert.Equal(t, `{"error":"method_not_allowed"}`, r.body, method)
		}
	}
	assert.Equal(t, http.StatusMethodNotAllowed, h.do(http.MethodPost, "/live", "").code)
	assert.Equal(t, http.StatusMethodNotAllowed, h.do(http.MethodOptions, "/ready", "").code)
	for _, path := range []string{"/", "/webhook/", "/webhook/x", "/healthz", "/debug/pprof/", "/metrics", "/../etc/passwd"} {
		r := h.do(http.MethodGet, path, "")
		assert.Equal(t, http.StatusNotFound, r.code, path)
		assert.Equal(t, `{"error":"not_found"}`, r.body, path)
	}
	assert.Equal(t, http.StatusForbidden, h.do(http.MethodGet, "/%77ebhook", "").code, "an encoded path is the same path")
}

func TestAccessLog(t *testing.T) {
	h := start(t)
	body := `{"messages":["wamid.A"],"statuses":2}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/webhook?marker=1", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("X-Hub-Signature-256", sign([]byte(body)))
	req.Header.Set("User-Agent", strings.Repeat("u", 1000))
	req.Header.Set("X-Forwarded-For", "203.0.113.9")
	r := h.send(req)
	h.do(http.MethodGet, "/live", "")

	lines := h.logs.FilterMessage("webhook.request").All()
	require.Len(t, lines, 1, "one line a webhook request, none for probes")
	got := lines[0].ContextMap()
	assert.Equal(t, r.header.Get("X-Request-Id"), got["request_id"])
	assert.Equal(t, "accepted", got["outcome"])
	assert.EqualValues(t, 1, got["messages"])
	assert.EqualValues(t, 2, got["statuses"])
	call := got["httpRequest"].(map[string]any)
	assert.Regexp(t, `^\d+\.\d{6}s$`, call["latency"])
	delete(call, "latency")
	assert.Equal(t, map[string]any{
		"requestMethod": "POST", "requestUrl": "/webhook", "status": 200, "requestSize": "37", "responseSize": fmt.Sprint(len(r.body)),
		"protocol": "HTTP/1.1", "userAgent": strings.Repeat("u", 128),
	}, call)
	for _, secret := range []string{"marker", "203.0.113.9", "127.0.0.1", "wamid.A"} {
		assert.NotContains(t, h.logText(), secret)
	}
}

func TestHTTP2WithoutTLS(t *testing.T) {
	h := start(t)
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &p}
	defer transport.CloseIdleConnections()
	body := `{"messages":["wamid.A"]}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/webhook", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("X-Hub-Signature-256", sign([]byte(body)))
	res, err := (&http.Client{Transport: transport}).Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.Equal(t, 2, res.ProtoMajor)
	assert.Equal(t, `{"status":"accepted","message_id":"wamid.A"}`, string(b))
}
