package tracing

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Config says where spans go and which are kept. The fields mean what the
// OpenTelemetry variables of the same name mean (OpenTelemetry, "Environment variable
// specification"); whoever makes it has read them.
type Config struct {
	// Endpoint is the address that takes spans over HTTP in protobuf, with its path
	// ("http://collector:4318/v1/traces"). Empty: none are made.
	Endpoint string
	// Headers go with each export, such as a key of the backend.
	Headers map[string]string
	// Timeout bounds one export; 10 s when zero.
	Timeout time.Duration
	// Sampler is one of Samplers; parentbased_always_on when empty. Ratio is its
	// argument where it takes one, from 0 to 1.
	Sampler string
	Ratio   float64
	// Service, Version and Attributes describe the process.
	Service, Version string
	Attributes       map[string]string
}

// Samplers are the values of OTEL_TRACES_SAMPLER that are known.
var Samplers = []string{"always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"}

func (c Config) sampler() (sdktrace.Sampler, error) {
	root, based := strings.CutPrefix(c.Sampler, "parentbased_")
	if c.Sampler == "" {
		root, based = "always_on", true
	}
	var s sdktrace.Sampler
	switch root {
	case "always_on":
		s = sdktrace.AlwaysSample()
	case "always_off":
		s = sdktrace.NeverSample()
	case "traceidratio":
		if c.Ratio < 0 || c.Ratio > 1 {
			return nil, fmt.Errorf("the ratio %g is not between 0 and 1", c.Ratio)
		}
		s = sdktrace.TraceIDRatioBased(c.Ratio)
	default:
		return nil, fmt.Errorf("the sampler is none of %s", strings.Join(Samplers, ", "))
	}
	if based {
		s = sdktrace.ParentBased(s)
	}
	return s, nil
}

// Endpoint is the address for traces: the one that is meant for them, or else the one
// for all signals with the path of traces added.
func Endpoint(traces, all string) string {
	if traces != "" || all == "" {
		return traces
	}
	return strings.TrimSuffix(all, "/") + "/v1/traces"
}

var errPairs = errors.New("must be key=value pairs, comma-separated, with other characters percent-encoded")

// ParsePairs reads a list of headers or of resource attributes. Its error does not
// quote the list, which may hold a key.
func ParsePairs(list string) (map[string]string, error) {
	out := map[string]string{}
	for _, pair := range strings.Split(list, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		k, v, ok := strings.Cut(pair, "=")
		k = strings.TrimSpace(k)
		v, err := url.PathUnescape(strings.TrimSpace(v))
		if !ok || k == "" || err != nil {
			return nil, errPairs
		}
		out[k] = v
	}
	return out, nil
}
