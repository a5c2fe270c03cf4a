package metrics_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/metrics"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	require.Equal(t, 200, w.Code, w.Body.String())
	return w.Body.String()
}

// has demands a whole line of a scrape.
func has(t *testing.T, scraped string, lines ...string) {
	t.Helper()
	all := strings.Split(scraped, "\n")
	for _, l := range lines {
		assert.Contains(t, all, "whatsapp_node_"+l)
	}
}

func TestEventsAreCounted(t *testing.T) {
	m := metrics.New()
	for _, ev := range []ports.Event{
		{Stage: ports.StageReceived},
		{Stage: ports.StageReceived},
		{Stage: ports.StageDuplicate},
		{Stage: ports.StageLeased, Age: 200 * time.Millisecond},
		{Stage: ports.StageTranscribed, Took: 700 * time.Millisecond, Detail: "1 clips"},
		{Stage: ports.StageAnswered, Took: 3 * time.Second},
		{Stage: ports.StageFallback, Detail: "speech", Err: errors.New("x")},
		{Stage: ports.StageSent, Took: time.Second, Age: 5 * time.Second, Detail: "voice"},
		{Stage: ports.StageUnsettled, Detail: "waiting"},
		{Stage: ports.StageUnsettled, Detail: "at_most_once"},
		{Stage: ports.StageDelivered},
		{Stage: ports.StagePlayed},
		{Stage: ports.StageRefused, Detail: "late 131053 media", Late: true},
		{Stage: ports.StageRefused, Detail: "recipient"},
		{Stage: ports.StageRefused, Detail: "clip", Err: errors.New("a clip that cannot be heard is no send")},
		{Stage: ports.StageDropped, Detail: "reaction"},
		{Stage: ports.StageDeferred, Detail: "rate_limited"},
		{Stage: ports.StageFiltered, Detail: "in"},
		{Stage: ports.StageHandoff, Detail: "text"},
		{Stage: ports.StageHandoff, Detail: "voice"},
		{Stage: ports.StageHandoff, Detail: "button"},
		{Stage: ports.StageHandoffTold},
		{Stage: ports.StageHandoffTold},
		{Stage: ports.StageHandoffTold, Err: errors.New("x")},
		{Stage: ports.StageBudgetNear, Detail: "day"},
		{Stage: ports.StageBudgetReached, Detail: "number"},
		{Stage: ports.StageBudgetStep, Detail: "text"},
		{Stage: ports.StageFinished, Detail: "sent", Took: 4 * time.Second},
		{Stage: ports.StageDead, Detail: "dead"},
		{Stage: ports.StageProviderFee, Detail: "general_purpose_ai"},
		{Stage: ports.StageTrouble, Err: &ports.Error{Err: &ports.PanicError{Type: "string"}}},
	} {
		m.Observe(ev)
	}
	m.RequestPanic()
	has(
		t, scrape(t, m),
		`messages_total{result="new"} 2`, `messages_total{result="duplicate"} 1`,
		`queue_wait_seconds_count 1`, `queue_wait_seconds_bucket{le="0.25"} 1`, `queue_wait_seconds_bucket{le="0.1"} 0`,
		`stage_seconds_sum{stage="understand"} 0.7`, `stage_seconds_sum{stage="answer"} 3`, `stage_seconds_sum{stage="send"} 1`,
		`fallbacks_total{reason="speech"} 1`,
		`sends_total{outcome="sent"} 1`, `sends_total{outcome="refused"} 1`,
		`reply_seconds_bucket{kind="voice",le="8"} 1`, `reply_seconds_bucket{kind="voice",le="4"} 0`,
		`ambiguous_sends_total{resolution="waiting"} 1`, `ambiguous_sends_total{resolution="at_most_once"} 1`,
		`deliveries_total{state="delivered"} 1`, `deliveries_total{state="played"} 1`, `deliveries_total{state="failed"} 1`,
		`turns_dropped_total{reason="reaction"} 1`, `turns_deferred_total{reason="rate_limited"} 1`,
		`answers_guarded_total{action="filtered"} 1`, `budget_steps_total{step="text"} 1`,
		`handoffs_total{state="asked"} 3`, `handoffs_total{state="told"} 2`, `handoffs_total{state="failed"} 1`,
		`budget_marks_total{budget="day",mark="near"} 1`, `budget_marks_total{budget="number",mark="reached"} 1`,
		`turns_total{outcome="sent"} 1`, `turns_total{outcome="dead"} 1`, `turn_seconds_count 2`,
		`provider_fees_total 1`, `trouble_total 1`, `panics_total{where="turn"} 1`, `panics_total{where="request"} 1`,
	)
}

