package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"whatsappnode/adapters/telemetry"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

func refs(t *testing.T, key string) *telemetry.Refs {
	t.Helper()
	r, err := telemetry.NewRefs([]byte(key))
	require.NoError(t, err)
	return r
}

const key = "0123456789abcdef"

// told lets an EventLogger write the events and returns its lines.
func told(t *testing.T, level string, evs ...ports.Event) []map[string]any {
	t.Helper()
	l, out := logger(t, "cloud", level, telemetry.Options{Service: "s"})
	e, err := telemetry.NewEventLogger(l, refs(t, key))
	require.NoError(t, err)
	for _, ev := range evs {
		e.Observe(ev)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, e.Run(ctx), "what waits is written at the end")
	return lines(t, out)
}

func lines(t *testing.T, out *bytes.Buffer) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n") {
		if line == "" {
			continue
		}
		var m map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &m), line)
		all = append(all, m)
	}
	return all
}

func TestEventNames(t *testing.T) {
	boom := &ports.Error{Op: "x", Kind: ports.KindTransient, Code: "503"}
	gone := &ports.Error{Op: "x", Kind: ports.KindCanceled, Err: context.Canceled}
	for _, c := range []struct {
		stage          ports.Stage
		err            error
		name, severity string
		detail         string
	}{
		{ports.StageReceived, nil, "webhook.received", "INFO", "detail"},
		{ports.StageDuplicate, nil, "dedup.hit", "INFO", "detail"},
		{ports.StageLeased, nil, "turn.leased", "DEBUG", "detail"},
		{ports.StageTranscribed, nil, "stt.ok", "INFO", "detail"},
		{ports.StageTranscribed, boom, "stt.fail", "ERROR", "detail"},
		{ports.StageFirstToken, nil, "llm.first_token", "DEBUG", "vendor"},
		{ports.StageAnswered, nil, "llm.ok", "INFO", "vendor"},
		{ports.StageAnswered, boom, "llm.fail", "ERROR", "vendor"},
		{ports.StageAnswered, gone, "llm.fail", "INFO", "vendor"},
		{ports.StageSpoken, nil, "tts.ok", "INFO", "detail"},
		{ports.StageSpoken, boom, "tts.fail", "ERROR", "detail"},
		{ports.StageSending, nil, "reply.sending", "DEBUG", "detail"},
		{ports.StageSent, nil, "reply.sent", "INFO", "detail"},
		{ports.StageSent, boom, "reply.fail", "ERROR", "detail"},
		{ports.StageUnsettled, nil, "reply.ambiguous", "WARNING", "detail"},
		{ports.StageUnsettled, boom, "reply.ambiguous", "ERROR", "detail"},
		{ports.StageDelivered, nil, "reply.delivered", "DEBUG", "detail"},
		{ports.StageRead, nil, "reply.read", "DEBUG", "detail"},
		{ports.StagePlayed, nil, "reply.played", "DEBUG", "detail"},
		{ports.StageRefused, nil, "reply.fail", "ERROR", "reason"},
		{ports.StageDeferred, nil, "turn.deferred", "INFO", "reason"},
		{ports.StageFallback, nil, "turn.fallback", "WARNING", "reason"},
		{ports.StageFinished, nil, "turn.finished", "INFO", "state"},
		{ports.StageDropped, nil, "turn.dropped", "INFO", "reason"},
		{ports.StageDead, nil, "turn.dead", "ERROR", "reason"},
		{"new_stage", nil, "turn.new_stage", "INFO", "detail"},
	} {
		got := told(t, "debug", ports.Event{Stage: c.stage, Err: c.err, Detail: "word"})
		require.NotEmpty(t, got, c.stage)
		m := got[0]
		assert.Equal(t, c.name, m["message"], c.stage)
		assert.Equal(t, c.name, m["event"], c.stage)
		assert.Equal(t, c.severity, m["severity"], c.stage)
		assert.Equal(t, "word", m[c.detail], c.stage)
		assert.NotContains(t, m, "stack_trace", c.stage)
		assert.Equal(t, c.severity == "ERROR", m["@type"] != nil, "%s: errors reach Error Reporting", c.stage)
		if c.severity == "ERROR" {
			report, _ := m["context"].(map[string]any)["reportLocation"].(map[string]any)
			assert.Equal(t, c.name, report["functionName"], "errors are grouped by event")
			assert.Equal(t, "telemetry/events.go", report["filePath"])
			assert.Positive(t, report["lineNumber"])
		} else {
			assert.NotContains(t, m, "logging.googleapis.com/sourceLocation", "it would always be the same place")
		}
		if c.err == boom {
			assert.Equal(t, "x: transient (code 503)", m["error"])
			assert.Equal(t, "transient", m["error_kind"])
			assert.Equal(t, "503", m["error_code"])
		}
	}
}

