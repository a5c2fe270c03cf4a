package porttest_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// brokenModels names the rule that must catch each fault.
var brokenModels = map[string]string{
	"leaks a goroutine on break":      "BreakFreesEverything",
	"yields after break":              "NothingIsYieldedAfterBreak",
	"yields text after Done":          "AnswerEndsWithDone",
	"never says Done":                 "AnswerEndsWithDone",
	"says Done twice":                 "AnswerEndsWithDone",
	"answers in one piece":            "AnswerEndsWithDone",
	"asks before it is ranged over":   "WorkStartsWhenRangedOver",
	"can be ranged over again":        "SequenceIsUsedOnce",
	"can be ranged over after break":  "BrokenOffSequenceIsUsedUp",
	"ignores its context":             "ContextEndsTheWaitForText",
	"ends silently on cancel":         "ContextEndsTheStream",
	"takes a timeout for a cancel":    "ContextEndsTheStream",
	"hides the context's error":       "EndedContextIsAnError",
	"sends an empty question":         "InvalidRequestsAreRefused",
	"yields after the error":          "CutStreamEndsWithItsError",
	"takes a cut for the end":         "CutStreamEndsWithItsError",
	"calls no words a success":        "EmptyAnswerIsAnError",
	"hides that it cut the answer":    "TruncatedAnswerSaysSo",
	"mixes up its callers":            "GenerateMayBeCalledConcurrently",
	"loses the kind of a failure":     "FailuresHaveTheirKind",
	"retries by itself":               "FailuresHaveTheirKind",
	"writes the question in an error": "FailuresHaveTheirKind",
	"does not say it calls tools":     "ToolsAreOfferedOrRefused",
	"loses the words before a call":   "CallsStandOnTheLastChunk",
	"calls too early":                 "CallsStandOnTheLastChunk",
	"leaves ids out":                  "CallsStandOnTheLastChunk",
	"makes one call of all":           "CallsComeInTheirOrder",
	"mixes up the arguments":          "CallsComeInTheirOrder",
	"reads one result only":           "ResultsAreAnswered",
	"chokes on a stranger's state":    "ResultsAreAnswered",
	"asks again and again":            "ResultsAreAnswered",
	"takes calls without results":     "InvalidToolsAreRefused",
}

// brokenToolless are models that cannot call tools.
var brokenToolless = map[string]string{
	"drops tools in silence":            "ToolsAreOfferedOrRefused",
	"says it calls tools and cannot do": "ToolsAreOfferedOrRefused",
}

func TestToollessLLMSuiteRejects(t *testing.T) {
	rejects(t, brokenToolless, func(t *testing.T, fault string) { porttest.TestLLM(t, toolless(fault)) })
}

// TestToollessLLMSuiteAccepts is the control: a model without tools.
func TestToollessLLMSuiteAccepts(t *testing.T) { porttest.TestLLM(t, toolless("")) }

func toolless(fault string) porttest.LLMHarness {
	h := tinyModels(fault)
	h.Asks = nil
	return h
}

func TestLLMSuiteRejects(t *testing.T) {
	rejects(t, brokenModels, func(t *testing.T, fault string) { porttest.TestLLM(t, tinyModels(fault)) })
}

// TestLLMSuiteAccepts is the control: the same model without a fault.
func TestLLMSuiteAccepts(t *testing.T) { porttest.TestLLM(t, tinyModels("")) }

// TestLLMSuiteAcceptsInABubble is the control for the harness's Wrap.
func TestLLMSuiteAcceptsInABubble(t *testing.T) {
	h := tinyModels("")
	h.Wrap = synctest.Test
	porttest.TestLLM(t, h)
}