func TestSeriesThatAlertsCompareExistFromTheStart(t *testing.T) {
	has(
		t, scrape(t, metrics.New()),
		`handoffs_total{state="failed"} 0`, `provider_fees_total 0`, `pacing_failures_total{step="take"} 0`, `pacing_failures_total{step="hold"} 0`,
		`turns_total{outcome="dead"} 0`, `webhooks_total{outcome="bad_signature"} 0`, `webhooks_total{outcome="unavailable"} 0`,
		`ambiguous_sends_total{resolution="at_least_once"} 0`, `panics_total{where="turn"} 0`, `messages_total{result="duplicate"} 0`,
	)
}

func TestVendorCalls(t *testing.T) {
	m := metrics.New()
	m.VendorCall(metrics.VendorCall{Stage: "stt", Vendor: "deepgram", Took: time.Second, Clip: 10 * time.Second, Dollars: 0.25, Priced: true})
	m.VendorCall(metrics.VendorCall{Stage: "stt", Vendor: "deepgram", Took: time.Second, Clip: 5 * time.Second, Dollars: 0.5, Priced: true})
	m.VendorCall(metrics.VendorCall{Stage: "tts", Vendor: "openai", Took: time.Second, Clip: 61 * time.Second})
	m.VendorCall(metrics.VendorCall{Stage: "tts", Vendor: "openai", Took: time.Second})
	m.VendorCall(metrics.VendorCall{Stage: "llm", Vendor: "openai", Took: 2 * time.Second, FirstToken: time.Second, TokensIn: 300, TokensOut: 80, Dollars: 1, Priced: true})
	m.VendorCall(metrics.VendorCall{Stage: "llm", Vendor: "openai", Took: 9 * time.Second, Outcome: "timeout"})
	m.VendorSwitch("llm", "openai", "anthropic")
	m.Visited("openai")
	m.Visited("graph")
	m.VisitFailed("graph")
	scraped := scrape(t, m)
	has(
		t, scraped,
		`vendor_call_seconds_count{clip="5-15s",stage="stt",vendor="deepgram"} 1`, `vendor_call_seconds_count{clip="0-5s",stage="stt",vendor="deepgram"} 1`,
		`vendor_call_seconds_count{clip="60s+",stage="tts",vendor="openai"} 1`, `vendor_call_seconds_count{clip="unknown",stage="tts",vendor="openai"} 1`,
		`vendor_call_seconds_count{clip="none",stage="llm",vendor="openai"} 1`,
		`vendor_calls_total{outcome="ok",stage="llm",vendor="openai"} 1`, `vendor_calls_total{outcome="timeout",stage="llm",vendor="openai"} 1`,
		`llm_first_token_seconds_sum{vendor="openai"} 1`,
		`llm_tokens_total{direction="in",vendor="openai"} 300`, `llm_tokens_total{direction="out",vendor="openai"} 80`,
		`spend_dollars_total{stage="stt",vendor="deepgram"} 0.75`, `spend_dollars_total{stage="llm",vendor="openai"} 1`,
		`vendor_visits_failed_total{vendor="graph"} 1`, `vendor_visits_failed_total{vendor="openai"} 0`,
		`unpriced_calls_total{stage="tts",vendor="openai"} 2`, `vendor_switches_total{from="openai",stage="llm",to="anthropic"} 1`,
	)
	assert.NotContains(t, scraped, `unpriced_calls_total{stage="llm"`, "a failed call is not one that lacks a price")
}

