package e2e_test

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// otlp is an OpenTelemetry collector that takes traces over HTTP in protobuf.
type otlp struct {
	url string

	mu       sync.Mutex
	raw      []byte // all that came
	spans    []*span
	resource map[string]any
	header   http.Header
	refuse   bool
}

// span is one as it was received.
type span struct {
	*traces.Span
	attributes map[string]any
}

func newCollector(t *testing.T) *otlp {
	t.Helper()
	c := &otlp{resource: map[string]any{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		c.mu.Lock()
		defer c.mu.Unlock()
		var req collector.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" || proto.Unmarshal(body, &req) != nil || c.refuse {
			http.Error(w, "this collector does not want "+string(body), http.StatusBadRequest)
			return
		}
		c.raw, c.header = append(c.raw, body...), r.Header.Clone()
		for _, rs := range req.GetResourceSpans() {
			c.resource = plain(rs.GetResource().GetAttributes())
			for _, ss := range rs.GetScopeSpans() {
				for _, s := range ss.GetSpans() {
					c.spans = append(c.spans, &span{s, plain(s.GetAttributes())})
				}
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// plain turns attributes into Go values.
func plain(attributes []*common.KeyValue) map[string]any {
	out := map[string]any{}
	for _, kv := range attributes {
		switch v := kv.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			out[kv.GetKey()] = v.StringValue
		case *common.AnyValue_IntValue:
			out[kv.GetKey()] = v.IntValue
		case *common.AnyValue_DoubleValue:
			out[kv.GetKey()] = v.DoubleValue
		case *common.AnyValue_BoolValue:
			out[kv.GetKey()] = v.BoolValue
		}
	}
	return out
}

func (s *span) trace() string  { return hex.EncodeToString(s.GetTraceId()) }
func (s *span) id() string     { return hex.EncodeToString(s.GetSpanId()) }
func (s *span) parent() string { return hex.EncodeToString(s.GetParentSpanId()) }

func (s *span) took() time.Duration {
	return time.Duration(s.GetEndTimeUnixNano() - s.GetStartTimeUnixNano())
}

func (s *span) failed() bool { return s.GetStatus().GetCode() == traces.Status_STATUS_CODE_ERROR }

// all lists what came, perhaps of one name.
func (c *otlp) all(name string) (found []*span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if name == "" || s.GetName() == name {
			found = append(found, s)
		}
	}
	return found
}

// bytes is everything as it came over the wire.
func (c *otlp) bytes() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.raw)
}

// of lists the spans of one trace by name.
func (c *otlp) of(trace string) map[string][]*span {
	out := map[string][]*span{}
	for _, s := range c.all("") {
		if s.trace() == trace {
			out[s.GetName()] = append(out[s.GetName()], s)
		}
	}
	return out
}

// one demands exactly one span of a name below a certain parent.
func one(t *testing.T, in map[string][]*span, name string, parent *span) *span {
	t.Helper()
	require.Len(t, in[name], 1, "spans called %q", name)
	s := in[name][0]
	if parent != nil {
		assert.Equal(t, parent.id(), s.parent(), "%s is below %s", name, parent.GetName())
	}
	return s
}
