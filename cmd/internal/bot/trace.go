package bot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"whatsappnode/adapters/settings"
	"whatsappnode/adapters/telemetry"
	"whatsappnode/adapters/tracing"
	"whatsappnode/ports"
)

// TraceConfig is about traces. The names and meanings are OpenTelemetry's own
// (OpenTelemetry, "Environment variable specification").
type TraceConfig struct {
	Endpoint       string          `env:"OTEL_EXPORTER_OTLP_ENDPOINT" validate:"omitempty,http_url" doc:"Address of an OpenTelemetry collector or backend that takes OTLP over HTTP, such as http://localhost:4318; /v1/traces is added. Unset: no traces are made, and none cost anything."`
	TracesEndpoint string          `env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" validate:"omitempty,http_url" doc:"The same for traces alone, with its whole path."`
	Headers        settings.Secret `env:"OTEL_EXPORTER_OTLP_HEADERS" doc:"Headers of each export, such as a backend's key: name=value, comma-separated."`
	Protocol       string          `env:"OTEL_EXPORTER_OTLP_PROTOCOL" envDefault:"http/protobuf" validate:"oneof=http/protobuf" doc:"How spans are sent; there is one way."`
	Timeout        int             `env:"OTEL_EXPORTER_OTLP_TIMEOUT" envDefault:"10000" validate:"min=1,max=60000" doc:"Time for one export, in milliseconds."`
	Sampler        string          `env:"OTEL_TRACES_SAMPLER" envDefault:"parentbased_always_on" validate:"oneof=always_on always_off traceidratio parentbased_always_on parentbased_always_off parentbased_traceidratio" doc:"Which traces are kept. The parentbased ones follow whoever stands in front: Cloud Run keeps few, so always_on or traceidratio there."`
	SamplerArg     float64         `env:"OTEL_TRACES_SAMPLER_ARG" envDefault:"1" validate:"min=0,max=1" doc:"Share of the traces that the samplers with traceidratio keep, from 0 to 1."`
	Service        string          `env:"OTEL_SERVICE_NAME" envDefault:"whatsapp-node" doc:"Name of this service in traces."`
	Attributes     string          `env:"OTEL_RESOURCE_ATTRIBUTES" doc:"Further attributes of this process: name=value, comma-separated."`
	Disabled       bool            `env:"OTEL_SDK_DISABLED" envDefault:"false" doc:"Make no traces whatever else is set."`
}

// endpoint is where spans go; empty: nowhere.
func (c TraceConfig) endpoint() string { return tracing.Endpoint(c.TracesEndpoint, c.Endpoint) }

func (c TraceConfig) on() bool { return c.endpoint() != "" && !c.Disabled }

// faults checks what the tags cannot say.
func (c TraceConfig) faults() []error {
	var faults []error
	if _, err := tracing.ParsePairs(c.Headers.Reveal()); err != nil {
		faults = append(faults, fmt.Errorf("OTEL_EXPORTER_OTLP_HEADERS %w", err))
	}
	if _, err := tracing.ParsePairs(c.Attributes); err != nil {
		faults = append(faults, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES %w", err))
	}
	return faults
}

// lastExport is how long a process that stops waits for the collector.
const lastExport = 2 * time.Second

// trace makes the tracer where there is somebody to send spans to.
func (w *watch) trace(ctx context.Context, cfg Config, key []byte) error {
	c := cfg.Trace
	if !c.on() {
		return nil
	}
	refs, err := telemetry.NewRefs(key)
	if err != nil {
		return err
	}
	headers, err := tracing.ParsePairs(c.Headers.Reveal())
	attributes, err2 := tracing.ParsePairs(c.Attributes)
	if err := errors.Join(err, err2); err != nil {
		return err // load has checked them
	}
	w.tracer, err = tracing.New(ctx, tracing.Config{
		Endpoint: c.endpoint(), Headers: headers, Timeout: time.Duration(c.Timeout) * time.Millisecond, Sampler: c.Sampler, Ratio: c.SamplerArg,
		Service: c.Service, Version: Version, Attributes: attributes,
	}, refs.Ref, func(spans int, reason string) {
		w.logger().Warn("trace.lost", zap.Int("spans", spans), zap.String("reason", reason))
	})
	if err != nil {
		return settingsError([]error{fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)})
	}
	return nil
}

// turns is who files the work on turns, or nil.
func (w *watch) turns() ports.TracerPort {
	if w.tracer == nil {
		return nil // and not an interface that holds nil
	}
	return w.tracer
}

// close exports what is left of the traces.
func (w *watch) close() {
	ctx, cancel := context.WithTimeout(context.Background(), lastExport)
	defer cancel()
	if err := w.tracer.Close(ctx); err != nil {
		w.logger().Warn("trace.lost", zap.Error(err))
	}
}

// systemOf is a vendor's name in the semantic conventions, where it has one of its own.
func systemOf(vendor string, cfg Config) string {
	switch {
	case vendor == "genai" && cfg.Vendors.Gemini.Vertex:
		return "gcp.vertex_ai"
	case vendor == "genai", vendor == "gemini":
		return "gcp.gemini"
	}
	return vendor
}
