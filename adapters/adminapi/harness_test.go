package adminapi_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"whatsappnode/adapters/adminapi"
)

const (
	token = "an-admin-token-of-32-letters-0001"
	phone = "34600111222"
	write = "POST /v1/conversations/block"
	read  = "GET /v1/conversations/export"
)

// desk is an API whose calls note what they were asked for.
type desk struct {
	t       *testing.T
	url     string
	logs    *observer.ObservedLogs
	asked   []string // the patterns of the calls that were made
	request adminapi.Request
	answer  any
	err     error
	token   string
}

func open(t *testing.T) *desk {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	d := &desk{t: t, logs: logs, token: token, answer: map[string]string{"done": "yes"}}
	calls := map[string]adminapi.Call{}
	for _, pattern := range []string{write, read, "POST /v1/conversations/unblock"} {
		calls[pattern] = func(_ context.Context, req adminapi.Request) (any, error) {
			d.asked, d.request = append(d.asked, pattern), req
			return d.answer, d.err
		}
	}
	handlers, err := adminapi.New(adminapi.Options{
		Token: func() string { return d.token }, Calls: calls, Log: zap.New(core),
		Ref: func(adminapi.Request) string { return "ref" },
	})
	require.NoError(t, err)
	mux := http.NewServeMux()
	for pattern, h := range handlers {
		mux.Handle(pattern, h)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

// reply is what came back.
type reply struct {
	*http.Response
	body string
}

// send makes a request with the headers given, as name and value in turn.
func (d *desk) send(pattern, query string, body io.Reader, headers ...string) reply {
	d.t.Helper()
	method, path, _ := strings.Cut(pattern, " ")
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path+query, body)
	require.NoError(d.t, err)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(d.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(d.t, err)
	return reply{resp, string(text)}
}

// call is a request with the right token.
func (d *desk) call(pattern, body string) reply {
	d.t.Helper()
	return d.send(pattern, "", strings.NewReader(body), "Authorization", "Bearer "+token)
}

// refused checks that an answer is a problem of RFC 9457 that tells of nobody, and gives
// its title.
func (d *desk) refused(r reply, status int) string {
	d.t.Helper()
	require.Equal(d.t, status, r.StatusCode, r.body)
	require.Equal(d.t, "application/problem+json", r.Header.Get("Content-Type"))
	require.Equal(d.t, "nosniff", r.Header.Get("X-Content-Type-Options"))
	var problem struct {
		Type, Title string
		Status      int
	}
	require.NoError(d.t, json.Unmarshal([]byte(r.body), &problem))
	require.Equal(d.t, "about:blank", problem.Type)
	require.Equal(d.t, status, problem.Status)
	require.NotEmpty(d.t, problem.Title)
	d.tellsOfNobody(r.body)
	return problem.Title
}

// tellsOfNobody looks for the token and the person in a text and in everything logged.
func (d *desk) tellsOfNobody(text string) {
	d.t.Helper()
	for _, line := range d.logs.All() {
		fields, err := json.Marshal(line.ContextMap())
		require.NoError(d.t, err)
		text += "\n" + line.Message + " " + string(fields)
	}
	for _, never := range []string{token, phone, "600111222", "ES.4711", "marta"} {
		require.NotContains(d.t, strings.ToLower(text), strings.ToLower(never))
	}
}
