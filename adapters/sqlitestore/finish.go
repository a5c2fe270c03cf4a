package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// storedTurn is a turn made ready to be stored, so that the writer's goroutine
// need not encode it.
type storedTurn struct {
	id      domain.TurnID
	settled bool
	dead    bool
	reason  string
	inputs  []string // names of its messages
	sent    []sent
	data    []byte
}

// sent is one attempt of a part whose wamid is known.
type sent struct {
	message       string // its name
	part, attempt int
}

func (s *Store) prepareTurn(op string, lease ports.Lease, turn domain.Turn) (*storedTurn, error) {
	if turn.Conversation() != lease.Conversation {
		return nil, invalid(op, errOtherConversation)
	}
	data, err := s.sealer.EncodeTurn(turn)
	if err != nil {
		return nil, invalid(op, err)
	}
	t := &storedTurn{
		id: turn.ID(), settled: turn.State().Settled(), dead: turn.State() == domain.TurnDead, reason: turn.Reason(),
		data: data,
	}
	for _, id := range turn.Inputs() {
		t.inputs = append(t.inputs, s.messageName(id))
	}
	for i, p := range turn.Parts() {
		if p.MessageID != "" {
			t.sent = append(t.sent, sent{s.messageName(p.MessageID), i, p.Attempt})
		}
	}
	return t, nil
}

// keep stores a turn of a leased conversation and notes the wamids of its sends.
// A turn that was finished stays closed unless it has work again.
func (w *writer) keep(op string, conv int64, t *storedTurn) (int64, error) {
	var n, owner int64
	found, err := w.row(stFindTurn, []any{string(t.id)}, &n, &owner)
	switch {
	case err != nil:
		return 0, err
	case found && owner != conv:
		return 0, invalid(op, errors.New("the turn's id is taken by another conversation"))
	case found:
		_, err = w.exec(stSetTurn, n, !t.settled, t.dead, w.now, t.data)
	default:
		n, err = w.insert(stAddTurn, string(t.id), conv, t.dead, w.now, t.data)
	}
	if err != nil {
		return 0, err
	}
	for _, s := range t.sent {
		if _, err := w.exec(stSetSend, s.message, n, s.part, s.attempt); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// Finish implements ports.InboxPort. A turn that is not settled is KindInvalid:
// work would be left and nothing would make it due.
func (s *Store) Finish(ctx context.Context, lease ports.Lease, turn domain.Turn, conv domain.Conversation) error {
	t, err := s.prepareTurn("finish", lease, turn)
	if err != nil {
		return err
	}
	if conv.ID() != lease.Conversation {
		return invalid("finish", errors.New("the conversation is not the leased one"))
	}
	if !t.settled {
		return invalid("finish", fmt.Errorf("the turn is not settled but %s", turn.State()))
	}
	memory, err := s.sealer.EncodeConversation(conv)
	if err != nil {
		return invalid("finish", err)
	}
	return s.ending(ctx, "finish", lease, func(w *writer, conv int64) error {
		n, err := w.keep("finish", conv, t)
		if err != nil {
			return err
		}
		if _, err := w.exec(stSaveMemory, conv, memory, w.now); err != nil {
			return err
		}
		if err := w.consume(conv, n, t); err != nil {
			return err
		}
		if _, err := w.exec(stCloseTurn, n, lease.Cursor); err != nil {
			return err
		}
		var due sql.NullInt64
		if _, err := w.row(stRestDue, []any{conv, w.now}, &due); err != nil {
			return err
		}
		_, err = w.exec(stEndLease, conv, nullable(due), false)
		return err
	})
}

// consume removes the turn's inputs from the inbox. Those of a dead turn are kept
// with it, so that an operator can have them answered after all.
func (w *writer) consume(conv, turn int64, t *storedTurn) error {
	if t.dead {
		var state deadState
		if _, err := w.row(stTurnState, []any{turn}, &state); err != nil {
			return err
		}
		if state == letterGone {
			return nil // what was replayed is another turn's to answer
		}
		if _, err := w.exec(stAddDead, turn, w.now, t.reason); err != nil {
			return err
		}
	}
	for _, id := range t.inputs {
		var seq int64
		var data []byte
		found, err := w.row(stTakeMessage, []any{conv, id}, &seq, &data)
		if err != nil {
			return err
		}
		if !found || !t.dead {
			continue
		}
		if _, err := w.exec(stAddDeadMessage, turn, seq, id, data); err != nil {
			return err
		}
	}
	return nil
}
