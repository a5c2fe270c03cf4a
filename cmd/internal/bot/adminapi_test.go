package bot_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"whatsappnode/adapters/fake"
	"whatsappnode/cmd/internal/bot"
	"whatsappnode/domain"
)

const (
	anasPhone  = "34600111222"
	adminToken = "unit-admin-token"
)

// office is the admin API on a store that knows Ana and Luis.
type office struct {
	t        *testing.T
	store    operated
	mux      *http.ServeMux
	patterns []string
	logs     *observer.ObservedLogs
	ana      domain.ConversationID
	luis     domain.ConversationID
}

// operated is a store in memory as the operator's calls want it.
type operated struct{ *fake.Store }

func (operated) Reseal(context.Context) (int, error) { return 0, errors.ErrUnsupported }
func (operated) Close() error                        { return nil }

func newOffice(t *testing.T) *office {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	o := &office{t: t, store: operated{fake.NewStore(fake.StoreOptions{})}, mux: http.NewServeMux(), logs: logs}
	known := func(id, user, phone string) domain.ConversationID {
		out, err := o.store.Admit(t.Context(), []domain.Message{{
			ID: domain.MessageID(id), Number: "100", From: domain.Contact{UserID: domain.UserID(user), Phone: domain.Phone(phone), Name: "marta"},
			SentAt: time.Now(), Content: domain.Text{Body: "words of " + id},
		}})
		require.NoError(t, err)
		return out[0].Conversation
	}
	o.ana, o.luis = known("wamid.1", "ES.1", anasPhone), known("wamid.2", "ES.2", "34600333444")
	handlers, err := bot.AdminAPI(adminToken, o.store, 2*time.Hour, zap.New(core))
	require.NoError(t, err)
	for pattern, h := range handlers {
		o.mux.Handle(pattern, h)
	}
	o.patterns = slices.Sorted(maps.Keys(handlers))
	return o
}

func (o *office) call(method, path, body, token string) *httptest.ResponseRecorder {
	o.t.Helper()
	req := httptest.NewRequestWithContext(o.t.Context(), method, "/v1/conversations/"+path, strings.NewReader(body))
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	o.mux.ServeHTTP(w, req)
	return w
}

// decides makes a call about Ana and returns what is in force then.
func (o *office) decides(path, more string) domain.Controls {
	o.t.Helper()
	w := o.call(http.MethodPost, path, `{"phone":"+34 600 111 222"`+more+`}`, adminToken)
	require.Equal(o.t, http.StatusOK, w.Code, w.Body)
	c, err := o.store.Controls(o.t.Context(), o.ana)
	require.NoError(o.t, err)
	var told []struct {
		Conversation domain.ConversationID
		Blocked      bool
		PausedBy     domain.PausedBy `json:"paused_by"`
	}
	require.NoError(o.t, json.Unmarshal(w.Body.Bytes(), &told))
	require.Len(o.t, told, 1)
	require.Equal(o.t, o.ana, told[0].Conversation)
	require.Equal(o.t, c.Blocked, told[0].Blocked)
	require.Equal(o.t, c.PausedBy, told[0].PausedBy)
	other, err := o.store.Controls(o.t.Context(), o.luis)
	require.NoError(o.t, err)
	require.Zero(o.t, other, "nobody else is concerned")
	return c
}

func TestAdminCallsDecide(t *testing.T) {
	o := newOffice(t)
	c := o.decides("pause", "")
	require.InDelta(t, 2*time.Hour, c.Paused, float64(time.Minute))
	require.Equal(t, domain.PausedByOrder, c.PausedBy)
	require.InDelta(t, 10*time.Hour, o.decides("pause", `,"for":"10h"`).Paused, float64(time.Minute))
	require.Zero(t, o.decides("resume", ""))
	require.Equal(t, domain.Controls{Blocked: true}, o.decides("block", ""))
	require.Zero(t, o.decides("unblock", ""))
}

