package redisstore

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"whatsappnode/adapters/record"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// allParts is work for each on every partition.
func (s *Store) allParts() map[int]struct{} {
	all := make(map[int]struct{}, len(s.bases))
	for part := range s.bases {
		all[part] = struct{}{}
	}
	return all
}

// DeadLetters implements ports.DeadLetterPort. It asks every partition.
func (s *Store) DeadLetters(ctx context.Context, limit int) ([]ports.DeadLetter, error) {
	if err := ports.FromContext(ctx, opName("dead letters")); err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, nil
	}
	var mu sync.Mutex
	var out []ports.DeadLetter
	err := each(ctx, s.allParts(), func(ctx context.Context, part int, _ struct{}) error {
		msg, err := s.run(ctx, "dead letters", call{sc: scLetters, part: part, args: []string{strconv.Itoa(limit)}, harmless: true})
		if err != nil {
			return err
		}
		letters, err := s.readLetters(msg)
		mu.Lock()
		defer mu.Unlock()
		out = append(out, letters...)
		return err
	})
	if err != nil {
		return nil, storeErr(ctx, "dead letters", err)
	}
	slices.SortFunc(out, func(a, b ports.DeadLetter) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Turn.ID(), b.Turn.ID()))
	})
	return out[:min(limit, len(out))], nil
}

func (s *Store) readLetters(msg rueidis.RedisMessage) ([]ports.DeadLetter, error) {
	rows, err := msg.ToArray()
	if err != nil {
		return nil, err
	}
	var out []ports.DeadLetter
	for _, row := range rows {
		f, err := stringsOf(row)
		if err != nil || len(f) < 3 || len(f)%2 == 0 {
			return nil, errors.Join(err, record.ErrMalformed)
		}
		us, err := strconv.ParseInt(f[0], 10, 64)
		if err != nil {
			return nil, err
		}
		l := ports.DeadLetter{At: time.UnixMicro(us)}
		if l.Turn, err = s.sealer.DecodeTurn([]byte(f[2]), domain.TurnID(f[1])); err != nil {
			return nil, err
		}
		for i := 3; i < len(f); i += 2 {
			m, err := s.sealer.DecodeMessage([]byte(f[i+1]), f[i])
			if err != nil {
				return nil, err
			}
			l.Messages = append(l.Messages, m)
		}
		out = append(out, l)
	}
	return out, nil
}

// Replay implements ports.DeadLetterPort. The messages take their old places, in
// front of what came later. A lease or a deferred turn decides by itself when the
// conversation is due, as for a new message.
func (s *Store) Replay(ctx context.Context, turn domain.TurnID) error {
	return s.onLetter(ctx, "replay", scReplay, turn)
}

// Discard implements ports.DeadLetterPort. The turn itself stays in the history of
// the conversation.
func (s *Store) Discard(ctx context.Context, turn domain.TurnID) error {
	return s.onLetter(ctx, "discard", scDiscard, turn)
}

// onLetter looks for the partition that has the dead letter and runs a script there.
func (s *Store) onLetter(ctx context.Context, op string, sc *script, turn domain.TurnID) error {
	if err := ports.FromContext(ctx, opName(op)); err != nil {
		return err
	}
	found := make(chan int, len(s.bases))
	err := each(ctx, s.allParts(), func(ctx context.Context, part int, _ struct{}) error {
		msg, err := s.do(ctx, op, true, func(b rueidis.Builder) rueidis.Completed {
			return b.Zscore().Key(s.base(part) + ":dead").Member(string(turn)).Build()
		})
		if err == nil && !msg.IsNil() {
			found <- part
		}
		return err
	})
	if err != nil {
		return storeErr(ctx, op, err)
	}
	close(found)
	for part := range found {
		msg, err := s.run(ctx, op, call{sc: sc, part: part, args: []string{string(turn), micros(s.opt.Retention.Turns)}, durable: true})
		if err != nil {
			return err
		}
		out, err := stringsOf(msg)
		if err != nil || len(out) != 2 {
			return storeErr(ctx, op, errors.Join(err, errors.New("unexpected answer")))
		}
		if out[0] == "ok" {
			s.dispatch.learn(part, out[1])
			return nil
		}
	}
	return notFound(op, "there is no such dead letter")
}
