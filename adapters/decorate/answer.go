package decorate

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	"whatsappnode/ports"
)

// answer is a model's stream whose first words have come.
//
// The stream is pulled, so that a race can wait for the first words of several
// models and read on with one of them. The library's timeout is not used for its
// deadlines: they start anew with each chunk and rest while the reader is busy.
type answer struct {
	trial *trial
	ctx   context.Context // the attempt's; its cause is the deadline that ended it
	end   context.CancelCauseFunc
	whole context.CancelFunc
	next  func() (ports.LLMChunk, error, bool)
	stop  func()
	held  []ports.LLMChunk // what came until the first words, or calls of tools
	call  Call
	// reading is set while the model is at work: a panic then is its own.
	reading bool
}

// maxHeld bounds the chunks of white space that are held back until words follow;
// nobody misses the rest.
const maxHeld = 256

// Ends of a stream that no model should have.
var (
	errCut   = errors.New("the stream ended without its last chunk")
	errEmpty = errors.New("the answer is empty")
)

// begin asks a model and waits for its first words.
func begin(t *trial, port ports.LLMPort, req ports.LLMRequest) (*answer, error) {
	whole, cancel := limited(t.ctx, late{"no whole answer", t.policy.Attempt})
	ctx, end := context.WithCancelCause(whole)
	a := &answer{trial: t, ctx: ctx, end: end, whole: cancel, stop: func() {}}
	begun := false
	defer func() {
		if !begun {
			a.free()
		}
	}()

	a.next, a.stop = iter.Pull2(port.Generate(ctx, req))
	wait := min(t.policy.FirstToken, t.until.Sub(t.began))
	for {
		chunk, err := a.read(time.Until(t.began.Add(wait)), late{"no first words", wait})
		words := strings.TrimSpace(chunk.Text) != "" || len(chunk.Calls) > 0 // which say as much
		if err == nil && chunk.Done && !words {
			err = &ports.Error{Op: OperationLLM, Kind: ports.KindUnknown, Err: errEmpty}
		}
		if err != nil {
			t.end(a.call, err, false)
			return nil, err
		}
		if words || len(a.held) < maxHeld {
			a.held = append(a.held, chunk)
		}
		if words {
			a.call.FirstToken = time.Since(t.began)
			begun = true
			return a, nil
		}
	}
}

// pour yields the answer to its end.
func (a *answer) pour(yield func(ports.LLMChunk, error) bool) {
	for _, chunk := range a.held {
		if !a.pass(chunk, yield) {
			return
		}
	}
	for {
		chunk, err := a.read(a.trial.policy.Idle, late{"no further words", a.trial.policy.Idle})
		if err != nil {
			a.trial.end(a.call, err, true)
			yield(ports.LLMChunk{}, err)
			return
		}
		if !a.pass(chunk, yield) {
			return
		}
	}
}

// pass yields one chunk and reports whether the stream goes on.
func (a *answer) pass(chunk ports.LLMChunk, yield func(ports.LLMChunk, error) bool) bool {
	a.call.Characters += utf8.RuneCountInString(chunk.Text)
	if chunk.Done {
		if chunk.Usage != nil {
			a.call.Usage = *chunk.Usage
		}
		a.trial.end(a.call, nil, true)
	}
	return yield(chunk, nil) && !chunk.Done
}

// read waits for the next chunk until limit has passed.
func (a *answer) read(limit time.Duration, over late) (ports.LLMChunk, error) {
	if sooner(a.ctx, limit) {
		clock := time.AfterFunc(limit, func() { a.end(over) }) // only ends a context
		defer clock.Stop()
	}
	a.reading = true
	chunk, err, ok := a.next()
	a.reading = false
	if !ok {
		err = &ports.Error{Op: OperationLLM, Kind: ports.KindTransient, Err: errCut}
	}
	return chunk, explain(OperationLLM, a.trial.ctx, a.ctx, err)
}

// errLeft says that the reader broke off.
var errLeft = &ports.Error{Op: OperationLLM, Kind: ports.KindCanceled, Err: errors.New("the reader left before the end")}

// close ends the stream and, unless that was done, its trial. It may be called
// again.
func (a *answer) close() {
	a.free()
	if a.reading {
		a.trial.abandon(a.call)
		return
	}
	a.trial.end(a.call, errLeft, true)
}

func (a *answer) free() {
	a.stop()
	a.end(nil)
	a.whole()
}
