package genai_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

type (
	wireTool struct {
		FunctionDeclarations []struct {
			Name        string          `json:"name"`
			Description string          `json:"description"`
			Schema      json.RawMessage `json:"parametersJsonSchema"`
		} `json:"functionDeclarations"`
	}
	wireCall struct {
		ID   string         `json:"id"`
		Name string         `json:"name"`
		Args map[string]any `json:"args"`
	}
	wireResult struct {
		ID       string         `json:"id"`
		Name     string         `json:"name"`
		Response map[string]any `json:"response"`
	}
)

// callPart is a part with a call; only the first of a step is signed.
func callPart(id, name string, args json.RawMessage, signature string) string {
	if signature != "" {
		signature = `,"thoughtSignature":"` + signature + `"`
	}
	if id != "" {
		id = `"id":"` + id + `",`
	}
	return fmt.Sprintf(`{"functionCall":{%s"name":%q,"args":%s}%s}`, id, name, args, signature)
}

func withParts(reason string, parts ...string) string {
	finish := ""
	if reason != "" {
		finish = `,"finishReason":"` + reason + `"`
	}
	return `{"candidates":[{"content":{"role":"model","parts":[` + strings.Join(parts, ",") + `]}` + finish + `,"index":0}]}`
}

// asksFor says some words and asks for calls; given results it answers with all of them.
// It refuses what current models refuse: a call of the turn without its signature.
func asksFor(calls []ports.ToolCall) behaviour {
	return func(s *server, w http.ResponseWriter, r *http.Request, in seen) {
		signed := true
		for _, c := range in.body.Contents {
			for i, p := range c.Parts {
				if p.FunctionCall != nil && (i == 0 || c.Parts[i-1].FunctionCall == nil) {
					signed = signed && string(p.ThoughtSignature) == "sig"
				}
			}
		}
		if !signed {
			refuses(http.StatusBadRequest, "INVALID_ARGUMENT", "Function call is missing a thought_signature in functionCall parts.")(s, w, r, in)
			return
		}
		var results []string
		for _, p := range in.last().Parts {
			switch {
			case p.FunctionResponse != nil:
				results = append(results, fmt.Sprint(p.FunctionResponse.Response["output"], p.FunctionResponse.Response["error"]))
			case strings.HasPrefix(p.Text, "The output of "), strings.HasPrefix(p.Text, "The error of "):
				results = append(results, p.Text)
			}
		}
		if len(results) > 0 {
			events(w, chunk("I found ", ""), chunk(strings.Join(results, ", "), "STOP"))
			return
		}
		out := []string{chunk("One ", ""), chunk("moment.", "")}
		for i, c := range calls {
			signature := ""
			if i == 0 {
				signature = "c2ln"
			}
			out = append(out, withParts("", callPart("", c.Name, c.Arguments, signature)))
		}
		events(w, append(out, chunk("", "STOP"))...)
	}
}

var hours = ports.Tool{Name: "shop_hours", Parameters: json.RawMessage(`{"type":"object","additionalProperties":false}`)}

// TestToolsOnTheWire is about both requests of a turn in which tools are called.
func TestToolsOnTheWire(t *testing.T) {
	onBoth(t, func(t *testing.T, vertex bool) {
		s := start(t, streams(withParts("STOP",
			`{"text":"a secret thought","thought":true}`, `{"text":"Let me look."}`,
			callPart("fc-1", "shop_price", json.RawMessage(`{"item":"umbrella"}`), "c2ln"), callPart("", "shop_hours", json.RawMessage(`{}`), ""),
		)), vertex)
		l := newLLM(t, s)
		req := question("How much is it?")
		req.Tools = []ports.Tool{{Name: "shop_price", Description: "The price of an article.", Parameters: json.RawMessage(`{"type":"object","required":["item"]}`)}, hours}
		got := generate(t, l, req)
		require.NoError(t, got.err)
		require.Len(t, got.done, 1)
		calls := got.done[0].Calls
		require.Equal(t, []ports.ToolCall{
			{ID: "fc-1", Name: "shop_price", Arguments: json.RawMessage(`{"item":"umbrella"}`)},
			{ID: "genai_call_2", Name: "shop_hours", Arguments: json.RawMessage(`{}`)},
		}, calls)
		tools := `"tools": [{"functionDeclarations": [
			{"name": "shop_price", "description": "The price of an article.", "parametersJsonSchema": {"type": "object", "required": ["item"]}},
			{"name": "shop_hours", "parametersJsonSchema": {"type": "object", "additionalProperties": false}}
		]}]`
		assert.JSONEq(t, `{"contents": [{"role": "user", "parts": [{"text": "How much is it?"}]}], "generationConfig": {}, `+tools+`}`, withConfig(s.requests[0].raw))

		req.Messages = append(req.Messages,
			ports.LLMMessage{Role: domain.RoleAssistant, Text: "Let me look.", Calls: calls, VendorState: got.done[0].VendorState},
			ports.LLMMessage{Role: domain.RoleUser, Results: []ports.ToolResult{
				{ID: "fc-1", Name: "shop_price", Text: "9 euros"}, {ID: "genai_call_2", Name: "shop_hours", Text: "closed for ever", Failed: true},
			}})
		req.NoCalls = true
		_ = generate(t, l, req)
		assert.JSONEq(t, `{
			"contents": [
				{"role": "user", "parts": [{"text": "How much is it?"}]},
				{"role": "model", "parts": [
					{"text": "Let me look."},
					{"functionCall": {"id": "fc-1", "name": "shop_price", "args": {"item": "umbrella"}}, "thoughtSignature": "c2ln"},
					{"functionCall": {"name": "shop_hours"}}
				]},
				{"role": "user", "parts": [
					{"functionResponse": {"id": "fc-1", "name": "shop_price", "response": {"output": "9 euros"}}},
					{"functionResponse": {"name": "shop_hours", "response": {"error": "closed for ever"}}}
				]}
			],
			"generationConfig": {}, "toolConfig": {"functionCallingConfig": {"mode": "NONE"}}, `+tools+`}`, withConfig(s.requests[1].raw))
	})
}

