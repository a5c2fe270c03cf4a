package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

// traced is a bot that sends its spans to a collector, often.
func traced(t *testing.T, c *otlp, env ...settings) *bot {
	t.Helper()
	return start(t, append([]settings{{"OTEL_EXPORTER_OTLP_ENDPOINT": c.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}}, env...)...)
}

// TestOneTraceOfAVoiceTurn, span by span, from the webhook to "played".
func TestOneTraceOfAVoiceTurn(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	b := traced(t, c, settings{"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test", "OTEL_EXPORTER_OTLP_HEADERS": "api-key=k%20y"})
	ana := b.user(t, simulator.UserSpec{Name: "Ana", Phone: "34600111222"})
	ana.speaks(recording(t, "hello"))
	note := ana.gets()
	require.NoError(t, b.sim.MarkPlayed(ana.id, note.ID))
	b.idle()
	eventually(t, "the trace is complete", func() bool { return len(c.all("played")) == 1 && len(c.all("turn")) == 1 })

	turn := c.all("turn")[0]
	in := c.of(turn.trace())
	webhook := one(t, in, "webhook", nil)
	assert.Empty(t, webhook.parent(), "Meta sends no trace of its own")
	assert.EqualValues(t, 200, webhook.attributes["http.response.status_code"])
	assert.Equal(t, "/webhook", webhook.attributes["http.route"])
	assert.EqualValues(t, 1, webhook.attributes["whatsapp_node.webhook.messages"])

	queue := one(t, in, "queue", webhook)
	assert.GreaterOrEqual(t, queue.GetStartTimeUnixNano(), webhook.GetStartTimeUnixNano())
	assert.LessOrEqual(t, queue.GetEndTimeUnixNano(), turn.GetStartTimeUnixNano())
	assert.Equal(t, webhook.id(), turn.parent())
	assert.Equal(t, "sent", turn.attributes["whatsapp_node.outcome"])
	assert.EqualValues(t, 1, turn.attributes["whatsapp_node.attempt"])
	assert.Regexp(t, "^[0-9a-f]{16}$", turn.attributes["whatsapp_node.turn"])
	assert.False(t, turn.failed())

	understand := one(t, in, "understand", turn)
	fetch := one(t, in, "fetch_media", understand)
	assert.Positive(t, fetch.attributes["whatsapp_node.bytes"])
	stt := one(t, in, "speech_to_text", understand)
	for k, want := range map[string]any{
		"gen_ai.operation.name": "speech_to_text", "gen_ai.provider.name": "fake", "gen_ai.output.type": "text",
		"gen_ai.usage.cost": 0.0, "whatsapp_node.vendor": "fake", "whatsapp_node.attempt": int64(1),
	} {
		assert.Equal(t, want, stt.attributes[k], k)
	}
	assert.Positive(t, stt.attributes["whatsapp_node.audio.bytes"])
	assert.Positive(t, stt.attributes["whatsapp_node.audio.seconds"])
	assert.InDelta(t, stt.took().Seconds(), stt.attributes["whatsapp_node.seconds"], 0.001)

	answer := one(t, in, "answer", turn)
	llm := one(t, in, "chat", answer)
	assert.Equal(t, "chat", llm.attributes["gen_ai.operation.name"])
	assert.Positive(t, llm.attributes["gen_ai.usage.input_tokens"])
	assert.Positive(t, llm.attributes["gen_ai.usage.output_tokens"])
	assert.Positive(t, llm.attributes["gen_ai.response.time_to_first_chunk"])
	assert.Equal(t, 0.0, llm.attributes["gen_ai.usage.cost"], "the fake vendors cost nothing, and that is known")
	assert.InDelta(t, llm.took().Seconds(), llm.attributes["whatsapp_node.seconds"], 0.001)

	speak := one(t, in, "speak", turn)
	tts := one(t, in, "text_to_speech", speak)
	assert.Equal(t, "speech", tts.attributes["gen_ai.output.type"])
	assert.Positive(t, tts.attributes["whatsapp_node.characters"])
	assert.Positive(t, tts.attributes["whatsapp_node.audio.bytes"])
	assert.Positive(t, tts.attributes["whatsapp_node.audio.seconds"])
	assert.Equal(t, 0.0, tts.attributes["gen_ai.usage.cost"])
	one(t, in, "encode", turn)
	upload := one(t, in, "upload", turn)
	assert.Positive(t, upload.attributes["whatsapp_node.bytes"])
	send := one(t, in, "send", turn)
	for _, state := range []string{"sent", "delivered", "played"} {
		s := one(t, in, state, send)
		assert.Len(t, s.GetLinks(), 1, "the webhook that told it")
		assert.Equal(t, turn.attributes["whatsapp_node.turn"], s.attributes["whatsapp_node.turn"])
	}

	assert.NotContains(t, c.bytes(), "34600111222")
	c.mu.Lock()
	assert.Equal(t, "whatsapp-node", c.resource["service.name"])
	assert.Equal(t, "test", c.resource["deployment.environment"])
	assert.Equal(t, "k y", c.header.Get("Api-Key"))
	c.mu.Unlock()

	// The log leads to the trace and back.
	sent := b.events("reply.sent")
	require.Len(t, sent, 1)
	assert.Equal(t, turn.trace(), sent[0].str("logging.googleapis.com/trace"))
	assert.Equal(t, webhook.id(), sent[0].str("logging.googleapis.com/spanId"))
	played := b.events("reply.played")
	require.Len(t, played, 1)
	assert.Equal(t, turn.trace(), played[0].str("logging.googleapis.com/trace"))
	assert.Equal(t, send.id(), played[0].str("logging.googleapis.com/spanId"))
	assert.Equal(t, sent[0].str("reply_ref"), played[0].str("reply_ref"), "the part that was sent is the one that was played")
	var ofWebhook bool
	for _, l := range b.events("webhook.request") {
		ofWebhook = ofWebhook || l.str("logging.googleapis.com/trace") == turn.trace()
	}
	assert.True(t, ofWebhook, "the webhook's own line names the trace")
}

