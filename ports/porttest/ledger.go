package porttest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// LedgerHarness says how to make a ledger and how to put it to the test.
type LedgerHarness struct {
	// New makes an empty ledger, which t's cleanup closes.
	New func(t *testing.T) ports.LedgerPort
	// Another makes a second ledger on the same money, as another process has it. Nil
	// skips the case about that, for a store of one process.
	Another func(t *testing.T, l ports.LedgerPort) ports.LedgerPort
	// Reopen closes the ledger and opens it again with what it kept. Nil skips.
	Reopen func(t *testing.T, l ports.LedgerPort) ports.LedgerPort
	// Advance lets d pass, as StoreHarness.Advance does.
	Advance func(t *testing.T, d time.Duration)
	// Unit is far more than any call takes; the longest wait is two of it. One second
	// when zero.
	Unit time.Duration
	// Wrap runs a case, as StoreHarness.Wrap does.
	Wrap func(t *testing.T, fn func(t *testing.T))
}

// TestLedger checks what ports.LedgerPort promises.
func TestLedger(t *testing.T, h LedgerHarness) {
	if h.Unit == 0 {
		h.Unit = time.Second
	}
	for name, fn := range map[string]func(*ledgerCase){
		"FirstStepIsGranted":             ledgerFirst,
		"StepIsPassedOverAbovePercent":   ledgerPercent,
		"StepIsPassedOverBelowFrom":      ledgerFrom,
		"CapRefuses":                     ledgerCap,
		"EachBudgetHasItsCap":            ledgerScopes,
		"NoCapRefusesNothing":            ledgerNoCap,
		"ReservationsOfOthersCount":      ledgerOthers,
		"LoneReservationMayPassTheCap":   ledgerLone,
		"StepThatDoesNotFitIsPassedOver": ledgerFits,
		"SettlingReplacesReservation":    ledgerSettle,
		"SettlingWithoutReservationAdds": ledgerBare,
		"SameIDReplacesReservation":      ledgerReplace,
		"RefusalKeepsReservation":        ledgerRefusalKeeps,
		"LapsedReservationIsSpent":       ledgerLapse,
		"LapsedReservationIsSeenByRest":  ledgerLapseSettle,
		"OnceIsOnceAUserAndDay":          ledgerOnce,
		"DaysAreApart":                   ledgerDays,
		"UsersAndNumbersAreApart":        ledgerApart,
		"StandingTellsBeforeAndAfter":    ledgerStanding,
		"LargeAmountsAreExact":           ledgerExact,
		"ConcurrentReservesKeepTheCap":   ledgerConcurrent,
		"ConcurrentSettlesAllCount":      ledgerConcurrentSettle,
		"BudgetsAreSharedByProcesses":    ledgerShared,
		"MoneySurvivesReopening":         ledgerReopen,
		"InvalidIsRefused":               ledgerInvalid,
		"EndedContextChangesNothing":     ledgerCanceled,
		"BooksAddUp":                     booksAdd,
		"BooksKeepEveryFigure":           booksFigures,
		"BooksOfNoDayAreEmpty":           booksNone,
		"BooksComeInOrderOfDays":         booksOrder,
		"ConcurrentBookingsAllCount":     booksConcurrent,
	} {
		t.Run(name, func(t *testing.T) {
			body := func(t *testing.T) { fn(&ledgerCase{T: t, h: h, l: h.New(t), ctx: t.Context()}) }
			if h.Wrap != nil {
				h.Wrap(t, body)
			} else {
				body(t)
			}
		})
	}
}

type ledgerCase struct {
	*testing.T
	h   LedgerHarness
	l   ports.LedgerPort
	ctx context.Context
}

const (
	day     = "2027-03-01"
	nextDay = "2027-03-02"
)

// ledgerPayer is the suite's usual payer.
var ledgerPayer = ports.Payer{Day: day, User: "conv-1", Number: "106"}

// total asks under a cap on the common budget alone.
func total(id string, cap domain.Money, steps ...ports.Step) ports.Reservation {
	return ports.Reservation{ID: id, Payer: ledgerPayer, Caps: ports.Budgets{Total: cap}, Steps: steps, TTL: time.Hour}
}

// all is one step that is open up to the cap.
func all(amount domain.Money) ports.Step { return ports.Step{Amount: amount, Below: 100} }

func (c *ledgerCase) reserve(r ports.Reservation) ports.Standing {
	c.Helper()
	out, err := c.l.Reserve(c.ctx, r)
	require.NoError(c, err)
	return out
}

