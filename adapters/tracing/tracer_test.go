package tracing_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"whatsappnode/adapters/tracing"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// sink is a collector that keeps what it gets.
type sink struct {
	*httptest.Server
	mu     sync.Mutex
	spans  []*traces.Span
	status int
}

func newSink(t *testing.T) *sink {
	s := &sink{status: http.StatusOK}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		var req collector.ExportTraceServiceRequest
		if s.status != http.StatusOK || proto.Unmarshal(body, &req) != nil {
			http.Error(w, "marker", s.status)
			return
		}
		for _, rs := range req.GetResourceSpans() {
			for _, ss := range rs.GetScopeSpans() {
				s.spans = append(s.spans, ss.GetSpans()...)
			}
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *sink) names() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, each := range s.spans {
		names = append(names, each.GetName())
	}
	return names
}

func ref(kind, id string) string { return kind + "#" + id[:1] }

func newTracer(t *testing.T, c tracing.Config, onLost func(int, string)) *tracing.Tracer {
	t.Helper()
	c.Service, c.Version = "test", "1"
	tr, err := tracing.New(t.Context(), c, ref, onLost)
	require.NoError(t, err)
	return tr
}

func closed(t *testing.T, tr *tracing.Tracer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	require.NoError(t, tr.Close(ctx))
}

// turn makes the spans of one turn, with a child of each sort.
func turn(tr *tracing.Tracer, trace string) {
	ctx, done := tr.Turn(context.Background(), ports.TurnTrace{Turn: "t1", Conversation: "c1", Trace: trace, ReceivedAt: time.Now().Add(-time.Second), Attempt: 1})
	step, stepped := tr.Step(ctx, "answer")
	tr.Attempt(step, tracing.Attempt{Stage: "llm", Vendor: "openai", Model: "m1", Took: time.Second})
	stepped(nil)
	sending, sent := tr.Network(ctx, "send", 0)
	status := domain.Status{State: domain.DeliveryPlayed, HasRef: true, Ref: domain.PartRef{Trace: tracing.Traceparent(sending)}}
	sent(0, &ports.Error{Kind: ports.KindRateLimited, Code: "130429", Err: errors.New("marker")})
	done("sent", nil)
	tr.Delivery(context.Background(), status, "t1")
}

var whole = []string{"queue", "chat m1", "answer", "send", "turn", "played"}

func TestSamplers(t *testing.T) {
	kept, notKept := parent, parent[:53]+"00"
	for name, c := range map[string]struct {
		sampler string
		ratio   float64
		trace   string
		want    []string
	}{
		"DefaultFollowsAParentThatKeeps":   {"", 0, kept, whole},
		"DefaultFollowsAParentThatDoesNot": {"", 0, notKept, nil},
		"DefaultKeepsWithoutAParent":       {"", 0, "", whole},
		"AlwaysOnKeepsWhateverTheParent":   {"always_on", 0, notKept, whole},
		"AlwaysOffKeepsNone":               {"always_off", 1, kept, nil},
		"NoShareKeepsNone":                 {"traceidratio", 0, kept, nil},
		"WholeShareKeepsAll":               {"traceidratio", 1, notKept, whole},
		"ShareFollowsTheParent":            {"parentbased_traceidratio", 0, kept, whole},
		"ParentBasedOffKeepsNoneOfItsOwn":  {"parentbased_always_off", 0, "", nil},
		"AMalformedParentIsNone":           {"parentbased_always_on", 0, "00-marker", whole},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSink(t)
			tr := newTracer(t, tracing.Config{Endpoint: s.URL + "/v1/traces", Sampler: c.sampler, Ratio: c.ratio}, nil)
			turn(tr, c.trace)
			closed(t, tr)
			assert.ElementsMatch(t, c.want, s.names())
			assert.Zero(t, tr.Lost())
		})
	}
}

