package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// metered puts the turn's meter into the context of everything that is done for it.
func (s *session) metered(ctx context.Context) context.Context {
	s.meter, s.carried = &meter{}, s.turn.Expenses()
	if s.budgeted() {
		s.meter.more = s.more
	}
	return ports.WithMeter(ctx, s.meter)
}

// charge notes in the turn what it cost so far; the next write of the turn carries it.
func (s *session) charge() {
	spent := s.meter.sum()
	if len(spent) == 0 {
		return
	}
	all := s.carried
	for _, e := range spent {
		all = all.Plus(e)
	}
	s.turn.Charge(all)
}

// posted notes that a message was sent, or may have been. The books have its price from
// the status that tells it; the budgets count what is expected, since they cannot wait.
func (s *session) posted(doubtful bool) {
	e := domain.Expense{Stage: domain.StageSend, Vendor: domain.StageSend, Calls: 1}
	known := false
	if e.Cost, known = s.opt.Budget.fee(s.turn.To()); !known {
		e.Unpriced = 1
	}
	if doubtful {
		e.Doubtful, e.DoubtfulCost = 1, e.Cost
	}
	s.meter.End(0, e)
}

// account ends this taking up of the turn: the budgets are settled and the books told.
// It comes after everything else, so that no user waits for it. Money that cannot be
// settled counts as spent once its time has passed.
func (s *session) account(ctx context.Context) {
	spent := s.meter.sum()
	s.deps.Books.add(s.started, s.turn.Number(), slices.DeleteFunc(slices.Clone(spent), func(e domain.Expense) bool { return e.Stage == domain.StageSend }))
	if !s.budgeted() || !s.holds && spent.Cost() == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeBudget)
	defer cancel()
	standing, err := s.deps.Ledger.Settle(ctx, ports.Settlement{ID: s.reservationID(), Payer: s.payer(), Amount: spent.Cost()})
	if err != nil {
		s.event(ports.StageTrouble, 0, "a turn's money is not settled", err)
		return
	}
	s.crossed(standing)
}

// checkMoney reports what a responder lacks to keep to its budgets.
func checkMoney(deps Deps, opt Options) error {
	limited := opt.Budget.Day > 0
	deps.Personas.each(func(p *Persona) { limited = limited || p.Allowance.User > 0 || p.Allowance.Number > 0 })
	if !limited {
		return nil
	}
	if deps.Ledger == nil {
		return errors.New("responder: budgets need a ledger")
	}
	if err := opt.Budget.check(); err != nil {
		return fmt.Errorf("responder: %w", err)
	}
	return nil
}

// each visits every persona.
func (p *Personas) each(visit func(*Persona)) {
	for _, one := range p.numbers {
		visit(one)
	}
	if p.others != nil {
		visit(p.others)
	}
}
