package sqlitestore

import (
	"context"

	"whatsappnode/adapters/record"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// sendOf is the send a status speaks of, with its turn and conversation.
type sendOf struct {
	turn          int64
	id            domain.TurnID
	open          bool
	conv          conversationKey
	part, attempt int
}

// Observe implements ports.ConversationPort. A status that names a turn also
// teaches the wamid of its send, for later ones that come without the name.
func (s *Store) Observe(ctx context.Context, statuses []domain.Status) ([]ports.Observation, error) {
	encoded := make([][]byte, len(statuses))
	for i, st := range statuses {
		var err error
		if encoded[i], err = record.EncodeStatus(st); err != nil {
			return nil, invalid("observe", err)
		}
	}
	if len(statuses) == 0 {
		return []ports.Observation{}, ports.FromContext(ctx, "sqlitestore: observe")
	}
	out := make([]ports.Observation, len(statuses))
	err := s.do(ctx, "observe", len(statuses), func(w *writer) error {
		for i := range statuses {
			var err error
			if out[i], err = w.observe(&statuses[i], encoded[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (w *writer) observe(st *domain.Status, data []byte) (ports.Observation, error) {
	send, found, err := w.findSend(st)
	if err != nil || !found {
		return ports.Observation{}, err
	}
	seen := ports.Observation{Turn: send.id, Conversation: send.conv.id}
	added, err := w.exec(stAddFact, send.turn, send.part, send.attempt, string(st.State), data)
	if err != nil || added == 0 {
		return seen, err
	}
	seen.New = true
	failed := st.State == domain.DeliveryFailed
	if failed {
		if _, err := w.exec(stReopen, send.turn); err != nil {
			return seen, err
		}
	}
	if failed || send.open {
		_, err = w.exec(stWake, send.conv.n, w.now)
	}
	return seen, err
}

func (w *writer) findSend(st *domain.Status) (sendOf, bool, error) {
	var send sendOf
	if st.HasRef {
		found, err := w.row(stFindTurnByID, []any{string(st.Ref.Turn)}, &send.turn, &send.open, &send.conv.n, &send.conv.id)
		if err != nil {
			return send, false, err
		}
		if found {
			send.id, send.part, send.attempt = st.Ref.Turn, st.Ref.Part, st.Ref.Attempt
			if st.Message != "" {
				_, err = w.exec(stLearnSend, string(st.Message), send.turn, send.part, send.attempt)
			}
			return send, true, err
		}
	}
	if st.Message == "" {
		return send, false, nil
	}
	found, err := w.row(stFindSend, []any{string(st.Message)}, &send.turn, &send.id, &send.open, &send.conv.n, &send.conv.id, &send.part, &send.attempt)
	return send, found, err
}
