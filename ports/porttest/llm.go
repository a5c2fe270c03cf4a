package porttest

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// LLMHarness makes models for TestLLM. Only New is required; whatever else is nil
// or zero skips the cases that need it.
type LLMHarness struct {
	// New makes a model that answers any valid request in at least two chunks. It
	// registers what must be cleaned up with t.
	New func(t *testing.T) ports.LLMPort
	// Echoes says that an answer holds the words of the last message.
	Echoes bool
	// Truncates says that the model keeps to MaxTokens and answers in more than
	// three tokens.
	Truncates bool
	// Hang makes a model that yields nothing while the call lives, and Stall one
	// that yields some text first.
	Hang, Stall func(t *testing.T) ports.LLMPort
	// Cut makes a model whose connection breaks after some text.
	Cut func(t *testing.T) ports.LLMPort
	// Empty makes a model that answers nothing at all.
	Empty func(t *testing.T) ports.LLMPort
	// Fail makes, by kind, models that fail with that kind before any text.
	Fail map[ports.Kind]func(t *testing.T) ports.LLMPort
	// Asks makes a model that, offered tools, says some words and asks for these calls;
	// given their results it answers with the texts of them. Nil: it cannot call tools.
	// The vendor chooses the ids of the calls.
	Asks func(t *testing.T, calls []ports.ToolCall) ports.LLMPort
	// Calls tells how many requests of a model reached the vendor.
	Calls func(model ports.LLMPort) int
	// Wrap runs one case, for example synctest.Test; nil calls it plainly. Cases
	// that count goroutines are never wrapped.
	Wrap func(t *testing.T, run func(t *testing.T))
}

// TestLLM checks what ports.LLMPort promises.
func TestLLM(t *testing.T, h LLMHarness) {
	runVendorCases(t, h, h.Wrap, []vendorCase[LLMHarness]{
		{name: "AnswerEndsWithDone", run: llmAnswer},
		{name: "HistoryIsTaken", run: llmHistory},
		{name: "WorkStartsWhenRangedOver", run: llmLazy},
		{name: "SequenceIsUsedOnce", run: llmOnce},
		{name: "BrokenOffSequenceIsUsedUp", run: llmOnceBroken},
		{name: "NothingIsYieldedAfterBreak", run: llmBreak},
		{name: "BreakFreesEverything", run: llmBreakLeak, bare: true},
		{name: "BreakWhileStalledFreesEverything", run: llmStallLeak, bare: true},
		{name: "EndedContextIsAnError", run: llmEnded},
		{name: "ContextEndsTheWaitForText", run: llmHang},
		{name: "ContextEndsTheStream", run: llmStall},
		{name: "CancelIsNeverSilent", run: llmCancelSilent},
		{name: "CancelFreesEverything", run: llmCancelLeak, bare: true},
		{name: "InvalidRequestsAreRefused", run: llmInvalid},
		{name: "CutStreamEndsWithItsError", run: llmCut},
		{name: "CutStreamFreesEverything", run: llmCutLeak, bare: true},
		{name: "EmptyAnswerIsAnError", run: llmEmpty},
		{name: "TruncatedAnswerSaysSo", run: llmTruncated},
		{name: "GenerateMayBeCalledConcurrently", run: llmConcurrent},
		{name: "ToolsAreOfferedOrRefused", run: llmTools},
		{name: "CallsStandOnTheLastChunk", run: llmToolCalls},
		{name: "CallsComeInTheirOrder", run: llmToolOrder},
		{name: "ResultsAreAnswered", run: llmToolResults},
		{name: "InvalidToolsAreRefused", run: llmToolsInvalid},
		{name: "ToolsMayBeCalledConcurrently", run: llmToolsConcurrent},
	})
	runKinds(t, h.Fail, h.Wrap, func(t *testing.T, model ports.LLMPort, kind ports.Kind) {
		got := read(t, model.Generate(t.Context(), ask(vendorSecret)))
		if got.text != "" {
			t.Errorf("text came before the failure: %q", got.text)
		}
		checkKind(t, got.err, kind)
		if h.Calls != nil {
			if n := h.Calls(model); n > 1 {
				t.Errorf("the vendor was asked %d times; retries are the decorators'", n)
			}
		}
	})
}