// granted demands a step.
func (c *ledgerCase) granted(step int, r ports.Reservation, msg string) {
	c.Helper()
	require.Equal(c, step, c.reserve(r).Step, msg)
}

func (c *ledgerCase) settle(id string, amount domain.Money) ports.Standing {
	c.Helper()
	return c.settleOf(id, ledgerPayer, amount)
}

func (c *ledgerCase) settleOf(id string, p ports.Payer, amount domain.Money) ports.Standing {
	c.Helper()
	out, err := c.l.Settle(c.ctx, ports.Settlement{ID: id, Payer: p, Amount: amount})
	require.NoError(c, err)
	return out
}

func ledgerFirst(c *ledgerCase) {
	c.granted(0, total("a", 100, ports.Step{Amount: 10, Below: 50}, all(5)), "nothing is used")
}

func ledgerPercent(c *ledgerCase) {
	ladder := []ports.Step{{Amount: 3, Below: 50}, {Amount: 2, Below: 80}, all(1)}
	for _, step := range []struct {
		spend domain.Money
		want  int
	}{{0, 0}, {4900, 0}, {100, 1}, {2900, 1}, {100, 2}, {1900, 2}, {99, 2}, {1, -1}} {
		c.settle("spender", step.spend)
		got := c.reserve(total("a", 10000, ladder...))
		require.Equal(c, step.want, got.Step, "with %d spent", got.Spent.Total)
		c.settle("a", 0)
	}
}

func ledgerFrom(c *ledgerCase) {
	late := ports.Step{Amount: 1, Below: 100, From: 80}
	c.settle("a", 7900)
	c.granted(0, total("r", 20000, all(1000)), "set aside")
	c.granted(-1, total("b", 10000, late), "what is set aside is not spent")
	c.settle("c", 100)
	c.granted(0, total("b", 10000, late), "80 percent are")
	c.settle("b", 0)
	both := total("b", 1000000, late)
	both.Caps.User = 10000
	c.granted(0, both, "of one budget is enough")
	c.settle("b", 0)
	c.granted(-1, total("b", 0, late), "there is no budget")
}

func ledgerCap(c *ledgerCase) {
	c.settle("a", 100)
	c.granted(-1, total("b", 100, all(1)), "the cap is reached")
	c.settle("c", 1)
	c.granted(-1, total("b", 100, all(1)), "the cap is passed")
	c.granted(0, total("b", 200, all(1)), "a higher cap is not")
}

func ledgerScopes(c *ledgerCase) {
	c.settle("a", 100)
	for name, caps := range map[string]ports.Budgets{"user": {User: 100}, "number": {Number: 100}, "total": {Total: 100}} {
		r := ports.Reservation{ID: "r-" + name, Payer: ledgerPayer, Caps: caps, Steps: []ports.Step{all(1)}, TTL: time.Hour}
		c.granted(-1, r, name)
		r.Caps = ports.Budgets{User: 200, Number: 200, Total: 200}
		c.granted(0, r, name+" below its cap")
		c.settle(r.ID, 0)
	}
}

func ledgerNoCap(c *ledgerCase) {
	c.settle("a", 1000*domain.Dollar)
	c.granted(0, total("b", 0, all(1000*domain.Dollar)), "there is no cap")
	c.granted(0, total("c", 0, all(1000*domain.Dollar)), "whatever is set aside")
}

func ledgerOthers(c *ledgerCase) {
	c.granted(0, total("a", 100, all(60)), "fits")
	c.granted(-1, total("b", 100, all(60)), "does not fit beside the other")
	c.granted(0, total("b", 100, all(40)), "fits beside the other")
	c.granted(-1, total("c", 100, all(1)), "all is set aside")
	c.granted(0, total("d", 100, ports.Step{Amount: 0, Below: 50}), "what is set aside is not spent")
}

func ledgerLone(c *ledgerCase) {
	c.settle("x", 99)
	c.granted(0, total("a", 100, all(50)), "alone, below the cap")
	c.granted(-1, total("b", 100, all(1)), "not beside it")
	c.settle("a", 50)
	c.granted(-1, total("b", 100, all(1)), "the cap is passed, by one")
}

func ledgerFits(c *ledgerCase) {
	c.granted(0, total("a", 100, all(50)), "fits")
	c.granted(1, total("b", 100, all(60), all(20)), "the second step fits")
}

func ledgerSettle(c *ledgerCase) {
	c.granted(0, total("a", 100, all(90)), "fits")
	require.Equal(c, domain.Money(20), c.settle("a", 20).Spent.Total)
	c.granted(0, total("b", 100, all(80)), "the rest is free again")
	require.Equal(c, domain.Money(110), c.settle("b", 90).Spent.Total, "more than reserved is spent all the same")
}

