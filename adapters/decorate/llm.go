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
	var used atomic.Bool
	return func(yield func(ports.LLMChunk, error) bool) {
		if used.Swap(true) {
			yield(ports.LLMChunk{}, &ports.Error{Op: OperationLLM, Kind: ports.KindInvalid, Err: errors.New("the sequence was used before")})
			return
		}
		if err := req.Validate(OperationLLM); err != nil {
			yield(ports.LLMChunk{}, err)
			return
		}
		if err := req.RefuseTools(OperationLLM); err != nil && !l.CallsTools() {
			yield(ports.LLMChunk{}, err)
			return
		}
		if l.race == nil {
			l.listen(ctx, req, yield)
			return
		}
		a, release, err := l.race.run(ctx, func(t *trial, port ports.LLMPort) (*answer, error) {
			return begin(t, port, req)
		})
		defer release()
		if err != nil {
			yield(ports.LLMChunk{}, err)
			return
		}
		defer a.close()
		a.pour(yield)
	}
}

// listen reads without a race.
func (l *llm) listen(ctx context.Context, req ports.LLMRequest, yield func(ports.LLMChunk, error) bool) {
	s, release, err := l.direct.run(ctx, func(t *trial, port ports.LLMPort) (*stream, error) {
		return listen(t, port, req, yield)
	})
	release()
	if err == nil {
		err = s.failed
	}
	if err != nil {
		yield(ports.LLMChunk{}, err)
	}
}
