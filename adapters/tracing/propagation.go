package tracing

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

const (
	traceparentHeader = "traceparent"
	// cloudHeader is what Google's front ends send (Cloud Trace, "Link logs with
	// traces"). The library that read it was given up in favour of traceparent, which
	// they send too nowadays.
	cloudHeader = "X-Cloud-Trace-Context"
)

var w3c propagation.TraceContext

// carried is a traceparent on its way out of or into a string.
type carried struct{ parent string }

// Get implements propagation.TextMapCarrier.
func (c *carried) Get(key string) string {
	if key == traceparentHeader {
		return c.parent
	}
	return ""
}

// Set implements propagation.TextMapCarrier.
func (c *carried) Set(key, value string) {
	if key == traceparentHeader {
		c.parent = value
	}
}

// Keys implements propagation.TextMapCarrier.
func (c *carried) Keys() []string { return []string{traceparentHeader} }

// Traceparent is the W3C form of the span that ctx is in, or empty.
func Traceparent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	var c carried
	w3c.Inject(ctx, &c)
	return c.parent
}

// within is ctx below the span that a stored traceparent names; ctx itself where it
// names none.
func within(ctx context.Context, parent string) context.Context {
	if parent == "" {
		return ctx
	}
	return w3c.Extract(ctx, &carried{parent})
}

// fromHeaders is ctx below the span that a request names: in traceparent, or else in
// Google's own header.
func fromHeaders(ctx context.Context, h http.Header) context.Context {
	if p := h.Get(traceparentHeader); p != "" {
		if below := within(ctx, p); trace.SpanContextFromContext(below).IsValid() {
			return below
		}
	}
	if c := h.Get(cloudHeader); c != "" {
		if sc, ok := parseCloud(c); ok {
			return trace.ContextWithRemoteSpanContext(ctx, sc)
		}
	}
	return ctx
}

// maxCloud is longer than any true value of the header.
const maxCloud = 128

// parseCloud reads "TRACE/SPAN;o=1": 32 hex digits, a decimal number that is not zero,
// and whether the trace is kept.
func parseCloud(value string) (trace.SpanContext, bool) {
	if len(value) > maxCloud {
		return trace.SpanContext{}, false
	}
	ids, options, _ := strings.Cut(value, ";")
	traceText, spanText, ok := strings.Cut(ids, "/")
	if !ok || len(traceText) != 32 {
		return trace.SpanContext{}, false
	}
	var c trace.SpanContextConfig
	if _, err := hex.Decode(c.TraceID[:], []byte(traceText)); err != nil {
		return trace.SpanContext{}, false
	}
	span, err := strconv.ParseUint(spanText, 10, 64)
	if err != nil {
		return trace.SpanContext{}, false
	}
	binary.BigEndian.PutUint64(c.SpanID[:], span)
	if options == "o=1" {
		c.TraceFlags = trace.FlagsSampled
	}
	c.Remote = true
	sc := trace.NewSpanContext(c)
	return sc, sc.IsValid()
}
