package app

import (
	"context"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// showTyping marks the newest message as read and keeps the typing indicator
// alive until the returned function is called. That function gives a call under
// way a moment and then waits for its end: a receipt that arrived after the
// answer would show a bot that goes on typing.
func (s *session) showTyping(ctx context.Context) (stop func()) {
	marker, ok := s.deps.Messenger.(ports.ReadMarker)
	newest := s.newestMessage()
	if !ok || newest == "" {
		return func() {}
	}
	number := s.turn.Number()
	ctx, cancel := context.WithCancel(ctx)
	stopped, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(typingRefresh)
		defer tick.Stop()
		for {
			callCtx, done := context.WithTimeout(ctx, presenceBudget)
			_ = marker.MarkRead(callCtx, number, newest, true) // a courtesy: the answer does not depend on it
			done()
			select {
			case <-stopped:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() {
		defer cancel()
		close(stopped)
		grace := time.NewTimer(presenceGrace)
		defer grace.Stop()
		select {
		case <-ended:
		case <-grace.C:
			cancel()
			<-ended
		}
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
