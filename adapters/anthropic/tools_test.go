package anthropic_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// toolFault is what the API objects to in calls and results.
func (q question) toolFault() string {
	var open []string
	for i, m := range q.Messages {
		var results []string
		for j, c := range m.Content {
			switch c.Type {
			case "tool_result":
				if j != len(results) {
					return fmt.Sprintf("messages.%d: results must stand first", i)
				}
				results = append(results, c.ToolUseID)
			case "tool_use":
				if len(q.Tools) == 0 {
					return "requests which include tool_use blocks must define tools"
				}
				if !ports.IsObject(c.Input) {
					return fmt.Sprintf("messages.%d.content.%d.input: should be a valid dictionary", i, j)
				}
			case "thinking":
				if c.Signature != thoughtSignature || c.Thinking != "a secret thought" {
					return "thinking blocks cannot be modified"
				}
			}
		}
		if !slices.Equal(open, results) {
			return fmt.Sprintf("messages.%d: tool_use ids were found without tool_result blocks", i)
		}
		open = nil
		for _, c := range m.Content {
			if c.Type == "tool_use" {
				open = append(open, c.ID)
			}
		}
	}
	return ""
}

const thoughtSignature = "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pk="

// useTool is one call as the API streams it, its arguments in pieces of seven bytes.
func useTool(w http.ResponseWriter, index int, id, name, arguments string) {
	sse(w, "content_block_start", fmt.Sprintf(`{"type":"content_block_start","index":%d,"content_block":{"type":"tool_use","id":%q,"name":%q,"input":{}}}`, index, id, name))
	sse(w, "content_block_delta", fmt.Sprintf(`{"type":"content_block_delta","index":%d,"delta":{"type":"input_json_delta","partial_json":""}}`, index))
	if arguments == "{}" {
		arguments = "" // the vendor sends nothing for an empty object
	}
	for rest := arguments; rest != ""; {
		n := min(7, len(rest))
		for n < len(rest) && rest[n]&0xc0 == 0x80 { // not in the middle of a character
			n++
		}
		piece, _ := json.Marshal(rest[:n])
		sse(w, "content_block_delta", fmt.Sprintf(`{"type":"content_block_delta","index":%d,"delta":{"type":"input_json_delta","partial_json":%s}}`, index, piece))
		rest = rest[n:]
	}
	sse(w, "content_block_stop", fmt.Sprintf(`{"type":"content_block_stop","index":%d}`, index))
}

func endToolUse(w http.ResponseWriter) {
	sse(w, "message_delta", `{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":30}}`)
	sse(w, "message_stop", `{"type":"message_stop"}`)
}

// asksFor says some words and asks for calls; given results it answers with all of them.
func asksFor(calls []ports.ToolCall) func(http.ResponseWriter, *http.Request, question) {
	return func(w http.ResponseWriter, _ *http.Request, q question) {
		var results []string
		for _, c := range q.Messages[len(q.Messages)-1].Content {
			for _, text := range c.Content {
				results = append(results, text.Text)
			}
		}
		begin(w, 20)
		if len(results) > 0 {
			say(w, "I found ")
			say(w, strings.Join(results, ", "))
			end(w, "end_turn", 5)
			return
		}
		say(w, "One ")
		say(w, "moment.")
		sse(w, "content_block_stop", `{"type":"content_block_stop","index":1}`)
		for i, c := range calls {
			useTool(w, 2+i, fmt.Sprintf("toolu_%02d", i), c.Name, string(c.Arguments))
		}
		endToolUse(w)
	}
}

var hours = ports.Tool{Name: "shop_hours", Parameters: json.RawMessage(`{"type":"object","additionalProperties":false}`)}

