package decorate

import (
	"context"
	"errors"
	"iter"
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
	return &llm{c}, nil
}

type llm struct {
	chain *chain[ports.LLMPort, *answer]
}

var _ ports.ToolCaller = (*llm)(nil)

// CallsTools implements ports.ToolCaller: each of the providers must be able to, since
// each may be asked.
func (l *llm) CallsTools() bool {
	for _, p := range l.chain.providers {
		if !ports.CallsTools(p.Port) {
			return false
		}
	}
	return true
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
		a, release, err := l.chain.run(ctx, func(t *trial, port ports.LLMPort) (*answer, error) {
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
