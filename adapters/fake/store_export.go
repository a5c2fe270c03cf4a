package fake

import (
	"context"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.ExportPort = (*Store)(nil)

// Export implements ports.ExportPort.
func (s *Store) Export(ctx context.Context, id domain.ConversationID, visit func(ports.Stored) error) error {
	all, err := s.stored(ctx, id)
	if err != nil {
		return err
	}
	for _, one := range all {
		if err := visit(one); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) stored(ctx context.Context, id domain.ConversationID) ([]ports.Stored, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx, "export"); err != nil {
		return nil, err
	}
	c := s.convs[id]
	if c == nil {
		return nil, nil
	}
	var out, letters []ports.Stored
	if c.saved != nil {
		conv, err := domain.RestoreConversation(c.saved.Record())
		if err != nil {
			return nil, err
		}
		out = append(out, ports.Stored{Conversation: &conv})
	}
	for i := range c.inbox {
		m := c.inbox[i].message
		out = append(out, ports.Stored{Waiting: &m})
	}
	for _, t := range c.turns {
		turn, facts := copyTurn(t.turn), []domain.Status(nil)
		for _, f := range t.facts {
			turn.Observe(f.status)
			facts = append(facts, f.status)
		}
		out = append(out, ports.Stored{Turn: &turn, Facts: facts})
		if t.letter != nil {
			l := &ports.DeadLetter{Turn: turn, At: t.letter.at}
			for _, w := range t.letter.messages {
				l.Messages = append(l.Messages, w.message)
			}
			letters = append(letters, ports.Stored{Letter: l})
		}
	}
	return append(out, letters...), nil
}
