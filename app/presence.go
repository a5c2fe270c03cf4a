package app

import (
	"context"
	"sync"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// showTyping marks the newest message as read and keeps the typing indicator
// alive until the returned function is called. That function gives a call under
// way a moment and then waits for its end: a receipt that arrived after the
// answer would show a bot that goes on typing. Between calls there is only a timer:
// thousands of turns may be waiting for a model.
func (s *session) showTyping(ctx context.Context) (stop func()) {
	marker, ok := s.deps.Messenger.(ports.ReadMarker)
	newest := s.newestMessage()
	if !ok || newest == "" {
		return func() {}
	}
	number := s.turn.Number()
	ctx, cancel := context.WithCancel(ctx)
	t := &typing{}
	t.show = func() {
		defer t.ended()
		callCtx, done := context.WithTimeout(ctx, presenceBudget)
		defer done()
		_ = marker.MarkRead(callCtx, number, newest, true) // a courtesy: the answer does not depend on it
	}
	t.begin()
	return func() {
		defer cancel()
		under := t.stop()
		grace := time.NewTimer(presenceGrace)
		defer grace.Stop()
		select {
		case <-under:
		case <-grace.C:
			cancel()
			<-under
		}
	}
}

// typing shows the indicator now and again.
type typing struct {
	show func()

	mu      sync.Mutex
	stopped bool
	calling chan struct{} // closed when the call under way has ended; nil without one
	timer   *time.Timer
}

// begin starts a call unless it was told to stop.
func (t *typing) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return
	}
	t.calling = make(chan struct{})
	go t.show()
}

func (t *typing) ended() {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.calling)
	t.calling = nil
	if !t.stopped {
		t.timer = time.AfterFunc(typingRefresh, t.begin)
	}
}

// stop lets no further call begin, and returns what is closed when none is under way.
func (t *typing) stop() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
	if t.timer != nil {
		t.timer.Stop()
	}
	if t.calling != nil {
		return t.calling
	}
	none := make(chan struct{})
	close(none)
	return none
}

func (s *session) newestMessage() domain.MessageID {
	for i := len(s.inputs) - 1; i >= 0; i-- {
		if domain.StartsTurn(s.inputs[i].Content) {
			return s.inputs[i].ID
		}
	}
	return ""
}