func TestAdminCallsExportAndErase(t *testing.T) {
	o := newOffice(t)
	w := o.call(http.MethodGet, "export?phone="+anasPhone, "", adminToken)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.True(t, json.Valid(w.Body.Bytes()))
	require.Contains(t, w.Body.String(), "words of wamid.1")
	require.NotContains(t, w.Body.String(), "words of wamid.2")

	w = o.call(http.MethodPost, "erase", `{"user":"ES.1"}`, adminToken)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	found, err := o.store.Find(t.Context(), domain.Contact{Phone: anasPhone})
	require.NoError(t, err)
	require.Empty(t, found)
	found, err = o.store.Find(t.Context(), domain.Contact{UserID: "ES.2"})
	require.NoError(t, err)
	require.Len(t, found, 1)
}

// TestEveryAdminCallIsGuarded walks all calls there are, so that a new one is no
// exception.
func TestEveryAdminCallIsGuarded(t *testing.T) {
	o := newOffice(t)
	require.Len(t, o.patterns, 6)
	for _, pattern := range o.patterns {
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.TrimPrefix(path, "/v1/conversations/")
		ask := func(body, query, token string) (int, string) {
			if method == http.MethodGet {
				w := o.call(method, path+query, "", token)
				return w.Code, w.Body.String()
			}
			w := o.call(method, path, body, token)
			return w.Code, w.Body.String()
		}
		for _, c := range []struct {
			what, body, query, token string
			want                     int
		}{
			{"no token", `{"phone":"` + anasPhone + `"}`, "?phone=" + anasPhone, "", 401},
			{"a wrong token", `{"phone":"` + anasPhone + `"}`, "?phone=" + anasPhone, adminToken + "x", 401},
			{"nobody named", `{}`, "", adminToken, 400},
			{"two named", `{"phone":"` + anasPhone + `","user":"ES.1"}`, "?phone=" + anasPhone + "&user=ES.1", adminToken, 400},
			{"a name", `{"phone":"marta"}`, "?phone=marta", adminToken, 400},
			{"a phone as the user", `{"user":"` + anasPhone + `"}`, "?user=" + anasPhone, adminToken, 400},
			{"a user as the phone", `{"phone":"ES.1"}`, "?phone=ES.1", adminToken, 400},
		} {
			code, body := ask(c.body, c.query, c.token)
			require.Equal(t, c.want, code, "%s: %s: %s", pattern, c.what, body)
			o.tellsOfNobody(body)
		}
		// Of who never wrote there is nothing to erase and nothing to export, which is an
		// answer; a decision about them would be lost.
		code, body := ask(`{"phone":"34600999888"}`, "?phone=34600999888", adminToken)
		if path == "erase" || path == "export" {
			require.Equal(t, 200, code, "%s: %s", pattern, body)
		} else {
			require.Equal(t, 404, code, "%s: %s", pattern, body)
			require.NotContains(t, body, "34600999888")
		}
		code, body = ask(`{"conversation":"34600999888"}`, "?conversation=34600999888", adminToken)
		if path == "erase" || path == "export" { // which are about a person, not about one of their conversations
			require.Equal(t, 400, code, "%s: %s", pattern, body)
			require.Contains(t, body, "name the person")
		} else {
			require.Equal(t, 404, code, "%s: %s", pattern, body)
		}
		require.NotContains(t, body, "34600999888")

		o.store.Fail(errors.New("the disk of marta, " + anasPhone))
		code, body = ask(`{"phone":"`+anasPhone+`"}`, "?phone="+anasPhone, adminToken)
		o.store.Fail(nil)
		require.Equal(t, 503, code, "%s: %s", pattern, body)
		require.NotContains(t, body, anasPhone)
		require.NotContains(t, body, "marta")
	}
	for _, id := range []domain.ConversationID{o.ana, o.luis} {
		c, err := o.store.Controls(t.Context(), id)
		require.NoError(t, err)
		require.Zero(t, c, "nothing was decided, and nobody is gone")
	}
}

// tellsOfNobody looks for people in an answer and in all that was logged.
func (o *office) tellsOfNobody(body string) {
	o.t.Helper()
	for _, line := range o.logs.All() {
		if _, cause := line.ContextMap()["error"]; cause && line.ContextMap()["status"] == int64(http.StatusServiceUnavailable) {
			continue // what a store says is the store's to keep clean
		}
		fields, err := json.Marshal(line.ContextMap())
		require.NoError(o.t, err)
		body += "\n" + line.Message + " " + string(fields)
	}
	for _, never := range []string{adminToken, anasPhone, "ES.1", "marta", "wamid"} {
		require.NotContains(o.t, body, never)
	}
}
