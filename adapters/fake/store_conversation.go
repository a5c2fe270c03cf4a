package fake

import (
	"context"
	"errors"
	"slices"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// storedTurn is a turn as last stored, with what was received about it since.
type storedTurn struct {
	turn domain.Turn
	at   time.Time // when it was stored last
	// open is true until the turn is finished, and again once a failure is
	// received that no finished lease has seen.
	open   bool
	seen   int64 // the newest fact a finished lease has seen
	facts  []fact
	letter *letter
	// buried is true once the turn was made a dead letter, and stays so when the
	// letter is gone.
	buried bool
}

// fact is one status with the send it speaks of.
type fact struct {
	seq    int64
	send   sentPart
	status domain.Status
}

func (f fact) failed() bool { return f.status.State == domain.DeliveryFailed }

// sentPart names one attempt to send one part.
type sentPart struct {
	turn          domain.TurnID
	part, attempt int
}

// keep stores a turn of a leased conversation and notes the wamids of its sends.
func (s *Store) keep(op string, c *conversation, turn domain.Turn) (*storedTurn, error) {
	if turn.Conversation() != c.id {
		return nil, storeError(op, ports.KindInvalid, errors.New("the turn belongs to another conversation"))
	}
	copied, err := domain.RestoreTurn(turn.Record())
	if err != nil {
		return nil, storeError(op, ports.KindInvalid, err)
	}
	t := s.turns[turn.ID()]
	switch {
	case t == nil:
		t = &storedTurn{open: true}
		s.turns[turn.ID()] = t
		c.turns = append(c.turns, t)
	case t.turn.Conversation() != c.id:
		return nil, storeError(op, ports.KindInvalid, errors.New("the turn's id is taken by another conversation"))
	}
	t.turn, t.at = copied, time.Now()
	t.open = t.open || !copied.State().Settled()
	for i, p := range copied.Parts() {
		if p.MessageID != "" {
			s.sends[p.MessageID] = sentPart{turn: turn.ID(), part: i, attempt: p.Attempt}
		}
	}
	return t, nil
}

// copyTurn makes a turn that shares nothing with t.
func copyTurn(t domain.Turn) domain.Turn {
	c, _ := domain.RestoreTurn(t.Record()) // it came from RestoreTurn
	return c
}

// Observe implements ports.ConversationPort. A status that names a turn also
// teaches the wamid of its send, for later ones that come without the name.
func (s *Store) Observe(ctx context.Context, statuses []domain.Status) ([]ports.Observation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx, "observe"); err != nil {
		return nil, err
	}
	out := make([]ports.Observation, 0, len(statuses))
	for _, st := range statuses {
		out = append(out, s.observe(st))
	}
	s.grant()
	return out, nil
}

func (s *Store) observe(st domain.Status) ports.Observation {
	send, ok := s.sends[st.Message]
	if st.HasRef && s.turns[st.Ref.Turn] != nil {
		send, ok = sentPart{turn: st.Ref.Turn, part: st.Ref.Part, attempt: st.Ref.Attempt}, true
		if _, known := s.sends[st.Message]; st.Message != "" && !known {
			s.sends[st.Message] = send
		}
	}
	if !ok {
		return ports.Observation{}
	}
	t := s.turns[send.turn]
	c := s.convs[t.turn.Conversation()]
	seen := ports.Observation{Turn: send.turn, Conversation: c.id}
	if slices.ContainsFunc(t.facts, func(f fact) bool { return f.send == send && f.status.State == st.State }) {
		return seen
	}
	seen.Priced = st.Pricing != nil && !slices.ContainsFunc(t.facts, func(f fact) bool { return f.send == send && f.status.Pricing != nil })
	s.seq++
	f := fact{seq: s.seq, send: send, status: st}
	t.facts = append(t.facts, f)
	t.open = t.open || f.failed()
	if t.open && c.leaseUntil.IsZero() {
		c.dueAt(time.Now())
		c.deferred = false
	}
	seen.New = true
	return seen
}

// Load implements ports.ConversationPort.
func (s *Store) Load(ctx context.Context, id domain.ConversationID) (domain.Conversation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx, "load"); err != nil {
		return domain.Conversation{}, err
	}
	c := s.convs[id]
	if c == nil || c.saved == nil {
		return domain.Conversation{}, storeError("load", ports.KindNotFound, errors.New("no such conversation was finished"))
	}
	return domain.RestoreConversation(c.saved.Record())
}

// Turns implements ports.ConversationPort.
func (s *Store) Turns(ctx context.Context, id domain.ConversationID, limit int) ([]domain.Turn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx, "turns"); err != nil {
		return nil, err
	}
	c := s.convs[id]
	if c == nil {
		return nil, nil
	}
	var out []domain.Turn
	for _, t := range slices.Backward(c.turns) {
		if len(out) >= limit {
			break
		}
		turn := copyTurn(t.turn)
		for _, f := range t.facts {
			turn.Observe(f.status)
		}
		out = append(out, turn)
	}
	return out, nil
}

// Backlog implements ports.BacklogPort.
func (s *Store) Backlog(ctx context.Context) (ports.Backlog, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx, "backlog"); err != nil {
		return ports.Backlog{}, err
	}
	var b ports.Backlog
	for _, c := range s.order {
		if !c.due.IsZero() {
			b.Conversations++
		}
		b.Messages += len(c.inbox)
		for _, w := range c.inbox {
			if b.Oldest.IsZero() || w.at.Before(b.Oldest) {
				b.Oldest = w.at
			}
		}
		for _, t := range c.turns {
			if t.letter != nil {
				b.DeadLetters++
			}
		}
	}
	return b, nil
}
