package porttest_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"whatsappnode/adapters/fake"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// brokenLedgers maps each broken ledger to what makes it.
var brokenLedgers = map[string]func(good *fake.Store) ports.LedgerPort{
	"grants everything":           func(s *fake.Store) ports.LedgerPort { return generous{s} },
	"grants the last step":        func(s *fake.Store) ports.LedgerPort { return lastStep{s} },
	"knows one budget":            func(s *fake.Store) ports.LedgerPort { return totalOnly{s} },
	"percent ignored":             func(s *fake.Store) ports.LedgerPort { return stepper{s, func(st *ports.Step) { st.Below = 100 }} },
	"from ignored":                func(s *fake.Store) ports.LedgerPort { return stepper{s, func(st *ports.Step) { st.From = 0 }} },
	"amount ignored":              func(s *fake.Store) ports.LedgerPort { return stepper{s, func(st *ports.Step) { st.Amount = 0 }} },
	"once every time":             func(s *fake.Store) ports.LedgerPort { return stepper{s, func(st *ports.Step) { st.Once = false }} },
	"all days are one":            func(s *fake.Store) ports.LedgerPort { return oneDay{s} },
	"all users are one":           func(s *fake.Store) ports.LedgerPort { return oneUser{s} },
	"reservations never lapse":    func(s *fake.Store) ports.LedgerPort { return patient{s} },
	"settling keeps reservation":  func(s *fake.Store) ports.LedgerPort { return keepsHeld{s} },
	"settling forgets the amount": func(s *fake.Store) ports.LedgerPort { return forgetsAmount{s} },
	"racy reserve":                func(s *fake.Store) ports.LedgerPort { return &racyLedger{Store: s} },
	"standing of later":           func(s *fake.Store) ports.LedgerPort { return noBefore{s} },
	"ledger deaf to context":      func(s *fake.Store) ports.LedgerPort { return deafLedger{s} },
	"amounts rounded":             func(s *fake.Store) ports.LedgerPort { return rounded{s} },
	"books overwritten":           func(s *fake.Store) ports.LedgerPort { return &overwriter{Store: s} },
	"books without sound":         func(s *fake.Store) ports.LedgerPort { return silentBooks{s} },
	"books of all days":           func(s *fake.Store) ports.LedgerPort { return allDays{s} },
	"days unbounded":              func(s *fake.Store) ports.LedgerPort { return manyDays{s} },
}

func TestLedgerRejectsBrokenStores(t *testing.T) {
	rejects(t, map[string]string{
		"grants everything":           "CapRefuses",
		"grants the last step":        "FirstStepIsGranted",
		"knows one budget":            "EachBudgetHasItsCap",
		"percent ignored":             "StepIsPassedOverAbovePercent",
		"from ignored":                "StepIsPassedOverBelowFrom",
		"amount ignored":              "ReservationsOfOthersCount",
		"once every time":             "OnceIsOnceAUserAndDay",
		"all days are one":            "DaysAreApart",
		"all users are one":           "UsersAndNumbersAreApart",
		"reservations never lapse":    "LapsedReservationIsSpent",
		"settling keeps reservation":  "SettlingReplacesReservation",
		"settling forgets the amount": "SettlingWithoutReservationAdds",
		"racy reserve":                "ConcurrentReservesKeepTheCap",
		"standing of later":           "StandingTellsBeforeAndAfter",
		"ledger deaf to context":      "EndedContextChangesNothing",
		"amounts rounded":             "LargeAmountsAreExact",
		"books overwritten":           "BooksAddUp",
		"books without sound":         "BooksKeepEveryFigure",
		"books of all days":           "BooksComeInOrderOfDays",
		"days unbounded":              "InvalidIsRefused",
	}, func(t *testing.T, name string) {
		porttest.TestLedger(t, porttest.LedgerHarness{
			New:     func(*testing.T) ports.LedgerPort { return brokenLedgers[name](fake.NewStore(fake.StoreOptions{})) },
			Advance: func(_ *testing.T, d time.Duration) { time.Sleep(d) },
			Wrap:    synctest.Test,
		})
	})
}

type (
	generous  struct{ *fake.Store }
	lastStep  struct{ *fake.Store }
	totalOnly struct{ *fake.Store }
	stepper   struct {
		*fake.Store
		spoil func(*ports.Step)
	}
	oneDay        struct{ *fake.Store }
	oneUser       struct{ *fake.Store }
	patient       struct{ *fake.Store }
	keepsHeld     struct{ *fake.Store }
	forgetsAmount struct{ *fake.Store }
	racyLedger    struct{ *fake.Store }
	noBefore      struct{ *fake.Store }
	deafLedger    struct{ *fake.Store }
	rounded       struct{ *fake.Store }
	overwriter    struct{ *fake.Store }
	silentBooks   struct{ *fake.Store }
	allDays       struct{ *fake.Store }
	manyDays      struct{ *fake.Store }
)

