package bot_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"whatsappnode/adapters/decorate"
	"whatsappnode/cmd/internal/bot"
)

// figures is what a scrape shows.
func figures(t *testing.T, h http.Handler) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

// TestVisitsThatFailAreToldWhenThatChanges, and each is counted under the vendor's name.
func TestVisitsThatFailAreToldWhenThatChanges(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	told, scrape, err := bot.Visits(from(world(t, "LLM_PROVIDER", "fake,openai,patternai", "OPENAI_API_KEY", "k",
		"OPENAI_BASE_URL", "https://ai.example.org:8443/path-marker/v1", "PATTERNAI_BASE_URL", "https://pattern.example.org")), zap.New(core))
	require.NoError(t, err)
	require.Contains(t, figures(t, scrape), `vendor_visits_failed_total{vendor="openai"} 0`)

	const openai, pattern = "https://ai.example.org:8443", "https://pattern.example.org"
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	told(openai, nil)
	require.Zero(t, logs.Len(), "that a server answers is no news")
	for range 3 {
		told(openai, refused)
		told(pattern, nil)
	}
	told(pattern, errors.New("what a proxy said: header-marker"))
	told(openai, nil)
	told(openai, nil)

	type line struct{ event, vendor, server, kind, err string }
	var lines []line
	for _, l := range logs.AllUntimed() {
		f := l.ContextMap()
		word := func(key string) string { s, _ := f[key].(string); return s }
		require.Equal(t, l.Message, word("event"))
		lines = append(lines, line{l.Message, word("vendor"), word("server"), word("kind"), word("error")})
	}
	require.Equal(t, []line{
		{"vendor.down", "openai", openai, "transient", "visit: transient: dial: connection refused"},
		{"vendor.down", "patternai", pattern, "transient", "visit: transient: the call failed (*errors.errorString)"},
		{"vendor.up", "openai", openai, "", ""},
	}, lines)
	shown := figures(t, scrape)
	require.Contains(t, shown, `vendor_visits_failed_total{vendor="openai"} 3`)
	require.Contains(t, shown, `vendor_visits_failed_total{vendor="patternai"} 1`)
	require.Contains(t, shown, `vendor_visits_failed_total{vendor="graph"} 0`)
	require.NotContains(t, shown, "example.org", "a host may name an account")
	require.NotContains(t, shown, "marker")
}

// TestPacingThatFailsIsCounted by what was asked of the pacer, and told.
func TestPacingThatFailsIsCounted(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	told, scrape := bot.PacingFailed(zap.New(core))
	told(t.Context(), decorate.PacingTake, errors.New("no store"))
	told(t.Context(), decorate.PacingTake, errors.New("no store"))
	told(t.Context(), decorate.PacingHold, errors.New("no store"))
	require.Contains(t, figures(t, scrape), `pacing_failures_total{step="take"} 2`)
	require.Contains(t, figures(t, scrape), `pacing_failures_total{step="hold"} 1`)
	require.Equal(t, 3, logs.FilterMessage("pacing.failed").Len())
	require.Equal(t, 1, logs.FilterField(zap.String("step", "hold")).Len())
}
