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
	seen := make([]sighting, len(statuses))
	for i := range statuses {
		data, err := record.EncodeStatus(statuses[i])
		if err != nil {
			return nil, invalid("observe", err)
		}
		seen[i] = sighting{status: &statuses[i], message: s.messageName(statuses[i].Message), data: data}
	}
	if len(statuses) == 0 {
		return []ports.Observation{}, ports.FromContext(ctx, "sqlitestore: observe")
	}
	out := make([]ports.Observation, len(statuses))
	err := s.do(ctx, "observe", len(statuses), func(w *writer) error {
		for i := range statuses {
			var err error
			if out[i], err = w.observe(&seen[i]); err != nil {
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

// sighting is a status made ready to be stored, but for the sealing: to which turn it
// is bound is found out by the writer.
type sighting struct {
	status  *domain.Status
	message string // name of the wamid, or ""
	data    []byte
}

func (w *writer) observe(o *sighting) (ports.Observation, error) {
	send, found, err := w.findSend(o)
	if err != nil || !found {
		return ports.Observation{}, err
	}
	seen := ports.Observation{Turn: send.id, Conversation: send.conv.id}
	added, err := w.addFact(&send, o, &seen.Priced)
	if err != nil || !added {
		return seen, err
	}
	seen.New = true
	failed := o.status.State == domain.DeliveryFailed
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

// addFact stores a status and reports whether it is new. priced is set when it is the
// first of its send that says what the send costs.
func (w *writer) addFact(send *sendOf, o *sighting, priced *bool) (bool, error) {
	args := []any{send.turn, send.part, send.attempt, string(o.status.State), w.sealer.Seal(o.data, record.KindFact, string(send.id))}
	if o.status.Pricing != nil {
		return w.row(stAddPricedFact, args, priced)
	}
	added, err := w.exec(stAddFact, args...)
	return added > 0, err
}

func (w *writer) findSend(o *sighting) (sendOf, bool, error) {
	st := o.status
	var send sendOf
	if st.HasRef {
		found, err := w.row(stFindTurnByID, []any{string(st.Ref.Turn)}, &send.turn, &send.open, &send.conv.n, &send.conv.id)
		if err != nil {
			return send, false, err
		}
		if found {
			send.id, send.part, send.attempt = st.Ref.Turn, st.Ref.Part, st.Ref.Attempt
			if st.Message != "" {
				_, err = w.exec(stLearnSend, o.message, send.turn, send.part, send.attempt)
			}
			return send, true, err
		}
	}
	if st.Message == "" {
		return send, false, nil
	}
	found, err := w.row(stFindSend, []any{o.message}, &send.turn, &send.id, &send.open, &send.conv.n, &send.conv.id, &send.part, &send.attempt)
	return send, found, err
}
