package openai_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/openai"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// wireCall is a call in a message of the assistant.
type wireCall struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

// callDelta is one event with a part of a call, as OpenAI frames it.
func callDelta(part string) string {
	return `data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"tool_calls":[` + part + `]},"finish_reason":null}]}`
}

func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}

// asksFor says some words and asks for calls, whose arguments come in pieces of seven
// bytes; given results it answers with all of them. It refuses what OpenAI refuses.
func asksFor(t *testing.T, calls []ports.ToolCall) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		req, err := readChat(body)
		if !assert.NoError(t, err) {
			say(w, http.StatusBadRequest, `{"error":{"message":"bad request"}}`)
			return
		}
		var results []string
		open := map[string]bool{}
		for _, m := range req.Messages {
			if m.Role != "tool" {
				assert.Empty(t, open, "a call without its result")
				results, open = nil, map[string]bool{}
			} else {
				assert.True(t, open[m.CallID], "a result without its call")
				delete(open, m.CallID)
				var text string
				assert.NoError(t, json.Unmarshal(m.Content, &text))
				results = append(results, text)
			}
			for _, c := range m.Calls {
				assert.Equal(t, "function", c.Type)
				assert.True(t, json.Valid([]byte(c.Function.Arguments)))
				open[c.ID] = true
			}
		}
		if len(results) > 0 {
			streams(nil, delta("I found "), delta(strings.Join(results, ", ")), finish("stop"), done)(w, r)
			return
		}
		lines := []string{delta("One "), delta("moment.")}
		for i, c := range calls {
			lines = append(lines, callDelta(fmt.Sprintf(`{"index":%d,"id":"call_x%d","type":"function","function":{"name":%q,"arguments":""}}`, i, i, c.Name)))
			for rest := string(c.Arguments); rest != ""; {
				n := min(7, len(rest))
				for n < len(rest) && rest[n]&0xc0 == 0x80 { // not in the middle of a character
					n++
				}
				lines = append(lines, callDelta(fmt.Sprintf(`{"index":%d,"function":{"arguments":%s}}`, i, quoted(rest[:n]))))
				rest = rest[n:]
			}
		}
		streams(nil, append(lines, finish("tool_calls"), usage, done)...)(w, r)
	}
}

var priceTool = ports.Tool{
	Name: "shop_price", Description: "The price of an article.",
	Parameters: json.RawMessage(`{"type":"object","properties":{"item":{"type":"string"}},"required":["item"]}`),
}

func withTools(r *ports.LLMRequest) { r.Tools = []ports.Tool{priceTool} }

// TestToolsOnTheWire is about both requests of a turn in which a tool is called.
func TestToolsOnTheWire(t *testing.T) {
	s := newServer(t, nil)
	req := ask("How much is it?", withTools)
	req.Messages = append(req.Messages,
		ports.LLMMessage{Role: domain.RoleAssistant, Text: "Let me look.", Calls: []ports.ToolCall{
			{ID: "call_1", Name: "shop_price", Arguments: json.RawMessage(`{"item":"umbrella"}`)},
			{ID: "call_2", Name: "shop_price", Arguments: json.RawMessage(`{"item":"hat"}`)},
		}},
		ports.LLMMessage{Role: domain.RoleUser, Results: []ports.ToolResult{
			{ID: "call_1", Name: "shop_price", Text: "9 euros"}, {ID: "call_2", Name: "shop_price", Failed: true},
		}})
	req.NoCalls = true
	_, _, _ = ports.Collect(s.llm().Generate(t.Context(), req))
	assert.JSONEq(t, `{
		"model": "test-model", "stream": true, "stream_options": {"include_usage": true},
		"messages": [
			{"role": "user", "content": "How much is it?"},
			{"role": "assistant", "content": "Let me look.", "tool_calls": [
				{"id": "call_1", "type": "function", "function": {"name": "shop_price", "arguments": "{\"item\":\"umbrella\"}"}},
				{"id": "call_2", "type": "function", "function": {"name": "shop_price", "arguments": "{\"item\":\"hat\"}"}}
			]},
			{"role": "tool", "tool_call_id": "call_1", "content": "9 euros"},
			{"role": "tool", "tool_call_id": "call_2", "content": "(nothing)"}
		],
		"tools": [{"type": "function", "function": {
			"name": "shop_price", "description": "The price of an article.",
			"parameters": {"type": "object", "properties": {"item": {"type": "string"}}, "required": ["item"]}
		}}],
		"tool_choice": "none"
	}`, string(s.only().body))
}

