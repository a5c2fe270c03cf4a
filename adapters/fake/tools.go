package fake

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync/atomic"

	"whatsappnode/ports"
)

var _ ports.ToolPort = (*Tools)(nil)

// Tool is a tool whose work is a function.
type Tool struct {
	ports.Tool
	// Run does it. Its text is the result; failed says that the call did not do what was
	// asked. An error is returned as it is.
	Run func(ctx context.Context, arguments json.RawMessage) (text string, failed bool, err error)
}

// Tools are tools in memory. They may be used concurrently.
type Tools struct {
	list  []ports.Tool
	run   map[string]func(context.Context, json.RawMessage) (string, bool, error)
	calls atomic.Int64
}

const opTool = "fake.tool"

// NewTools offers some tools. A tool without a schema takes any object.
func NewTools(all ...Tool) *Tools {
	t := &Tools{run: map[string]func(context.Context, json.RawMessage) (string, bool, error){}}
	for _, each := range all {
		if each.Parameters == nil {
			each.Parameters = json.RawMessage(`{"type":"object"}`)
		}
		t.list = append(t.list, each.Tool)
		t.run[each.Name] = each.Run
	}
	slices.SortFunc(t.list, func(a, b ports.Tool) int { return strings.Compare(a.Name, b.Name) })
	return t
}

// Count is how many calls reached a tool.
func (t *Tools) Count() int { return int(t.calls.Load()) }

// List implements ports.ToolPort.
func (t *Tools) List() []ports.Tool { return t.list }

// Call implements ports.ToolPort.
func (t *Tools) Call(ctx context.Context, call ports.ToolCall) (ports.ToolResult, error) {
	if err := ports.FromContext(ctx, opTool); err != nil {
		return ports.ToolResult{}, err
	}
	run, ok := t.run[call.Name]
	switch {
	case !ok:
		return ports.ToolResult{}, &ports.Error{Op: opTool, Kind: ports.KindNotFound, Err: errors.New("there is no such tool")}
	case !ports.IsObject(call.Arguments):
		return ports.ToolResult{}, &ports.Error{Op: opTool, Kind: ports.KindInvalid, Err: errors.New("the arguments are no JSON object")}
	}
	t.calls.Add(1)
	text, failed, err := run(ctx, call.Arguments)
	if ended := ports.FromContext(ctx, opTool); ended != nil {
		return ports.ToolResult{}, ended
	}
	if err != nil {
		return ports.ToolResult{}, err
	}
	return ports.ToolResult{ID: call.ID, Name: call.Name, Text: text, Failed: failed}, nil
}
