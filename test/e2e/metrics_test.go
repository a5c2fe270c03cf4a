package e2e_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

// scraped are the series of one scrape, by name and labels.
type scraped map[string]float64

// scrape reads the metrics on the admin listener.
func (b *bot) scrape(t *testing.T) scraped {
	t.Helper()
	r := b.get(t, "http://"+b.env["ADMIN_ADDR"]+"/metrics")
	require.Equal(t, 200, r.code, r.body)
	out := scraped{}
	for _, l := range strings.Split(r.body, "\n") {
		if at := strings.LastIndexByte(l, ' '); at > 0 && !strings.HasPrefix(l, "#") {
			v, err := strconv.ParseFloat(l[at+1:], 64)
			require.NoError(t, err, l)
			out[strings.TrimPrefix(l[:at], "whatsapp_node_")] = v
		}
	}
	return out
}

// TestMetricsOfATurn: what a voice turn and its troubles leave in a scrape.
func TestMetricsOfATurn(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"ADMIN_ADDR": freeAddress(t), "SETTLE_WAIT": "300ms"})
	ana := b.user(t, simulator.UserSpec{Name: "Ana", Phone: "34600111222"})
	ana.speaks(recording(t, "hello"))
	ana.gets()
	b.post(t, strings.NewReader("{}"), "sha256=00")
	b.idle()
	b.until("the turn is finished", func(lines []line) bool { return count(lines, "turn.finished") > 0 })

	var s scraped
	eventually(t, "the figures are complete", func() bool {
		s = b.scrape(t)
		return s[`turns_total{outcome="sent"}`] == 1 && s[`deliveries_total{state="delivered"}`] == 1
	})
	for _, series := range []string{
		`messages_total{result="new"}`, `webhooks_total{outcome="accepted"}`, `webhooks_total{outcome="bad_signature"}`,
		`queue_wait_seconds_count`, `stage_seconds_count{stage="understand"}`, `stage_seconds_count{stage="answer"}`,
		`stage_seconds_count{stage="speak"}`, `stage_seconds_count{stage="send"}`, `reply_seconds_count{kind="voice"}`,
		`vendor_calls_total{outcome="ok",stage="stt",vendor="fake"}`, `vendor_calls_total{outcome="ok",stage="llm",vendor="fake"}`,
		`vendor_calls_total{outcome="ok",stage="tts",vendor="fake"}`,
		`sends_total{outcome="sent"}`, `graph_call_seconds_count{operation="send"}`, `graph_call_seconds_count{operation="upload"}`,
		`graph_call_seconds_count{operation="fetch_media"}`, `check_up{check="store"}`, `check_up{check="whatsapp"}`, `backlog_up`,
	} {
		assert.EqualValues(t, 1, s[series], series)
	}
	for _, series := range []string{
		`queue_messages`, `queue_oldest_age_seconds`, `dead_letters`, `leases`, `breaker_state{stage="llm",vendor="fake"}`,
		`panics_total{where="turn"}`, `events_dropped_total`, `log_lines_cut_total`, `spend_dollars_total{stage="llm",vendor="fake"}`,
	} {
		v, there := s[series]
		assert.True(t, there, series)
		assert.Zero(t, v, series)
	}
	for _, stage := range []string{"stt", "tts"} {
		assert.EqualValues(t, 1, s[`vendor_call_seconds_count{clip="0-5s",stage="`+stage+`",vendor="fake"}`], "%s by the length of its clip", stage)
	}
	assert.GreaterOrEqual(t, s[`webhook_ack_seconds_count`], 2.0, "the message and its statuses")

	// The same message again, and a send that Meta refuses.
	var id string
	for _, m := range b.sim.Messages(ana.id) {
		id = m.ID
		break
	}
	require.NotEmpty(t, id)
	u := ana.card()
	again := envelope("messages", from(u, text(u, id, "hello")))
	require.Contains(t, b.postSigned(t, again).body, "duplicate")
	b.faults(func(f *simulator.Faults) {
		f.ErrorByRecipient["34600111222"] = simulator.RecipientError{Code: 131026, Times: 1}
	})
	ana.writes("and now")
	b.wait(t, "the send is refused", func(v simulator.Snapshot) bool { return v.Counts().Refused == 1 })
	eventually(t, "the refusal is counted", func() bool {
		s = b.scrape(t)
		return s[`sends_total{outcome="refused"}`] == 1 && s[`turns_total{outcome="failed"}`] == 1
	})
	assert.EqualValues(t, 1, s[`messages_total{result="duplicate"}`])
	assert.EqualValues(t, 1, s[`graph_errors_total{code="131026",kind="not_found",operation="send"}`])
}

// TestAdminIsNotOnThePublicPort: nothing of the operator's is served to the world.
func TestAdminIsNotOnThePublicPort(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"ADMIN_ADDR": freeAddress(t)})
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/profile", "/debug/pprof/cmdline", "/counters"} {
		assert.Equal(t, 404, b.get(t, "http://"+b.addr+path).code, path)
	}
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/cmdline", "/live"} {
		assert.Equal(t, 200, b.get(t, "http://"+b.env["ADMIN_ADDR"]+path).code, path)
	}
	detail := b.get(t, "http://"+b.env["ADMIN_ADDR"]+"/ready").body
	assert.Contains(t, detail, "took_ms")
	assert.NotContains(t, b.get(t, "http://"+b.addr+"/ready").body, "took_ms")
	assert.Regexp(t, regexp.MustCompile(`whatsapp_node_build_info\{role="all",store="embedded",version="[^"]+"\} 1`), b.get(t, "http://"+b.env["ADMIN_ADDR"]+"/metrics").body)
}
