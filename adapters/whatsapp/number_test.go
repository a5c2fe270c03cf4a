package whatsapp_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/whatsapp"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/test/simulator"
)

// numberServer answers every call in one way and keeps the last request.
func numberServer(t *testing.T, status int, body string) (*whatsapp.Messenger, *recorded) {
	t.Helper()
	last := &recorded{}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*last = recorded{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Content-Type"), r.Header.Get("Authorization")}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(web.Close)
	return messengerAt(t, web.URL, testToken), last
}

func messengerAt(t *testing.T, base, token string) *whatsapp.Messenger {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	m, err := whatsapp.New(whatsapp.Config{AccessToken: func() string { return token }, BaseURL: base}, &http.Client{Transport: transport})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, m.Close()) })
	return m
}

func TestLookUpAsksForTheNumber(t *testing.T) {
	m, last := numberServer(t, 200, `{"display_phone_number":"+1 555-010-0200","quality_rating":"GREEN","code_verification_status":"EXPIRED",
		"platform_type":"CLOUD_API","throughput":{"level":"STANDARD"},"is_on_biz_app":true,"id":"106500000000001","something":"new"}`)
	n, err := m.LookUp(t.Context(), "106500000000001")
	require.NoError(t, err)
	require.Equal(t, whatsapp.Number{
		ID: "106500000000001", Display: "+1 555-010-0200", Quality: "GREEN", Verification: "EXPIRED", Platform: "CLOUD_API", Throughput: "STANDARD", OnBizApp: true,
	}, n)
	require.Equal(t, recorded{
		"GET", "/v26.0/106500000000001", "fields=id%2Cdisplay_phone_number%2Cquality_rating%2Ccode_verification_status%2Cplatform_type%2Cthroughput%2Cis_on_biz_app",
		"", "Bearer " + testToken,
	}, *last)
	require.NoError(t, m.Healthy())
}

func TestLookUpTakesFewFields(t *testing.T) {
	m, _ := numberServer(t, 200, `{"id":"106500000000001"}`)
	n, err := m.LookUp(t.Context(), "106500000000001")
	require.NoError(t, err)
	require.Equal(t, whatsapp.Number{ID: "106500000000001"}, n)
}

func TestLookUpFailures(t *testing.T) {
	refusal := func(code, subcode string) string {
		return `{"error":{"message":"+1 555-010-0200 and more","type":"OAuthException","code":` + code + `,"error_subcode":` + subcode + `,"fbtrace_id":"Ab1"}}`
	}
	for _, tt := range []struct {
		name   string
		status int
		body   string
		kind   ports.Kind
		scope  ports.Scope
		text   string
	}{
		{"the token has expired", 401, refusal("190", "463"), ports.KindDenied, ports.ScopeAccount, "expired"},
		{"the permission is missing", 403, refusal("200", "0"), ports.KindDenied, ports.ScopeAccount, "permission"},
		{"the number is not there", 400, refusal("100", "33"), ports.KindNotFound, ports.ScopeNumber, "no such business number"},
		{"the number was deleted", 400, refusal("33", "0"), ports.KindNotFound, ports.ScopeNumber, "no such business number"},
		{"the account asks too often", 400, refusal("80007", "0"), ports.KindRateLimited, ports.ScopeAccount, "limit"},
		{"Meta is out", 503, refusal("2", "0"), ports.KindTransient, "", "outage"},
		{"something else answers", 200, "<html>hello</html>", ports.KindTransient, "", "could not be read"},
		{"another number answers", 200, `{"id":"999"}`, ports.KindTransient, "", "could not be read"},
		{"something refuses without words", 404, "no", ports.KindNotFound, "", "404"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, _ := numberServer(t, tt.status, tt.body)
			_, err := m.LookUp(t.Context(), "106500000000001")
			var e *ports.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, tt.kind, e.Kind)
			require.Equal(t, tt.scope, e.Scope)
			require.Contains(t, err.Error(), tt.text)
			require.NotContains(t, err.Error(), "555", "what Meta writes may hold the number")
			require.NotContains(t, err.Error(), testToken)
		})
	}
}

func TestLookUpWithoutAnAnswer(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	base := web.URL
	web.Close()
	_, err := messengerAt(t, base, testToken).LookUp(t.Context(), "106500000000001")
	require.Equal(t, ports.KindTransient, ports.KindOf(err))
	require.Contains(t, err.Error(), "connection refused")

	_, err = messengerAt(t, base, "").LookUp(t.Context(), "106500000000001")
	require.Equal(t, ports.KindDenied, ports.KindOf(err))

	for _, id := range []domain.NumberID{"", "1/messages", "1?x"} {
		_, err = messengerAt(t, base, testToken).LookUp(t.Context(), id)
		require.Equal(t, ports.KindInvalid, ports.KindOf(err), "%q", id)
	}

	ended, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	_, err = messengerAt(t, base, testToken).LookUp(ended, "106500000000001")
	require.Equal(t, ports.KindTimeout, ports.KindOf(err))
}

func TestLookUpAtTheSimulator(t *testing.T) {
	sim, err := simulator.New(simulator.Config{PhoneNumberID: "106500000000001", AccessToken: testToken, DisplayPhone: "15550100200", Seed: 1})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, sim.Close()) })
	web := httptest.NewServer(sim.Handler())
	t.Cleanup(web.Close)

	n, err := messengerAt(t, web.URL, testToken).LookUp(t.Context(), "106500000000001")
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(n.Display, "0200"))
	require.Equal(t, "CLOUD_API", n.Platform)

	_, err = messengerAt(t, web.URL, testToken).LookUp(t.Context(), "999")
	require.Equal(t, ports.KindNotFound, ports.KindOf(err))
	_, err = messengerAt(t, web.URL, "another").LookUp(t.Context(), "106500000000001")
	require.Equal(t, ports.KindDenied, ports.KindOf(err))
}