func ask(text string) ports.LLMRequest {
	return ports.LLMRequest{
		System:   "You are a shop's assistant.",
		Messages: []ports.LLMMessage{{Role: domain.RoleUser, Text: text}},
		Language: "en",
	}
}

// heard is all that a sequence yielded.
type heard struct {
	text   string
	chunks int // with text
	last   ports.LLMChunk
	done   bool
	err    error
}

// read consumes a sequence and checks its form: an error or a Done chunk comes
// once and last.
func read(t *testing.T, seq iter.Seq2[ports.LLMChunk, error]) heard {
	t.Helper()
	return readWithin(t, patience, seq)
}

func readWithin(t *testing.T, limit time.Duration, seq iter.Seq2[ports.LLMChunk, error]) heard {
	t.Helper()
	var (
		h      heard
		faults []string // told afterwards: a call that did not come back may still go on
	)
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	comesBack(t, limit, func() {
		seq(func(c ports.LLMChunk, err error) bool {
			switch {
			case h.err != nil:
				fault("something is yielded after the error: %+v, %v", c, err)
			case h.done:
				fault("something is yielded after Done: %+v, %v", c, err)
			case err != nil:
				h.err = err
				if c.Text != "" || c.Done || len(c.Calls) > 0 {
					fault("an error comes with a chunk: %+v", c)
				}
			default:
				h.text += c.Text
				if c.Text != "" {
					h.chunks++
				}
				if len(c.Calls) > 0 && !c.Done {
					fault("calls stand on another chunk than the last: %+v", c)
				}
				h.last, h.done = c, c.Done
			}
			return true
		})
	})
	for _, f := range faults {
		t.Error(f)
	}
	if h.err == nil && !h.done {
		t.Error("the sequence ends with neither Done nor an error")
	}
	if h.done && strings.TrimSpace(h.text) == "" && len(h.last.Calls) == 0 {
		t.Error("a success carries neither text nor calls")
	}
	return h
}

// answered reads a sequence that must succeed.
func answered(t *testing.T, seq iter.Seq2[ports.LLMChunk, error]) heard {
	t.Helper()
	h := read(t, seq)
	if h.err != nil {
		t.Fatalf("the answer failed: %v", h.err)
	}
	return h
}

func llmAnswer(t *testing.T, h LLMHarness) {
	got := answered(t, h.New(t).Generate(t.Context(), ask("a green umbrella")))
	if got.chunks < 2 {
		t.Errorf("the answer came in %d chunk, not as a stream", got.chunks)
	}
	if h.Echoes && !strings.Contains(got.text, "a green umbrella") {
		t.Errorf("the answer %q does not hold the question", got.text)
	}
	if got.last.Truncated {
		t.Error("an answer without a limit is called truncated")
	}
	if u := got.last.Usage; u != nil && (u.Input < 0 || u.Output <= 0) {
		t.Errorf("the usage %+v makes no sense", *u)
	}
}

func llmHistory(t *testing.T, h LLMHarness) {
	req := ask("and the second")
	warm := 0.7
	req.Temperature, req.User = &warm, "k3v7"
	req.Messages = append([]ports.LLMMessage{
		{Role: domain.RoleUser, Text: "this is the first"}, {Role: domain.RoleAssistant, Text: "noted"},
	}, req.Messages...)
	got := answered(t, h.New(t).Generate(t.Context(), req))
	if h.Echoes && !strings.Contains(got.text, "and the second") {
		t.Errorf("the answer %q is not about the last message", got.text)
	}
}

