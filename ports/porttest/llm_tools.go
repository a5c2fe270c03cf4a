package porttest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// The tools that are offered, and what the model is to ask for.
var (
	shopTools = []ports.Tool{
		{
			Name: "shop_price", Description: "The price of an article.",
			Parameters: json.RawMessage(`{"type":"object","properties":{"item":{"type":"string"}},"required":["item"]}`),
		},
		{Name: "shop_hours", Description: "When the shop is open.", Parameters: json.RawMessage(`{"type":"object"}`)},
	}
	onePrice  = []ports.ToolCall{{Name: "shop_price", Arguments: json.RawMessage(`{"item":"a \"green\" umbrella – 🌂"}`)}}
	manyCalls = []ports.ToolCall{
		{Name: "shop_price", Arguments: json.RawMessage(`{"item":"umbrella","colours":["green","blue"],"most":12.5}`)},
		{Name: "shop_hours", Arguments: json.RawMessage(`{}`)},
		{Name: "shop_price", Arguments: json.RawMessage(`{"item":"` + strings.Repeat("very ", 200) + `large umbrella"}`)},
	}
)

// offer is a question with tools.
func offer(text string) ports.LLMRequest {
	req := ask(text)
	req.Tools = shopTools
	return req
}

// answering is the request that brings the results of calls.
func answering(req ports.LLMRequest, got heard, text func(i int) string) ports.LLMRequest {
	back := ports.LLMMessage{Role: domain.RoleUser}
	for i, c := range got.last.Calls {
		back.Results = append(back.Results, ports.ToolResult{ID: c.ID, Name: c.Name, Text: text(i), Failed: i == 1})
	}
	req.Messages = append(req.Messages[:len(req.Messages):len(req.Messages)],
		ports.LLMMessage{Role: domain.RoleAssistant, Text: got.text, Calls: got.last.Calls, VendorState: got.last.VendorState}, back)
	return req
}

func llmTools(t *testing.T, h LLMHarness) {
	if h.Asks != nil {
		model := h.Asks(t, onePrice)
		if !ports.CallsTools(model) {
			t.Error("a model that calls tools does not say so")
		}
		answered(t, model.Generate(t.Context(), offer("what is the umbrella")))
		return
	}
	with := ask(vendorSecret)
	with.Messages = append(with.Messages,
		ports.LLMMessage{Role: domain.RoleAssistant, Calls: []ports.ToolCall{{ID: "1", Name: "shop_hours", Arguments: json.RawMessage(`{}`)}}},
		ports.LLMMessage{Role: domain.RoleUser, Results: []ports.ToolResult{{ID: "1", Name: "shop_hours", Text: "nine to five"}}})
	for name, req := range map[string]ports.LLMRequest{"tools": offer(vendorSecret), "results": with} {
		model := h.New(t)
		if ports.CallsTools(model) {
			t.Error("a model says that it calls tools, and the harness does not show it")
		}
		got := read(t, model.Generate(t.Context(), req))
		if got.text != "" {
			t.Errorf("%s: text came: %q", name, got.text)
		}
		checkKind(t, got.err, ports.KindUnsupported)
		if h.Calls != nil && h.Calls(model) != 0 {
			t.Errorf("%s: the request reached the vendor", name)
		}
	}
}

