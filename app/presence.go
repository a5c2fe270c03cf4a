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
	t := &typing{ctx: ctx, marker: marker, number: s.turn.Number(), message: newest}
	t.begin()
	return t.end
}

// typing shows the indicator now and again.
type typing struct {
	ctx     context.Context
	marker  ports.ReadMarker
	number  domain.NumberID
	message domain.MessageID

	mu      sync.Mutex
	stopped bool
	calling chan struct{}      // closed when the call under way has ended; nil without one
	cancel  context.CancelFunc // the call under way
	timer   *time.Timer
}

// begin starts a call unless it was told to stop.
func (t *typing) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return
	}
	var ctx context.Context
	ctx, t.cancel = context.WithTimeout(t.ctx, presenceBudget)
	t.calling = make(chan struct{})
	go t.show(ctx)
}

func (t *typing) show(ctx context.Context) {
	defer t.ended()
	_ = t.marker.MarkRead(ctx, t.number, t.message, true) // a courtesy: the answer does not depend on it
}

func (t *typing) ended() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cancel()
	close(t.calling)
	t.cancel, t.calling = nil, nil
	if !t.stopped {
		t.timer = time.AfterFunc(typingRefresh, t.begin)
	}
}

// stop lets no further call begin. It returns what ends the call under way and what is
// closed when it has ended, or nil.
func (t *typing) stop() (context.CancelFunc, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
	if t.timer != nil {
		t.timer.Stop()
	}
	return t.cancel, t.calling
}

// end stops and waits for the end of the call under way.
func (t *typing) end() {
	cancel, under := t.stop()
	if under == nil {
		return
	}
	grace := time.NewTimer(presenceGrace)
	defer grace.Stop()
	select {
	case <-under:
	case <-grace.C:
		cancel()
		<-under
	}
}

func (s *session) newestMessage() domain.MessageID {
	for i := len(s.inputs) - 1; i >= 0; i-- {
		if domain.StartsTurn(s.inputs[i].Content) {
			return s.inputs[i].ID
		}
	}
	return ""
}
