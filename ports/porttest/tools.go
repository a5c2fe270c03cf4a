package porttest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"whatsappnode/ports"
)

// ToolHarness makes tool ports for TestTools.
type ToolHarness struct {
	// New makes a port with these tools and no other. It returns once they can be
	// called, and registers what must be cleaned up with t.
	New func(t *testing.T, tools []TestTool) ports.ToolPort
	// Prefix stands before the names of the tools.
	Prefix string
	// Limit is how many bytes of a result are let through; 0 is no limit.
	Limit int
	// Down makes a port whose tools' server is not there; nil skips the case.
	Down func(t *testing.T, tools []TestTool) ports.ToolPort
	// Break makes a port whose server goes away in the middle of a call; nil skips the
	// case.
	Break func(t *testing.T, tools []TestTool) ports.ToolPort
}

// TestTool is a tool that the suite brings along.
type TestTool struct {
	Name, Description string
	Schema            map[string]any
	Run               func(ctx context.Context, arguments map[string]any) (text string, failed bool)
}

// suiteTools are a tool that repeats, one that fails, one that never ends, and one that
// talks a lot.
func suiteTools(entered chan<- struct{}) []TestTool {
	text := map[string]any{"type": "object", "properties": map[string]any{"text": map[string]any{"type": "string"}}, "required": []any{"text"}}
	return []TestTool{
		{"repeat", "Says the text again.", text, func(_ context.Context, a map[string]any) (string, bool) {
			return fmt.Sprint("again: ", a["text"]), false
		}},
		{"fail", "Never works.", text, func(context.Context, map[string]any) (string, bool) { return "the shelf is empty", true }},
		{"hang", "Never ends.", map[string]any{"type": "object"}, func(ctx context.Context, _ map[string]any) (string, bool) {
			select {
			case entered <- struct{}{}:
			default:
			}
			<-ctx.Done()
			return "", true
		}},
		{"talk", "Says a lot.", map[string]any{"type": "object"}, func(context.Context, map[string]any) (string, bool) {
			return strings.Repeat("ü and so on, ", 10_000), false
		}},
	}
}

// TestTools checks what ports.ToolPort promises.
func TestTools(t *testing.T, h ToolHarness) {
	for name, run := range map[string]func(t *testing.T, h ToolHarness){
		"ListIsWholeAndInOrder":        toolsList,
		"CallBringsTheResult":          toolsCall,
		"FailureIsAResult":             toolsFailure,
		"UnknownToolIsNotFound":        toolsUnknown,
		"ArgumentsMustBeAnObject":      toolsArguments,
		"ContextEndsACall":             toolsContext,
		"EndedContextCallsNothing":     toolsEnded,
		"LongResultsAreCut":            toolsLong,
		"CallMayBeMadeConcurrently":    toolsConcurrent,
		"ServerThatIsDownIsTransient":  toolsDown,
		"ServerThatBreaksMayHaveActed": toolsBreak,
	} {
		t.Run(name, func(t *testing.T) { run(t, h) })
	}
}

func (h ToolHarness) make(t *testing.T) ports.ToolPort { return h.New(t, suiteTools(nil)) }

// callOf is a call of one of the suite's tools.
func (h ToolHarness) callOf(tool, arguments string) ports.ToolCall {
	return ports.ToolCall{ID: "id-" + tool, Name: h.Prefix + tool, Arguments: json.RawMessage(arguments)}
}

// secretArguments are in calls that fail, and must not be in the error.
var secretArguments = `{"text":"` + vendorSecret + `"}`

func toolsList(t *testing.T, h ToolHarness) {
	port := h.make(t)
	var names []string
	for _, tool := range port.List() {
		names = append(names, tool.Name)
		if !ports.ToolNameOK(tool.Name) {
			t.Errorf("%q is no name for a tool", tool.Name)
		}
		if !ports.IsObject(tool.Parameters) {
			t.Errorf("the parameters of %s are no object: %s", tool.Name, tool.Parameters)
		}
	}
	want := []string{h.Prefix + "fail", h.Prefix + "hang", h.Prefix + "repeat", h.Prefix + "talk"}
	if !slices.Equal(names, want) {
		t.Fatalf("the tools are %v, want %v", names, want)
	}
	repeat := port.List()[2]
	if repeat.Description != "Says the text again." {
		t.Errorf("the description is %q", repeat.Description)
	}
	var schema struct {
		Type       string
		Properties map[string]any
		Required   []string
	}
	if err := json.Unmarshal(repeat.Parameters, &schema); err != nil || schema.Type != "object" || schema.Properties["text"] == nil || !slices.Equal(schema.Required, []string{"text"}) {
		t.Errorf("the schema is %s, %v", repeat.Parameters, err)
	}
}

