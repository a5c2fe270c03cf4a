package bot

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"whatsappnode/adapters/decorate"
	"whatsappnode/adapters/metrics"
	"whatsappnode/adapters/telemetry"
	"whatsappnode/adapters/tracing"
	"whatsappnode/ports"
)

// watch tells the log, the metrics and the traces what happens between us and the
// vendors. The engines are chosen before there is a log, so it gets one later.
type watch struct {
	log     atomic.Pointer[zap.Logger]
	metrics *metrics.Metrics // nil: nobody scrapes
	tracer  *tracing.Tracer  // nil: nobody follows
	meter   *meter           // nil: nobody counts
	refs    *telemetry.Refs  // nil before anybody is asked for an answer
	project string           // of Google Cloud, for the traces that log lines name

	linesCut      atomic.Int64 // log lines
	eventsDropped func() int64
}

// newWatch is a watch that counts where there is an admin listener to scrape or a
// collector to send traces to.
func newWatch(cfg Config) (*watch, error) {
	w := &watch{project: cfg.Vendors.Google.Project}
	scraped := cfg.HTTP.AdminAddr != "off"
	if !scraped && !cfg.Trace.on() {
		return w, nil
	}
	prices, err := newTariff(cfg)
	if prices == nil || prices.listed == nil {
		return nil, err
	}
	w.meter = &meter{tariff: prices} // a fault of PRICES_FILE is told with those of the other settings
	if scraped {
		w.metrics = metrics.New()
	}
	return w, nil
}

func (w *watch) logger() *zap.Logger {
	if l := w.log.Load(); l != nil {
		return l
	}
	return zap.NewNop()
}

// breaker tells that a vendor is left alone, tried again, or well.
func (w *watch) breaker(provider, operation string, state decorate.State) {
	level := w.logger().Info
	if state == decorate.StateOpen {
		level = w.logger().Warn
	}
	level("vendor.breaker", zap.String("vendor", provider), zap.String("operation", operation), zap.String("state", string(state)))
}

// pacing tells that the store could not pace a send, which therefore was not held back:
// at the step take this one, at hold those that follow.
func (w *watch) pacing(ctx context.Context, at decorate.PacingStep, err error) {
	if w.metrics != nil {
		w.metrics.PacingFailed(string(at))
	}
	w.logger().Warn("pacing.failed", w.about(ctx, zap.String("event", "pacing.failed"), zap.String("step", string(at)), zap.Error(err))...)
}

// observer follows what the vendors of the settings do.
func (w *watch) observer() decorate.Observer { return w.observerAt(w.meter) }

// observerAt follows vendors that are asked for what another meter knows: a budget's
// cheaper model is not the one of the settings, and has a price of its own.
func (w *watch) observerAt(m *meter) decorate.Observer {
	return decorate.Observer{
		OnCall: func(ctx context.Context, c decorate.Call) {
			w.write(ctx, c, w.count(ctx, m, c))
		},
		OnSwitch: func(ctx context.Context, s decorate.Switch) {
			if w.metrics != nil {
				w.metrics.VendorSwitch(s.Operation, s.From, s.To)
			}
			if entry := w.logger().Check(zap.WarnLevel, "vendor.switched"); entry != nil {
				entry.Write(w.about(ctx, zap.String("operation", s.Operation), zap.String("from", s.From), zap.String("to", s.To),
					zap.String("kind", string(s.Kind)), zap.Bool("hedge", s.Hedge))...)
			}
		},
	}
}

// bought is what an attempt was made with, and what it cost where that is known.
type bought struct {
	model   string
	dollars float64
	priced  bool
}

// count measures an attempt and files it; a meter of nil counts nothing.
func (w *watch) count(ctx context.Context, m *meter, c decorate.Call) bought {
	if m == nil {
		return bought{}
	}
	p := m.product(c.Operation, c.Provider)
	cost, known := m.cost(c, p, time.Now())
	if w.metrics != nil {
		w.metrics.VendorCall(metrics.VendorCall{
			Stage: c.Operation, Vendor: c.Provider, Outcome: string(c.Kind), Took: c.Took, FirstToken: c.FirstToken, Clip: c.Audio,
			TokensIn: c.Usage.Input, TokensOut: c.Usage.Output, Dollars: cost.Dollars(), Priced: known,
		})
	}
	w.tracer.Attempt(ctx, tracing.Attempt{
		Stage: c.Operation, Vendor: c.Provider, Model: p.model, System: systemOf(c.Provider, m.tariff.cfg), Number: c.Attempt, Hedge: c.Hedge,
		Took: c.Took, FirstToken: c.FirstToken, Kind: c.Kind, Characters: c.Characters, AudioBytes: c.AudioBytes, Audio: c.Audio,
		TokensIn: c.Usage.Input, TokensOut: c.Usage.Output, Dollars: cost.Dollars(), Priced: known,
	})
	return bought{p.model, cost.Dollars(), known}
}

// about adds to a line's fields the message, the person and the trace that a call was
// made for.
func (w *watch) about(ctx context.Context, fields ...zap.Field) []zap.Field {
	if w.refs != nil {
		fields = w.refs.Append(fields, ports.SubjectOf(ctx))
	}
	return append(fields, telemetry.Trace(w.project, tracing.Traceparent(ctx))...)
}

// write logs an attempt; the good ones only for who wants every detail.
func (w *watch) write(ctx context.Context, c decorate.Call, b bought) {
	level, name := zap.WarnLevel, "vendor.failed"
	if c.Err == nil || c.Kind == ports.KindCanceled { // the loser of a hedge, or nobody listens any more
		level, name = zap.DebugLevel, "vendor.call"
	}
	entry := w.logger().Check(level, name)
	if entry == nil {
		return
	}
	fields := []zap.Field{
		zap.String("vendor", c.Provider), zap.String("operation", c.Operation), zap.Int("attempt", c.Attempt),
		zap.Duration("took", c.Took), zap.Duration("first_token", c.FirstToken),
		zap.Int("characters", c.Characters), zap.Int("audio_bytes", c.AudioBytes), zap.Duration("audio", c.Audio),
		zap.Int("tokens_in", c.Usage.Input), zap.Int("tokens_out", c.Usage.Output),
	}
	if b.model != "" {
		fields = append(fields, zap.String("model", b.model))
	}
	if b.priced {
		fields = append(fields, zap.Float64("dollars", b.dollars))
	}
	if level == zap.WarnLevel {
		fields = append(fields, zap.String("kind", string(c.Kind)), zap.Error(c.Err))
	}
	entry.Write(w.about(ctx, fields...)...)
}
