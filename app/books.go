package app

import (
	"context"
	"sync"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Books gathers what turns spend and writes it to the store's books now and then, in
// one write for all of them, so that a turn does not wait for it. What a process has
// not written when it is killed, a few seconds' worth, is missing from the books; the
// turns themselves know it. Its methods may be called concurrently, and those of a nil
// Books do nothing.
type Books struct {
	ledger ports.LedgerPort
	// failed is told of a write that failed; it is tried again with the next one.
	failed func(error)
	zone   *time.Location
	fee    Fee

	mu      sync.Mutex
	waiting map[string]map[domain.NumberID]domain.Expenses // by day
}

// Fee says what Meta charges for a message to a person, and whether that is known.
// Category is Meta's word, "service"; the phone number may be empty.
type Fee func(phone domain.Phone, category string) (domain.Money, bool)

// Figures of the books.
const (
	// bookEvery is how often what was gathered is written.
	bookEvery = 5 * time.Second
	// maxBookDays bounds what is gathered while the store takes nothing.
	maxBookDays = 10
)

// NewBooks makes books whose days begin at midnight in a zone. Nothing is written
// until Run is called.
func NewBooks(ledger ports.LedgerPort, zone *time.Location, fee Fee, failed func(error)) *Books {
	return &Books{ledger: ledger, zone: zone, fee: fee, failed: failed, waiting: map[string]map[domain.NumberID]domain.Expenses{}}
}

// dayOf names the day of a moment.
func dayOf(at time.Time, zone *time.Location) string { return at.In(zone).Format(time.DateOnly) }

// add books expenses on the day of a moment.
func (b *Books) add(at time.Time, number domain.NumberID, all domain.Expenses) {
	if b == nil || len(all) == 0 {
		return
	}
	day := dayOf(at, b.zone)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting[day] == nil {
		if len(b.waiting) >= maxBookDays {
			return
		}
		b.waiting[day] = map[domain.NumberID]domain.Expenses{}
	}
	for _, e := range all {
		b.waiting[day][number] = b.waiting[day][number].Plus(e)
	}
}

// message books what Meta says a message costs. One that is not billed is booked
// without a price.
func (b *Books) message(s domain.Status) {
	if b == nil || s.Pricing == nil {
		return
	}
	e := domain.Expense{Stage: domain.StageSend, Vendor: domain.StageSend, Calls: 1}
	if s.Pricing.Billable {
		known := false
		if e.Cost, known = b.fee(s.Recipient.Phone, s.Pricing.Category); !known {
			e.Unpriced = 1
		}
	}
	b.add(time.Now(), s.Number, domain.Expenses{e})
}

// Run writes until ctx ends, then what waits still, and returns nil. It is called once.
func (b *Books) Run(ctx context.Context) error {
	tick := time.NewTicker(bookEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			b.write(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeBudget)
			defer cancel()
			b.write(last)
			return nil
		}
	}
}

// write hands what was gathered to the store. What the store does not take is kept.
func (b *Books) write(ctx context.Context) {
	b.mu.Lock()
	all := b.waiting
	b.waiting = map[string]map[domain.NumberID]domain.Expenses{}
	b.mu.Unlock()
	for day, numbers := range all {
		var entries []ports.Entry
		for number, expenses := range numbers {
			for _, e := range expenses {
				entries = append(entries, ports.Entry{Day: day, Number: number, Expense: e})
			}
		}
		ctx, cancel := context.WithTimeout(ctx, storeBudget)
		err := b.ledger.Book(ctx, day, entries)
		cancel()
		if err == nil {
			continue
		}
		b.failed(err)
		b.keep(day, entries)
	}
}

// keep takes entries back for the next write.
func (b *Books) keep(day string, entries []ports.Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting[day] == nil {
		b.waiting[day] = map[domain.NumberID]domain.Expenses{}
	}
	for _, e := range entries {
		b.waiting[day][e.Number] = b.waiting[day][e.Number].Plus(e.Expense)
	}
}
