package redisstore

import (
	"context"
	"errors"
	"hash/fnv"
	"strconv"

	"github.com/redis/rueidis"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// All budgets of a day live in one slot, that of the day, so that one script judges
// the user's, the number's and the common one together. A day's turns meet there; a
// server does some tens of thousands of such scripts a second.

func (s *Store) dayPart(day string) int {
	h := fnv.New64a()
	_, _ = h.Write([]byte(day))                      // never fails
	return int(h.Sum64() % uint64(s.opt.Partitions)) // #nosec G115 -- below the number of partitions
}

func (s *Store) payerArgs(id string, p ports.Payer) []string {
	user := ""
	if p.User != "" {
		user = s.names.Of("payer", p.User)
	}
	return []string{p.Day, id, user, string(p.Number), strconv.FormatInt(ports.BudgetRetention.Milliseconds(), 10)}
}

func units(m domain.Money) string { return strconv.FormatInt(int64(m), 10) }

// Reserve implements ports.LedgerPort. It is confirmed as Options.Ack says.
func (s *Store) Reserve(ctx context.Context, r ports.Reservation) (ports.Standing, error) {
	if r.ID == "" || r.Day == "" || len(r.Steps) == 0 || r.TTL <= 0 {
		return ports.Standing{}, invalid("reserve", errors.New("a reservation needs an id, a day, a step and a time"))
	}
	args := append(s.payerArgs(r.ID, r.Payer), units(r.Caps.User), units(r.Caps.Number), units(r.Caps.Total), micros(r.TTL))
	for _, step := range r.Steps {
		args = append(args, units(step.Amount), strconv.Itoa(step.Below), strconv.Itoa(step.From), flag(step.Once))
	}
	return s.ledger(ctx, "reserve", call{sc: scReserve, part: s.dayPart(r.Day), args: args, durable: true})
}

// Settle implements ports.LedgerPort.
func (s *Store) Settle(ctx context.Context, t ports.Settlement) (ports.Standing, error) {
	if t.ID == "" || t.Day == "" || t.Amount < 0 {
		return ports.Standing{}, invalid("settle", errors.New("a settlement needs an id, a day and an amount"))
	}
	args := append(s.payerArgs(t.ID, t.Payer), units(t.Amount))
	return s.ledger(ctx, "settle", call{sc: scSettle, part: s.dayPart(t.Day), args: args, durable: true})
}

func (s *Store) ledger(ctx context.Context, op string, c call) (ports.Standing, error) {
	msg, err := s.run(ctx, op, c)
	if err != nil {
		return ports.Standing{}, err
	}
	out, err := stringsOf(msg)
	if err != nil || len(out) != 7 {
		return ports.Standing{}, storeErr(ctx, op, errors.Join(err, errors.New("unexpected answer")))
	}
	var v [7]int64
	for i, text := range out {
		if v[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return ports.Standing{}, storeErr(ctx, op, errors.New("unexpected answer"))
		}
	}
	of := func(i int) ports.Budgets {
		return ports.Budgets{User: domain.Money(v[i]), Number: domain.Money(v[i+1]), Total: domain.Money(v[i+2])}
	}
	return ports.Standing{Step: int(v[0]), Before: of(1), Spent: of(4)}, nil
}

// Book implements ports.LedgerPort.
func (s *Store) Book(ctx context.Context, day string, entries []ports.Entry) error {
	if day == "" {
		return invalid("book", errors.New("there is no day"))
	}
	if len(entries) == 0 {
		return ports.FromContext(ctx, opName("book"))
	}
	args := []string{day, strconv.FormatInt(ports.BooksRetention.Milliseconds(), 10)}
	for _, e := range entries {
		for _, f := range figures {
			if n := f.of(&e); n != 0 {
				args = append(args, fieldOf(f.name, &e), strconv.FormatInt(n, 10))
			}
		}
	}
	if len(args) == 2 {
		return nil
	}
	_, err := s.run(ctx, "book", call{sc: scBook, part: s.dayPart(day), args: args, durable: true})
	return err
}

// Spending implements ports.LedgerPort.
func (s *Store) Spending(ctx context.Context, days []string) ([]ports.Entry, error) {
	if len(days) > ports.MaxSpendingDays {
		return nil, invalid("spending", errors.New("too many days are asked for at once"))
	}
	var out []ports.Entry
	for _, day := range days {
		msg, err := s.do(ctx, "spending", true, func(b rueidis.Builder) rueidis.Completed {
			return b.Hgetall().Key(s.base(s.dayPart(day)) + ":ls:" + day).Build()
		})
		if err != nil {
			return nil, err
		}
		fields, err := msg.AsIntMap()
		if err != nil {
			return nil, storeErr(ctx, "spending", errors.New("unexpected answer"))
		}
		out = append(out, booked(day, fields)...)
	}
	return out, nil
}
