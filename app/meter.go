package app

import (
	"context"
	"sync"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// meter follows what one taking up of a turn spends. It implements ports.Meter. With a
// budget it lets attempts pass as long as what was spent and what is under way stay
// within the money set aside, and asks the store for more when they would not.
type meter struct {
	mu      sync.Mutex
	spent   domain.Expenses
	pending domain.Money // begun and not ended
	granted domain.Money // set aside in the store
	// more asks for a larger reservation that covers at least need; nil: there is no
	// budget.
	more func(ctx context.Context, need domain.Money) (granted domain.Money, err error)
	// asking keeps those that need more in line, so that the store is asked once.
	asking sync.Mutex
}

// Begin implements ports.Meter.
func (m *meter) Begin(ctx context.Context, expected domain.Money) error {
	if m.more == nil || m.covers(expected) {
		return nil
	}
	m.asking.Lock()
	defer m.asking.Unlock()
	if m.covers(expected) { // whoever was before us has asked for enough
		return nil
	}
	m.mu.Lock()
	need := m.spent.Cost() + m.pending + expected
	m.mu.Unlock()
	granted, err := m.more(ctx, need)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.granted = granted
	m.pending += expected
	return nil
}

// covers sets an attempt under way if what is set aside covers it.
func (m *meter) covers(expected domain.Money) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.spent.Cost()+m.pending+expected > m.granted {
		return false
	}
	m.pending += expected
	return true
}

// End implements ports.Meter.
func (m *meter) End(expected domain.Money, e domain.Expense) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.more != nil {
		m.pending -= expected
	}
	m.spent = m.spent.Plus(e)
}

// sum is what was spent so far.
func (m *meter) sum() domain.Expenses {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.spent // Plus never changes it in place
}

// reserved takes note of what was set aside before anything is bought.
func (m *meter) reserved(amount domain.Money) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.granted = amount
}

// committed is what was spent or is under way.
func (m *meter) committed() domain.Money {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.spent.Cost() + m.pending
}

var _ ports.Meter = (*meter)(nil)
