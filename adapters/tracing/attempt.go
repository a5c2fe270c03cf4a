package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"whatsappnode/ports"
)

// Attempt is one attempt at a vendor that has ended.
type Attempt struct {
	// Stage is "llm", "stt" or "tts".
	Stage, Vendor, Model string
	// System is the vendor's name in the semantic conventions, where it has one.
	System           string
	Number           int
	Hedge            bool
	Took, FirstToken time.Duration
	// Kind is the kind of failure, empty for a success.
	Kind       ports.Kind
	Characters int
	AudioBytes int
	Audio      time.Duration
	TokensIn   int
	TokensOut  int
	// Dollars is the cost at list price; Priced is false when nobody knows it.
	Dollars float64
	Priced  bool
}

// operations are the names of the stages in the conventions, which know only the first
// of them so far.
var operations = map[string]string{"llm": "chat", "stt": "speech_to_text", "tts": "text_to_speech"}

// Attempt files an attempt below the span that ctx is in; none is made outside of one
// or when that is not kept.
func (t *Tracer) Attempt(ctx context.Context, a Attempt) {
	if t == nil || !trace.SpanContextFromContext(ctx).IsSampled() {
		return
	}
	now := time.Now()
	name := operations[a.Stage]
	if a.Model != "" {
		name += " " + a.Model
	}
	attributes := make([]attribute.KeyValue, 0, 16)
	add := func(kv ...attribute.KeyValue) { attributes = append(attributes, kv...) }
	system := a.System
	if system == "" {
		system = a.Vendor
	}
	add(semconv.GenAIOperationNameKey.String(operations[a.Stage]), semconv.GenAIProviderNameKey.String(system),
		attribute.String("whatsapp_node.vendor", a.Vendor), attribute.Int("whatsapp_node.attempt", a.Number),
		attribute.Float64("whatsapp_node.seconds", a.Took.Seconds()))
	if a.Model != "" {
		add(semconv.GenAIRequestModel(a.Model))
	}
	switch a.Stage {
	case "tts":
		add(semconv.GenAIOutputTypeSpeech)
	default:
		add(semconv.GenAIOutputTypeText)
	}
	if a.TokensIn+a.TokensOut > 0 {
		add(semconv.GenAIUsageInputTokens(a.TokensIn), semconv.GenAIUsageOutputTokens(a.TokensOut))
	}
	if a.Priced {
		add(attribute.Float64("gen_ai.usage.cost", a.Dollars)) // as Langfuse reads it; the conventions have no name yet
	}
	if a.FirstToken > 0 {
		add(attribute.Float64("gen_ai.response.time_to_first_chunk", a.FirstToken.Seconds()))
	}
	if a.Characters > 0 {
		add(attribute.Int("whatsapp_node.characters", a.Characters))
	}
	if a.AudioBytes > 0 {
		add(attribute.Int("whatsapp_node.audio.bytes", a.AudioBytes))
	}
	if a.Audio > 0 {
		add(attribute.Float64("whatsapp_node.audio.seconds", a.Audio.Seconds()))
	}
	if a.Hedge {
		add(attribute.Bool("whatsapp_node.hedge", true))
	}
	_, span := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(now.Add(-a.Took)), trace.WithAttributes(attributes...))
	if a.Kind != "" {
		fail(span, &ports.Error{Kind: a.Kind})
	}
	span.End(trace.WithTimestamp(now))
}