func ledgerBare(c *ledgerCase) {
	got := c.settle("nobody", 7).Spent
	require.Equal(c, ports.Budgets{User: 7, Number: 7, Total: 7}, got)
	require.Equal(c, domain.Money(14), c.settle("nobody", 7).Spent.Total)
}

func ledgerReplace(c *ledgerCase) {
	c.granted(0, total("a", 100, all(60)), "fits")
	c.granted(0, total("a", 100, all(90)), "the own reservation is no other")
	c.granted(0, total("b", 100, all(10)), "ten are left")
	c.granted(0, total("a", 100, all(30)), "less")
	c.granted(0, total("c", 100, all(60)), "what was given back is free")
}

func ledgerRefusalKeeps(c *ledgerCase) {
	c.granted(0, total("a", 100, all(50)), "fits")
	c.granted(0, total("b", 100, all(50)), "fits")
	c.granted(-1, total("a", 100, all(60)), "does not fit beside the other")
	c.settle("b", 0)
	c.granted(0, total("c", 100, all(50)), "fits beside what a kept")
	c.granted(-1, total("d", 100, all(1)), "nothing is left")
}

func ledgerLapse(c *ledgerCase) {
	r := total("a", 100, all(100))
	r.TTL = c.h.Unit
	c.granted(0, r, "fits")
	c.h.Advance(c.T, 2*c.h.Unit)
	got := c.reserve(total("b", 1000, all(1)))
	require.Equal(c, domain.Money(0), got.Before.Total)
	require.Equal(c, domain.Money(100), got.Spent.Total, "nobody knows what its owner spent")
	require.Equal(c, ports.Budgets{User: 105, Number: 105, Total: 105}, c.settle("a", 5).Spent)
}

func ledgerLapseSettle(c *ledgerCase) {
	r := total("a", 100, all(100))
	r.TTL = c.h.Unit
	c.granted(0, r, "fits")
	c.h.Advance(c.T, 2*c.h.Unit)
	got := c.settle("b", 1)
	require.Equal(c, domain.Money(0), got.Before.Total)
	require.Equal(c, domain.Money(101), got.Spent.Total)
}

func ledgerOnce(c *ledgerCase) {
	once := ports.Step{Amount: 1, Below: 100, Once: true}
	c.granted(0, total("a", 100, once), "first")
	c.granted(-1, total("b", 100, once), "not again")
	c.granted(1, total("b", 100, once, all(1)), "but the next step is")
	other := total("c", 100, once)
	other.User = "conv-2"
	c.granted(0, other, "another user")
	later := total("d", 100, once)
	later.Day = nextDay
	c.granted(0, later, "another day")
	full := total("e", 100, once)
	full.User = "conv-3"
	c.settle("x", 100)
	c.granted(-1, full, "the cap is reached")
	full.Caps.Total = 1000
	c.granted(0, full, "a refusal is not the once")
}

func ledgerDays(c *ledgerCase) {
	c.settle("a", 100)
	r := total("b", 100, all(1))
	c.granted(-1, r, "the day is over its cap")
	r.Day = nextDay
	c.granted(0, r, "the next is not")
}

func ledgerApart(c *ledgerCase) {
	c.settle("a", 100)
	r := ports.Reservation{ID: "b", Payer: ports.Payer{Day: day, User: "conv-2", Number: "107"}, Caps: ports.Budgets{User: 100, Number: 100}, Steps: []ports.Step{all(1)}, TTL: time.Hour}
	c.granted(0, r, "another user at another number")
	r.Number = "106"
	c.granted(-1, r, "another user at the same number; what it has set aside at the other is of no help")
	r.Number, r.User = "107", "conv-1"
	c.granted(-1, r, "the same user")
}

func ledgerStanding(c *ledgerCase) {
	c.settle("a", 30)
	got := c.settle("b", 20)
	assert.Equal(c, ports.Budgets{User: 30, Number: 30, Total: 30}, got.Before)
	assert.Equal(c, ports.Budgets{User: 50, Number: 50, Total: 50}, got.Spent)
	seen := c.reserve(total("c", 100, all(1)))
	assert.Equal(c, got.Spent, seen.Before)
	assert.Equal(c, got.Spent, seen.Spent, "what is set aside is not spent")
}

func ledgerExact(c *ledgerCase) {
	const odd = 8999*domain.Dollar + 1
	c.settle("a", odd)
	require.Equal(c, domain.Money(2*odd), c.settle("b", odd).Spent.Total)
}

