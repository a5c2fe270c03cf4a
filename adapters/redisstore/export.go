package redisstore

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"whatsappnode/adapters/record"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.ExportPort = (*Store)(nil)

// exportPage is how many messages are read at once.
const exportPage = 100

// Export implements ports.ExportPort.
func (s *Store) Export(ctx context.Context, id domain.ConversationID, visit func(ports.Stored) error) error {
	part, ok := s.home(string(id))
	if !ok {
		return ports.FromContext(ctx, opName("export"))
	}
	e := &exporting{s: s, key: s.base(part) + ":c:" + string(id), base: s.base(part), visit: visit}
	conv, err := s.Load(ctx, id)
	switch {
	case err == nil:
		if err := visit(ports.Stored{Conversation: &conv}); err != nil {
			return err
		}
	case ports.KindOf(err) != ports.KindNotFound:
		return err
	}
	if err := e.waiting(ctx); err != nil {
		return err
	}
	return e.turns(ctx)
}

// exporting is one export under way. An error of visit is returned as it is, all others
// as the store's.
type exporting struct {
	s         *Store
	key, base string // of the conversation and of its partition
	visit     func(ports.Stored) error
}

func (e *exporting) waiting(ctx context.Context) error {
	for from := int64(0); ; from += exportPage {
		ids, err := e.list(ctx, func(b rueidis.Builder) rueidis.Completed {
			return b.Zrange().Key(e.key + ":in").Min(strconv.FormatInt(from, 10)).Max(strconv.FormatInt(from+exportPage-1, 10)).Build()
		})
		if err != nil {
			return err
		}
		for _, id := range ids {
			text, err := e.text(ctx, func(b rueidis.Builder) rueidis.Completed { return b.Hget().Key(e.key + ":m").Field(id).Build() })
			if err != nil {
				return err
			}
			if text == "" {
				continue // it was answered meanwhile
			}
			_, data, _ := strings.Cut(text, ":")
			m, err := e.s.sealer.DecodeMessage([]byte(data), id)
			if err != nil {
				return storeErr(ctx, "export", err)
			}
			if err := e.visit(ports.Stored{Waiting: &m}); err != nil {
				return err
			}
		}
		if len(ids) < exportPage {
			return nil
		}
	}
}

func (e *exporting) turns(ctx context.Context) error {
	ids, err := e.list(ctx, func(b rueidis.Builder) rueidis.Completed {
		return b.Zrange().Key(e.key + ":ts").Min("0").Max("-1").Build()
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		turn, facts, err := e.turn(ctx, id)
		if err != nil {
			return err
		}
		if turn == nil {
			continue // it is no longer kept
		}
		if err := e.visit(ports.Stored{Turn: turn, Facts: facts}); err != nil {
			return err
		}
	}
	for _, id := range ids {
		letter, err := e.letter(ctx, id)
		if err != nil {
			return err
		}
		if letter == nil {
			continue
		}
		if err := e.visit(ports.Stored{Letter: letter}); err != nil {
			return err
		}
	}
	return nil
}

func (e *exporting) turn(ctx context.Context, id string) (*domain.Turn, []domain.Status, error) {
	msg, err := e.s.do(ctx, "export", true, func(b rueidis.Builder) rueidis.Completed {
		return b.Hgetall().Key(e.base + ":t:" + id).Build()
	})
	if err != nil {
		return nil, nil, err
	}
	fields, err := msg.AsStrMap()
	if err != nil || fields["d"] == "" {
		return nil, nil, storeErr(ctx, "export", err)
	}
	parts := []string{id, fields["d"]}
	for name, value := range fields {
		if strings.HasPrefix(name, "f:") {
			parts = append(parts, value)
		}
	}
	turn, facts, err := e.s.readTurn(parts)
	if err != nil {
		return nil, nil, storeErr(ctx, "export", err)
	}
	slices.SortFunc(facts, func(a, b fact) int { return cmp.Compare(a.seq, b.seq) })
	var statuses []domain.Status
	for _, f := range facts {
		turn.Observe(f.status)
		statuses = append(statuses, f.status)
	}
	return &turn, statuses, nil
}

// letter reads the dead letter of a turn, if it has one.
func (e *exporting) letter(ctx context.Context, id string) (*ports.DeadLetter, error) {
	msg, err := e.s.do(ctx, "export", true, func(b rueidis.Builder) rueidis.Completed {
		return b.Zscore().Key(e.base + ":dead").Member(id).Build()
	})
	if err != nil || msg.IsNil() {
		return nil, err
	}
	at, err := msg.AsFloat64()
	if err != nil {
		return nil, storeErr(ctx, "export", err)
	}
	turn, _, err := e.turn(ctx, id)
	if err != nil || turn == nil {
		return nil, err
	}
	letter := &ports.DeadLetter{Turn: *turn, At: time.UnixMicro(int64(at))}
	entries, err := e.list(ctx, func(b rueidis.Builder) rueidis.Completed {
		return b.Lrange().Key(e.base + ":t:" + id + ":dm").Start(0).Stop(-1).Build()
	})
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		parts := strings.SplitN(entry, "|", 4)
		if len(parts) != 4 {
			return nil, storeErr(ctx, "export", record.ErrMalformed)
		}
		m, err := e.s.sealer.DecodeMessage([]byte(parts[3]), parts[0])
		if err != nil {
			return nil, storeErr(ctx, "export", err)
		}
		letter.Messages = append(letter.Messages, m)
	}
	return letter, nil
}

func (e *exporting) list(ctx context.Context, build func(rueidis.Builder) rueidis.Completed) ([]string, error) {
	msg, err := e.s.do(ctx, "export", true, build)
	if err != nil {
		return nil, err
	}
	out, err := stringsOf(msg)
	return out, storeErr(ctx, "export", err)
}

// text reads one value; "" when there is none.
func (e *exporting) text(ctx context.Context, build func(rueidis.Builder) rueidis.Completed) (string, error) {
	msg, err := e.s.do(ctx, "export", true, build)
	if err != nil || msg.IsNil() {
		return "", err
	}
	out, err := msg.ToString()
	if err != nil {
		return "", storeErr(ctx, "export", errors.Join(err, errors.New("unexpected answer")))
	}
	return out, nil
}