func llmLazy(t *testing.T, h LLMHarness) {
	need(t, h.Calls != nil, "count calls")
	model := h.New(t)
	seq := model.Generate(t.Context(), ask("hello"))
	if n := h.Calls(model); n != 0 {
		t.Errorf("the vendor was asked %d times before the sequence was ranged over", n)
	}
	answered(t, seq)
	if n := h.Calls(model); n != 1 {
		t.Errorf("the vendor was asked %d times, want once", n)
	}
}

func llmOnce(t *testing.T, h LLMHarness) {
	seq := h.New(t).Generate(t.Context(), ask("hello"))
	answered(t, seq)
	again := read(t, seq)
	if again.text != "" {
		t.Errorf("the second range yields text: %q", again.text)
	}
	checkKind(t, again.err, ports.KindInvalid)
}

func llmOnceBroken(t *testing.T, h LLMHarness) {
	seq := h.New(t).Generate(t.Context(), ask("hello"))
	take(t, patience, seq, 1)
	again := read(t, seq)
	if again.text != "" {
		t.Errorf("the second range yields text: %q", again.text)
	}
	checkKind(t, again.err, ports.KindInvalid)
}

func llmBreak(t *testing.T, h LLMHarness) {
	for stop := 1; stop <= 2; stop++ {
		if n := take(t, patience, h.New(t).Generate(t.Context(), ask("hello")), stop); n != stop {
			t.Errorf("%d elements were yielded to a reader that left after %d", n, stop)
		}
	}
}

// take reads some elements, breaks off, and returns how many were yielded in all.
// It calls the sequence by hand, to see what a range statement would panic on.
func take(t *testing.T, limit time.Duration, seq iter.Seq2[ports.LLMChunk, error], stop int) (n int) {
	t.Helper()
	var failure error
	comesBack(t, limit, func() {
		seq(func(_ ports.LLMChunk, err error) bool {
			if n++; n <= stop && err != nil {
				failure = err
			}
			return n < stop
		})
	})
	if failure != nil {
		t.Errorf("the answer failed: %v", failure)
	}
	return n
}

func llmBreakLeak(t *testing.T, h LLMHarness) {
	model := h.New(t)
	checkLeak(t, func() { take(t, patience, model.Generate(t.Context(), ask("hello")), 1) })
}

func llmStallLeak(t *testing.T, h LLMHarness) {
	need(t, h.Stall != nil, "stall a stream")
	model := h.Stall(t)
	checkLeak(t, func() { take(t, grace, model.Generate(t.Context(), ask("hello")), 1) })
}

func llmEnded(t *testing.T, h LLMHarness) {
	for _, e := range ended {
		ctx, cancel := e.ctx(t.Context())
		got := readWithin(t, grace, h.New(t).Generate(ctx, ask(vendorSecret)))
		cancel()
		if got.text != "" {
			t.Errorf("text came although the context had ended: %q", got.text)
		}
		checkEnded(t, got.err, e.kind)
	}
}

func llmHang(t *testing.T, h LLMHarness) {
	need(t, h.Hang != nil, "make a model hang")
	for _, e := range endings {
		model := h.Hang(t)
		ctx, cancel := e.ctx(t.Context())
		got := readWithin(t, grace, model.Generate(ctx, ask(vendorSecret)))
		cancel()
		checkEnded(t, got.err, e.kind)
	}
}

func llmStall(t *testing.T, h LLMHarness) {
	need(t, h.Stall != nil, "stall a stream")
	for _, e := range endings {
		model := h.Stall(t)
		ctx, cancel := e.ctx(t.Context())
		got := readWithin(t, grace, model.Generate(ctx, ask(vendorSecret)))
		cancel()
		if got.text == "" {
			t.Error("no text came before the stream stalled")
		}
		checkEnded(t, got.err, e.kind)
	}
}

