package porttest_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// brokenTools names the rule that must catch each fault.
var brokenTools = map[string]string{
	"forgets a tool":                    "ListIsWholeAndInOrder",
	"lists in any order":                "ListIsWholeAndInOrder",
	"loses the schema":                  "ListIsWholeAndInOrder",
	"loses the id":                      "CallBringsTheResult",
	"drops what is not ASCII":           "CallBringsTheResult",
	"takes a failure for an error":      "FailureIsAResult",
	"hides that a tool failed":          "FailureIsAResult",
	"calls what is nearly the name":     "UnknownToolIsNotFound",
	"calls without an object":           "ArgumentsMustBeAnObject",
	"repeats the arguments in an error": "ArgumentsMustBeAnObject",
	"ignores its context":               "ContextEndsACall",
	"calls after the end":               "EndedContextCallsNothing",
	"passes on any length":              "LongResultsAreCut",
	"cuts in silence":                   "LongResultsAreCut",
	"mixes up its callers":              "CallMayBeMadeConcurrently",
	"offers what is down":               "ServerThatIsDownIsTransient",
	"knows nothing was done":            "ServerThatBreaksMayHaveActed",
}

func TestToolSuiteRejects(t *testing.T) {
	rejects(t, brokenTools, func(t *testing.T, fault string) { porttest.TestTools(t, tinyToolHarness(fault)) })
}

// TestToolSuiteAccepts is the control: the same tools without a fault.
func TestToolSuiteAccepts(t *testing.T) { porttest.TestTools(t, tinyToolHarness("")) }

func tinyToolHarness(fault string) porttest.ToolHarness {
	with := func(down, breaks bool) func(*testing.T, []porttest.TestTool) ports.ToolPort {
		return func(_ *testing.T, all []porttest.TestTool) ports.ToolPort {
			return &tinyTools{fault: fault, all: all, down: down, breaks: breaks}
		}
	}
	return porttest.ToolHarness{New: with(false, false), Prefix: "tiny_", Limit: tinyToolLimit, Down: with(true, false), Break: with(false, true)}
}

const tinyToolLimit = 100

// tinyTools are correct in a few lines, but for their fault.
type tinyTools struct {
	fault        string
	all          []porttest.TestTool
	down, breaks bool
	mu           sync.Mutex
	shared       map[string]any
}

func (p *tinyTools) is(fault string) bool { return p.fault == fault }

func (p *tinyTools) List() (out []ports.Tool) {
	if p.down && !p.is("offers what is down") {
		return nil
	}
	for _, t := range p.all {
		schema, _ := json.Marshal(t.Schema)
		if p.is("loses the schema") {
			schema = []byte(`{}`)
		}
		out = append(out, ports.Tool{Name: "tiny_" + t.Name, Description: t.Description, Parameters: schema})
	}
	if !p.is("lists in any order") {
		slices.SortFunc(out, func(a, b ports.Tool) int { return strings.Compare(a.Name, b.Name) })
	}
	if p.is("forgets a tool") {
		out = out[1:]
	}
	return out
}

func (p *tinyTools) Call(ctx context.Context, call ports.ToolCall) (ports.ToolResult, error) {
	if err := ports.FromContext(ctx, "tiny"); err != nil && !p.is("calls after the end") {
		return ports.ToolResult{}, err
	}
	at := slices.IndexFunc(p.all, func(t porttest.TestTool) bool {
		return "tiny_"+t.Name == call.Name || p.is("calls what is nearly the name") && strings.HasSuffix(call.Name, t.Name)
	})
	switch {
	case at < 0:
		return ports.ToolResult{}, tinyError(ports.KindNotFound, "no such tool")
	case p.down:
		return ports.ToolResult{}, tinyError(ports.KindTransient, "down")
	}
	var arguments map[string]any
	if !ports.IsObject(call.Arguments) && !p.is("calls without an object") {
		reason := "no object"
		if p.is("repeats the arguments in an error") {
			reason += ": " + string(call.Arguments)
		}
		return ports.ToolResult{}, tinyError(ports.KindInvalid, reason)
	}
	_ = json.Unmarshal(call.Arguments, &arguments)
	if p.breaks {
		return ports.ToolResult{}, &ports.Error{Op: "tiny", Kind: ports.KindTransient, MaybeDone: !p.is("knows nothing was done"), Err: errors.New("broken")}
	}
	return p.finish(ctx, call, p.all[at], p.seen(arguments))
}

// seen is what the tool is given.
func (p *tinyTools) seen(arguments map[string]any) map[string]any {
	if !p.is("mixes up its callers") {
		return arguments
	}
	p.mu.Lock()
	p.shared = arguments
	p.mu.Unlock()
	time.Sleep(10 * time.Millisecond)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shared
}

func (p *tinyTools) finish(ctx context.Context, call ports.ToolCall, tool porttest.TestTool, arguments map[string]any) (ports.ToolResult, error) {
	if p.is("ignores its context") {
		ctx = context.WithoutCancel(ctx)
	}
	text, failed := tool.Run(ctx, arguments)
	if err := ports.FromContext(ctx, "tiny"); err != nil && !p.is("calls after the end") {
		return ports.ToolResult{}, err
	}
	if failed && p.is("takes a failure for an error") {
		return ports.ToolResult{}, tinyError(ports.KindUnknown, "failed")
	}
	if len(text) > tinyToolLimit && !p.is("passes on any length") {
		const mark = " (cut)"
		end := tinyToolLimit - len(mark)
		for text[end]&0xc0 == 0x80 {
			end--
		}
		text = text[:end] + mark
		if p.is("cuts in silence") {
			text = strings.Replace(text, mark, "......", 1)
		}
	}
	if p.is("drops what is not ASCII") {
		text = strings.Map(func(r rune) rune {
			if r > 127 {
				return -1
			}
			return r
		}, text)
	}
	out := ports.ToolResult{ID: call.ID, Name: call.Name, Text: text, Failed: failed && !p.is("hides that a tool failed")}
	if p.is("loses the id") {
		out.ID = ""
	}
	return out, nil
}
