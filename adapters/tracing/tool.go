package tracing

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"whatsappnode/ports"
)

// toolError is the error type of a tool that ran and reports a failure (OpenTelemetry,
// "Semantic conventions for Model Context Protocol (MCP)").
const toolError = "tool_error"

// Tool implements ports.TracerPort: the span "execute_tool" of the conventions
// (OpenTelemetry, "Semantic conventions for generative AI agent spans"). Arguments and
// results, which they leave to choice, are not in it.
func (t *Tracer) Tool(ctx context.Context, name string) (context.Context, func(err error)) {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return ctx, func(error) {}
	}
	ctx, span := t.tracer.Start(ctx, "execute_tool "+name, trace.WithAttributes(
		semconv.GenAIOperationNameExecuteTool, semconv.GenAIToolName(name)))
	return ctx, func(err error) {
		fail(span, err)
		if errors.Is(err, ports.ErrToolFailed) {
			span.SetAttributes(semconv.ErrorTypeKey.String(toolError))
			span.SetStatus(codes.Error, toolError)
		}
		span.End()
	}
}
