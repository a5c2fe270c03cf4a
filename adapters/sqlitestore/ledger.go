package sqlitestore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Kinds of budgets; 3 marks that a user was granted a step of once a day.
const (
	budgetUser = iota
	budgetNumber
	budgetTotal
)

// payer is a ports.Payer as the tables name it. Of the user only a hash is kept: it
// leads nowhere once the person is erased.
type payer struct {
	day   string
	names [3]string
}

func payerOf(p ports.Payer) payer {
	out := payer{day: p.Day, names: [3]string{budgetNumber: string(p.Number)}}
	if p.User != "" {
		sum := sha256.Sum256([]byte("payer\x00" + p.User))
		out.names[budgetUser] = hex.EncodeToString(sum[:16])
	}
	return out
}

// balance reads the three budgets of a payer.
func (w *writer) balance(p payer) (spent, held [3]domain.Money, err error) {
	for kind, name := range p.names {
		if _, err := w.row(stBudget, []any{p.day, kind, name}, &spent[kind], &held[kind]); err != nil {
			return spent, held, err
		}
	}
	return spent, held, nil
}

// move changes the three budgets of a payer. A user without a name has none.
func (w *writer) move(p payer, spent, held domain.Money) error {
	for kind, name := range p.names {
		if kind == budgetUser && name == "" {
			continue
		}
		if _, err := w.exec(stTouchBudget, p.day, kind, name, int64(spent), int64(held), w.now); err != nil {
			return err
		}
	}
	return nil
}

// drop forgets a reservation. When it lapsed, it counts as spent.
func (w *writer) drop(id string, lapsed bool) error {
	var p payer
	var amount domain.Money
	found, err := w.row(stReserved, []any{id}, &p.day, &p.names[budgetUser], &p.names[budgetNumber], &amount)
	if err != nil || !found {
		return err
	}
	if _, err := w.exec(stDropReserved, id); err != nil {
		return err
	}
	spent := domain.Money(0)
	if lapsed {
		spent = amount
	}
	return w.move(p, spent, -amount)
}

// maxLapsed bounds what one call clears away; the next goes on.
const maxLapsed = 100

func (w *writer) lapse(day string) error {
	for range maxLapsed {
		var id string
		found, err := w.row(stLapsed, []any{day, w.now}, &id)
		if err != nil || !found {
			return err
		}
		if err := w.drop(id, true); err != nil {
			return err
		}
	}
	return nil
}

func budgetsOf(all [3]domain.Money) ports.Budgets {
	return ports.Budgets{User: all[budgetUser], Number: all[budgetNumber], Total: all[budgetTotal]}
}

// Reserve implements ports.LedgerPort. It costs one durable write.
func (s *Store) Reserve(ctx context.Context, r ports.Reservation) (ports.Standing, error) {
	if r.ID == "" || r.Day == "" || len(r.Steps) == 0 || r.TTL <= 0 {
		return ports.Standing{}, invalid("reserve", errors.New("a reservation needs an id, a day, a step and a time"))
	}
	var out ports.Standing
	err := s.do(ctx, "reserve", 1, func(w *writer) (err error) {
		out, err = w.reserve(r)
		return err
	})
	return out, err
}

func (w *writer) reserve(r ports.Reservation) (ports.Standing, error) {
	out, p := ports.Standing{Step: -1}, payerOf(r.Payer)
	before, _, err := w.balance(p)
	if err != nil {
		return out, err
	}
	if err := w.lapse(r.Day); err != nil {
		return out, err
	}
	spent, held, err := w.balance(p)
	if err != nil {
		return out, err
	}
	out.Before, out.Spent = budgetsOf(before), budgetsOf(spent)
	own, err := w.own(r.ID, p)
	if err != nil {
		return out, err
	}
	caps := [3]domain.Money{r.Caps.User, r.Caps.Number, r.Caps.Total}
	for i, step := range r.Steps {
		if !allows(caps, spent, held, own, step) {
			continue
		}
		if step.Once {
			first, err := w.exec(stOnce, p.day, p.names[budgetUser], w.now)
			if err != nil {
				return out, err
			}
			if first == 0 {
				continue
			}
		}
		if err := w.drop(r.ID, false); err != nil {
			return out, err
		}
		if err := w.move(p, 0, step.Amount); err != nil {
			return out, err
		}
		out.Step = i
		_, err := w.exec(stSetReserved, r.ID, p.day, p.names[budgetUser], p.names[budgetNumber], int64(step.Amount), w.now+int64(r.TTL))
		return out, err
	}
	return out, nil
}

// own is what of a payer's budgets a reservation has set aside already.
func (w *writer) own(id string, p payer) (out [3]domain.Money, err error) {
	var was payer
	var amount domain.Money
	_, err = w.row(stReserved, []any{id}, &was.day, &was.names[budgetUser], &was.names[budgetNumber], &amount)
	for kind := range out {
		if was.day == p.day && was.names[kind] == p.names[kind] {
			out[kind] = amount
		}
	}
	return out, err
}

// allows applies the rule of ports.LedgerPort to one step.
func allows(caps, spent, held, own [3]domain.Money, step ports.Step) bool {
	late := step.From == 0
	for k, limit := range caps {
		others := held[k] - own[k]
		if limit > 0 && (spent[k] >= limit/100*domain.Money(step.Below) || spent[k]+others+step.Amount > limit && others > 0) {
			return false
		}
		late = late || limit > 0 && spent[k] >= limit/100*domain.Money(step.From)
	}
	return late
}

// Settle implements ports.LedgerPort. It costs one durable write.
func (s *Store) Settle(ctx context.Context, t ports.Settlement) (ports.Standing, error) {
	if t.ID == "" || t.Day == "" || t.Amount < 0 {
		return ports.Standing{}, invalid("settle", errors.New("a settlement needs an id, a day and an amount"))
	}
	var out ports.Standing
	err := s.do(ctx, "settle", 1, func(w *writer) error {
		p := payerOf(t.Payer)
		before, _, err := w.balance(p)
		if err != nil {
			return err
		}
		if err := w.drop(t.ID, false); err != nil {
			return err
		}
		if err := w.lapse(t.Day); err != nil {
			return err
		}
		if err := w.move(p, t.Amount, 0); err != nil {
			return err
		}
		spent, _, err := w.balance(p)
		out = ports.Standing{Before: budgetsOf(before), Spent: budgetsOf(spent)}
		return err
	})
	return out, err
}
