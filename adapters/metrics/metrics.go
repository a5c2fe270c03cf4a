package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// namespace begins every name.
const namespace = "whatsapp_node"

// Metrics are those of one bot, in a registry of their own. It is safe for concurrent
// use, and starts no goroutine.
type Metrics struct {
	registry *prometheus.Registry

	webhookTime prometheus.Histogram
	webhooks    *prometheus.CounterVec

	messages   *prometheus.CounterVec
	queueWait  prometheus.Histogram
	stages     *prometheus.HistogramVec
	replies    *prometheus.HistogramVec
	turns      *prometheus.CounterVec
	turnTime   prometheus.Histogram
	dropped    *prometheus.CounterVec
	fallbacks  *prometheus.CounterVec
	deferrals  *prometheus.CounterVec
	sends      *prometheus.CounterVec
	ambiguous  *prometheus.CounterVec
	deliveries *prometheus.CounterVec
	guarded    *prometheus.CounterVec
	handoffs   *prometheus.CounterVec
	budgets    *prometheus.CounterVec
	steps      *prometheus.CounterVec
	fees       prometheus.Counter
	trouble    prometheus.Counter
	panics     *prometheus.CounterVec

	vendorCalls *prometheus.CounterVec
	vendorTime  *prometheus.HistogramVec
	firstToken  *prometheus.HistogramVec
	tokens      *prometheus.CounterVec
	spend       *prometheus.CounterVec
	unpriced    *prometheus.CounterVec
	switches    *prometheus.CounterVec
	visits      *prometheus.CounterVec

	toolCalls *prometheus.CounterVec
	toolTime  *prometheus.HistogramVec
	toolNames toolNames

	graphTime   *prometheus.HistogramVec
	graphErrors *prometheus.CounterVec
	pacing      *prometheus.CounterVec
}

// Bounds of the histograms, in seconds.
var (
	// The webhook's own: Meta's partners ask for a median of 250 ms and less than one
	// in a hundred above a second.
	ackBounds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}
	// Calls over a network.
	callBounds = []float64{.05, .1, .25, .5, 1, 2, 4, 8, 15, 30, 60}
	// What a person waits for; 8 s and 20 s are the objectives of text and voice.
	replyBounds = []float64{.5, 1, 2, 4, 8, 12, 20, 30, 60, 300, 3600}
)