func TestWebhooksAndGraph(t *testing.T) {
	m := metrics.New()
	m.Webhook("accepted", true, 20*time.Millisecond)
	m.Webhook("bad_signature", false, time.Second)
	m.GraphCall("send", 300*time.Millisecond)
	m.GraphError("send", "131026", "not_found")
	m.PacingFailed("take")
	has(
		t, scrape(t, m),
		`webhooks_total{outcome="accepted"} 1`, `webhooks_total{outcome="bad_signature"} 1`,
		`pacing_failures_total{step="take"} 1`,
		`webhook_ack_seconds_count 1`, `webhook_ack_seconds_bucket{le="0.025"} 1`,
		`graph_call_seconds_count{operation="send"} 1`, `graph_errors_total{code="131026",kind="not_found",operation="send"} 1`,
	)
}

// backlog is a store that counts how often it was asked.
type backlog struct {
	mu    sync.Mutex
	asked int
	now   ports.Backlog
	err   error
}

func (b *backlog) Backlog(context.Context) (ports.Backlog, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	return b.now, b.err
}

func TestSourcesAreReadAtTheScrape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := metrics.New()
		store := &backlog{now: ports.Backlog{Conversations: 2, Messages: 3, Oldest: time.Now().Add(-90 * time.Second), DeadLetters: 1}}
		dropped := int64(7)
		m.Read(metrics.Sources{
			Backlog: store,
			Breakers: func() []metrics.Breaker {
				return []metrics.Breaker{{Stage: "llm", Vendor: "openai", State: "open"}, {Stage: "tts", Vendor: "openai", State: "closed"}}
			},
			Checks: func(context.Context) map[string]bool { return map[string]bool{"store": true, "whatsapp": false} },
			Leases: func() int { return 4 }, EventsDropped: func() int64 { return dropped },
			Version: "1.2.3", Role: "all", Store: "embedded",
		})
		has(
			t, scrape(t, m),
			`backlog_up 1`, `queue_messages 3`, `queue_conversations 2`, `queue_oldest_age_seconds 90`, `dead_letters 1`,
			`breaker_state{stage="llm",vendor="openai"} 2`, `breaker_state{stage="tts",vendor="openai"} 0`,
			`check_up{check="store"} 1`, `check_up{check="whatsapp"} 0`, `leases 4`, `events_dropped_total 7`,
			`build_info{role="all",store="embedded",version="1.2.3"} 1`,
		)

		time.Sleep(4 * time.Second)
		has(t, scrape(t, m), `queue_oldest_age_seconds 94`)
		assert.Equal(t, 1, store.asked, "an answer of a few seconds ago is used again")

		time.Sleep(2 * time.Second)
		store.err = errors.New("down")
		scraped := scrape(t, m)
		has(t, scraped, `backlog_up 0`, `leases 4`)
		assert.NotContains(t, scraped, "queue_messages 3", "an old figure would be wrong")

		store.err, store.now = nil, ports.Backlog{}
		has(t, scrape(t, m), `backlog_up 1`, `queue_messages 0`, `queue_oldest_age_seconds 0`)
	})
}

// TestNothingOfAnEventBecomesALabel but its stable words.
func TestNothingOfAnEventBecomesALabel(t *testing.T) {
	m := metrics.New()
	for _, stage := range []ports.Stage{
		ports.StageReceived, ports.StageLeased, ports.StageTranscribed, ports.StageSent, ports.StageRefused, ports.StageFallback,
		ports.StageFinished, ports.StageDead, ports.StageTrouble, ports.StageUnsettled, ports.StageDelivered,
	} {
		m.Observe(ports.Event{
			Stage: stage, Turn: "marker-turn", Conversation: "marker-conv", Messages: []domain.MessageID{"marker-wamid"},
			Trace: "marker-trace", Err: errors.New("marker-error"), Detail: "word",
		})
	}
	assert.NotContains(t, scrape(t, m), "marker")
}