func tinyModels(fault string) porttest.LLMHarness {
	with := func(m tinyModel) func(*testing.T) ports.LLMPort {
		return func(*testing.T) ports.LLMPort {
			m := m
			m.fault, m.state = fault, &tinyModelState{}
			return &m
		}
	}
	return porttest.LLMHarness{
		New:       with(tinyModel{}),
		Echoes:    true,
		Truncates: true,
		Hang:      with(tinyModel{hang: true}),
		Stall:     with(tinyModel{hang: true, after: 2}),
		Cut:       with(tinyModel{fail: ports.KindTransient, after: 2}),
		Empty:     with(tinyModel{empty: true}),
		Fail: map[ports.Kind]func(*testing.T) ports.LLMPort{
			ports.KindBlocked:     with(tinyModel{fail: ports.KindBlocked}),
			ports.KindRateLimited: with(tinyModel{fail: ports.KindRateLimited}),
		},
		Asks: func(t *testing.T, calls []ports.ToolCall) ports.LLMPort {
			return with(tinyModel{tools: true, asks: calls})(t)
		},
		Calls: func(m ports.LLMPort) int { return int(m.(*tinyModel).state.calls.Load()) },
	}
}

// CallsTools implements ports.ToolCaller.
func (m *tinyModel) CallsTools() bool {
	return m.tools && !m.is("does not say it calls tools") || m.is("says it calls tools and cannot do")
}

// tinyModel is a correct model in a few lines, but for its fault.
type tinyModel struct {
	fault string
	hang  bool       // wait for the context
	fail  ports.Kind // fail
	after int        // words before it hangs or fails
	empty bool
	tools bool             // it can call some
	asks  []ports.ToolCall // which it asks for when it is offered any
	state *tinyModelState
}

type tinyModelState struct {
	calls  atomic.Int64
	mu     sync.Mutex
	shared string
}

func (m *tinyModel) is(fault string) bool { return m.fault == fault }

// ignored is set once a broken vendor ignored its context; once is enough, and
// every further time would cost the suite's patience again.
var ignored atomic.Bool

func tinyError(kind ports.Kind, reason string) error {
	return &ports.Error{Op: "tiny", Kind: kind, Err: errors.New(reason)}
}

func (m *tinyModel) Generate(ctx context.Context, req ports.LLMRequest) iter.Seq2[ports.LLMChunk, error] {
	if m.is("asks before it is ranged over") {
		m.state.calls.Add(1)
	}
	var used atomic.Bool
	return func(yield func(ports.LLMChunk, error) bool) {
		reusable := m.is("can be ranged over again")
		if used.Load() && !reusable {
			yield(ports.LLMChunk{}, tinyError(ports.KindInvalid, "used before"))
			return
		}
		if !m.is("can be ranged over after break") {
			used.Store(true)
		}
		if err := req.Validate("tiny"); err != nil && !m.is("sends an empty question") && !m.is("takes calls without results") {
			yield(ports.LLMChunk{}, err)
			return
		}
		if err := req.RefuseTools("tiny"); err != nil && !m.tools && !m.is("drops tools in silence") {
			yield(ports.LLMChunk{}, err)
			return
		}
		if m.is("leaks a goroutine on break") {
			go func() { <-context.WithoutCancel(ctx).Done() }()
		}
		m.answer(ctx, req, func(c ports.LLMChunk, err error) bool {
			if c.Done || err != nil {
				used.Store(true)
			}
			return yield(c, err)
		})
	}
}

func (m *tinyModel) answer(ctx context.Context, req ports.LLMRequest, yield func(ports.LLMChunk, error) bool) {
	if !m.is("asks before it is ranged over") {
		m.state.calls.Add(1)
	}
	question := m.question(req)
	results := m.results(req)
	if len(req.Tools) > 0 && m.tools && (results == "" || m.is("asks again and again")) {
		m.call(yield)
		return
	}
	words := strings.SplitAfter("You said "+question+results+" to me.", " ")
	truncated := req.MaxTokens > 0 && len(words) > req.MaxTokens
	if truncated {
		words = words[:req.MaxTokens]
	}
	if m.is("answers in one piece") {
		words = []string{strings.Join(words, "")}
	}
	if m.empty {
		if !m.is("calls no words a success") {
			yield(ports.LLMChunk{}, tinyError(ports.KindUnknown, "no words"))
			return
		}
		words = nil
	}
	for i, w := range words {
		if (m.hang || m.fail != "") && i == m.after {
			m.end(ctx, question, yield)
			return
		}
		if err := m.context(ctx); err != nil {
			yield(ports.LLMChunk{}, err)
			return
		}
		if !yield(ports.LLMChunk{Text: w}, nil) && !m.is("yields after break") {
			return
		}
	}
	if m.is("never says Done") {
		return
	}
	yield(ports.LLMChunk{Done: true, Truncated: truncated && !m.is("hides that it cut the answer")}, nil)
	switch {
	case m.is("yields text after Done"):
		yield(ports.LLMChunk{Text: "And another thing."}, nil)
	case m.is("says Done twice"):
		yield(ports.LLMChunk{Done: true}, nil)
	}
}