// TestATraceOfWhoeverStandsInFrontGoesOn, also where the bot makes no spans itself:
// its log can be found by the trace then.
func TestATraceOfWhoeverStandsInFrontGoesOn(t *testing.T) {
	t.Parallel()
	const trace, above = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	post := func(t *testing.T, b *bot, id, header, value string) {
		t.Helper()
		ana := b.user(t, simulator.UserSpec{Name: "Ana", Phone: "34600111222"})
		ana.writes("good morning") // so that an answer may be sent
		ana.gets()
		u := ana.card()
		body := envelope("messages", from(u, text(u, id, "hello")))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+b.addr+"/webhook", strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("X-Hub-Signature-256", simulator.Sign(appSecret, []byte(body)))
		req.Header.Set(header, value)
		require.Equal(t, 200, b.do(t, req).code)
		ana.gets()
		b.logs("turn.finished", 2)
	}
	t.Run("WithSpans", func(t *testing.T) {
		t.Parallel()
		c := newCollector(t)
		b := traced(t, c)
		post(t, b, "wamid.1", "traceparent", "00-"+trace+"-"+above+"-01")
		eventually(t, "the trace is complete", func() bool { return len(c.of(trace)["turn"]) == 1 && len(c.of(trace)["webhook"]) == 1 })
		assert.Equal(t, above, c.of(trace)["webhook"][0].parent())
	})
	t.Run("WithoutSpans", func(t *testing.T) {
		t.Parallel()
		b := start(t, settings{"GOOGLE_CLOUD_PROJECT": "p1"})
		post(t, b, "wamid.1", "X-Cloud-Trace-Context", trace+"/67667974448284343;o=1")
		for _, event := range []string{"webhook.request", "webhook.received", "llm.ok", "reply.sent", "turn.finished"} {
			var fields []string
			for _, l := range b.events(event) {
				if id := l.str("logging.googleapis.com/trace"); id != "" {
					fields = append(fields, id, l.str("logging.googleapis.com/spanId"))
					assert.Equal(t, true, l["logging.googleapis.com/trace_sampled"])
				}
			}
			require.GreaterOrEqual(t, len(fields), 2, event)
			assert.Equal(t, []string{"projects/p1/traces/" + trace, above}, fields[:2], event)
		}
	})
}