func TestAnErrorIsOnlyItsKind(t *testing.T) {
	s := newSink(t)
	tr := newTracer(t, tracing.Config{Endpoint: s.URL + "/v1/traces"}, nil)
	turn(tr, "")
	closed(t, tr)
	for _, each := range s.spans {
		assert.NotContains(t, each.String(), "marker")
		if each.GetName() == "send" {
			assert.Equal(t, "rate_limited", each.GetStatus().GetMessage())
			assert.Contains(t, each.String(), "130429")
		}
	}
}

func TestWhatIsLostIsCounted(t *testing.T) {
	s := newSink(t)
	s.status = http.StatusBadRequest
	var told []string
	tr := newTracer(t, tracing.Config{Endpoint: s.URL + "/v1/traces"}, func(spans int, reason string) {
		assert.Equal(t, len(whole), spans)
		told = append(told, reason)
	})
	turn(tr, "")
	closed(t, tr)
	assert.EqualValues(t, len(whole), tr.Lost())
	assert.Equal(t, []string{"the collector refused the spans"}, told)
}

func TestReasonsNameNoAddress(t *testing.T) {
	_, err := net.DialTimeout("tcp", "127.0.0.1:1", time.Second)
	require.Error(t, err)
	assert.Equal(t, "the collector cannot be reached (dial)", tracing.Reason(err))
	assert.Equal(t, "the collector did not answer in time", tracing.Reason(context.DeadlineExceeded))
}

func TestNoTracerMakesNothing(t *testing.T) {
	var tr *tracing.Tracer
	ctx, done := tr.Network(t.Context(), "send", 1)
	done(1, errors.New("x"))
	assert.Equal(t, t.Context(), ctx)
	tr.Attempt(ctx, tracing.Attempt{Stage: "llm"})
	tr.Delivery(ctx, domain.Status{HasRef: true, Ref: domain.PartRef{Trace: parent}}, "t")
	assert.Zero(t, tr.Lost())
	assert.NoError(t, tr.Close(ctx))
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		tr.Attempt(ctx, tracing.Attempt{Stage: "llm", Vendor: "v"})
		_, _ = tr.Network(ctx, "send", 0)
	}), "what is off costs nothing")
}

func TestADeliveryWithoutItsReferenceLeavesNoSpan(t *testing.T) {
	s := newSink(t)
	tr := newTracer(t, tracing.Config{Endpoint: s.URL + "/v1/traces"}, nil)
	for _, st := range []domain.Status{
		{State: domain.DeliveryRead},
		{State: domain.DeliveryRead, HasRef: true},
		{State: domain.DeliveryRead, HasRef: true, Ref: domain.PartRef{Trace: "00-marker"}},
	} {
		tr.Delivery(t.Context(), st, "t1")
	}
	closed(t, tr)
	assert.Empty(t, s.names())
}

func TestConfig(t *testing.T) {
	assert.Equal(t, "http://c:4318/v1/traces", tracing.Endpoint("", "http://c:4318"))
	assert.Equal(t, "http://c:4318/v1/traces", tracing.Endpoint("", "http://c:4318/"))
	assert.Equal(t, "http://d/x", tracing.Endpoint("http://d/x", "http://c:4318"))
	assert.Empty(t, tracing.Endpoint("", ""))
	for _, bad := range []tracing.Config{{Endpoint: "http://c", Sampler: "sometimes"}, {Endpoint: "http://c", Sampler: "traceidratio", Ratio: 2}} {
		_, err := tracing.New(t.Context(), bad, ref, nil)
		assert.Error(t, err)
	}
	pairs, err := tracing.ParsePairs(" a=b , c=d%20e%3D,, f=")
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"a": "b", "c": "d e=", "f": ""}, pairs)
	for _, bad := range []string{"marker", "=marker", "a=%zzmarker", "a=b,marker"} {
		_, err := tracing.ParsePairs(bad)
		require.Error(t, err, bad)
		assert.NotContains(t, err.Error(), "marker")
	}
}