// TestWaysToStreamCalls are the habits of servers.
func TestWaysToStreamCalls(t *testing.T) {
	hat, cap := `{"item":"hat"}`, `{"item":"cap"}`
	whole := func(more, args string) string {
		return callDelta(`{` + more + `"type":"function","function":{"name":"shop_price","arguments":` + args + `}}`)
	}
	for name, tt := range map[string]struct {
		lines []string
		ids   []string
		args  []string
		text  string
	}{
		"whole calls with numbers":    {lines: []string{whole(`"index":0,"id":"a",`, quoted(hat)), whole(`"index":1,"id":"b",`, quoted(cap)), finish("tool_calls"), done}, ids: []string{"a", "b"}, args: []string{hat, cap}},
		"whole calls without numbers": {lines: []string{whole(`"id":"a",`, quoted(hat)), whole(`"id":"b",`, quoted(cap)), finish("tool_calls"), done}, ids: []string{"a", "b"}, args: []string{hat, cap}},
		"all numbered 0":              {lines: []string{whole(`"index":0,"id":"a",`, quoted(hat)), whole(`"index":0,"id":"b",`, quoted(cap)), finish("stop"), done}, ids: []string{"a", "b"}, args: []string{hat, cap}},
		"no ids":                      {lines: []string{whole(`"index":0,`, quoted(hat)), whole(`"index":1,"id":null,`, quoted(cap)), finish("tool_calls"), done}, ids: []string{"call_1", "call_2"}, args: []string{hat, cap}},
		"one id for all":              {lines: []string{whole(`"index":0,"id":"a",`, quoted(hat)), whole(`"index":1,"id":"a",`, quoted(cap)), finish("tool_calls"), done}, ids: []string{"a", "call_2"}, args: []string{hat, cap}},
		"arguments as an object":      {lines: []string{whole(`"id":"a",`, hat), finish("tool_calls"), done}, ids: []string{"a"}, args: []string{hat}},
		"no arguments":                {lines: []string{whole(`"id":"a",`, `""`), finish("tool_calls"), done}, ids: []string{"a"}, args: []string{`{}`}},
		"null arguments":              {lines: []string{whole(`"id":"a",`, `null`), finish("tool_calls"), done}, ids: []string{"a"}, args: []string{`{}`}},
		"the parts interleave": {
			lines: []string{
				whole(`"index":0,"id":"a",`, `"{\"item\""`), whole(`"index":1,"id":"b",`, `"{\"item\":"`),
				callDelta(`{"index":0,"function":{"arguments":":\"hat\"}"}},{"index":1,"function":{"arguments":"\"cap\"}"}}`), finish("tool_calls"), done,
			},
			ids: []string{"a", "b"}, args: []string{hat, cap},
		},
		"the id is repeated": {
			lines: []string{whole(`"index":0,"id":"a",`, `"{\"item\":"`), callDelta(`{"index":0,"id":"a","function":{"name":"shop_price","arguments":"\"hat\"}"}}`), finish("tool_calls"), done},
			ids:   []string{"a"}, args: []string{hat},
		},
		"in one event with text": {
			lines: []string{delta("Well, "), `data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"look","tool_calls":[{"index":0,"id":"a","function":{"name":"shop_price","arguments":` + quoted(hat) + `}}]},"finish_reason":null}]}`, finish("tool_calls"), done},
			ids:   []string{"a"}, args: []string{hat}, text: "Well, look",
		},
		"in one event with text, without a number": {
			lines: []string{delta("Well, "), `data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"look","tool_calls":[{"id":"a","function":{"name":"shop_price","arguments":` + quoted(hat) + `}}]},"finish_reason":null}]}`, finish("tool_calls"), done},
			ids:   []string{"a"}, args: []string{hat}, text: "Well, look",
		},
		"nobody said DONE":        {lines: []string{whole(`"index":0,"id":"a",`, quoted(hat)), finish("tool_calls")}, ids: []string{"a"}, args: []string{hat}},
		"arguments are no JSON":   {lines: []string{whole(`"id":"a",`, `"{hat"`), finish("tool_calls"), done}, ids: []string{"a"}, args: []string{`{hat`}},
		"words and no calls":      {lines: []string{delta("nine "), delta("euros"), finish("stop"), done}, text: "nine euros"},
		"null where calls may be": {lines: []string{`data: {"choices":[{"index":0,"delta":{"content":"nine","tool_calls":null},"finish_reason":null}]}`, finish("stop"), done}, text: "nine"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, streams(nil, tt.lines...))
			text, last, err := ports.Collect(s.llm().Generate(t.Context(), ask("how much", withTools)))
			require.NoError(t, err)
			assert.Equal(t, tt.text, text)
			var ids, args []string
			for _, c := range last.Calls {
				assert.Equal(t, "shop_price", c.Name)
				ids, args = append(ids, c.ID), append(args, string(c.Arguments))
			}
			assert.Equal(t, tt.ids, ids)
			assert.Equal(t, tt.args, args)
		})
	}
	whole1 := whole(`"index":0,"id":"a",`, quoted(hat))
	t.Run("a server that does not stream", func(t *testing.T) {
		s := newServer(t, says(200, `{"choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"shop_price","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`))
		_, last, err := ports.Collect(s.llm().Generate(t.Context(), ask("how much", withTools)))
		require.NoError(t, err)
		assert.Equal(t, []ports.ToolCall{{ID: "a", Name: "shop_price", Arguments: json.RawMessage(`{}`)}}, last.Calls)
	})
	t.Run("cut by the limit", func(t *testing.T) {
		for said, answer := range map[string]http.HandlerFunc{"": streams(nil, whole1, finish("length"), done), "Well": streams(nil, delta("Well"), whole1, finish("length"), done)} {
			text, last, err := ports.Collect(newServer(t, answer).llm().Generate(t.Context(), ask("how much", withTools)))
			assert.Equal(t, said, text)
			assert.Equal(t, said != "", last.Truncated)
			assert.Empty(t, last.Calls, "half a call is none")
			assert.Equal(t, said == "", ports.KindOf(err) == ports.KindUnknown && err != nil)
		}
	})
	t.Run("not offered, or no more wanted", func(t *testing.T) {
		for _, change := range []func(*ports.LLMRequest){func(*ports.LLMRequest) {}, func(r *ports.LLMRequest) { withTools(r); r.NoCalls = true }} {
			_, _, err := ports.Collect(newServer(t, streams(nil, whole1, finish("tool_calls"), done)).llm().Generate(t.Context(), ask("how much", change)))
			kindIs(t, ports.KindUnknown, err)
		}
	})
	t.Run("too many", func(t *testing.T) {
		var lines []string
		for i := range 65 {
			lines = append(lines, whole(fmt.Sprintf(`"index":%d,"id":"a%d",`, i, i), quoted(hat)))
		}
		_, _, err := ports.Collect(newServer(t, streams(nil, append(lines, finish("tool_calls"), done)...)).llm().Generate(t.Context(), ask("how much", withTools)))
		kindIs(t, ports.KindTransient, err)
	})
}

// TestModelsThatCannotCallTools: the sixth generation calls them here only when it does
// not reason.
func TestModelsThatCannotCallTools(t *testing.T) {
	for model, can := range map[string]map[string]bool{
		"gpt-6-luna": {"": true, "none": true, "low": false, openai.EffortVendor: false}, "llama-4": {"": true}, "gpt-4.1": {"": true},
	} {
		for effort, want := range map[string]bool(can) {
			s := newServer(t, nil)
			l := s.llm(func(c *openai.LLMConfig) { c.Model, c.ReasoningEffort, c.TokenLimit = model, effort, openai.TokensNew })
			assert.Equal(t, want, ports.CallsTools(l), "%s %s", model, effort)
			_, _, err := ports.Collect(l.Generate(t.Context(), ask("how much", withTools)))
			assert.Equal(t, !want, ports.KindOf(err) == ports.KindUnsupported)
			assert.Equal(t, want, s.calls() == 1)
		}
	}
}
