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
	trial *trial
	ctx   context.Context // the attempt's; its cause is the deadline that ended it
	end   context.CancelCauseFunc
	yield func(ports.LLMChunk, error) bool
	// clock ends the attempt: before the first words for them or for the whole,
	// whichever falls due first, and then for the whole. It is nil where the caller's
	// deadline comes before.
	clock *time.Timer
	idle  *silence         // nil until the first words
	held  []ports.LLMChunk // what came until them
	call  Call
	// over is set once there is nothing more to read. An answer that had begun and broke
	// off leaves failed, and none is asked for again; refused is the end of one that had not.
	over            bool
	failed, refused error
	// reading is set while the model is at work: a panic then is its own.
	reading bool
}

// ask asks a model and yields its answer. An error means that there were no words
// and nothing was yielded.
func (q *question) ask(t *trial, port ports.LLMPort) (*stream, error) {
	s := newStream(t, q.yield)
	defer s.close()
	port.Generate(s.ctx, q.req)(s.take)
	if !s.over {
		s.cut()
	}
	return s, s.refused
}

// newStream begins an attempt. It has one context and one clock, where a context for each
// limit would be usual: turns wait here, and each is half a kilobyte of memory.
//
//go:noinline
func newStream(t *trial, yield func(ports.LLMChunk, error) bool) *stream {
	s := &stream{trial: t, yield: yield, reading: true}
	s.ctx, s.end = context.WithCancelCause(t.ctx)
	limit := late{"no first words", min(t.policy.FirstToken, t.until.Sub(t.began))}
	if t.policy.Attempt < limit.limit {
		limit = s.whole()
	}
	s.wind(limit)
	return s
}

// whole is the limit of the answer to its last word.
func (s *stream) whole() late { return late{"no whole answer", s.trial.policy.Attempt} }

// wind sets the clock to a limit that counts from the beginning of the attempt.
func (s *stream) wind(l late) {
	s.unwind()
	left := time.Until(s.trial.began.Add(l.limit))
	if s.clock = nil; sooner(s.ctx, left) {
		end := s.end
		s.clock = time.AfterFunc(left, func() { end(l) }) // only ends a context
	}
}

func (s *stream) unwind() {
	if s.clock != nil {
		s.clock.Stop()
	}
}

// take takes in what the model says next, and reports whether the stream goes on.
func (s *stream) take(chunk ports.LLMChunk, err error) bool {
	switch {
	case s.over:
		return false
	case err != nil:
		s.broken(explain(OperationLLM, s.trial.ctx, s.ctx, err))
		return false
	case s.idle == nil:
		return s.takeFirst(chunk)
	}
	s.idle.pause()
	if !s.pass(chunk) {
		return false
	}
	s.idle.resume()
	return true
}

// takeFirst takes in what comes up to the first words.
func (s *stream) takeFirst(chunk ports.LLMChunk) bool {
	words := strings.TrimSpace(chunk.Text) != "" || len(chunk.Calls) > 0 // which say as much
	switch {
	case chunk.Done && !words:
		s.broken(&ports.Error{Op: OperationLLM, Kind: ports.KindUnknown, Err: errEmpty})
		return false
	case !words:
		if len(s.held) < maxHeld {
			s.held = append(s.held, chunk)
		}
		return true
	}
	s.wind(s.whole())
	s.call.FirstToken = time.Since(s.trial.began)
	s.idle = newSilence(s.ctx, s.end, late{"no further words", s.trial.policy.Idle})
	s.idle.pause()
	for _, c := range append(s.held, chunk) {
		if !s.pass(c) {
			return false
		}
	}
	s.held = nil
	s.idle.resume()
	return true
}

// broken ends the trial with an error, which is the answer's own once it had begun.
//
//go:noinline
func (s *stream) broken(err error) {
	s.over = true
	begun := s.idle != nil
	s.trial.end(s.call, err, begun)
	if begun {
		s.failed = err
	} else {
		s.refused = err
	}
}

// cut ends a stream whose model said no more and did not end it.
//
//go:noinline
func (s *stream) cut() {
	s.broken(explain(OperationLLM, s.trial.ctx, s.ctx, &ports.Error{Op: OperationLLM, Kind: ports.KindTransient, Err: errCut}))
}

// pass yields one chunk and reports whether the stream goes on.
func (s *stream) pass(chunk ports.LLMChunk) bool {
	s.call.Characters += utf8.RuneCountInString(chunk.Text)
	if chunk.Done {
		if chunk.Usage != nil {
			s.call.Usage = *chunk.Usage
		}
		s.trial.end(s.call, nil, true)
	}
	s.reading = false
	more := s.yield(chunk, nil)
	s.reading = true
	if !more {
		s.trial.end(s.call, errLeft, true)
	}
	s.over = !more || chunk.Done
	return !s.over
}

// close ends the attempt, and the trial of a stream that ended by a panic.
func (s *stream) close() {
	if s.reading {
		s.trial.abandon(s.call)
	} else {
		s.trial.end(s.call, errLeft, true)
	}
	s.idle.stop()
	s.unwind()
	s.end(nil)
}
