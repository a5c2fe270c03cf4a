package whatsapp_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/whatsapp"
	"whatsappnode/ports"
)

// appServer answers the two calls in turn, and keeps what was asked.
func appServer(t *testing.T, app, subscriptions string) (*whatsapp.Messenger, *[]recorded) {
	t.Helper()
	var all []recorded
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all = append(all, recorded{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Content-Type"), r.Header.Get("Authorization")})
		w.Header().Set("Content-Type", "application/json")
		if len(all) == 1 {
			_, _ = io.WriteString(w, app)
			return
		}
		_, _ = io.WriteString(w, subscriptions)
	}))
	t.Cleanup(web.Close)
	return messengerAt(t, web.URL, testToken), &all
}

func TestWebhookFieldsAreAskedOfTheApp(t *testing.T) {
	m, asked := appServer(t, `{"id":"2200"}`, `{"data":[
		{"object":"page","active":true,"fields":[{"name":"feed","version":"v26.0"}]},
		{"object":"whatsapp_business_account","callback_url":"https://bot.example/webhook","active":true,
		 "fields":[{"name":"messages","version":"v26.0"},{"name":"smb_message_echoes","version":"v26.0"}]}]}`)
	fields, err := m.WebhookFields(t.Context(), "app-secret")
	require.NoError(t, err)
	require.Equal(t, []string{whatsapp.FieldMessages, whatsapp.FieldAppEchoes}, fields)
	require.Equal(t, []recorded{
		{"GET", "/v26.0/app", "fields=id", "", "Bearer " + testToken},
		{"GET", "/v26.0/2200/subscriptions", "", "", "Bearer 2200|app-secret"},
	}, *asked)
}

func TestWebhookFieldsOfOlderAnswers(t *testing.T) {
	m, _ := appServer(t, `{"id":"2200"}`, `{"data":[{"object":"whatsapp_business_account","fields":["messages",7,{"name":"message_echoes"}]}]}`)
	fields, err := m.WebhookFields(t.Context(), "app-secret")
	require.NoError(t, err)
	require.Equal(t, []string{"messages", "", "message_echoes"}, fields)
}

func TestSubscriptionThatIsOffIsNone(t *testing.T) {
	m, _ := appServer(t, `{"id":"2200"}`, `{"data":[{"object":"whatsapp_business_account","active":false,"fields":[{"name":"messages"}]}]}`)
	fields, err := m.WebhookFields(t.Context(), "app-secret")
	require.NoError(t, err)
	require.Empty(t, fields)
}

func TestWebhookFieldsFailures(t *testing.T) {
	denied := `{"error":{"message":"Invalid OAuth access token signature","type":"OAuthException","code":190,"fbtrace_id":"Ab1"}}`
	for name, c := range map[string]struct {
		app, subscriptions string
		kind               ports.Kind
		calls              int
	}{
		"the token is refused":    {denied, "", ports.KindDenied, 1},
		"the secret is another's": {`{"id":"2200"}`, denied, ports.KindDenied, 2},
		"no app id":               {`{"id":"2200/../me"}`, "", ports.KindTransient, 1},
		"something else answers":  {`{"id":"2200"}`, "<html>", ports.KindTransient, 2},
	} {
		t.Run(name, func(t *testing.T) {
			m, asked := appServer(t, c.app, c.subscriptions)
			_, err := m.WebhookFields(t.Context(), "app-secret")
			require.Equal(t, c.kind, ports.KindOf(err))
			require.NotContains(t, err.Error(), "app-secret")
			require.Len(t, *asked, c.calls)
		})
	}
}