func TestNewMessagesAreMisses(t *testing.T) {
	ev := ports.Event{Stage: ports.StageReceived, Messages: []domain.MessageID{"wamid.A"}}
	got := told(t, "debug", ev)
	require.Len(t, got, 2)
	assert.Equal(t, "dedup.miss", got[1]["message"])
	assert.Len(t, told(t, "info", ev), 1)
}

func TestEventLine(t *testing.T) {
	r := refs(t, key)
	at := time.Date(2026, 5, 1, 11, 0, 0, 0, time.UTC)
	got := told(t, "info", ports.Event{
		At: at, Stage: ports.StageAnswered, Turn: "turn-1", Conversation: "conv-1",
		Messages: []domain.MessageID{"wamid.A"}, Took: 1234567 * time.Nanosecond, Detail: "gemini",
		User: domain.Contact{UserID: "ES.1", Phone: "34600", Name: "Ana"}, Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	})
	require.Len(t, got, 1)
	assert.Equal(t, map[string]any{
		"severity": "INFO", "time": "2026-05-01T11:00:00Z", "message": "llm.ok", "event": "llm.ok",
		"turn_ref": r.Ref("turn", "turn-1"), "conv_ref": r.Ref("conv", "conv-1"), "msg_ref": r.Ref("msg", "wamid.A"),
		"ms": 1.235, "vendor": "gemini", "user_ref": r.Ref("user", "ES.1"),
		"logging.googleapis.com/trace": "4bf92f3577b34da6a3ce929d0e0e4736", "logging.googleapis.com/spanId": "00f067aa0ba902b7", "logging.googleapis.com/trace_sampled": true,
	}, got[0])

	got = told(t, "debug", ports.Event{Stage: ports.StagePlayed, Reply: "wamid.A"})
	assert.Equal(t, r.Ref("msg", "wamid.A"), got[0]["reply_ref"], "the hash that leads to the same message everywhere")
	assert.NotContains(t, got[0], "msg_ref")

	many := make([]domain.MessageID, 1000)
	for i := range many {
		many[i] = "wamid.A"
	}
	got = told(t, "info", ports.Event{Stage: ports.StageFinished, Messages: many})
	assert.Len(t, got[0]["msg_refs"], 20)
}

func TestObserveNeverBlocks(t *testing.T) {
	e, err := telemetry.NewEventLogger(zap.NewNop(), refs(t, key))
	require.NoError(t, err)
	for range 10_000 { // nobody runs it
		e.Observe(ports.Event{Stage: ports.StageSent})
	}
	assert.EqualValues(t, 10_000-4096, e.Dropped())
}

func TestEventLoggerRuns(t *testing.T) {
	written := make(chan []byte, 10)
	l, err := telemetry.NewLogger("cloud", "info", sink(written), telemetry.Options{})
	require.NoError(t, err)
	e, err := telemetry.NewEventLogger(l, refs(t, key))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	ids := []domain.MessageID{"wamid.A"}
	e.Observe(ports.Event{Stage: ports.StageSent, Messages: ids})
	ids[0] = "wamid.B" // the caller may use its slice again
	line := string(<-written)
	assert.Contains(t, line, "reply.sent")
	assert.Contains(t, line, refs(t, key).Ref("msg", "wamid.A"))
	cancel()
	assert.NoError(t, <-done)
}

type sink chan []byte

func (s sink) Write(p []byte) (int, error) {
	s <- bytes.Clone(p)
	return len(p), nil
}

func TestRefs(t *testing.T) {
	r := refs(t, key)
	assert.Equal(t, "e51d525a351a3657", r.Ref("msg", "wamid.A"), "references are stable across releases")
	assert.Regexp(t, `^[0-9a-f]{16}$`, r.Ref("user", "491700000000"))
	assert.NotEqual(t, r.Ref("user", "x"), r.Ref("msg", "x"))
	assert.NotEqual(t, r.Ref("ab", "c"), r.Ref("a", "bc"))
	assert.NotEqual(t, r.Ref("user", "x"), refs(t, "fedcba9876543210").Ref("user", "x"))
	assert.Empty(t, r.Ref("user", ""))

	assert.Equal(t, zap.String("msg_ref", r.Ref("msg", "a")), r.Message("a"))
	assert.Equal(t, zap.String("conv_ref", r.Ref("conv", "a")), r.Conversation("a"))
	assert.Equal(t, zap.String("turn_ref", r.Ref("turn", "a")), r.Turn("a"))
	assert.Equal(t, zap.String("user_ref", r.Ref("user", "CC.1")), r.User(domain.Contact{UserID: "CC.1", Phone: "49"}))
	assert.Equal(t, zap.String("user_ref", r.Ref("user", "49")), r.User(domain.Contact{Phone: "49"}))
	assert.Equal(t, zap.Skip(), r.User(domain.Contact{Name: "marker"}))
	_, err := telemetry.NewRefs([]byte("short"))
	require.ErrorContains(t, err, "5 bytes")
	_, err = telemetry.NewEventLogger(nil, r)
	assert.Error(t, err)
}
