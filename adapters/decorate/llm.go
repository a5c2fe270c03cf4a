package decorate

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync/atomic"

	"whatsappnode/ports"
)

var _ ports.LLMPort = (*llm)(nil)

// LLM asks the models in order, as the policy says: the next takes over when one
// fails in a way another may not, but only before its first words were yielded. A
// stream that breaks later ends with its error. White space is no words, and a call of
// a tool is as good as some.
//
// Errors are the provider's own where only one was asked, and else one of Op "llm"
// that holds them all and has the kind of the last that a repeat may mend. The
// providers stay the caller's to close.
func LLM(providers []NamedLLM, policy Policy) (ports.LLMPort, error) {
	c, err := newChain[ports.LLMPort, *answer](OperationLLM, providers, policy)
	if err != nil {
		return nil, err
	}
	c.discard = (*answer).close
	calls := !slices.ContainsFunc(providers, func(p NamedLLM) bool { return !ports.CallsTools(p.Port) })
	if c.hedges() {
		return &llm{race: c, callsTools: calls}, nil
	}
	direct, err := newChain[ports.LLMPort, *stream](OperationLLM, providers, policy)
	if err != nil {
		return nil, err
	}
	return &llm{direct: direct, callsTools: calls}, nil
}

// llm has a race or a direct way.
type llm struct {
	race *chain[ports.LLMPort, *answer]
	// direct asks one model after the other and never two at once.
	direct *chain[ports.LLMPort, *stream]
	// callsTools says that every provider does, since each may be asked.
	callsTools bool
}

var _ ports.ToolCaller = (*llm)(nil)

// CallsTools implements ports.ToolCaller.
func (l *llm) CallsTools() bool {
	return l.callsTools
}

// Generate implements ports.LLMPort.
func (l *llm) Generate(ctx context.Context, req ports.LLMRequest) iter.Seq2[ports.LLMChunk, error] {
	q := &question{llm: l, ctx: ctx, req: req}
	if l.race == nil {
		return q.listen
	}
	return q.race
}

// question is what a model is asked, and who reads its answer. It is passed on by
// pointer: turns wait for their models on these stacks, ten thousand at once.
type question struct {
	llm   *llm
	ctx   context.Context
	req   ports.LLMRequest
	used  atomic.Bool
	yield func(ports.LLMChunk, error) bool
}

// race reads the answer of the model that was first.
func (q *question) race(yield func(ports.LLMChunk, error) bool) {
	if !q.begins(yield) {
		return
	}
	a, release, err := q.llm.race.run(q.ctx, func(t *trial, port ports.LLMPort) (*answer, error) {
		return begin(t, port, q.req)
	})
	defer release()
	if err != nil {
		q.fail(err)
		return
	}
	defer a.close()
	a.pour(yield)
}

// listen reads without a race.
func (q *question) listen(yield func(ports.LLMChunk, error) bool) {
	if !q.begins(yield) {
		return
	}
	ctx, forget, err := q.llm.direct.bounded(q.ctx)
	var s *stream
	if err == nil {
		s, err = q.llm.direct.inTurn(ctx, q.ask)
	}
	forget()
	if err == nil {
		err = s.failed
	}
	if err != nil {
		q.fail(err)
	}
}

// begins refuses a question that cannot be asked.
//
//go:noinline
func (q *question) begins(yield func(ports.LLMChunk, error) bool) bool {
	if q.used.Swap(true) {
		yield(ports.LLMChunk{}, &ports.Error{Op: OperationLLM, Kind: ports.KindInvalid, Err: errors.New("the sequence was used before")})
		return false
	}
	q.yield = yield
	err := q.req.Validate(OperationLLM)
	if err == nil && !q.llm.callsTools {
		err = q.req.RefuseTools(OperationLLM)
	}
	if err != nil {
		q.fail(err)
	}
	return err == nil
}

// fail ends the answer.
//
//go:noinline
func (q *question) fail(err error) { q.yield(ports.LLMChunk{}, err) }
