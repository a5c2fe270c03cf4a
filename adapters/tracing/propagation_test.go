package tracing_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"whatsappnode/adapters/tracing"
)

const (
	traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	spanID  = "00f067aa0ba902b7" // 67667974448284343
	parent  = "00-" + traceID + "-" + spanID + "-01"
	cloud   = traceID + "/67667974448284343;o=1"
)

// seen is the trace a request is found in behind the handler of no tracer.
func seen(t *testing.T, headers map[string]string) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/webhook", nil)
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	var got string
	var off *tracing.Tracer
	off.Handler("/webhook", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = tracing.Traceparent(r.Context()) })).
		ServeHTTP(httptest.NewRecorder(), r)
	return got
}

func TestTheTraceOfWhoeverStandsInFrontIsKept(t *testing.T) {
	for name, c := range map[string]struct {
		headers map[string]string
		want    string
	}{
		"None":               {nil, ""},
		"W3C":                {map[string]string{"traceparent": parent}, parent},
		"W3CNotKept":         {map[string]string{"traceparent": parent[:53] + "00"}, parent[:53] + "00"},
		"Cloud":              {map[string]string{"X-Cloud-Trace-Context": cloud}, parent},
		"CloudNotKept":       {map[string]string{"X-Cloud-Trace-Context": traceID + "/67667974448284343;o=0"}, parent[:53] + "00"},
		"CloudWithoutOption": {map[string]string{"X-Cloud-Trace-Context": traceID + "/67667974448284343"}, parent[:53] + "00"},
		"Both":               {map[string]string{"traceparent": parent, "X-Cloud-Trace-Context": strings.Repeat("a", 32) + "/1;o=1"}, parent},
		"BadW3CGoodCloud":    {map[string]string{"traceparent": "00-x", "X-Cloud-Trace-Context": cloud}, parent},
		"CloudWithoutSpan":   {map[string]string{"X-Cloud-Trace-Context": traceID}, ""},
		"CloudSpanZero":      {map[string]string{"X-Cloud-Trace-Context": traceID + "/0;o=1"}, ""},
		"CloudTraceZero":     {map[string]string{"X-Cloud-Trace-Context": strings.Repeat("0", 32) + "/1;o=1"}, ""},
		"CloudTooShort":      {map[string]string{"X-Cloud-Trace-Context": traceID[1:] + "/1;o=1"}, ""},
		"CloudNotHex":        {map[string]string{"X-Cloud-Trace-Context": strings.Repeat("g", 32) + "/1;o=1"}, ""},
		"CloudSpanTooLarge":  {map[string]string{"X-Cloud-Trace-Context": traceID + "/18446744073709551616"}, ""},
		"CloudSpanNegative":  {map[string]string{"X-Cloud-Trace-Context": traceID + "/-1"}, ""},
		"W3CAllZero":         {map[string]string{"traceparent": "00-" + strings.Repeat("0", 32) + "-" + spanID + "-01"}, ""},
		"CloudEndless":       {map[string]string{"X-Cloud-Trace-Context": cloud + strings.Repeat(";o=1", 1000)}, ""},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, seen(t, c.headers)) })
	}
}

func TestOtherPathsAreLeftAlone(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/live", nil)
	r.Header.Set("traceparent", parent)
	var off *tracing.Tracer
	off.Handler("/webhook", http.HandlerFunc(func(_ http.ResponseWriter, got *http.Request) { assert.Same(t, r, got) })).
		ServeHTTP(httptest.NewRecorder(), r)
}

// FuzzCloudTraceContext: a header comes from anybody. What is taken of it is a valid
// span context, and the same value gives the same one.
func FuzzCloudTraceContext(f *testing.F) {
	for _, s := range []string{cloud, traceID + "/1", "", "/", ";", traceID + "/1;o=2", traceID + "//1", cloud + "x", "é/1;o=1", traceID + "/0;o=1", strings.Repeat("0", 32) + "/1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		sc, ok := tracing.ParseCloud(value)
		require.Equal(t, ok, sc.IsValid())
		again, _ := tracing.ParseCloud(value)
		require.True(t, sc.Equal(again))
		if !ok {
			return
		}
		require.True(t, sc.IsRemote())
		require.True(t, strings.HasPrefix(strings.ToLower(value), sc.TraceID().String()))
		require.Len(t, tracing.Traceparent(trace.ContextWithRemoteSpanContext(context.Background(), sc)), 55)
	})
}

// FuzzTraceHeaders: both headers come from anybody, and what is taken of them is stored
// and logged. It is a traceparent of one of them or nothing, and stays what it is when it
// is read again.
func FuzzTraceHeaders(f *testing.F) {
	for _, s := range [][2]string{
		{parent, ""},
		{"", cloud},
		{parent, cloud},
		{"00-x", cloud},
		{parent + "-more", ""},
		{"01" + parent[2:] + "-more", ""},
		{"ff" + parent[2:], cloud},
		{strings.ToUpper(parent), ""},
		{parent[:53] + "ff", ""},
		{" " + parent + " ", "\x00"},
		{strings.Repeat(parent, 100), strings.Repeat(cloud, 100)},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, w3c, google string) {
		got := seen(t, map[string]string{"traceparent": w3c, "X-Cloud-Trace-Context": google})
		if got == "" {
			return
		}
		require.Regexp(t, `^00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]$`, got)
		id := got[3:35]
		require.True(t, strings.Contains(w3c, id) || strings.HasPrefix(strings.ToLower(google), id))
		require.Equal(t, got, seen(t, map[string]string{"traceparent": got}))
	})
}
