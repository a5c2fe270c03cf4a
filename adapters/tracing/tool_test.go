package tracing_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"

	"whatsappnode/adapters/tracing"
	"whatsappnode/ports"
)

// TestACallOfAToolHasItsSpan, by the conventions' names, with how it ended.
func TestACallOfAToolHasItsSpan(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want string // error.type
	}{
		"good":                       {nil, ""},
		"the tool reports a failure": {&ports.Error{Kind: ports.KindUnknown, Err: ports.ErrToolFailed}, "tool_error"},
		"there is no result":         {&ports.Error{Kind: ports.KindTransient, Err: errors.New("marker")}, "transient"},
		"it panics":                  {&ports.PanicError{Type: "string", Stack: []byte("marker")}, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSink(t)
			tr := newTracer(t, tracing.Config{Endpoint: s.URL + "/v1/traces"}, nil)
			ctx, done := tr.Turn(context.Background(), ports.TurnTrace{Turn: "t1", Conversation: "c1"})
			answer, answered := tr.Step(ctx, "answer")
			call, called := tr.Tool(answer, "shop_price")
			assert.NotEqual(t, tracing.Traceparent(answer), tracing.Traceparent(call), "what the call does stands below it")
			called(tt.err)
			answered(nil)
			done("sent", nil)
			closed(t, tr)

			require.Len(t, s.spans, 3)
			tool, above := s.spans[0], s.spans[1]
			assert.Equal(t, "execute_tool shop_price", tool.GetName())
			assert.Equal(t, traces.Span_SPAN_KIND_INTERNAL, tool.GetKind())
			assert.Equal(t, above.GetSpanId(), tool.GetParentSpanId())
			attributes := map[string]string{}
			for _, kv := range tool.GetAttributes() {
				attributes[kv.GetKey()] = kv.GetValue().GetStringValue()
			}
			want := map[string]string{"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "shop_price"}
			if tt.want != "" {
				want["error.type"] = tt.want
			}
			assert.Equal(t, want, attributes)
			assert.Equal(t, tt.want, tool.GetStatus().GetMessage())
			assert.Equal(t, tt.want != "", tool.GetStatus().GetCode() == traces.Status_STATUS_CODE_ERROR)
			assert.NotContains(t, tool.String(), "marker")
		})
	}
}

// TestACallOutsideOfATraceCostsNothing, nor one in a trace that is not kept.
func TestACallOutsideOfATraceCostsNothing(t *testing.T) {
	s := newSink(t)
	tr := newTracer(t, tracing.Config{Endpoint: s.URL + "/v1/traces", Sampler: "always_off"}, nil)
	ctx, _ := tr.Turn(context.Background(), ports.TurnTrace{Turn: "t1", Conversation: "c1"})
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		_, done := tr.Tool(context.Background(), "shop_price")
		done(nil)
		_, done = tr.Tool(ctx, "shop_price")
		done(nil)
	}))
	closed(t, tr)
	assert.Empty(t, s.names())
}
