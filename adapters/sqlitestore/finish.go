package sqlitestore

import (
	"context"
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
func (w *writer) keep(op string, l *heldLease, t *storedTurn) (int64, error) {
	return w.store(op, l, t, func(n int64) (int64, error) {
		return w.exec(stSetTurn, n, !t.settled, t.dead, w.now, t.data)
	}, true, 0)
}

// closeTurn is keep for a settled turn, which is closed by it. seen is the newest status
// that the worker saw; when a later one says that a send failed, the turn stays open.
func (w *writer) closeTurn(op string, l *heldLease, t *storedTurn, seen int64) (int64, error) {
	return w.store(op, l, t, func(n int64) (int64, error) {
		return w.exec(stFinishTurn, n, seen, t.dead, w.now, t.data)
	}, false, seen)
}

// store stores a turn: by set where it has a row, which returns how many rows it changed,
// and in a new row otherwise.
func (w *writer) store(op string, l *heldLease, t *storedTurn, set func(n int64) (int64, error), open bool, seen int64) (int64, error) {
	n, known := l.turnRow, l.turn == t.id
	if known {
		changed, err := set(n)
		if err != nil {
			return 0, err
		}
		known = changed > 0
	}
	if !known {
		var err error
		if n, err = w.insert(stAddTurn, string(t.id), l.n, open, seen, t.dead, w.now, t.data); err != nil {
			return 0, err
		}
		if n == 0 { // of an earlier lease
			var owner int64
			if _, err := w.row(stFindTurn, []any{string(t.id)}, &n, &owner); err != nil {
				return 0, err
			}
			if owner != l.n {
				return 0, invalid(op, errTakenID)
			}
			if _, err := set(n); err != nil {
				return 0, err
			}
		}
		l.turn, l.turnRow = t.id, n
	}
	for _, s := range t.sent {
		if _, err := w.exec(stSetSend, s.message, n, s.part, s.attempt); err != nil {
			return 0, err
		}
	}
	return n, nil
}

var errTakenID = errors.New("the turn's id is taken by another conversation")

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
	return s.ending(ctx, "finish", lease, func(w *writer, l *heldLease) error {
		n, err := w.closeTurn("finish", l, t, lease.Cursor)
		if err != nil {
			return err
		}
		if _, err := w.exec(stSaveMemory, l.n, memory, w.now); err != nil {
			return err
		}
		if err := w.consume(l.n, n, t); err != nil {
			return err
		}
		w.held.forget(lease.Conversation)
		_, err = w.exec(stFinishLease, l.n, w.now)
		return err
	})
}

// consume removes the turn's inputs from the inbox. Those of a dead turn are kept
// with it, so that an operator can have them answered after all.
func (w *writer) consume(conv, turn int64, t *storedTurn) error {
	if t.dead {
		return w.bury(conv, turn, t)
	}
	for _, id := range t.inputs {
		if _, err := w.exec(stDropMessage, conv, id); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) bury(conv, turn int64, t *storedTurn) error {
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
	for _, id := range t.inputs {
		var seq int64
		var data []byte
		found, err := w.row(stTakeMessage, []any{conv, id}, &seq, &data)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		if _, err := w.exec(stAddDeadMessage, turn, seq, id, data); err != nil {
			return err
		}
	}
	return nil
}
