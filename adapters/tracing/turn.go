package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"whatsappnode/ports"
)

var _ ports.TracerPort = (*Tracer)(nil)

// maxLinks bounds the webhooks that one turn names beside its first.
const maxLinks = 32

// Turn implements ports.TracerPort: a span for the wait in the queue, and one for the
// work, both below the webhook.
func (t *Tracer) Turn(ctx context.Context, turn ports.TurnTrace) (context.Context, func(outcome string, err error)) {
	ctx = within(ctx, turn.Trace)
	now := time.Now()
	if !turn.ReceivedAt.IsZero() && turn.ReceivedAt.Before(now) {
		_, wait := t.tracer.Start(ctx, "queue", trace.WithTimestamp(turn.ReceivedAt))
		wait.End(trace.WithTimestamp(now))
	}
	var links []trace.Link
	for _, other := range turn.Also {
		if other == turn.Trace || len(links) >= maxLinks {
			continue
		}
		if sc := trace.SpanContextFromContext(within(context.Background(), other)); sc.IsValid() {
			links = append(links, trace.Link{SpanContext: sc})
		}
	}
	ctx, span := t.tracer.Start(ctx, "turn", trace.WithTimestamp(now), trace.WithLinks(links...), trace.WithAttributes(
		attribute.String("whatsapp_node.turn", t.ref("turn", string(turn.Turn))),
		attribute.String("whatsapp_node.conversation", t.ref("conv", string(turn.Conversation))),
		attribute.Int("whatsapp_node.messages", turn.Messages),
		attribute.Int("whatsapp_node.attempt", turn.Attempt)))
	return ctx, func(outcome string, err error) {
		span.SetAttributes(attribute.String("whatsapp_node.outcome", outcome))
		fail(span, err)
		span.End()
	}
}

// Step implements ports.TracerPort.
func (t *Tracer) Step(ctx context.Context, name string) (context.Context, func(err error)) {
	ctx, span := t.tracer.Start(ctx, name)
	return ctx, func(err error) {
		fail(span, err)
		span.End()
	}
}
