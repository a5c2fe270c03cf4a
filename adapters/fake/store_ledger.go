package fake

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// purse is one budget of a day: whose it is, what was spent and what is set aside.
type purse struct{ spent, held domain.Money }

type purseKey struct {
	day, user string
	number    domain.NumberID
}

type reserved struct {
	ports.Payer
	amount domain.Money
	until  time.Time
}

// ledger is the store's money. Days are never forgotten: a test does not live long.
type ledger struct {
	purses   map[purseKey]*purse
	reserved map[string]reserved
	once     map[purseKey]bool
	books    map[string]map[domain.NumberID]domain.Expenses
}

func newLedger() ledger {
	return ledger{
		purses: map[purseKey]*purse{}, reserved: map[string]reserved{}, once: map[purseKey]bool{},
		books: map[string]map[domain.NumberID]domain.Expenses{},
	}
}

// of are the purses a payer pays from: the user's, the number's and the day's. The
// user's is nobody's where no user is named.
func (l *ledger) of(p ports.Payer) [3]*purse {
	keys := [3]purseKey{{day: p.Day, user: p.User}, {day: p.Day, number: p.Number}, {day: p.Day}}
	var out [3]*purse
	for i, k := range keys {
		if i == 0 && p.User == "" {
			out[i] = &purse{}
			continue
		}
		if l.purses[k] == nil {
			l.purses[k] = &purse{}
		}
		out[i] = l.purses[k]
	}
	return out
}

func spentOf(all [3]*purse) ports.Budgets {
	return ports.Budgets{User: all[0].spent, Number: all[1].spent, Total: all[2].spent}
}

// drop forgets a reservation and adds what was spent in its place.
func (l *ledger) drop(id string, spent domain.Money) {
	r, ok := l.reserved[id]
	if !ok {
		return
	}
	delete(l.reserved, id)
	for _, p := range l.of(r.Payer) {
		p.held, p.spent = p.held-r.amount, p.spent+spent
	}
}

func (l *ledger) lapse(day string, now time.Time) {
	for id, r := range l.reserved {
		if r.Day == day && !r.until.After(now) {
			l.drop(id, r.amount)
		}
	}
}

// Reserve implements ports.LedgerPort.
func (s *Store) Reserve(ctx context.Context, r ports.Reservation) (ports.Standing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx, "reserve"); err != nil {
		return ports.Standing{}, err
	}
	if r.ID == "" || r.Day == "" || len(r.Steps) == 0 || r.TTL <= 0 {
		return ports.Standing{}, storeError("reserve", ports.KindInvalid, errors.New("a reservation needs an id, a day, a step and a time"))
	}
	now := time.Now()
	purses := s.ledger.of(r.Payer)
	out := ports.Standing{Step: -1, Before: spentOf(purses)}
	s.ledger.lapse(r.Day, now)
	out.Spent = spentOf(purses)
	own := [3]domain.Money{}
	if had, ok := s.ledger.reserved[r.ID]; ok {
		for k, p := range s.ledger.of(had.Payer) {
			if p == purses[k] {
				own[k] = had.amount
			}
		}
	}
	mark := purseKey{day: r.Day, user: r.User}
	for i, step := range r.Steps {
		if step.Once && s.ledger.once[mark] {
			continue
		}
		granted, late := true, step.From == 0
		for k, limit := range []domain.Money{r.Caps.User, r.Caps.Number, r.Caps.Total} {
			others := purses[k].held - own[k]
			spent := purses[k].spent
			if limit > 0 && (spent >= limit/100*domain.Money(step.Below) || spent+others+step.Amount > limit && others > 0) {
				granted = false
			}
			late = late || limit > 0 && spent >= limit/100*domain.Money(step.From)
		}
		if granted && late {
			s.ledger.drop(r.ID, 0)
			for _, p := range s.ledger.of(r.Payer) {
				p.held += step.Amount
			}
			s.ledger.reserved[r.ID] = reserved{Payer: r.Payer, amount: step.Amount, until: now.Add(r.TTL)}
			s.ledger.once[mark] = s.ledger.once[mark] || step.Once
			out.Step = i
			break
		}
	}
	return out, nil
}

// Settle implements ports.LedgerPort.
func (s *Store) Settle(ctx context.Context, t ports.Settlement) (ports.Standing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx, "settle"); err != nil {
		return ports.Standing{}, err
	}
	if t.ID == "" || t.Day == "" || t.Amount < 0 {
		return ports.Standing{}, storeError("settle", ports.KindInvalid, errors.New("a settlement needs an id, a day and an amount"))
	}
	purses := s.ledger.of(t.Payer)
	out := ports.Standing{Before: spentOf(purses)}
	s.ledger.drop(t.ID, 0)
	s.ledger.lapse(t.Day, time.Now())
	for _, p := range purses {
		p.spent += t.Amount
	}
	out.Spent = spentOf(purses)
	return out, nil
}

// Book implements ports.LedgerPort.
func (s *Store) Book(ctx context.Context, day string, entries []ports.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx, "book"); err != nil {
		return err
	}
	if day == "" {
		return storeError("book", ports.KindInvalid, errors.New("there is no day"))
	}
	if s.ledger.books[day] == nil {
		s.ledger.books[day] = map[domain.NumberID]domain.Expenses{}
	}
	for _, e := range entries {
		s.ledger.books[day][e.Number] = s.ledger.books[day][e.Number].Plus(e.Expense)
	}
	return nil
}

// Spending implements ports.LedgerPort.
func (s *Store) Spending(ctx context.Context, days []string) ([]ports.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx, "spending"); err != nil {
		return nil, err
	}
	if len(days) > ports.MaxSpendingDays {
		return nil, storeError("spending", ports.KindInvalid, errors.New("too many days"))
	}
	var out []ports.Entry
	for _, day := range days {
		from := len(out)
		for number, all := range s.ledger.books[day] {
			for _, e := range all {
				out = append(out, ports.Entry{Day: day, Number: number, Expense: e})
			}
		}
		slices.SortFunc(out[from:], func(a, b ports.Entry) int {
			return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Vendor, b.Vendor))
		})
	}
	return out, nil
}
