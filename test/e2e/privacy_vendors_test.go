package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

const markKey = "marked-vendor-key-31337"

// shown is everything that a run let out: log, metrics and traces.
func (b *bot) shown(t *testing.T, c *otlp) map[string]string {
	t.Helper()
	metrics := b.get(t, "http://"+b.env["ADMIN_ADDR"]+"/metrics").body
	code, _ := b.stop()
	require.Zero(t, code)
	return map[string]string{"stdout": b.stdout.text(), "stderr": b.stderr.text(), "the metrics": metrics, "a trace": c.bytes()}
}

// echo is a vendor, or something on the way to one, that refuses every request and
// repeats all of it: keys, words and sound, in the places where vendors put messages.
func echo(t *testing.T) (url string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	statuses := []int{400, 401, 403, 404, 413, 429, 500, 503, 200}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method == http.MethodHead {
			return
		}
		n := asked.Add(1)
		all := fmt.Sprint(r.Method, r.URL, r.Header, string(body))
		quoted, _ := json.Marshal(all)
		w.Header().Set("X-Request-Id", markKey)
		w.Header().Set("Retry-After", all[:min(len(all), 64)])
		if n%2 == 0 {
			w.Header().Set("Content-Type", "application/json")
		}
		w.WriteHeader(statuses[int(n)%len(statuses)])
		if n%5 == 0 {
			_, _ = io.WriteString(w, all)
			return
		}
		fmt.Fprintf(w, `{"error":{"message":%[1]s,"type":%[1]s,"code":%[1]s,"status":%[1]s,"details":[%[1]s]},"detail":{"message":%[1]s,"status":%[1]s},"err_msg":%[1]s,"message":%[1]s}`, quoted)
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

// TestVendorsThatTalkBackAreNotRepeated: whatever a vendor says of a request, nothing
// of it reaches a log, a figure or a trace.
func TestVendorsThatTalkBackAreNotRepeated(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	url, asked := echo(t)
	env := settings{
		"ADMIN_ADDR": freeAddress(t), "OTEL_EXPORTER_OTLP_ENDPOINT": c.url, "OTEL_BSP_SCHEDULE_DELAY": "200",
		"LLM_PROVIDER": "openai,anthropic,genai,gemini,patternai", "STT_PROVIDER": "openai,elevenlabs,deepgram,genai,patternai", "TTS_PROVIDER": "openai,elevenlabs,deepgram,genai,patternai,fake",
		"BREAKER_FAILURES": "1000", "BREAKER_WINDOW": "1000", "OPENAI_TTS_FORMAT": "opus",
	}
	for _, vendor := range []string{"OPENAI", "ANTHROPIC", "GEMINI", "ELEVENLABS", "DEEPGRAM", "PATTERNAI"} {
		env[vendor+"_API_KEY"], env[vendor+"_BASE_URL"] = markKey, url
	}
	b := start(t, env)
	zephyrine := b.user(t, simulator.UserSpec{Name: markName, Phone: markPhone, UserID: markUserID, Username: markUsername})
	for range 3 {
		zephyrine.writes(markText)
		zephyrine.gets()
		zephyrine.speaks(recording(t, markTranscript))
		zephyrine.gets()
	}
	require.Greater(t, asked.Load(), int64(30), "every vendor was asked")
	require.NotEmpty(t, b.events("vendor.failed"))
	marks := markers(markKey)
	shown := b.shown(t, c)
	require.NotEmpty(t, c.all("turn"))
	assert.Contains(t, shown["stdout"], `"vendor":"anthropic"`)
	for where, what := range shown {
		clean(t, where, what, marks)
	}
}

// TestPanicsAreNotRepeated: a library that panics with what it was asked is reported
// by type and place.
func TestPanicsAreNotRepeated(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	b := start(t, settings{
		"ADMIN_ADDR": freeAddress(t), "OTEL_EXPORTER_OTLP_ENDPOINT": c.url, "OTEL_BSP_SCHEDULE_DELAY": "200",
		"FAKE_KNOBS": "error=transient:1,panic", "VENDOR_ATTEMPTS": "1",
	})
	zephyrine := b.user(t, simulator.UserSpec{Name: markName, Phone: markPhone, UserID: markUserID})
	zephyrine.writes(markText) // the model panics, and the turn is taken up again
	zephyrine.gets()
	for range 3 { // the ear, and then the voice
		zephyrine.speaks(recording(t, markTranscript))
		zephyrine.gets()
	}
	require.NotZero(t, b.scrape(t)[`panics_total{where="turn"}`])
	var stacks int
	for _, l := range b.log() {
		if strings.Contains(l.str("stack_trace"), "panic of type string") {
			assert.Contains(t, l.str("stack_trace"), "goroutine ")
			assert.Equal(t, "ERROR", l.str("severity"))
			stacks++
		}
	}
	require.Positive(t, stacks, "Error Reporting sees it")
	for where, what := range b.shown(t, c) {
		clean(t, where, what, markers())
	}
}
