package metrics_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"whatsappnode/adapters/metrics"
	"whatsappnode/ports"
)

func TestCallsOfToolsAreCounted(t *testing.T) {
	m := metrics.New()
	assert.NotContains(t, scrape(t, m), "tool_call", "a bot without tools has no series of them")
	call := func(tool string, took time.Duration, err error) {
		m.Observe(ports.Event{Stage: ports.StageToolCalled, Detail: tool, Took: took, Err: err})
	}
	call("shop_price", 300*time.Millisecond, nil)
	call("shop_price", 700*time.Millisecond, &ports.Error{Kind: ports.KindUnknown, Err: ports.ErrToolFailed})
	call("shop_price", time.Minute, &ports.Error{Kind: ports.KindTimeout, Err: errors.New("marker")})
	call("shop_price", time.Second, &ports.PanicError{Type: "string"})
	call("unknown_tool", 0, &ports.Error{Kind: ports.KindNotFound})
	scraped := scrape(t, m)
	has(
		t, scraped,
		`tool_calls_total{outcome="ok",tool="shop_price"} 1`, `tool_calls_total{outcome="tool_error",tool="shop_price"} 1`,
		`tool_calls_total{outcome="timeout",tool="shop_price"} 1`, `tool_calls_total{outcome="unknown",tool="shop_price"} 1`,
		`tool_calls_total{outcome="not_found",tool="unknown_tool"} 1`,
		`tool_call_seconds_count{tool="shop_price"} 2`, `tool_call_seconds_sum{tool="shop_price"} 1`,
		`tool_call_seconds_bucket{tool="shop_price",le="0.5"} 1`, `panics_total{where="turn"} 1`,
	)
	assert.NotContains(t, scraped, "marker")
	assert.NotContains(t, scraped, `tool_call_seconds_count{tool="unknown_tool"}`, "nothing was called")
}

// TestNamesOfToolsAreBounded: a server that changes its names makes no end of series.
func TestNamesOfToolsAreBounded(t *testing.T) {
	m := metrics.New()
	const names, bound = 1000, 256
	for range 2 {
		for i := range names {
			m.Observe(ports.Event{Stage: ports.StageToolCalled, Detail: fmt.Sprintf("shop_%d", i), Took: time.Second})
		}
	}
	scraped := scrape(t, m)
	has(t, scraped, `tool_calls_total{outcome="ok",tool="shop_255"} 2`, fmt.Sprintf(`tool_calls_total{outcome="ok",tool="other_tools"} %d`, 2*(names-bound)))
	assert.Equal(t, bound+1, strings.Count(scraped, "whatsapp_node_tool_calls_total{"))
	assert.Equal(t, bound+1, strings.Count(scraped, "whatsapp_node_tool_call_seconds_count{"))
}