// llmCancelSilent cancels a healthy stream: the rest may have arrived already, but
// it must not simply stop.
func llmCancelSilent(t *testing.T, h LLMHarness) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seq := h.New(t).Generate(ctx, ask("hello"))
	got := read(t, func(yield func(ports.LLMChunk, error) bool) {
		seq(func(c ports.LLMChunk, err error) bool {
			cancel()
			return yield(c, err)
		})
	})
	if got.err != nil {
		checkEnded(t, got.err, ports.KindCanceled)
	}
}

func llmCancelLeak(t *testing.T, h LLMHarness) {
	need(t, h.Hang != nil, "make a model hang")
	model := h.Hang(t)
	checkLeak(t, func() {
		ctx, cancel := context.WithTimeout(t.Context(), shortly)
		defer cancel()
		readWithin(t, grace, model.Generate(ctx, ask("hello")))
	})
}

func llmInvalid(t *testing.T, h LLMHarness) {
	hot := 2.5
	with := func(change func(*ports.LLMRequest)) ports.LLMRequest {
		req := ask(vendorSecret)
		change(&req)
		return req
	}
	for name, req := range map[string]ports.LLMRequest{
		"no messages":          with(func(r *ports.LLMRequest) { r.Messages = nil }),
		"empty last message":   with(func(r *ports.LLMRequest) { r.Messages[0].Text = " \n" }),
		"last is not the user": with(func(r *ports.LLMRequest) { r.Messages[0].Role = domain.RoleAssistant }),
		"temperature over 2":   with(func(r *ports.LLMRequest) { r.Temperature = &hot }),
		"negative limit":       with(func(r *ports.LLMRequest) { r.MaxTokens = -1 }),
	} {
		model := h.New(t)
		got := read(t, model.Generate(t.Context(), req))
		if got.text != "" {
			t.Errorf("%s: text came: %q", name, got.text)
		}
		checkKind(t, got.err, ports.KindInvalid)
		if h.Calls != nil && h.Calls(model) != 0 {
			t.Errorf("%s: the request reached the vendor", name)
		}
	}
}

func llmCut(t *testing.T, h LLMHarness) {
	need(t, h.Cut != nil, "cut a stream")
	got := read(t, h.Cut(t).Generate(t.Context(), ask(vendorSecret)))
	if got.text == "" {
		t.Error("no text came before the cut")
	}
	checkKind(t, got.err, ports.KindTransient)
}

func llmCutLeak(t *testing.T, h LLMHarness) {
	need(t, h.Cut != nil, "cut a stream")
	model := h.Cut(t)
	checkLeak(t, func() { read(t, model.Generate(t.Context(), ask("hello"))) })
}

func llmEmpty(t *testing.T, h LLMHarness) {
	need(t, h.Empty != nil, "make an empty answer")
	checkKind(t, read(t, h.Empty(t).Generate(t.Context(), ask(vendorSecret))).err, ports.KindUnknown)
}

func llmTruncated(t *testing.T, h LLMHarness) {
	need(t, h.Truncates, "limit an answer")
	model := h.New(t)
	whole := answered(t, model.Generate(t.Context(), ask("tell me all about your umbrellas")))
	req := ask("tell me all about your umbrellas")
	req.MaxTokens = 3
	got := answered(t, model.Generate(t.Context(), req))
	if !got.last.Truncated {
		t.Error("an answer that hit the limit does not say so")
	}
	if len(got.text) >= len(whole.text) {
		t.Errorf("the limited answer is not shorter: %q", got.text)
	}
}

func llmConcurrent(t *testing.T, h LLMHarness) {
	model := h.New(t)
	const callers = 16
	got := make([]heard, callers)
	marker := func(i int) string { return fmt.Sprintf("caller-%02d-asks", i) }
	atOnce(callers, func(i int) { got[i] = read(t, model.Generate(t.Context(), ask(marker(i)))) })
	for i, g := range got {
		if g.err != nil {
			t.Errorf("call %d failed: %v", i, g.err)
		}
		for j := range callers {
			if h.Echoes && strings.Contains(g.text, marker(j)) != (i == j) {
				t.Errorf("caller %d was answered %q", i, g.text)
			}
		}
	}
}