// TestToolsOnTheWire is about both requests of a turn in which tools are called. What
// the model thought goes back as it was, where it stood.
func TestToolsOnTheWire(t *testing.T) {
	s := newMessagesAPI(t)
	s.answer = asksFor([]ports.ToolCall{
		{Name: "shop_price", Arguments: json.RawMessage(`{"item":"umbrella"}`)}, {Name: "shop_hours", Arguments: json.RawMessage(`{}`)},
	})
	m := s.model(nil)
	req := ask("How much is it?")
	req.Tools = []ports.Tool{{Name: "shop_price", Description: "The price of an article.", Parameters: json.RawMessage(`{"type":"object","required":["item"]}`)}, hours}
	text, last, err := ports.Collect(m.Generate(t.Context(), req))
	require.NoError(t, err)
	assert.Equal(t, &ports.LLMUsage{Input: 27, Output: 30}, last.Usage)
	tools := `"tools": [
		{"name": "shop_price", "description": "The price of an article.", "input_schema": {"type": "object", "required": ["item"]}},
		{"name": "shop_hours", "input_schema": {"type": "object", "additionalProperties": false}}
	]`
	assert.JSONEq(t, `{"model": "claude-haiku-4-5", "max_tokens": 8192, "stream": true,
		"messages": [{"role": "user", "content": [{"type": "text", "text": "How much is it?"}]}], `+tools+`}`, s.calls()[0].body)

	req.Messages = append(req.Messages,
		ports.LLMMessage{Role: domain.RoleAssistant, Text: text, Calls: last.Calls, VendorState: last.VendorState},
		ports.LLMMessage{Role: domain.RoleUser, Results: []ports.ToolResult{
			{ID: "toolu_00", Name: "shop_price", Text: "9 euros"}, {ID: "toolu_01", Name: "shop_hours", Failed: true},
		}})
	req.NoCalls = true
	_, _, err = ports.Collect(m.Generate(t.Context(), req))
	require.NoError(t, err)
	after := func(thought string) string {
		return `{"model": "claude-haiku-4-5", "max_tokens": 8192, "stream": true, "tool_choice": {"type": "none"},
		"messages": [
			{"role": "user", "content": [{"type": "text", "text": "How much is it?"}]},
			{"role": "assistant", "content": [` + thought + `
				{"type": "text", "text": "One moment."},
				{"type": "tool_use", "id": "toolu_00", "name": "shop_price", "input": {"item": "umbrella"}},
				{"type": "tool_use", "id": "toolu_01", "name": "shop_hours", "input": {}}
			]},
			{"role": "user", "content": [
				{"type": "tool_result", "tool_use_id": "toolu_00", "content": [{"type": "text", "text": "9 euros"}]},
				{"type": "tool_result", "tool_use_id": "toolu_01", "is_error": true}
			]}
		], ` + tools + `}`
	}
	assert.JSONEq(t, after(`{"type": "thinking", "thinking": "a secret thought", "signature": "`+thoughtSignature+`"},`), s.calls()[1].body)

	// Of another vendor's model nothing is known but what it said.
	req.Messages[1].VendorState = []byte(`{"genai":["c2ln"]}`)
	_, _, err = ports.Collect(m.Generate(t.Context(), req))
	require.NoError(t, err)
	assert.JSONEq(t, after(""), s.calls()[2].body)
}

// TestArgumentsThatAreNoObject: the API takes objects only.
func TestArgumentsThatAreNoObject(t *testing.T) {
	s := newMessagesAPI(t)
	req := ask("When?")
	req.Tools = []ports.Tool{hours}
	req.Messages = append(req.Messages,
		ports.LLMMessage{Role: domain.RoleAssistant, Calls: []ports.ToolCall{{ID: "a", Name: "shop_hours", Arguments: json.RawMessage(`{when`)}}},
		ports.LLMMessage{Role: domain.RoleUser, Results: []ports.ToolResult{{ID: "a", Name: "shop_hours", Text: "no object", Failed: true}}})
	got := sent(t, s, s.model(nil), req)
	assert.Contains(t, got.body, `{"id":"a","input":{},"name":"shop_hours","type":"tool_use"}`)
}

func TestWaysToAskForTools(t *testing.T) {
	offered := func(r *ports.LLMRequest) { r.Tools = []ports.Tool{hours} }
	for name, tt := range map[string]struct {
		answer func(w http.ResponseWriter)
		change func(*ports.LLMRequest)
		args   string
		kind   ports.Kind
		text   string
	}{
		"whole arguments at once": {
			func(w http.ResponseWriter) {
				sse(w, "content_block_start", `{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"a","name":"shop_hours","input":{"day":"Sunday"}}}`)
				endToolUse(w)
			}, offered, `{"day":"Sunday"}`, "", "",
		},
		"no object": {func(w http.ResponseWriter) { useTool(w, 2, "a", "shop_hours", `{"day`); endToolUse(w) }, offered, `{"day`, "", ""},
		"cut by the limit": {
			func(w http.ResponseWriter) {
				say(w, "Well")
				useTool(w, 2, "a", "shop_hours", `{"day`)
				end(w, "max_tokens", 9)
			}, offered, "", "", "Well",
		},
		"not offered": {func(w http.ResponseWriter) { useTool(w, 2, "a", "shop_hours", "{}"); endToolUse(w) }, func(*ports.LLMRequest) {}, "", ports.KindUnknown, ""},
		"no more wanted": {
			func(w http.ResponseWriter) { useTool(w, 2, "a", "shop_hours", "{}"); endToolUse(w) },
			func(r *ports.LLMRequest) { offered(r); r.NoCalls = true }, "", ports.KindUnknown, "",
		},
		"asks for none": {func(w http.ResponseWriter) { say(w, "Well"); endToolUse(w) }, offered, "", ports.KindUnknown, "Well"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newMessagesAPI(t)
			s.answer = func(w http.ResponseWriter, _ *http.Request, _ question) {
				begin(w, 20)
				tt.answer(w)
			}
			req := ask(secret)
			tt.change(&req)
			text, last, err := ports.Collect(s.model(nil).Generate(t.Context(), req))
			assert.Equal(t, tt.text, text)
			if tt.kind != "" {
				require.Error(t, err)
				assert.Equal(t, tt.kind, ports.KindOf(err))
				assert.NotContains(t, err.Error(), secret)
				return
			}
			require.NoError(t, err)
			if tt.args == "" {
				assert.Empty(t, last.Calls)
				assert.True(t, last.Truncated)
				return
			}
			assert.Equal(t, []ports.ToolCall{{ID: "a", Name: "shop_hours", Arguments: json.RawMessage(tt.args)}}, last.Calls)
		})
	}
}
