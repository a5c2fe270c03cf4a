package decorate

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"whatsappnode/ports"
)

// stream is a model's answer that is read in the goroutine of who asks. It serves
// where no other model could answer first: a race has to hold an answer back until it
// is decided, which takes a goroutine, and a change to it for every chunk.
type stream struct {
	call  Call
	yield func(ports.LLMChunk, error) bool
	// failed is how an answer ended that had begun; nothing is tried again then.
	failed error
	// reading is set while the model is at work: a panic then is its own.
	reading bool
}

// listen asks a model and yields its answer. An error means that there were no words
// and nothing was yielded.
func listen(t *trial, port ports.LLMPort, req ports.LLMRequest, yield func(ports.LLMChunk, error) bool) (*stream, error) {
	// One context with two timers, where one within the other would be usual: turns wait
	// here, and each context is half a kilobyte of memory.
	ctx, end := context.WithCancelCause(t.ctx)
	defer end(nil)
	if whole := (late{"no whole answer", t.policy.Attempt}); sooner(ctx, whole.limit) {
		defer time.AfterFunc(whole.limit, func() { end(whole) }).Stop()
	}
	first := late{"no first words", min(t.policy.FirstToken, t.until.Sub(t.began))}
	stopFirst := func() bool { return false }
	if wait := time.Until(t.began.Add(first.limit)); sooner(ctx, wait) {
		stopFirst = time.AfterFunc(wait, func() { end(first) }).Stop // only ends a context
	}
	defer func() { stopFirst() }()
	var idle *silence
	defer func() { idle.stop() }()

	s := &stream{yield: yield, reading: true}
	defer func() { s.close(t) }()
	var held []ports.LLMChunk // what came until the first words
	for chunk, err := range port.Generate(ctx, req) {
		if err != nil {
			return s.broken(t, idle != nil, explain(OperationLLM, t.ctx, ctx, err))
		}
		if idle == nil {
			words := strings.TrimSpace(chunk.Text) != "" || len(chunk.Calls) > 0 // which say as much
			if chunk.Done && !words {
				return s.broken(t, false, &ports.Error{Op: OperationLLM, Kind: ports.KindUnknown, Err: errEmpty})
			}
			if !words {
				if len(held) < maxHeld {
					held = append(held, chunk)
				}
				continue
			}
			stopFirst()
			s.call.FirstToken = time.Since(t.began)
			idle = newSilence(ctx, end, late{"no further words", t.policy.Idle})
			idle.pause()
			for _, c := range held {
				if !s.pass(t, c) {
					return s, nil
				}
			}
			held = nil
		}
		idle.pause()
		if !s.pass(t, chunk) {
			return s, nil
		}
		idle.resume()
	}
	return s.broken(t, idle != nil, explain(OperationLLM, t.ctx, ctx, &ports.Error{Op: OperationLLM, Kind: ports.KindTransient, Err: errCut}))
}

// broken ends the trial with an error, which is the answer's own once it had begun.
func (s *stream) broken(t *trial, begun bool, err error) (*stream, error) {
	t.end(s.call, err, begun)
	if !begun {
		return nil, err
	}
	s.failed = err
	return s, nil
}

// pass yields one chunk and reports whether the stream goes on.
func (s *stream) pass(t *trial, chunk ports.LLMChunk) bool {
	s.call.Characters += utf8.RuneCountInString(chunk.Text)
	if chunk.Done {
		if chunk.Usage != nil {
			s.call.Usage = *chunk.Usage
		}
		t.end(s.call, nil, true)
	}
	s.reading = false
	more := s.yield(chunk, nil)
	s.reading = true
	if !more {
		t.end(s.call, errLeft, true)
	}
	return more && !chunk.Done
}

// close ends the trial of a stream that ended by a panic.
func (s *stream) close(t *trial) {
	if s.reading {
		t.abandon(s.call)
		return
	}
	t.end(s.call, errLeft, true)
}
