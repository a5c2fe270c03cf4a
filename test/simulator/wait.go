package simulator

import (
	"context"
	"fmt"
)

// Counts are exact from the start of the simulator, whatever the memory caps forgot.
type Counts struct {
	Inbound          int `json:"inbound"`           // messages users sent, forced duplicates not counted
	InboundDelivered int `json:"inbound_delivered"` // of these, answered with 200
	InboundDropped   int `json:"inbound_dropped"`   // given up after Config.RetryFor
	Accepted         int `json:"accepted"`          // sends of the bot
	Refused          int `json:"refused"`           // sends answered with an error
	ReadCalls        int `json:"read_calls"`
	TypingCalls      int `json:"typing_calls"`
	Uploads          int `json:"uploads"`
	Downloads        int `json:"downloads"`
	WebhookTries     int `json:"webhook_tries"`
	WebhookOK        int `json:"webhook_ok"`
	Pending          int `json:"pending"` // updates on their way: queued, retried, or statuses still to come
}

// Snapshot is a view of the simulator at one instant. It is valid only during the call it is passed to, in which no
// method of Simulator may be called.
type Snapshot struct{ s *Simulator }

// Counts returns the counters.
func (v Snapshot) Counts() Counts { return v.s.counts }

// Message returns one message of either direction.
func (v Snapshot) Message(id string) (Message, bool) {
	m, ok := v.s.byID[id]
	if !ok {
		return Message{}, false
	}
	return *m, true
}

// Messages returns both directions of one user's chat, oldest first.
func (v Snapshot) Messages(user string) []Message { return v.s.messagesOf(user, "") }

// Outbound returns what the bot sent to a user and had accepted, in that order.
func (v Snapshot) Outbound(user string) []Message {
	return v.s.messagesOf(user, DirectionOut)
}

// Typing says whether the user sees the bot typing.
func (v Snapshot) Typing(user string) bool {
	u := v.s.users[user]
	return u != nil && v.s.nowMS() < u.typingUntil
}

// Wait returns nil as soon as cond holds. It looks after every change and does not poll. It fails when ctx or the
// simulator ends first. cond runs under the simulator's lock: keep it short.
func (s *Simulator) Wait(ctx context.Context, cond func(Snapshot) bool) error {
	for {
		s.mu.Lock()
		ok, changed, counts := cond(Snapshot{s}), s.changed, s.counts
		s.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for simulator (%+v): %w", counts, ctx.Err())
		case <-s.done:
			return fmt.Errorf("wait for simulator: %w", ErrClosed)
		}
	}
}

// View calls f once with the present state.
func (s *Simulator) View(f func(Snapshot)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(Snapshot{s})
}

// WaitIdle returns when no update is on its way to the bot any more.
func (s *Simulator) WaitIdle(ctx context.Context) error {
	return s.Wait(ctx, func(v Snapshot) bool { return v.Counts().Pending == 0 })
}

// Counts returns the counters.
func (s *Simulator) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// Outbound returns what the bot sent to a user and had accepted, in that order.
func (s *Simulator) Outbound(user string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.messagesOf(user, DirectionOut)
}

// Messages returns both directions of one user's chat, oldest first.
func (s *Simulator) Messages(user string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.messagesOf(user, "")
}
