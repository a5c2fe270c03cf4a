package ports

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"whatsappnode/domain"
)

// ErrToolFailed is behind the error of a call whose tool ran and reports a failure, where
// such a call is told to a TracerPort or an ObserverPort. What the tool says is for the
// model alone.
var ErrToolFailed = errors.New("the tool reports a failure")

// ToolPort offers tools that a language model may call.
//
// List returns the tools that can be called now, in the order of their names, each
// name once. It answers from memory: it does not block, needs no deadline and never
// asks the tool's server. What it returns must not be changed.
//
// Call runs one tool and blocks until its result is there or ctx ends, which the
// caller bounds. A tool that fails is a result with Failed set, whose text says what
// is wrong, as the model can mend its call by it. An error means that there is no
// result: KindNotFound for a tool that List does not have, KindInvalid for arguments
// that are no JSON object, KindTransient for a server that is not there or went away,
// with MaybeDone set when the call may have reached it, KindUnsupported for a result
// that holds nothing a model could read or is too large, and KindCanceled or
// KindTimeout when ctx ended. An error never holds the arguments or the result. Call
// never repeats a call: the tool may have done its work. Both methods may be called
// concurrently.
type ToolPort interface {
	List() []Tool
	Call(ctx context.Context, call ToolCall) (ToolResult, error)
}

// Tool is a function that a model may ask for.
type Tool struct {
	// Name is what the model calls it by: at most 64 letters, digits, _ and -, which
	// is what every vendor takes.
	Name string
	// Description tells the model what the tool does and when to use it.
	Description string
	// Parameters is the JSON Schema of the arguments: that of an object.
	Parameters json.RawMessage
}

// ToolCall is a model's wish to have a tool called.
type ToolCall struct {
	// ID tells this call from others of the same answer. It is the vendor's, or made by
	// the adapter.
	ID   string
	Name string
	// Arguments is a JSON object. A model that wrote something else is given the chance
	// to mend it: what it wrote stands here as it is.
	Arguments json.RawMessage
}

// ToolResult is what came of a call.
type ToolResult struct {
	// ID is that of the call.
	ID string
	// Name is the tool's, which some vendors want again.
	Name string
	// Text is for the model.
	Text string
	// Failed says that the call did not do what was asked; Text says why.
	Failed bool
}

// ToolCaller is implemented by models that may be able to call tools.
type ToolCaller interface {
	// CallsTools reports whether a request may hold tools. A model for which it is false
	// answers such a request with KindUnsupported.
	CallsTools() bool
}

// CallsTools reports whether a model can call tools.
func CallsTools(model LLMPort) bool {
	c, ok := model.(ToolCaller)
	return ok && c.CallsTools()
}

// RefuseTools is the error of a model that cannot call tools and was offered some, or
// nil when it was not.
func (r LLMRequest) RefuseTools(op string) error {
	if len(r.Tools) == 0 && !slices.ContainsFunc(r.Messages, func(m LLMMessage) bool { return len(m.Calls)+len(m.Results) > 0 }) {
		return nil
	}
	return &Error{Op: op, Kind: KindUnsupported, Err: errors.New("the model cannot call tools")}
}

// CallCount is how many calls the messages of a request hold, for adapters that number
// the calls of a turn.
func (r LLMRequest) CallCount() (n int) {
	for _, m := range r.Messages {
		n += len(m.Calls)
	}
	return n
}

// ToolNameOK reports whether every vendor takes a name for a tool.
func ToolNameOK(name string) bool {
	odd := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-')
	}
	return name != "" && len(name) <= 64 && !strings.ContainsFunc(name, odd)
}

// IsObject reports whether JSON is well-formed and an object.
func IsObject(raw json.RawMessage) bool {
	return strings.HasPrefix(strings.TrimLeft(string(raw), " \t\r\n"), "{") && json.Valid(raw)
}

// toolFault says what is wrong with the tools, calls and results of a request.
func (r LLMRequest) toolFault() string {
	var names map[string]bool
	if len(r.Tools) > 0 {
		names = make(map[string]bool, len(r.Tools))
	}
	for _, t := range r.Tools {
		switch {
		case !ToolNameOK(t.Name) || names[t.Name]:
			return "a tool's name is malformed or given twice"
		case !IsObject(t.Parameters):
			return "a tool's parameters are no JSON object"
		}
		names[t.Name] = true
	}
	var open []ToolCall
	for _, m := range r.Messages {
		switch {
		case len(m.Calls) > 0 && m.Role != domain.RoleAssistant, len(m.Results) > 0 && m.Role != domain.RoleUser:
			return "calls are the model's and results the user's"
		case !answers(open, m.Results):
			return "the results are not those of the calls before them"
		}
		open = m.Calls
	}
	return ""
}

// answers reports whether there is one result for each call, in their order.
func answers(calls []ToolCall, results []ToolResult) bool {
	return slices.EqualFunc(calls, results, func(c ToolCall, r ToolResult) bool {
		return c.ID == r.ID && c.Name == r.Name && ToolNameOK(c.Name)
	})
}
