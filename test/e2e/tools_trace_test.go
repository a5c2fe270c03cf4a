package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

// withTools are the settings of a bot whose model looks things up in a real server with
// a knowledge base.
func withTools(t *testing.T) (settings, *scriptedModel) {
	t.Helper()
	model := newScriptedModel(t, map[string][2]string{
		"remember":   {"kb_create_entities", `{"entities":[{"name":"umbrella","entityType":"article","observations":["it costs nine euros"]}]}`},
		"how much":   {"kb_search_nodes", `{"query":"umbrella"}`},
		"wrong":      {"kb_search_nodes", `{"query":5}`},
		"forget all": {"kb_delete_entities", `{"entityNames":["umbrella"]}`},
	})
	return settings{
		"LLM_PROVIDER": "openai", "OPENAI_API_KEY": vendorKey, "OPENAI_BASE_URL": model.http.URL + "/v1", "OPENAI_LLM_MODEL": "usual-model", "REPLY_MODE": "text",
		"TOOLS": "kb_create_entities, kb_search_nodes", "MCP_SERVERS_FILE": file(t, fmt.Sprintf("servers:\n  - name: kb\n    command: [%q]\n", memoryServer(t))),
	}, model
}

// TestCallsOfToolsAreInTheTraceAndTheMetrics: a good one, one that its tool refuses, and
// one of a tool that was not offered.
func TestCallsOfToolsAreInTheTraceAndTheMetrics(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	env, _ := withTools(t)
	b := traced(t, c, env, settings{"ADMIN_ADDR": freeAddress(t)})
	b.logs("tools.up", 1)
	before := b.get(t, "http://"+b.env["ADMIN_ADDR"]+"/metrics").body
	assert.NotContains(t, before, "tool_call", "no call, no series")

	ana := b.user(t, simulator.UserSpec{Name: "Ana", Phone: "34600111222"})
	for i, tt := range []struct{ asks, tool, fault string }{
		{"please remember the price", "kb_create_entities", ""},
		{"what is wrong", "kb_search_nodes", "tool_error"},
		{"forget all of it", "unknown_tool", "not_found"},
	} {
		ana.writes(tt.asks)
		ana.gets()
		eventually(t, "the trace is complete", func() bool { return len(c.all("turn")) == i+1 && len(c.all("chat usual-model")) == 2*(i+1) })
		turn := c.all("turn")[i]
		in := c.of(turn.trace())
		answer := one(t, in, "answer", turn)
		call := one(t, in, "execute_tool "+tt.tool, answer)
		want := map[string]any{"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tt.tool}
		if tt.fault != "" {
			want["error.type"] = tt.fault
		}
		assert.Equal(t, want, call.attributes, "and neither arguments nor results")
		assert.Equal(t, tt.fault != "", call.failed())
		assert.False(t, turn.failed(), "the turn goes on")
		asked := in["chat usual-model"]
		require.Len(t, asked, 2, "the model was asked, and told the result")
		for _, s := range asked {
			assert.Equal(t, answer.id(), s.parent())
		}
		assert.GreaterOrEqual(t, call.GetStartTimeUnixNano(), asked[0].GetEndTimeUnixNano())
		assert.LessOrEqual(t, call.GetEndTimeUnixNano(), asked[1].GetStartTimeUnixNano())
	}
	for _, secret := range []string{"umbrella", "nine euros", "entityNames", "kb_delete", "34600111222"} {
		assert.NotContains(t, c.bytes(), secret)
	}

	s := b.scrape(t)
	for _, series := range []string{
		`tool_calls_total{outcome="ok",tool="kb_create_entities"}`, `tool_calls_total{outcome="tool_error",tool="kb_search_nodes"}`,
		`tool_calls_total{outcome="not_found",tool="unknown_tool"}`,
		`tool_call_seconds_count{tool="kb_create_entities"}`, `tool_call_seconds_count{tool="kb_search_nodes"}`,
	} {
		assert.EqualValues(t, 1, s[series], series)
	}
	assert.NotContains(t, s, `tool_call_seconds_count{tool="unknown_tool"}`)
}

// TestASpanNamesTheModelThatWasAsked, also on the budget's cheaper step, and the price
// is that model's.
func TestASpanNamesTheModelThatWasAsked(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	model := newScriptedModel(t, nil)
	prices := filepath.Join(t.TempDir(), "prices.yaml")
	require.NoError(t, os.WriteFile(prices, []byte(`
prices:
  - providers: [openai]
    page: A contract
    url: https://example.com/contract
    read: 2026-11-01
    models:
      - {names: ["usual-model"], input: 10.00, output: 100.00}
      - {names: ["cheap-model"], input: 1.00, output: 10.00}
messages:
  - page: A card
    url: https://example.com/card
    read: 2026-11-01
    rates:
      - {countries: ["*"], category: service, price: 0}
`), 0o600))
	b := traced(t, c, settings{
		"LLM_PROVIDER": "openai", "OPENAI_API_KEY": vendorKey, "OPENAI_BASE_URL": model.http.URL + "/v1", "OPENAI_LLM_MODEL": "usual-model", "REPLY_MODE": "text",
		"PRICES_FILE": prices, "BUDGET_DAY": "1.00", "BUDGET_TEXT_AT": "1", "BUDGET_CHEAPER_AT": "10", "BUDGET_LLM_MODEL": "cheap-model", "HISTORY_TOKENS": "0",
		"ADMIN_ADDR": freeAddress(t), "RATE_LIMIT_MESSAGES": "0", "LOOP_TURNS": "0",
	})
	ana := b.user(t, simulator.UserSpec{Name: "Ana", Phone: "34600111222"})
	for i := 0; len(c.all("chat cheap-model")) == 0; i++ {
		require.Less(t, i, 30, "the cheaper step is reached")
		ana.writes("good morning")
		ana.gets()
		eventually(t, "the turn's spans", func() bool {
			return len(c.all("turn")) == i+1 && len(c.all("chat usual-model"))+len(c.all("chat cheap-model")) == i+1
		})
	}
	usual, cheap := c.all("chat usual-model"), c.all("chat cheap-model")
	require.Len(t, cheap, 1)
	model.mu.Lock()
	asked := model.models
	model.mu.Unlock()
	require.Len(t, asked, len(usual)+1)
	assert.Equal(t, []string{"usual-model", "cheap-model"}, []string{asked[0], asked[len(asked)-1]})

	const usualCost, cheapCost = 0.02, 0.002 // 1,000 tokens in, 100 out
	assert.Equal(t, "usual-model", usual[0].attributes["gen_ai.request.model"])
	assert.InDelta(t, usualCost, usual[0].attributes["gen_ai.usage.cost"], 1e-9)
	assert.Equal(t, "cheap-model", cheap[0].attributes["gen_ai.request.model"])
	assert.InDelta(t, cheapCost, cheap[0].attributes["gen_ai.usage.cost"], 1e-9)
	assert.InDelta(t, float64(len(usual))*usualCost+cheapCost, b.scrape(t)[`spend_dollars_total{stage="llm",vendor="openai"}`], 1e-9)
}
