package bot

import (
	"context"
	"net/http"

	"go.uber.org/zap"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/echohttp"
	"whatsappnode/adapters/metrics"
	"whatsappnode/adapters/telemetry"
	"whatsappnode/adapters/tracing"
)

// requests has a listener tell how its requests end, and put them into their traces.
func (w *watch) requests(o *echohttp.Options) {
	if o.Webhook != nil {
		o.Around = func(next http.Handler) http.Handler { return w.tracer.Handler(echohttp.WebhookPath, next) }
		o.LogFields = func(ctx context.Context) []zap.Field { return telemetry.Trace(w.project, tracing.Traceparent(ctx)) }
	}
	if w.metrics == nil {
		return
	}
	o.OnWebhook = func(r echohttp.WebhookRequest) {
		w.metrics.Webhook(r.Outcome, r.Method == http.MethodPost && r.Status == http.StatusOK, r.Took)
	}
	o.OnPanic = w.metrics.RequestPanic
}

// expose serves the metrics on the admin listener.
func (w *watch) expose(admin *echohttp.Admin, sources metrics.Sources) {
	if w.metrics == nil || admin == nil {
		return
	}
	w.metrics.Read(sources)
	admin.Handle("GET /metrics", w.metrics.Handler())
}

// breakerStates lists the circuit breakers for a scrape.
func breakerStates(all *decorate.Breakers) func() []metrics.Breaker {
	return func() []metrics.Breaker {
		var out []metrics.Breaker
		for _, b := range all.States() {
			out = append(out, metrics.Breaker{Stage: b.Operation, Vendor: b.Provider, State: string(b.State)})
		}
		return out
	}
}

// checkStates asks the readiness checks for a scrape.
func checkStates(ready *echohttp.Readiness) func(ctx context.Context) map[string]bool {
	return func(ctx context.Context) map[string]bool {
		out := map[string]bool{}
		for _, c := range ready.Ask(ctx).Checks {
			out[c.Name] = c.Err == nil
		}
		return out
	}
}
