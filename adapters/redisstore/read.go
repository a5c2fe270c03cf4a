package redisstore

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/redis/rueidis"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Load implements ports.ConversationPort.
func (s *Store) Load(ctx context.Context, id domain.ConversationID) (domain.Conversation, error) {
	const none = "no such conversation was finished"
	if err := ports.FromContext(ctx, opName("load")); err != nil {
		return domain.Conversation{}, err
	}
	part, ok := s.home(string(id))
	if !ok {
		return domain.Conversation{}, notFound("load", none)
	}
	key := s.base(part) + ":c:" + string(id)
	msg, err := s.do(ctx, "load", true, func(b rueidis.Builder) rueidis.Completed { return b.Get().Key(key + ":mem").Build() })
	if err == nil && msg.IsNil() { // an earlier release kept it elsewhere
		msg, err = s.do(ctx, "load", true, func(b rueidis.Builder) rueidis.Completed { return b.Hget().Key(key).Field("mem").Build() })
	}
	if err != nil {
		return domain.Conversation{}, err
	}
	if msg.IsNil() {
		return domain.Conversation{}, notFound("load", none)
	}
	text, err := msg.ToString()
	if err != nil {
		return domain.Conversation{}, storeErr(ctx, "load", err)
	}
	conv, err := s.sealer.DecodeConversation([]byte(text), id)
	return conv, storeErr(ctx, "load", err)
}

// Turns implements ports.ConversationPort.
func (s *Store) Turns(ctx context.Context, id domain.ConversationID, limit int) ([]domain.Turn, error) {
	if err := ports.FromContext(ctx, opName("turns")); err != nil {
		return nil, err
	}
	part, ok := s.home(string(id))
	if !ok {
		return nil, nil
	}
	msg, err := s.run(ctx, "turns", call{sc: scTurns, part: part, args: []string{string(id), strconv.Itoa(max(0, limit))}, harmless: true})
	if err != nil {
		return nil, err
	}
	rows, err := msg.ToArray()
	if err != nil {
		return nil, storeErr(ctx, "turns", err)
	}
	var out []domain.Turn
	for _, row := range rows {
		parts, err := stringsOf(row)
		if err != nil {
			return nil, storeErr(ctx, "turns", err)
		}
		turn, facts, err := s.readTurn(parts)
		if err != nil {
			return nil, storeErr(ctx, "turns", err)
		}
		slices.SortFunc(facts, func(a, b fact) int { return cmp.Compare(a.seq, b.seq) })
		for _, f := range facts {
			turn.Observe(f.status)
		}
		out = append(out, turn)
	}
	return out, nil
}
