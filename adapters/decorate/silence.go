package decorate

import (
	"context"
	"sync"
	"time"
)

// silence ends a context when a model says nothing for too long; the time a reader
// spends on what was said does not count. It has one timer, which looks now and then
// how long the model has been silent: setting it anew for each of sixty words a second
// would cost more than to read them.
type silence struct {
	ctx  context.Context
	end  context.CancelCauseFunc
	over late

	mu    sync.Mutex
	since time.Time // zero while the reader is at work
	timer *time.Timer
}

// newSilence begins to listen now.
func newSilence(ctx context.Context, end context.CancelCauseFunc, over late) *silence {
	s := &silence{ctx: ctx, end: end, over: over, since: time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = time.AfterFunc(over.limit, s.look)
	return s
}

func (s *silence) pause() {
	s.mu.Lock()
	s.since = time.Time{}
	s.mu.Unlock()
}

func (s *silence) resume() {
	now := time.Now()
	s.mu.Lock()
	s.since = now
	s.mu.Unlock()
}

// look is the timer's. Where the caller's deadline falls in the same instant it is
// that which ends the attempt.
func (s *silence) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	left := s.over.limit
	if !s.since.IsZero() {
		left -= time.Since(s.since)
	}
	if deadline, ok := s.ctx.Deadline(); ok && time.Until(deadline) <= max(left, 0) {
		return
	}
	if left <= 0 {
		s.end(s.over)
		return
	}
	s.timer.Reset(left)
}

// stop ends the looking; nil is nothing to stop.
func (s *silence) stop() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer.Stop()
}