func ledgerConcurrent(c *ledgerCase) {
	const callers, cap, each = 24, 100, 17
	var failed errorList
	var mu sync.Mutex
	granted := 0
	atOnce(callers, func(i int) {
		r := total("r"+string(rune('a'+i)), cap, all(each))
		r.User = "conv-" + string(rune('a'+i))
		got, err := c.l.Reserve(c.ctx, r)
		failed.add(err)
		mu.Lock()
		defer mu.Unlock()
		if err == nil && got.Step == 0 {
			granted++
		}
	})
	require.NoError(c, failed.err())
	require.Equal(c, cap/each, granted, "as many as fit")
}

func ledgerConcurrentSettle(c *ledgerCase) {
	var failed errorList
	atOnce(24, func(i int) {
		_, err := c.l.Settle(c.ctx, ports.Settlement{ID: "r" + string(rune('a'+i)), Payer: ledgerPayer, Amount: 3})
		failed.add(err)
	})
	require.NoError(c, failed.err())
	require.Equal(c, domain.Money(72), c.settle("end", 0).Spent.Total)
}

func ledgerShared(c *ledgerCase) {
	if c.h.Another == nil {
		c.Skip("the harness has no second process")
	}
	other := c.h.Another(c.T, c.l)
	c.granted(0, total("a", 100, all(60)), "fits")
	got, err := other.Reserve(c.ctx, total("b", 100, all(60)))
	require.NoError(c, err)
	require.Equal(c, -1, got.Step)
	_, err = other.Settle(c.ctx, ports.Settlement{ID: "a", Payer: ledgerPayer, Amount: 100})
	require.NoError(c, err)
	c.granted(-1, total("c", 100, all(1)), "the other process spent it")
}

func ledgerReopen(c *ledgerCase) {
	if c.h.Reopen == nil {
		c.Skip("the harness cannot reopen")
	}
	c.settle("a", 40)
	c.granted(0, total("b", 100, all(50)), "fits")
	require.NoError(c, c.l.Book(c.ctx, day, []ports.Entry{{Number: "106", Expense: domain.Expense{Stage: domain.StageThink, Vendor: "v", Calls: 2}}}))
	c.l = c.h.Reopen(c.T, c.l)
	c.granted(-1, total("c", 100, all(11)), "what was set aside is known")
	require.Equal(c, domain.Money(41), c.settle("b", 1).Spent.Total)
	require.Len(c, c.spending(day), 1)
}

func ledgerInvalid(c *ledgerCase) {
	good := total("a", 100, all(1))
	for name, spoil := range map[string]func(*ports.Reservation){
		"no id": func(r *ports.Reservation) { r.ID = "" }, "no day": func(r *ports.Reservation) { r.Day = "" },
		"no step": func(r *ports.Reservation) { r.Steps = nil }, "no time": func(r *ports.Reservation) { r.TTL = 0 },
	} {
		r := good
		spoil(&r)
		_, err := c.l.Reserve(c.ctx, r)
		assert.Equal(c, ports.KindInvalid, ports.KindOf(err), name)
	}
	for _, s := range []ports.Settlement{{Payer: ledgerPayer}, {ID: "a"}, {ID: "a", Payer: ledgerPayer, Amount: -1}} {
		_, err := c.l.Settle(c.ctx, s)
		assert.Equal(c, ports.KindInvalid, ports.KindOf(err))
	}
	assert.Equal(c, ports.KindInvalid, ports.KindOf(c.l.Book(c.ctx, "", nil)))
	_, err := c.l.Spending(c.ctx, make([]string, ports.MaxSpendingDays+1))
	assert.Equal(c, ports.KindInvalid, ports.KindOf(err))
}

func ledgerCanceled(c *ledgerCase) {
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	_, err := c.l.Reserve(ctx, total("a", 100, all(100)))
	assert.Equal(c, ports.KindCanceled, ports.KindOf(err))
	_, err = c.l.Settle(ctx, ports.Settlement{ID: "a", Payer: ledgerPayer, Amount: 100})
	assert.Equal(c, ports.KindCanceled, ports.KindOf(err))
	assert.Equal(c, ports.KindCanceled, ports.KindOf(c.l.Book(ctx, day, []ports.Entry{{Expense: domain.Expense{Stage: "llm", Calls: 1}}})))
	c.granted(0, total("b", 100, all(100)), "nothing was spent or set aside")
	assert.Empty(c, c.spending(day))
}