// question is what the model believes it was asked.
func (m *tinyModel) question(req ports.LLMRequest) string {
	if len(req.Messages) == 0 {
		return ""
	}
	text := req.Messages[len(req.Messages)-1].Text
	if !m.is("mixes up its callers") {
		return text
	}
	// Everybody writes into one place and reads it back a little later.
	m.state.mu.Lock()
	m.state.shared = text
	m.state.mu.Unlock()
	time.Sleep(10 * time.Millisecond)
	m.state.mu.Lock()
	defer m.state.mu.Unlock()
	return m.state.shared
}

// end hangs or fails.
func (m *tinyModel) end(ctx context.Context, question string, yield func(ports.LLMChunk, error) bool) {
	if !m.hang {
		switch {
		case m.is("takes a cut for the end"):
			yield(ports.LLMChunk{Done: true}, nil)
		case m.is("loses the kind of a failure"):
			yield(ports.LLMChunk{}, errors.New("it did not work"))
		case m.is("writes the question in an error"):
			yield(ports.LLMChunk{}, tinyError(m.fail, "cannot answer "+question))
		default:
			if m.is("retries by itself") {
				m.state.calls.Add(2)
			}
			if yield(ports.LLMChunk{}, tinyError(m.fail, "as asked")) && m.is("yields after the error") {
				yield(ports.LLMChunk{Text: "never mind"}, nil)
			}
		}
		return
	}
	if m.is("ignores its context") && !ignored.Swap(true) {
		select {} // the suite's patience ends this
	}
	<-ctx.Done()
	if !m.is("ends silently on cancel") {
		yield(ports.LLMChunk{}, m.context(ctx))
	}
}

func (m *tinyModel) context(ctx context.Context) error {
	switch {
	case ctx.Err() == nil:
		return nil
	case m.is("hides the context's error"):
		return tinyError(ports.KindOf(ctx.Err()), "over")
	case m.is("takes a timeout for a cancel"):
		return &ports.Error{Op: "tiny", Kind: ports.KindCanceled, Err: ctx.Err()}
	}
	return ports.FromContext(ctx, "tiny")
}

// call says some words and asks for tools.
func (m *tinyModel) call(yield func(ports.LLMChunk, error) bool) {
	calls := slices.Clone(m.asks)
	for i := range calls {
		calls[i].ID = string(rune('a' + i))
		if m.is("leaves ids out") {
			calls[i].ID = ""
		}
	}
	if len(calls) > 1 && m.is("makes one call of all") {
		calls = calls[:1]
	}
	if n := len(calls); n > 1 && m.is("mixes up the arguments") {
		calls[0].Arguments, calls[n-1].Arguments = calls[n-1].Arguments, calls[0].Arguments
	}
	if !m.is("loses the words before a call") && !yield(ports.LLMChunk{Text: "One moment."}, nil) {
		return
	}
	if m.is("calls too early") && !yield(ports.LLMChunk{Calls: calls}, nil) {
		return
	}
	yield(ports.LLMChunk{Done: true, Calls: calls, VendorState: []byte("tiny")}, nil)
}

// results is what the tools told.
func (m *tinyModel) results(req ports.LLMRequest) (text string) {
	for _, each := range req.Messages {
		text = ""
		for i, r := range each.Results {
			if i == 0 || !m.is("reads one result only") {
				text += " " + r.Text
			}
		}
		if len(each.Calls) > 0 && string(each.VendorState) != "tiny" && m.is("chokes on a stranger's state") {
			return ""
		}
	}
	return text
}
