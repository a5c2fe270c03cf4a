package tracing

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Handler puts requests of one path below the span that their headers name, and makes
// a span of its own for each. Without a tracer the headers still count, so that logs
// can be found by the trace of whoever stands in front.
//
// The span knows method, path and status. Addresses, queries and agents stay out.
func (t *Tracer) Handler(path string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			next.ServeHTTP(w, r)
			return
		}
		ctx := fromHeaders(r.Context(), r.Header)
		if t == nil {
			if ctx != r.Context() {
				r = r.WithContext(ctx)
			}
			next.ServeHTTP(w, r)
			return
		}
		ctx, span := t.tracer.Start(ctx, "webhook", trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(semconv.HTTPRequestMethodKey.String(method(r.Method)), semconv.HTTPRoute(path)))
		answer := &answerWatch{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			span.SetAttributes(semconv.HTTPResponseStatusCode(answer.status))
			if answer.status >= http.StatusInternalServerError {
				span.SetStatus(codes.Error, "")
			}
			span.End()
		}()
		next.ServeHTTP(answer, r.WithContext(ctx))
	})
}

// method keeps what a stranger may call a method out of the spans.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodPost, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete, http.MethodPatch:
		return m
	}
	return "_OTHER"
}

// answerWatch remembers the status of an answer.
type answerWatch struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (a *answerWatch) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach what is below.
func (a *answerWatch) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Intake stores the trace of a webhook with its messages. It works without a tracer,
// for the traces of others.
func Intake(next ports.IntakePort) ports.IntakePort { return intake{next} }

type intake struct{ next ports.IntakePort }

// Receive implements ports.IntakePort.
func (i intake) Receive(ctx context.Context, env domain.Envelope) (ports.Receipt, error) {
	if parent := Traceparent(ctx); parent != "" {
		for n := range env.Messages {
			env.Messages[n].Trace = parent
		}
		trace.SpanFromContext(ctx).SetAttributes(
			attribute.Int("whatsapp_node.webhook.messages", len(env.Messages)),
			attribute.Int("whatsapp_node.webhook.statuses", len(env.Statuses)),
			attribute.Int("whatsapp_node.webhook.others", len(env.Others)))
	}
	receipt, err := i.next.Receive(ctx, env)
	fail(trace.SpanFromContext(ctx), err)
	return receipt, err
}