func toolsCall(t *testing.T, h ToolHarness) {
	call := h.callOf("repeat", `{"text":"a \"green\" umbrella 🌂"}`)
	got, err := h.make(t).Call(t.Context(), call)
	if err != nil {
		t.Fatalf("the call failed: %v", err)
	}
	if want := (ports.ToolResult{ID: call.ID, Name: call.Name, Text: "again: a \"green\" umbrella 🌂"}); got != want {
		t.Errorf("the result is %+v, want %+v", got, want)
	}
}

func toolsFailure(t *testing.T, h ToolHarness) {
	got, err := h.make(t).Call(t.Context(), h.callOf("fail", `{"text":"x"}`))
	if err != nil {
		t.Fatalf("a tool that fails is an error: %v", err)
	}
	if !got.Failed || !strings.Contains(got.Text, "the shelf is empty") || got.ID != "id-fail" {
		t.Errorf("the result is %+v", got)
	}
}

func toolsUnknown(t *testing.T, h ToolHarness) {
	port := h.make(t)
	for _, name := range []string{h.Prefix + "nothing", "nobody_repeat", "", "repeat "} {
		_, err := port.Call(t.Context(), ports.ToolCall{ID: "1", Name: name, Arguments: json.RawMessage(secretArguments)})
		checkKind(t, err, ports.KindNotFound)
	}
}

func toolsArguments(t *testing.T, h ToolHarness) {
	port := h.make(t)
	for _, bad := range []string{"", "null", `"` + vendorSecret + `"`, `["x"]`, `{"text":"` + vendorSecret} {
		_, err := port.Call(t.Context(), h.callOf("repeat", bad))
		checkKind(t, err, ports.KindInvalid)
	}
}

func toolsContext(t *testing.T, h ToolHarness) {
	for _, e := range endings {
		entered := make(chan struct{}, 1)
		port := h.New(t, suiteTools(entered))
		ctx, cancel := e.ctx(t.Context())
		var err error
		comesBack(t, grace, func() { _, err = port.Call(ctx, h.callOf("hang", secretArguments)) })
		cancel()
		checkEnded(t, err, e.kind)
		// The connection is none the worse.
		if _, err := port.Call(t.Context(), h.callOf("repeat", `{"text":"x"}`)); err != nil {
			t.Errorf("the next call failed: %v", err)
		}
	}
}

func toolsEnded(t *testing.T, h ToolHarness) {
	port := h.make(t)
	for _, e := range ended {
		ctx, cancel := e.ctx(t.Context())
		got, err := port.Call(ctx, h.callOf("repeat", secretArguments))
		cancel()
		checkEnded(t, err, e.kind)
		if got.Text != "" {
			t.Errorf("there is a result although the context had ended: %+v", got)
		}
	}
}

func toolsLong(t *testing.T, h ToolHarness) {
	need(t, h.Limit > 0, "limit a result")
	got, err := h.make(t).Call(t.Context(), h.callOf("talk", `{}`))
	if err != nil {
		t.Fatalf("the call failed: %v", err)
	}
	if len(got.Text) > h.Limit || len(got.Text) < h.Limit-4 || !strings.HasPrefix(got.Text, "ü and so on, ") {
		t.Errorf("the result has %d bytes, want %d", len(got.Text), h.Limit)
	}
	if !utf8.ValidString(got.Text) || strings.ContainsRune(got.Text, utf8.RuneError) {
		t.Error("a character was cut in two")
	}
	if !strings.Contains(got.Text, "cut") {
		t.Error("the result does not say that it was cut")
	}
}

func toolsConcurrent(t *testing.T, h ToolHarness) {
	port := h.make(t)
	const callers = 16
	results, errs := make([]ports.ToolResult, callers), make([]error, callers)
	atOnce(callers, func(i int) {
		_ = port.List()
		results[i], errs[i] = port.Call(t.Context(), ports.ToolCall{
			ID: fmt.Sprint(i), Name: h.Prefix + "repeat", Arguments: json.RawMessage(fmt.Sprintf(`{"text":"caller %02d"}`, i)),
		})
	})
	for i := range callers {
		if want := fmt.Sprintf("again: caller %02d", i); errs[i] != nil || results[i].Text != want || results[i].ID != fmt.Sprint(i) {
			t.Errorf("caller %d got %+v, %v", i, results[i], errs[i])
		}
	}
}

func toolsDown(t *testing.T, h ToolHarness) {
	need(t, h.Down != nil, "take a server down")
	port := h.Down(t, suiteTools(nil))
	_, err := port.Call(t.Context(), h.callOf("repeat", secretArguments))
	checkKind(t, err, ports.KindTransient)
	if len(port.List()) > 0 {
		t.Error("tools are offered that cannot be called")
	}
}

func toolsBreak(t *testing.T, h ToolHarness) {
	need(t, h.Break != nil, "break a connection")
	port := h.Break(t, suiteTools(nil))
	var err error
	comesBack(t, grace, func() { _, err = port.Call(t.Context(), h.callOf("hang", secretArguments)) })
	checkKind(t, err, ports.KindTransient)
	if !ports.MaybeDone(err) {
		t.Error("the error does not say that the tool may have done its work")
	}
}
