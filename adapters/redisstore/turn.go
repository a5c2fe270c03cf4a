package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/rueidis"

	"whatsappnode/adapters/record"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// storedTurn is a turn made ready for a script.
type storedTurn struct {
	id      string
	conv    string
	data    string
	settled bool
	dead    bool
	inputs  []string // hashes of its messages
	sent    []send
}

// send is one attempt of a part whose wamid is known.
type send struct {
	wamid         string // hash
	part, attempt int
}

func (s *Store) prepareTurn(op string, lease ports.Lease, turn domain.Turn) (*storedTurn, error) {
	if turn.Conversation() != lease.Conversation {
		return nil, invalid(op, errors.New("the turn belongs to another conversation"))
	}
	data, err := s.sealer.EncodeTurn(turn)
	if err != nil {
		return nil, invalid(op, err)
	}
	t := &storedTurn{
		id: string(turn.ID()), conv: string(turn.Conversation()), data: string(data),
		settled: turn.State().Settled(), dead: turn.State() == domain.TurnDead,
	}
	for _, id := range turn.Inputs() {
		t.inputs = append(t.inputs, s.messageHash(id))
	}
	for i, p := range turn.Parts() {
		if p.MessageID != "" {
			t.sent = append(t.sent, send{wamid: s.wamidHash(p.MessageID), part: i, attempt: p.Attempt})
		}
	}
	return t, nil
}

func (s *Store) encodeMemory(lease ports.Lease, t *storedTurn, conv domain.Conversation) (string, error) {
	if conv.ID() != lease.Conversation {
		return "", invalid("finish", errors.New("the conversation is not the leased one"))
	}
	if !t.settled {
		return "", invalid("finish", errors.New("the turn is not settled"))
	}
	memory, err := s.sealer.EncodeConversation(conv)
	if err != nil {
		return "", invalid("finish", err)
	}
	return string(memory), nil
}

// sends are the script's arguments: wamid and "part:attempt" in turn.
func (t *storedTurn) sends() []string {
	var out []string
	for _, s := range t.sent {
		out = append(out, s.wamid, fmt.Sprintf("%d:%d", s.part, s.attempt))
	}
	return out
}

// A wamid's pointer tells in which conversation and turn to look for its send. It is
// written before the turn is, because one that leads nowhere does no harm. It lives in
// the wamid's own partition, where a status without our reference finds it.

func (s *Store) pointerKey(wamid string) string { return s.base(s.partition(wamid)) + ":w:" + wamid }

func (s *Store) pointSends(ctx context.Context, op string, t *storedTurn) error {
	for _, sent := range t.sent {
		if err := s.point1(ctx, op, sent.wamid, t.conv, t.id); err != nil {
			return err
		}
	}
	return nil
}

// point1 writes one pointer.
func (s *Store) point1(ctx context.Context, op, wamid, conv, turn string) error {
	_, err := s.do(ctx, op, true, func(b rueidis.Builder) rueidis.Completed {
		return b.Set().Key(s.pointerKey(wamid)).Value(conv + "/" + turn).Px(s.opt.Retention.Turns).Build()
	})
	return err
}

// orUnpoint removes the pointers again when the lease turned out lost; if that fails
// they expire. A pointer that led to a stored send before is kept by the check for
// what it says, and the send's owner writes it again with its next checkpoint.
func (s *Store) orUnpoint(ctx context.Context, t *storedTurn, err error) error {
	if !errors.Is(err, ports.ErrLeaseLost) || len(t.sent) == 0 {
		return err
	}
	part, ok := s.home(t.conv)
	if !ok {
		return err
	}
	for _, sent := range t.sent {
		stored, lookErr := s.do(ctx, "unpoint", true, func(b rueidis.Builder) rueidis.Completed {
			return b.Hexists().Key(s.base(part) + ":t:" + t.id).Field("s:" + sent.wamid).Build()
		})
		if there, _ := stored.AsBool(); there || lookErr != nil {
			continue
		}
		_, _ = s.do(ctx, "unpoint", true, func(b rueidis.Builder) rueidis.Completed {
			return b.Del().Key(s.pointerKey(sent.wamid)).Build()
		})
	}
	return err
}

// pointed reads which conversation and turn a wamid belongs to.
func (s *Store) pointed(ctx context.Context, op, wamid string) (conv, turn string, err error) {
	msg, err := s.do(ctx, op, true, func(b rueidis.Builder) rueidis.Completed { return b.Get().Key(s.pointerKey(wamid)).Build() })
	if err != nil || msg.IsNil() {
		return "", "", err
	}
	text, err := msg.ToString()
	conv, turn, _ = strings.Cut(text, "/")
	return conv, turn, err
}

// fact is a status as it is stored, with its number.
type fact struct {
	seq    int64
	status domain.Status
}

// readTurn decodes what the scripts hand out: a turn's id, its record, then its facts.
func (s *Store) readTurn(parts []string) (domain.Turn, []fact, error) {
	if len(parts) < 2 {
		return domain.Turn{}, nil, record.ErrMalformed
	}
	id := domain.TurnID(parts[0])
	turn, err := s.sealer.DecodeTurn([]byte(parts[1]), id)
	if err != nil {
		return turn, nil, err
	}
	var facts []fact
	for _, p := range parts[2:] {
		seq, data, _ := strings.Cut(p, ":")
		n, err := strconv.ParseInt(seq, 10, 64)
		if err != nil {
			return turn, nil, record.ErrMalformed
		}
		status, err := s.sealer.DecodeStatus([]byte(data), id)
		if err != nil {
			return turn, nil, err
		}
		facts = append(facts, fact{seq: n, status: status})
	}
	return turn, facts, nil
}
