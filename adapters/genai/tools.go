package genai

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	sdk "google.golang.org/genai"

	"whatsappnode/ports"
)

var _ ports.ToolCaller = (*LLM)(nil)

// CallsTools implements ports.ToolCaller.
func (*LLM) CallsTools() bool { return true }

// offer puts the tools into a request.
func offer(cfg *sdk.GenerateContentConfig, req ports.LLMRequest) {
	if len(req.Tools) == 0 {
		return
	}
	var all []*sdk.FunctionDeclaration
	for _, t := range req.Tools {
		all = append(all, &sdk.FunctionDeclaration{Name: t.Name, Description: t.Description, ParametersJsonSchema: t.Parameters})
	}
	cfg.Tools = []*sdk.Tool{{FunctionDeclarations: all}}
	if req.NoCalls {
		cfg.ToolConfig = &sdk.ToolConfig{FunctionCallingConfig: &sdk.FunctionCallingConfig{Mode: sdk.FunctionCallingConfigModeNone}}
	}
}

// state is what stands in ports.LLMMessage.VendorState: for each call the signature of
// the thought that led to it, or nothing. Current models refuse calls of the turn
// without theirs (Gemini API, "Thought signatures").
type state struct {
	Signatures [][]byte `json:"genai"`
}

// madeID begins the ids that this package gives to calls without one. They are not
// sent back.
const madeID = "genai_call_"

// calling gathers the calls of an answer; nil gathers none.
type calling struct {
	before int // calls of earlier answers of the turn
	calls  []ports.ToolCall
	state  state
}

func (g *calling) take(op string, c *sdk.Candidate) error {
	for _, p := range parts(c) {
		if p.FunctionCall == nil || g == nil {
			continue
		}
		arguments, err := json.Marshal(p.FunctionCall.Args)
		if err != nil {
			return refuse(op, ports.KindTransient, "the arguments of a call cannot be read")
		}
		if p.FunctionCall.Args == nil {
			arguments = json.RawMessage("{}")
		}
		id := p.FunctionCall.ID
		if id == "" {
			id = madeID + strconv.Itoa(g.before+len(g.calls)+1)
		}
		g.calls = append(g.calls, ports.ToolCall{ID: id, Name: p.FunctionCall.Name, Arguments: arguments})
		g.state.Signatures = append(g.state.Signatures, p.ThoughtSignature)
	}
	return nil
}

// done puts the calls on the last chunk.
func (g *calling) done(last *ports.LLMChunk) {
	if g == nil || len(g.calls) == 0 {
		return
	}
	last.Calls = g.calls
	last.VendorState, _ = json.Marshal(g.state) // bytes only: it cannot fail
}

func (g *calling) any() bool { return g != nil && len(g.calls) > 0 }

// toolParts are what a message says of calls and results. Those that another model
// asked for, which took over or was taken over from in the middle of a turn, have no
// signature that this one would take, so it is told of them in words.
func toolParts(m ports.LLMMessage, ours bool) (out []*sdk.Part) {
	var s state
	if len(m.Calls) > 0 && !ours {
		for _, c := range m.Calls {
			out = append(out, &sdk.Part{Text: fmt.Sprintf("I called %s with %s.", c.Name, c.Arguments)})
		}
		return out
	}
	_ = json.Unmarshal(m.VendorState, &s) // ours says that it can
	for i, c := range m.Calls {
		var args map[string]any
		_ = json.Unmarshal(c.Arguments, &args) // what was no object is told in the result
		out = append(out, &sdk.Part{
			FunctionCall:     &sdk.FunctionCall{ID: sentID(c.ID), Name: c.Name, Args: args},
			ThoughtSignature: s.Signatures[i],
		})
	}
	for _, r := range m.Results {
		key := "output"
		if r.Failed {
			key = "error"
		}
		if !ours {
			out = append(out, &sdk.Part{Text: fmt.Sprintf("The %s of %s: %s", key, r.Name, r.Text)})
			continue
		}
		out = append(out, &sdk.Part{FunctionResponse: &sdk.FunctionResponse{ID: sentID(r.ID), Name: r.Name, Response: map[string]any{key: r.Text}}})
	}
	return out
}

// isOurs reports whether the calls of a message are an answer of this API.
func isOurs(m ports.LLMMessage) bool {
	var s state
	return len(m.Calls) > 0 && json.Unmarshal(m.VendorState, &s) == nil && len(s.Signatures) == len(m.Calls)
}

func sentID(id string) string {
	if strings.HasPrefix(id, madeID) {
		return ""
	}
	return id
}