// asked reads an answer that must ask for calls, and checks them.
func asked(t *testing.T, model ports.LLMPort, want []ports.ToolCall, req ports.LLMRequest) heard {
	t.Helper()
	got := answered(t, model.Generate(t.Context(), req))
	if len(got.last.Calls) != len(want) {
		t.Fatalf("the model asks for %d calls, want %d", len(got.last.Calls), len(want))
	}
	ids := map[string]bool{}
	for i, c := range got.last.Calls {
		if c.ID == "" || ids[c.ID] {
			t.Errorf("call %d has the id %q, which is empty or another's", i, c.ID)
		}
		ids[c.ID] = true
		if c.Name != want[i].Name {
			t.Errorf("call %d is of %q, want %q", i, c.Name, want[i].Name)
		}
		if !sameJSON(c.Arguments, want[i].Arguments) {
			t.Errorf("the arguments of call %d are %s, want %s", i, c.Arguments, want[i].Arguments)
		}
	}
	return got
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

func llmToolCalls(t *testing.T, h LLMHarness) {
	need(t, h.Asks != nil, "call tools")
	got := asked(t, h.Asks(t, onePrice), onePrice, offer("what is the umbrella"))
	if strings.TrimSpace(got.text) == "" {
		t.Error("the words before the call are lost")
	}
	if got.last.Truncated {
		t.Error("an answer that asks for a call is called truncated")
	}
}

func llmToolOrder(t *testing.T, h LLMHarness) {
	need(t, h.Asks != nil, "call tools")
	asked(t, h.Asks(t, manyCalls), manyCalls, offer("what are the umbrellas, and when are you open"))
}

func llmToolResults(t *testing.T, h LLMHarness) {
	need(t, h.Asks != nil, "call tools")
	model := h.Asks(t, manyCalls)
	req := offer("what are the umbrellas, and when are you open")
	got := asked(t, model, manyCalls, req)
	req = answering(req, got, func(i int) string { return fmt.Sprintf("result number %d", i) })
	last := answered(t, model.Generate(t.Context(), req))
	if len(last.last.Calls) > 0 {
		t.Error("the model asks again instead of answering")
	}
	for i := range manyCalls {
		if want := fmt.Sprintf("result number %d", i); !strings.Contains(last.text, want) {
			t.Errorf("the answer %q does not hold %q", last.text, want)
		}
	}
	// Another step, with somebody else's state.
	req = answering(req, got, func(int) string { return "once more" })
	req.Messages[len(req.Messages)-2].VendorState = []byte(`{"somebody":"else"}`)
	req.NoCalls = true
	if last = answered(t, model.Generate(t.Context(), req)); !strings.Contains(last.text, "once more") {
		t.Errorf("the answer %q is not about the last results", last.text)
	}
}

func llmToolsInvalid(t *testing.T, h LLMHarness) {
	need(t, h.Asks != nil, "call tools")
	call := ports.ToolCall{ID: "1", Name: "shop_hours", Arguments: json.RawMessage(`{}`)}
	asks := ports.LLMMessage{Role: domain.RoleAssistant, Calls: []ports.ToolCall{call}}
	back := func(results ...ports.ToolResult) ports.LLMMessage {
		return ports.LLMMessage{Role: domain.RoleUser, Text: "and", Results: results}
	}
	for name, change := range map[string]func(r *ports.LLMRequest){
		"a name of two words": func(r *ports.LLMRequest) {
			r.Tools = []ports.Tool{{Name: "shop hours", Parameters: json.RawMessage(`{}`)}}
		},
		"a tool given twice":      func(r *ports.LLMRequest) { r.Tools = append(r.Tools[:2:2], r.Tools[0]) },
		"no schema":               func(r *ports.LLMRequest) { r.Tools = []ports.Tool{{Name: "shop_hours"}} },
		"a call without a result": func(r *ports.LLMRequest) { r.Messages = append(r.Messages, asks, back()) },
		"a result without a call": func(r *ports.LLMRequest) {
			r.Messages = append(r.Messages, back(ports.ToolResult{ID: "1", Name: "shop_hours", Text: "nine"}))
		},
		"a result of another call": func(r *ports.LLMRequest) {
			r.Messages = append(r.Messages, asks, back(ports.ToolResult{ID: "2", Name: "shop_hours", Text: "nine"}))
		},
		"a call of the user": func(r *ports.LLMRequest) { r.Messages[0].Calls = []ports.ToolCall{call} },
	} {
		model, req := h.Asks(t, onePrice), offer(vendorSecret)
		change(&req)
		got := read(t, model.Generate(t.Context(), req))
		if got.text != "" {
			t.Errorf("%s: text came: %q", name, got.text)
		}
		if ports.KindOf(got.err) != ports.KindInvalid {
			t.Errorf("%s: the error is %v, want kind invalid", name, got.err)
		}
		checkKind(t, got.err, ports.KindInvalid)
		if h.Calls != nil && h.Calls(model) != 0 {
			t.Errorf("%s: the request reached the vendor", name)
		}
	}
}

func llmToolsConcurrent(t *testing.T, h LLMHarness) {
	need(t, h.Asks != nil, "call tools")
	model := h.Asks(t, manyCalls)
	const callers = 8
	got := make([]heard, callers)
	atOnce(callers, func(i int) { got[i] = read(t, model.Generate(t.Context(), offer("all of it"))) })
	for i, g := range got {
		if g.err != nil {
			t.Errorf("call %d failed: %v", i, g.err)
			continue
		}
		for j, c := range g.last.Calls {
			if j >= len(manyCalls) || !sameJSON(c.Arguments, manyCalls[j].Arguments) {
				t.Errorf("caller %d got the arguments %s", i, c.Arguments)
			}
		}
	}
}
