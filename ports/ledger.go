package ports

import (
	"context"
	"time"

	"whatsappnode/domain"
)

// LedgerPort keeps budgets and books, for all processes together. Its four methods are
// two pairs over the same days: Reserve and Settle guard a day's budgets, Book and
// Spending keep what was spent for people to read.
//
// A day is a date such as "2026-11-22"; which moment belongs to which is the caller's.
// All methods may be called concurrently. A store that cannot tell answers
// KindTransient, and then nothing may be spent. None of them is repeated by the store
// once it may have happened.
type LedgerPort interface {
	// Reserve sets money of a day's budgets aside before it is spent. It takes the
	// first of the steps for which, in each budget that has a cap, less than Below
	// percent of the cap are spent, and the step's amount either fits beside what was
	// spent and what others have set aside, or is the only one set aside: spending passes
	// a cap by one reservation at most, as long as nobody spends more than reserved. It
	// all happens in one atomic step.
	//
	// A second call with the same ID replaces the reservation when a step is granted,
	// and else leaves it as it was. A reservation that is not settled within its TTL
	// counts as spent from then on: its owner may have spent it before it died.
	Reserve(ctx context.Context, r Reservation) (Standing, error)
	// Settle ends a reservation, if there is one, and adds what was spent in its place.
	Settle(ctx context.Context, s Settlement) (Standing, error)
	// Book adds expenses to the books of a day. The books are kept for BooksRetention.
	Book(ctx context.Context, day string, entries []Entry) error
	// Spending returns what was booked on the given days, in their order, at most
	// MaxSpendingDays of them; more are KindInvalid.
	Spending(ctx context.Context, days []string) ([]Entry, error)
}

const (
	// BudgetRetention is how long after its last use the store knows a day's budgets.
	BudgetRetention = 3 * 24 * time.Hour
	// BooksRetention is how long after its last use the store knows a day's books.
	BooksRetention = 400 * 24 * time.Hour
	// MaxSpendingDays bounds one question.
	MaxSpendingDays = 400
)

// Payer says whose budgets a turn is paid from: those of the user, of the business
// number and of all together, on one day. User is an opaque key, empty when the
// user's budget has no cap.
type Payer struct {
	Day    string
	User   string
	Number domain.NumberID
}

// Budgets are amounts for each of a payer's three budgets.
type Budgets struct{ User, Number, Total domain.Money }

// Step is one way to go on, with its price.
type Step struct {
	Amount domain.Money
	// Below is a percentage of the cap: the step is passed over where as much is spent.
	Below int
	// From is one, too: the step is passed over unless as much is spent of at least one
	// budget with a cap.
	From int
	// Once grants the step only once a user and day.
	Once bool
}

// Reservation asks for money.
type Reservation struct {
	ID string
	Payer
	// Caps are the day's limits; zero is none.
	Caps  Budgets
	Steps []Step
	TTL   time.Duration
}

// Settlement says what was spent.
type Settlement struct {
	ID string
	Payer
	Amount domain.Money
}

// Standing is how a payer's budgets stand after a call.
type Standing struct {
	// Step is the index of the step that was granted, or -1. Settle leaves it 0.
	Step int
	// Before is what was spent when the call came, Spent what it is now, with
	// reservations that were left unsettled. A budget without a cap may be zero.
	Before, Spent Budgets
}

// Entry is an expense of a business number.
type Entry struct {
	Day    string
	Number domain.NumberID
	domain.Expense
}
