package tracing

import (
	"context"
	"errors"
	"net"
	"net/url"
	"sync/atomic"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// countedExporter counts what could not be exported, in place of the library's own
// report to stderr.
type countedExporter struct {
	sdktrace.SpanExporter
	lost *atomic.Int64
	tell func(spans int, reason string)
}

// ExportSpans implements sdktrace.SpanExporter.
func (e *countedExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if err := e.SpanExporter.ExportSpans(ctx, spans); err != nil {
		e.lost.Add(int64(len(spans)))
		if e.tell != nil {
			e.tell(len(spans), reason(err))
		}
	}
	return nil
}

// reason says why an export failed without what a collector answered or where it is:
// an address may hold a password, and an answer may repeat the key.
func reason(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	var u *url.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "the collector did not answer in time"
	case errors.Is(err, context.Canceled):
		return "the process is stopping"
	case errors.As(err, &dns):
		return "the collector's name was not found"
	case errors.As(err, &op):
		return "the collector cannot be reached (" + op.Op + ")"
	case errors.As(err, &u):
		return "the request to the collector failed"
	}
	return "the collector refused the spans"
}
