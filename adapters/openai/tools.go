package openai

import (
	"encoding/json"
	"errors"
	"strconv"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	goopenai "github.com/sashabaranov/go-openai"

	"whatsappnode/ports"
)

var _ ports.ToolCaller = (*LLM)(nil)

// maxCalls bounds the calls of one answer; a model that asks for more has lost its way.
const maxCalls = 64

// CallsTools implements ports.ToolCaller. It is false for models that call tools only
// behind another API, as gpt-6 does once it reasons. Whether a server of one's own can
// is for its operator to know.
func (l *LLM) CallsTools() bool { return l.calls }

// takesTools asks the library whether it would refuse a tool.
func (l *LLM) takesTools() bool {
	return goopenai.NewReasoningValidator().Validate(goopenai.ChatCompletionRequest{
		Model: l.model, ReasoningEffort: l.effort, Tools: []goopenai.Tool{{Type: goopenai.ToolTypeFunction}},
	}) == nil
}

// offer puts the tools into a request.
func offer(out *goopenai.ChatCompletionRequest, req ports.LLMRequest) {
	for _, t := range req.Tools {
		out.Tools = append(out.Tools, goopenai.Tool{Type: goopenai.ToolTypeFunction, Function: &goopenai.FunctionDefinition{
			Name: t.Name, Description: t.Description, Parameters: t.Parameters,
		}})
	}
	if len(req.Tools) > 0 && req.NoCalls {
		out.ToolChoice = "none"
	}
}

// asking is a message of the model's with calls.
func asking(m ports.LLMMessage) goopenai.ChatCompletionMessage {
	msg := goopenai.ChatCompletionMessage{Role: goopenai.ChatMessageRoleAssistant, Content: m.Text}
	for _, c := range m.Calls {
		msg.ToolCalls = append(msg.ToolCalls, goopenai.ToolCall{
			ID: c.ID, Type: goopenai.ToolTypeFunction, Function: goopenai.FunctionCall{Name: c.Name, Arguments: string(c.Arguments)},
		})
	}
	return msg
}

// telling are the results, a message each. The API has no mark for one that failed: its
// text says so.
func telling(m ports.LLMMessage) (out []goopenai.ChatCompletionMessage) {
	for _, r := range m.Results {
		text := r.Text
		if text == "" {
			text = "(nothing)" // a message needs content
		}
		out = append(out, goopenai.ChatCompletionMessage{Role: goopenai.ChatMessageRoleTool, Content: text, ToolCallID: r.ID})
	}
	return out
}

// callPart is what one event tells of a call.
type callPart struct {
	Index    *int   `json:"index"`
	ID       string `json:"id"`
	Function struct {
		Name      string    `json:"name"`
		Arguments arguments `json:"arguments"`
	} `json:"function"`
}

// arguments is a text that holds an object, or with some servers the object itself.
type arguments string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (a *arguments) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if kind := dec.PeekKind(); kind == '"' || kind == 'n' {
		var text string
		err := jsonv2.UnmarshalDecode(dec, &text)
		*a = arguments(text)
		return err
	}
	raw, err := dec.ReadValue()
	*a = arguments(raw)
	return err
}

// gathered is a call that is put together from its parts.
type gathered struct {
	index     int // as the server counts; -1 when it does not
	id, name  string
	arguments []byte
}

// gather takes the next parts of calls. Servers differ in how they tell one call from
// another: most number them, some give all the number 0, and some send whole calls
// without one. A part with a name and an id of its own begins a call.
func (a *answer) gather(parts []callPart) error {
	for _, p := range parts {
		index, at := -1, len(a.calls)-1
		if p.Index != nil {
			index = *p.Index
			for at >= 0 && a.calls[at].index != index {
				at--
			}
		}
		if at < 0 || p.Function.Name != "" && (p.Index == nil || p.ID != "" && p.ID != a.calls[at].id) {
			if len(a.calls) == maxCalls {
				return transient(opLLM, "the answer asks for too many tools")
			}
			a.calls = append(a.calls, gathered{index: index, id: p.ID, name: p.Function.Name})
			at = len(a.calls) - 1
		}
		a.calls[at].arguments = append(a.calls[at].arguments, p.Function.Arguments...)
	}
	return nil
}

// asked are the calls of an answer that is whole. Each gets an id of its own where the
// server gave none.
func (a *answer) asked() []ports.ToolCall {
	if !a.mayCall || a.finish == "length" {
		return nil
	}
	var out []ports.ToolCall
	seen := map[string]bool{}
	for i, c := range a.calls {
		if c.id == "" || seen[c.id] {
			c.id = "call_" + strconv.Itoa(a.before+i+1)
		}
		seen[c.id] = true
		if len(c.arguments) == 0 {
			c.arguments = []byte("{}")
		}
		out = append(out, ports.ToolCall{ID: c.id, Name: c.name, Arguments: json.RawMessage(c.arguments)})
	}
	return out
}

var errAskedForTools = errors.New("the model asked for a tool instead of answering")