// New makes the metrics. Those of the Go runtime and the process are among them.
func New() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	m.webhookTime = m.histogram("webhook_ack_seconds", "Time from a webhook's headers to its 200.", ackBounds)
	m.webhooks = m.counters("webhooks_total", "Requests to /webhook by outcome: accepted, duplicate, ignored, verified, or the word of the refusal.", "outcome")

	m.messages = m.counters("messages_total", "Messages of answered webhooks: new, or duplicate (seen before).", "result")
	m.queueWait = m.histogram("queue_wait_seconds", "Time from a turn's first message to the worker that takes it up.", ackBoundsTo(60))
	m.stages = m.histograms("stage_seconds", "Time of a turn's stages: understand, answer, speak, send.", callBounds, "stage")
	m.replies = m.histograms("reply_seconds", "Time from a turn's first message to the acceptance of a part by Meta.", replyBounds, "kind")
	m.turns = m.counters("turns_total", "Turns that ended, by outcome: sent, delivered, read, played, failed, dropped, dead. One that a late failure reopens ends once more.", "outcome")
	m.turnTime = m.histogram("turn_seconds", "Time from the start of a turn to its end.", replyBounds)
	m.dropped = m.counters("turns_dropped_total", "Turns that needed no answer, by reason.", "reason")
	m.fallbacks = m.counters("fallbacks_total", "Answers that were replaced: by text (speech), or by the fallback message (the kind of failure).", "reason")
	m.deferrals = m.counters("turns_deferred_total", "Turns that wait for a later attempt, by reason.", "reason")
	m.sends = m.counters("sends_total", "Parts of answers by outcome: sent, or refused.", "outcome")
	m.ambiguous = m.counters("ambiguous_sends_total", "Sends whose outcome is unknown: waiting for a status, or at_least_once and at_most_once where none came.", "resolution")
	m.deliveries = m.counters("deliveries_total", "What Meta said of parts later: delivered, read, played, failed.", "state")
	m.handoffs = m.counters("handoffs_total", "People who asked for a human, and receivers that were told or could not be.", "state")
	m.guarded = m.counters("answers_guarded_total", "Words that were changed or held back: withheld, trimmed, filtered.", "action")
	m.budgets = m.counters("budget_marks_total", "Budgets (user, number, day) of which most (near) or all (reached) was spent.", "budget", "mark")
	m.steps = m.counters("budget_steps_total", "Turns that a budget had answered more cheaply, by step.", "step")
	m.fees = m.counter("provider_fees_total", "Business numbers that Meta charges as those of an assistant for general purposes, each counted once by a process.")
	m.trouble = m.counter("trouble_total", "Problems of the bot itself; the log line bot.trouble says which.")
	m.panics = m.counters("panics_total", "Panics that were caught, by where: a turn, or a request.", "where")

	m.vendorCalls = m.counters("vendor_calls_total", "Attempts at a vendor by stage (stt, llm, tts) and outcome: ok, or the kind of failure.", "stage", "vendor", "outcome")
	m.vendorTime = m.histograms("vendor_call_seconds", "Time of the attempts that succeeded. Clip is the length of the clip that was heard or spoken, none for a model.", callBounds, "stage", "vendor", "clip")
	m.firstToken = m.histograms("llm_first_token_seconds", "Time to a model's first words.", callBounds, "vendor")
	m.tokens = m.counters("llm_tokens_total", "Tokens as the vendors count them, by direction: in, out.", "vendor", "direction")
	m.spend = m.counters("spend_dollars_total", "What calls cost at list price, in US dollars.", "stage", "vendor")
	m.unpriced = m.counters("unpriced_calls_total", "Successful calls that the price list does not cover.", "stage", "vendor")
	m.switches = m.counters("vendor_switches_total", "Times that another vendor was asked, after a failure or beside a slow one.", "stage", "from", "to")

	m.visits = m.counters("vendor_visits_failed_total", "Visits that were to keep a connection warm and did not reach the vendor, or graph for the Graph API.", "vendor")

	m.toolCalls = m.counters("tool_calls_total", "Calls of tools for the model by outcome: ok, tool_error (it ran and reports a failure), or the kind of failure. A tool's name begins with its server's.", "tool", "outcome")
	m.toolTime = m.histograms("tool_call_seconds", "Time of the calls that the tool answered, with a result or with a failure of its own.", callBounds, "tool")

	m.graphTime = m.histograms("graph_call_seconds", "Time of calls of the Graph API that succeeded, by operation: send, upload, fetch_media, mark_read.", callBounds, "operation")
	m.graphErrors = m.counters("graph_errors_total", "Errors of the Graph API by operation, Meta's code (none, or other for one that is not in the table) and kind.", "operation", "code", "kind")
	m.pacing = m.counters("pacing_failures_total", "Failures of the store to pace sends, by step: take (the send went out unpaced), hold (those that follow are not held back).", "step")
	m.zeroes()
	return m
}

// ackBoundsTo extends the finest bounds to a last one.
func ackBoundsTo(last float64) []float64 {
	return append(append([]float64(nil), ackBounds...), 10, 30, last)
}

// zeroes makes the series that alerts compare with zero exist from the start: a
// counter that first appears with one has not increased for Prometheus.
func (m *Metrics) zeroes() {
	for _, r := range []string{"new", "duplicate"} {
		m.messages.WithLabelValues(r)
	}
	for _, o := range []string{"sent", "failed", "dropped", "dead"} {
		m.turns.WithLabelValues(o)
	}
	for _, o := range []string{"accepted", "duplicate", "ignored", "bad_signature", "bad_json", "busy", "unavailable", "internal"} {
		m.webhooks.WithLabelValues(o)
	}
	for _, r := range []string{"waiting", "at_least_once", "at_most_once"} {
		m.ambiguous.WithLabelValues(r)
	}
	for _, s := range []string{"delivered", "read", "played", "failed"} {
		m.deliveries.WithLabelValues(s)
	}
	for _, w := range []string{whereTurn, whereRequest} {
		m.panics.WithLabelValues(w)
	}
	for _, o := range []string{"sent", "refused"} {
		m.sends.WithLabelValues(o)
	}
	m.fallbacks.WithLabelValues("speech")
	for _, step := range []string{"take", "hold"} {
		m.pacing.WithLabelValues(step)
	}
	for _, action := range []string{"withheld", "trimmed", "filtered"} {
		m.guarded.WithLabelValues(action)
	}
	for _, state := range []string{"asked", "told", "failed"} {
		m.handoffs.WithLabelValues(state)
	}
	for _, budget := range []string{"user", "number", "day"} {
		m.budgets.WithLabelValues(budget, "near")
		m.budgets.WithLabelValues(budget, "reached")
	}
}

// Handler serves a scrape. A collector that fails leaves its own series out.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4})
}

func (m *Metrics) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) counters(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) histogram(name, help string, bounds []float64) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: bounds})
	m.registry.MustRegister(h)
	return h
}

func (m *Metrics) histograms(name, help string, bounds []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: bounds}, labels)
	m.registry.MustRegister(h)
	return h
}