func (s generous) Reserve(ctx context.Context, r ports.Reservation) (ports.Standing, error) {
	r.Caps = ports.Budgets{}
	return s.Store.Reserve(ctx, r)
}

func (s lastStep) Reserve(ctx context.Context, r ports.Reservation) (ports.Standing, error) {
	if len(r.Steps) > 1 {
		r.Steps = r.Steps[len(r.Steps)-1:]
		out, err := s.Store.Reserve(ctx, r)
		if out.Step == 0 {
			out.Step = 1
		}
		return out, err
	}
	return s.Store.Reserve(ctx, r)
}

func (s totalOnly) Reserve(ctx context.Context, r ports.Reservation) (ports.Standing, error) {
	r.Caps.User, r.Caps.Number = 0, 0
	return s.Store.Reserve(ctx, r)
}

func (s stepper) Reserve(ctx context.Context, r ports.Reservation) (ports.Standing, error) {
	steps := append([]ports.Step(nil), r.Steps...)
	for i := range steps {
		s.spoil(&steps[i])
	}
	r.Steps = steps
	return s.Store.Reserve(ctx, r)
}

func (s oneDay) Reserve(ctx context.Context, r ports.Reservation) (ports.Standing, error) {
	if r.Day != "" {
		r.Day = "2027-03-01"
	}
	return s.Store.Reserve(ctx, r)
}

func (s oneUser) Reserve(ctx context.Context, r ports.Reservation) (ports.Standing, error) {
	r.User = "conv-1"
	return s.Store.Reserve(ctx, r)
}

func (s patient) Reserve(ctx context.Context, r ports.Reservation) (ports.Standing, error) {
	if r.TTL > 0 {
		r.TTL = 1000 * time.Hour
	}
	return s.Store.Reserve(ctx, r)
}

func (s keepsHeld) Settle(ctx context.Context, t ports.Settlement) (ports.Standing, error) {
	if t.ID != "" {
		t.ID += "-other"
	}
	return s.Store.Settle(ctx, t)
}

func (s forgetsAmount) Settle(ctx context.Context, t ports.Settlement) (ports.Standing, error) {
	t.Amount = min(t.Amount, 0)
	return s.Store.Settle(ctx, t)
}

// Reserve looks first and takes later.
func (s *racyLedger) Reserve(ctx context.Context, r ports.Reservation) (ports.Standing, error) {
	look := r
	look.ID += "-look"
	out, err := s.Store.Reserve(ctx, look)
	if err != nil || out.Step < 0 {
		return out, err
	}
	if _, err := s.Settle(ctx, ports.Settlement{ID: look.ID, Payer: r.Payer}); err != nil {
		return out, err
	}
	runtime.Gosched()
	time.Sleep(time.Nanosecond)
	r.Caps, r.Steps = ports.Budgets{}, r.Steps[out.Step:out.Step+1]
	if _, err := s.Store.Reserve(ctx, r); err != nil {
		return out, err
	}
	return out, nil
}

func (s noBefore) Settle(ctx context.Context, t ports.Settlement) (ports.Standing, error) {
	out, err := s.Store.Settle(ctx, t)
	out.Before = out.Spent
	return out, err
}

func (s deafLedger) Reserve(ctx context.Context, r ports.Reservation) (ports.Standing, error) {
	return s.Store.Reserve(context.WithoutCancel(ctx), r)
}

func (s rounded) Settle(ctx context.Context, t ports.Settlement) (ports.Standing, error) {
	if t.Amount > domain.Dollar {
		t.Amount = t.Amount / 1000 * 1000
	}
	return s.Store.Settle(ctx, t)
}

// Book forgets what was there before.
func (s *overwriter) Book(ctx context.Context, day string, entries []ports.Entry) error {
	if len(entries) > 0 {
		had, err := s.Spending(ctx, []string{day})
		if err != nil {
			return err
		}
		var back []ports.Entry
		for _, e := range had {
			back = append(back, ports.Entry{Number: e.Number, Expense: domain.Expense{Stage: e.Stage, Vendor: e.Vendor, Cost: -e.Cost}})
		}
		if err := s.Store.Book(ctx, day, back); err != nil {
			return err
		}
	}
	return s.Store.Book(ctx, day, entries)
}

func (s silentBooks) Spending(ctx context.Context, days []string) ([]ports.Entry, error) {
	out, err := s.Store.Spending(ctx, days)
	for i := range out {
		out[i].Heard = 0
	}
	return out, err
}

func (s allDays) Spending(ctx context.Context, days []string) ([]ports.Entry, error) {
	if len(days) > 1 && len(days) <= ports.MaxSpendingDays {
		days = []string{"2027-03-01", "2027-03-02"}
	}
	return s.Store.Spending(ctx, days)
}

func (s manyDays) Spending(ctx context.Context, days []string) ([]ports.Entry, error) {
	return s.Store.Spending(ctx, days[:min(len(days), ports.MaxSpendingDays)])
}
