package tracing

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"whatsappnode/ports"
)

const scope = "whatsappnode/adapters/tracing"

// maxQueue bounds the spans that wait for an export; further ones are dropped. A turn
// makes about twenty.
const maxQueue = 16 << 10

// Tracer makes spans. It is safe for concurrent use. A nil Tracer makes none.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	ref      func(kind, id string) string
	lost     *atomic.Int64
}

// New makes a tracer, and starts the goroutine that exports; Close ends it. Ref is the
// keyed hash that stands for an id. OnLost is told when spans could not be exported,
// with how many and why in words that are safe to log; it may be nil.
func New(ctx context.Context, c Config, ref func(kind, id string) string, onLost func(spans int, reason string)) (*Tracer, error) {
	sampler, err := c.sampler()
	if err != nil {
		return nil, err
	}
	options := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(c.Endpoint)}
	if len(c.Headers) > 0 {
		options = append(options, otlptracehttp.WithHeaders(c.Headers))
	}
	if c.Timeout > 0 {
		options = append(options, otlptracehttp.WithTimeout(c.Timeout))
	}
	exporter, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return nil, errors.New("the exporter refuses its address or headers") // which its error may quote
	}
	lost := new(atomic.Int64)
	counted := &countedExporter{SpanExporter: exporter, lost: lost, tell: onLost}
	attributes := []attribute.KeyValue{
		semconv.ServiceName(c.Service), semconv.ServiceVersion(c.Version), semconv.ServiceInstanceID(rand.Text()),
	}
	for k, v := range c.Attributes {
		attributes = append(attributes, attribute.String(k, v))
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSampler(sampler),
		sdktrace.WithResource(resource.NewWithAttributes(semconv.SchemaURL, attributes...)),
		sdktrace.WithBatcher(counted, sdktrace.WithMaxQueueSize(maxQueue)),
	)
	return &Tracer{provider: provider, tracer: provider.Tracer(scope), ref: ref, lost: lost}, nil
}

// Close exports what waits, within ctx, and ends the goroutine.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("export the last spans: %w", errors.New(reason(err)))
	}
	return nil
}

// Lost is how many spans could not be exported.
func (t *Tracer) Lost() int64 {
	if t == nil {
		return 0
	}
	return t.lost.Load()
}

// fail marks a span. Of the error only its kind is told: where the words may come from
// a vendor, the log is the place that was made safe for them.
func fail(span trace.Span, err error) {
	if err == nil {
		return
	}
	kind := string(ports.KindOf(err))
	span.SetAttributes(semconv.ErrorTypeKey.String(kind))
	var e *ports.Error
	if errors.As(err, &e) && e.Code != "" {
		span.SetAttributes(attribute.String("whatsapp_node.error.code", e.Code))
	}
	span.SetStatus(codes.Error, kind)
}
