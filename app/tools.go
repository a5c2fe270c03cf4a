package app

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Bounds of the tools of one turn, beside the persona's limit of calls.
const (
	// maxParallelTools is how many calls of one step of the model run at once.
	maxParallelTools = 4
	// toolBudget bounds one call, whatever its server is granted.
	toolBudget = 60 * time.Second
	// maxResultBytes is the most that one result tells the model, whatever its server is
	// granted.
	maxResultBytes = 256 << 10
	// unknownTool stands in the place of a name that no vendor would take back.
	unknownTool = "unknown_tool"
)

// offerTools puts the persona's tools into a request, and returns how many calls the
// turn has made: none. A cheaper model that answers in place of the usual one may not be
// able to call them, and then does without.
func (s *session) offerTools(req *ports.LLMRequest) (spent int) {
	if s.persona.Tools != nil && ports.CallsTools(s.model()) {
		req.Tools = s.persona.Tools.List()
	}
	return 0
}

// useTools makes the calls that the model asked for and puts them and their results
// behind the request. What the model said before them is told to it again, but not to
// the user: one turn has one answer. What the voice has begun to say of it is hushed by
// the next reading.
//
// Nothing of it is stored. A turn that is taken up again after a crash asks the model
// anew, and tools that were called may be called again.
func (s *session) useTools(ctx context.Context, req *ports.LLMRequest, spent *int, said string, last ports.LLMChunk) error {
	if len(req.Tools) == 0 || req.NoCalls {
		return &ports.Error{Op: "use tools", Kind: ports.KindUnknown, Err: errors.New("the model asks for a tool that it must not call now")}
	}
	calls := slices.Clone(last.Calls)
	for i := range calls {
		if !ports.ToolNameOK(calls[i].Name) {
			calls[i].Name = unknownTool
		}
	}
	results := s.callAll(ctx, req.Tools, calls, s.persona.ToolCalls-*spent)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, r := range results {
		if !r.Failed {
			s.vouch(r.Text) // the model may say what a tool told it, as a phone number
		}
	}
	*spent += len(calls)
	// A slice of its own: a reading that goes on must not see it grow.
	req.Messages = append(slices.Clip(req.Messages),
		ports.LLMMessage{Role: domain.RoleAssistant, Text: said, Calls: calls, VendorState: last.VendorState},
		ports.LLMMessage{Role: domain.RoleUser, Results: results})
	req.NoCalls = *spent >= s.persona.ToolCalls
	return s.overtaken(ctx)
}

// callAll makes the first calls, some at once, and refuses those above what is left.
func (s *session) callAll(ctx context.Context, offered []ports.Tool, calls []ports.ToolCall, left int) []ports.ToolResult {
	results := make([]ports.ToolResult, len(calls))
	slots := make(chan struct{}, maxParallelTools)
	var running sync.WaitGroup
	for i, call := range calls {
		if i >= left {
			results[i] = failedCall(call, "The limit of calls for this answer is reached. Answer with what you know.")
			continue
		}
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			results[i] = s.callTool(ctx, offered, call)
		})
	}
	running.Wait()
	return results
}

// callTool makes one call. Whatever goes wrong is a result, for the model to go on with.
func (s *session) callTool(ctx context.Context, offered []ports.Tool, call ports.ToolCall) (result ports.ToolResult) {
	began := time.Now()
	if !slices.ContainsFunc(offered, func(t ports.Tool) bool { return t.Name == call.Name }) {
		// The name is the model's invention and may hold anything.
		_, done := s.calling(ctx, unknownTool)
		done(errNotOffered)
		s.event(ports.StageToolCalled, 0, unknownTool, errNotOffered)
		return failedCall(call, "There is no such tool.")
	}
	ctx, cancel := context.WithTimeout(ctx, toolBudget)
	defer cancel()
	ctx, done := s.calling(ctx, call.Name)
	result, err := s.runTool(ctx, call)
	if err == nil && result.Failed {
		err = errToolFailed
	}
	done(err)
	s.event(ports.StageToolCalled, time.Since(began), call.Name, err)
	switch {
	case err == nil || errors.Is(err, errToolFailed):
		// The call is the model's, whatever a tool makes of it.
		return ports.ToolResult{ID: call.ID, Name: call.Name, Failed: result.Failed, Text: fencedResult(result.Text)}
	case ports.MaybeDone(err):
		return failedCall(call, "The connection to the tool broke. It may have done what was asked.")
	}
	return failedCall(call, toolTrouble(ports.KindOf(err)))
}

// runTool calls the port and turns a panic of it into an error.
func (s *session) runTool(ctx context.Context, call ports.ToolCall) (result ports.ToolResult, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = ports.Panicked(p)
		}
	}()
	return s.persona.Tools.Call(ctx, call)
}

// What is told of calls that had no good end, beside the errors of the port.
var (
	errToolFailed = &ports.Error{Op: "call a tool", Kind: ports.KindUnknown, Err: ports.ErrToolFailed}
	errNotOffered = &ports.Error{Op: "call a tool", Kind: ports.KindNotFound, Err: errors.New("the model asks for a tool that it was not offered")}
)

// toolTrouble tells the model why there is no result.
func toolTrouble(kind ports.Kind) string {
	switch kind {
	case ports.KindNotFound:
		return "There is no such tool."
	case ports.KindInvalid:
		return "The arguments are not a JSON object."
	case ports.KindTimeout, ports.KindCanceled:
		return "The tool took too long. It may have done what was asked."
	}
	return "The tool cannot be used at the moment."
}

func failedCall(call ports.ToolCall, why string) ports.ToolResult {
	return ports.ToolResult{ID: call.ID, Name: call.Name, Text: why, Failed: true}
}

// fencedResult marks what a tool said as data, without what nobody sees and no longer
// than may be.
func fencedResult(text string) string {
	if len(text) > maxResultBytes {
		end := maxResultBytes
		for end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	return domain.Fence(domain.FenceResult, domain.CleanText(text))
}
