package decorate_test

import (
	"context"
	"io"
	"iter"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/decorate"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// framesOfAttempt is how much of a stack a turn may take that waits for its model, from
// here to the vendor's port, in bytes: with what the others add it must stay below 7 kB, or
// each of ten thousand turns takes a stack of 16 kB and not of 8.
const framesOfAttempt = 2300

// TestWaitingTakesLittleStack looks at what the collector scans of the stacks of calls that
// wait for a model.
func TestWaitingTakesLittleStack(t *testing.T) {
	porttest.SkipRace(t)
	const calls = 200
	model := unheard{waiting: make(chan struct{}), answer: make(chan struct{})}
	priced := decorate.MeteredLLM(model, sold)
	llm, err := decorate.LLM([]decorate.NamedLLM{{Name: "a", Port: priced}, {Name: "b", Port: priced}}, decorate.Policy{Attempts: 1})
	require.NoError(t, err)

	var wg sync.WaitGroup
	each := porttest.StackEach(calls, func() {
		for range calls {
			wg.Go(func() {
				_, _, err := ports.Collect(llm.Generate(ports.WithMeter(t.Context(), &tally{}), questioned("hi")))
				assert.Error(t, err)
			})
		}
		for range calls {
			<-model.waiting
		}
	})
	close(model.answer)
	var others sync.WaitGroup
	others.Go(func() {
		for range model.waiting { // some ask the second provider as well, until its breaker opens
		}
	})
	wg.Wait()
	close(model.waiting)
	others.Wait()
	assert.Less(t, each, uint64(framesOfAttempt))
}

// unheard is a model that says when it is asked, and fails when it is told to.
type unheard struct{ waiting, answer chan struct{} }

func (u unheard) Generate(context.Context, ports.LLMRequest) iter.Seq2[ports.LLMChunk, error] {
	return func(yield func(ports.LLMChunk, error) bool) {
		u.waiting <- struct{}{}
		<-u.answer
		yield(ports.LLMChunk{}, &ports.Error{Op: "ask", Kind: ports.KindTransient, Err: io.ErrUnexpectedEOF})
	}
}
