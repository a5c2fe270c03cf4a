package anthropic

import (
	"encoding/json"
	"strings"

	sdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/packages/param"

	"whatsappnode/ports"
)

var _ ports.ToolCaller = (*LLM)(nil)

// CallsTools implements ports.ToolCaller.
func (*LLM) CallsTools() bool { return true }

// offer puts the tools into a request.
func offer(p *sdk.MessageNewParams, req ports.LLMRequest) {
	for _, t := range req.Tools {
		tool := &sdk.ToolParam{Name: t.Name, InputSchema: param.Override[sdk.ToolInputSchemaParam](t.Parameters)}
		if t.Description != "" {
			tool.Description = sdk.String(t.Description)
		}
		p.Tools = append(p.Tools, sdk.ToolUnionParam{OfTool: tool})
	}
	if len(req.Tools) > 0 && req.NoCalls {
		p.ToolChoice = sdk.ToolChoiceUnionParam{OfNone: &sdk.ToolChoiceNoneParam{}}
	}
}

// block is a part of an answer, gathered from its events. A model that thought before
// it called a tool wants all parts back as they were, in their order (Anthropic,
// "Extended thinking", preserving thinking blocks).
type block struct {
	Type      string `json:"type"`
	Text      string `json:"text,omitempty"`
	Thinking  string `json:"thinking,omitempty"`
	Signature string `json:"signature,omitempty"`
	Data      string `json:"data,omitempty"`
	ID        string `json:"id,omitempty"`
	Name      string `json:"name,omitempty"`
	Input     string `json:"input,omitempty"`
}

// state is what stands in ports.LLMMessage.VendorState.
type state struct {
	Blocks []block `json:"anthropic"`
}

// gathering collects the blocks of an answer that may call tools; nil collects nothing.
type gathering struct {
	blocks  []block
	written strings.Builder // what the events added to the last block
}

func (g *gathering) take(event sdk.MessageStreamEventUnion) {
	if g == nil {
		return
	}
	switch event.Type {
	case "content_block_start":
		g.close()
		c := event.ContentBlock
		b := block{Type: c.Type, Text: c.Text, Thinking: c.Thinking, Signature: c.Signature, Data: c.Data, ID: c.ID, Name: c.Name}
		if whole, err := json.Marshal(c.Input); err == nil && c.Type == "tool_use" && len(whole) > len("{}") && string(whole) != "null" {
			b.Input = string(whole) // of a gateway; the vendor sends an empty object
		}
		g.blocks = append(g.blocks, b)
	case "content_block_delta":
		if len(g.blocks) == 0 {
			return
		}
		// Blocks come one after the other.
		switch d := event.Delta; d.Type {
		case "text_delta":
			g.written.WriteString(d.Text)
		case "thinking_delta":
			g.written.WriteString(d.Thinking)
		case "input_json_delta":
			g.written.WriteString(d.PartialJSON)
		case "signature_delta":
			g.blocks[len(g.blocks)-1].Signature += d.Signature
		}
	}
}

// close gives the last block what was written of it.
func (g *gathering) close() {
	if len(g.blocks) == 0 || g.written.Len() == 0 {
		return
	}
	b, text := &g.blocks[len(g.blocks)-1], g.written.String()
	g.written.Reset()
	switch b.Type {
	case "text":
		b.Text += text
	case "thinking":
		b.Thinking += text
	case "tool_use":
		b.Input += text
	}
}

// calls are the tools that were asked for, and the state that goes with them.
func (g *gathering) calls() (calls []ports.ToolCall, kept []byte) {
	if g == nil {
		return nil, nil
	}
	g.close()
	thought := false
	for _, b := range g.blocks {
		switch b.Type {
		case "tool_use":
			calls = append(calls, ports.ToolCall{ID: b.ID, Name: b.Name, Arguments: input(b.Input)})
		case "thinking", "redacted_thinking":
			thought = true
		}
	}
	if thought && len(calls) > 0 {
		kept, _ = json.Marshal(state{g.blocks}) // strings only: it cannot fail
	}
	return calls, kept
}

func input(written string) json.RawMessage {
	if written == "" {
		return json.RawMessage("{}")
	}
	return json.RawMessage(written)
}

// asking are the blocks of the model's message with calls: as they were, where that is
// known.
func asking(m ports.LLMMessage) (out []sdk.ContentBlockParamUnion) {
	if before := remembered(m); before != nil {
		return before
	}
	if text := m.Text; !blank(text) {
		out = append(out, sdk.NewTextBlock(text))
	}
	for _, c := range m.Calls {
		out = append(out, sdk.NewToolUseBlock(c.ID, object(c.Arguments), c.Name))
	}
	return out
}

// remembered rebuilds the message from its state; nil when it is another vendor's, or
// when the calls are not those of the message any more.
func remembered(m ports.LLMMessage) (out []sdk.ContentBlockParamUnion) {
	var s state
	if len(m.VendorState) == 0 || json.Unmarshal(m.VendorState, &s) != nil {
		return nil
	}
	calls := m.Calls
	for _, b := range s.Blocks {
		switch b.Type {
		case "thinking":
			out = append(out, sdk.NewThinkingBlock(b.Signature, b.Thinking))
		case "redacted_thinking":
			out = append(out, sdk.NewRedactedThinkingBlock(b.Data))
		case "text":
			if !blank(b.Text) {
				out = append(out, sdk.NewTextBlock(b.Text))
			}
		case "tool_use":
			if len(calls) == 0 || calls[0].ID != b.ID || calls[0].Name != b.Name {
				return nil
			}
			out, calls = append(out, sdk.NewToolUseBlock(b.ID, object(input(b.Input)), b.Name)), calls[1:]
		}
	}
	if len(calls) > 0 {
		return nil
	}
	return out
}

// object is what the API takes for arguments: those that are none are left out, and the
// result of the call says what was wrong with them.
func object(arguments json.RawMessage) json.RawMessage {
	if !ports.IsObject(arguments) {
		return json.RawMessage("{}")
	}
	return arguments
}

// telling are the results, which stand before anything else the user says.
func telling(m ports.LLMMessage) (out []sdk.ContentBlockParamUnion) {
	for _, r := range m.Results {
		result := sdk.ToolResultBlockParam{ToolUseID: r.ID}
		if !blank(r.Text) {
			result.Content = []sdk.ToolResultBlockParamContentUnion{{OfText: &sdk.TextBlockParam{Text: r.Text}}}
		}
		if r.Failed {
			result.IsError = sdk.Bool(true)
		}
		out = append(out, sdk.ContentBlockParamUnion{OfToolResult: &result})
	}
	return out
}
