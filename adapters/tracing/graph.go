package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"whatsappnode/domain"
)

// Network begins a call of the messaging network. Bytes is the size of what is sent
// along, zero where that says nothing. The function that is returned ends it.
func (t *Tracer) Network(ctx context.Context, operation string, bytes int) (context.Context, func(bytes int, err error)) {
	if t == nil {
		return ctx, func(int, error) {}
	}
	ctx, span := t.tracer.Start(ctx, operation, trace.WithSpanKind(trace.SpanKindClient))
	measure := func(n int) {
		if n > 0 {
			span.SetAttributes(attribute.Int("whatsapp_node.bytes", n))
		}
	}
	measure(bytes)
	return ctx, func(n int, err error) {
		measure(n)
		fail(span, err)
		span.End()
	}
}

// Delivery files what a status webhook told of a send, below the span of that send,
// which its reference names, and linked to the webhook that ctx is in. A status whose
// reference did not come back leaves no span.
func (t *Tracer) Delivery(ctx context.Context, s domain.Status, turn domain.TurnID) {
	if t == nil || !s.HasRef || s.Ref.Trace == "" {
		return
	}
	below := within(context.Background(), s.Ref.Trace)
	if !trace.SpanContextFromContext(below).IsValid() {
		return
	}
	now := time.Now()
	options := []trace.SpanStartOption{trace.WithTimestamp(now), trace.WithAttributes(
		attribute.String("whatsapp_node.turn", t.ref("turn", string(turn))),
		attribute.Int("whatsapp_node.part", s.Ref.Part))}
	if webhook := trace.SpanContextFromContext(ctx); webhook.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: webhook}))
	}
	_, span := t.tracer.Start(below, string(s.State), options...)
	if f := s.Failure; f != nil {
		span.SetAttributes(attribute.Int("whatsapp_node.error.code", f.Code), attribute.String("whatsapp_node.error.class", string(f.Class)))
	}
	span.End(trace.WithTimestamp(now))
}