// withConfig adds the empty object that the library writes for one backend only.
func withConfig(raw []byte) string {
	var body map[string]any
	_ = json.Unmarshal(raw, &body)
	if body["generationConfig"] == nil {
		body["generationConfig"] = map[string]any{}
	}
	out, _ := json.Marshal(body)
	return string(out)
}

// TestCallsOfAnotherModel: after a failover in the middle of a turn there are calls
// without a signature, which a current model refuses. It is told of them in words.
func TestCallsOfAnotherModel(t *testing.T) {
	s := newServer(t, asksFor(nil))
	req := question("When?")
	req.Tools = []ports.Tool{hours}
	req.Messages = append(req.Messages,
		ports.LLMMessage{Role: domain.RoleAssistant, Calls: []ports.ToolCall{{ID: "a", Name: "shop_hours", Arguments: json.RawMessage(`{"day":"Sunday"}`)}}, VendorState: []byte(`{"anthropic":[]}`)},
		ports.LLMMessage{Role: domain.RoleUser, Results: []ports.ToolResult{{ID: "a", Name: "shop_hours", Text: "never"}}})
	require.NoError(t, generate(t, newLLM(t, s), req).err)
	in := s.only()
	assert.Equal(t, `I called shop_hours with {"day":"Sunday"}.`, in.body.Contents[1].Parts[0].Text)
	assert.Equal(t, "The output of shop_hours: never", in.body.Contents[2].Parts[0].Text)
}

func TestEndingsOfCalls(t *testing.T) {
	call := callPart("a", "shop_hours", json.RawMessage(`{"day":"Sunday"}`), "")
	for name, tt := range map[string]struct {
		answer string
		offer  func(*ports.LLMRequest)
		calls  int
		kind   ports.Kind
	}{
		"a call alone":     {withParts("STOP", call), func(*ports.LLMRequest) {}, 1, ""},
		"without its end":  {withParts("", call), func(*ports.LLMRequest) {}, 0, ports.KindTransient},
		"cut by the limit": {withParts("MAX_TOKENS", call), func(*ports.LLMRequest) {}, 0, ports.KindUnknown},
		"malformed":        {withParts("MALFORMED_FUNCTION_CALL"), func(*ports.LLMRequest) {}, 0, ports.KindTransient},
		"not offered":      {withParts("STOP", call), func(r *ports.LLMRequest) { r.Tools = nil }, 0, ports.KindUnknown},
		"no more wanted":   {withParts("STOP", call), func(r *ports.LLMRequest) { r.NoCalls = true }, 0, ports.KindUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			req := question(secret)
			req.Tools = []ports.Tool{hours}
			tt.offer(&req)
			got := generate(t, newLLM(t, newServer(t, streams(tt.answer))), req)
			if tt.kind != "" {
				require.Error(t, got.err)
				assert.Equal(t, tt.kind, ports.KindOf(got.err))
				return
			}
			require.NoError(t, got.err)
			require.Len(t, got.done, 1)
			assert.Len(t, got.done[0].Calls, tt.calls)
		})
	}
}