// TestTroubleInATrace: attempts that fail, vendors that take over, sends that Meta
// refuses at once and late.
func TestTroubleInATrace(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	b := traced(t, c, settings{"REPLY_MODE": "text", "FAKE_KNOBS": "error=transient:1"})
	ana := b.user(t, simulator.UserSpec{Name: "Ana", Phone: "34600111222"})
	ana.writes("hello")
	ana.gets()
	eventually(t, "two attempts", func() bool { return len(c.all("chat")) == 2 && len(c.all("turn")) == 1 })
	first, second := c.all("chat")[0], c.all("chat")[1]
	assert.True(t, first.failed())
	assert.Equal(t, "transient", first.attributes["error.type"])
	assert.EqualValues(t, 1, first.attributes["whatsapp_node.attempt"])
	assert.False(t, second.failed())
	assert.EqualValues(t, 2, second.attributes["whatsapp_node.attempt"])

	b.faults(func(f *simulator.Faults) {
		f.ErrorByRecipient["34600111222"] = simulator.RecipientError{Code: 131026, Times: 1}
	})
	ana.writes("and now")
	eventually(t, "the refused send", func() bool { return len(c.all("turn")) == 2 })
	turn := c.all("turn")[1]
	refused := one(t, c.of(turn.trace()), "send", turn)
	assert.True(t, refused.failed())
	assert.Equal(t, "131026", refused.attributes["whatsapp_node.error.code"])
	assert.Equal(t, "failed", turn.attributes["whatsapp_node.outcome"])

	b.faults(func(f *simulator.Faults) { f.LateFailureCode = 131026 })
	ana.writes("late")
	eventually(t, "the late failure", func() bool { return len(c.all("failed")) == 1 })
	late := c.all("failed")[0]
	assert.EqualValues(t, 131026, late.attributes["whatsapp_node.error.code"])
	assert.NotEmpty(t, c.of(late.trace())["webhook"])
}

// TestATraceCrossesProcesses: one takes the webhooks, another answers, and the status
// comes back to the first.
func TestATraceCrossesProcesses(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	b, _ := shared(t, settings{"OTEL_EXPORTER_OTLP_ENDPOINT": c.url, "OTEL_BSP_SCHEDULE_DELAY": "50", "REPLY_MODE": "text"})
	b.join("worker")
	ana := b.user(t, simulator.UserSpec{Name: "Ana", Phone: "34600111222"})
	ana.writes("hello")
	ana.gets()
	eventually(t, "the trace is complete", func() bool { return len(c.all("delivered")) == 1 && len(c.all("turn")) == 1 })
	in := c.of(c.all("turn")[0].trace())
	webhook := one(t, in, "webhook", nil)
	turn := one(t, in, "turn", webhook)
	one(t, in, "delivered", one(t, in, "send", turn))
}

// TestACollectorThatFailsHarmsNobody: answers go out, the loss is counted and told,
// and nothing of what the collector says is repeated.
func TestACollectorThatFailsHarmsNobody(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	c.refuse = true
	b := traced(t, c, settings{"ADMIN_ADDR": freeAddress(t), "REPLY_MODE": "text", "OTEL_EXPORTER_OTLP_HEADERS": "api-key=marker-key"})
	ana := b.user(t, simulator.UserSpec{Name: "Ana", Phone: "34600111222"})
	ana.writes("hello")
	ana.gets()
	b.logs("trace.lost", 1)
	assert.Positive(t, b.scrape(t)["spans_lost_total"])
	assert.Equal(t, "the collector refused the spans", b.events("trace.lost")[0].str("reason"))
	code, took := b.stop()
	assert.Zero(t, code)
	assert.Less(t, took, 8*time.Second, "it does not wait for the collector")
	assert.NotContains(t, b.stdout.text(), "does not want")
	assert.NotContains(t, b.stdout.text(), "marker-key")
}

// TestNoCollectorNoSpans: without an address nothing of a trace leaves the process.
func TestNoCollectorNoSpans(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"REPLY_MODE": "text"})
	ana := b.user(t, simulator.UserSpec{Name: "Ana", Phone: "34600111222"})
	ana.writes("hello")
	ana.gets()
	b.logs("turn.finished", 1)
	assert.NotContains(t, b.stdout.text(), "logging.googleapis.com/trace")
	for _, m := range b.sim.Outbound(ana.id) {
		assert.NotRegexp(t, `/00-[0-9a-f]{32}-`, string(m.Raw), "no traceparent in a send")
	}
}
