package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// A turn is paid from up to three budgets of the day: the person's, the business
// number's and that of all together. Before anything is bought money for the whole turn
// is set aside in the store; afterwards what was spent takes its place. As budgets run
// low the bot steps down a ladder: it writes in place of speaking, asks a cheaper
// model, says one sentence of its own, and at last is silent, which is recorded.

// rung is a step of the ladder, the best first.
type rung int

const (
	rungVoice    rung = iota
	rungText          // nothing is spoken
	rungCheaper       // nor is the usual model asked
	rungSentence      // a sentence of the bot's own
	rungSilence
)

func (r rung) String() string {
	return [...]string{"voice", "text", "cheaper", "sentence", "silence"}[r]
}

// Budget are the rules of spending that hold for every number.
type Budget struct {
	// Day is what all numbers together may spend in a day; zero: no limit.
	Day domain.Money
	// TextAt, CheaperAt and SentenceAt are how many percent of a budget are used when
	// the bot steps down to each: 1 to 100 and in this order. They are not looked at
	// without a budget.
	TextAt, CheaperAt, SentenceAt int
	// Zone says when a day begins; UTC when nil.
	Zone *time.Location
	// Fee is what a message costs; nil: nobody knows.
	Fee Fee
}

func (b Budget) zone() *time.Location {
	if b.Zone == nil {
		return time.UTC
	}
	return b.Zone
}

func (b Budget) fee(to domain.Contact) (domain.Money, bool) {
	if b.Fee == nil {
		return 0, false
	}
	return b.Fee(to.Phone, feeOfAnswers)
}

// feeOfAnswers is Meta's category of an answer to a person's message.
const feeOfAnswers = "service"

func (b Budget) check() error {
	if 0 < b.TextAt && b.TextAt <= b.CheaperAt && b.CheaperAt <= b.SentenceAt && b.SentenceAt <= 100 {
		return nil
	}
	return errors.New("the steps down a budget must be percentages in their order")
}

// Allowance is what may be spent at one business number, and what its turns are
// expected to cost.
type Allowance struct {
	// User and Number are limits of a day, for each person and for the number; zero: no
	// limit.
	User, Number domain.Money
	// Voice, Text and Cheaper are what a turn costs on these rungs, rather too much,
	// without the fee of its message. What a turn needs beyond it asks for when it does.
	Voice, Text, Cheaper domain.Money
	// CheaperLLM is asked on the third rung; nil: there is no such rung.
	CheaperLLM ports.LLMPort
}

// caps are the limits of the turn; all zero when there is none.
func (s *session) caps() ports.Budgets {
	if s.persona == nil {
		return ports.Budgets{}
	}
	return ports.Budgets{User: s.persona.Allowance.User, Number: s.persona.Allowance.Number, Total: s.opt.Budget.Day}
}

func (s *session) budgeted() bool { return s.caps() != ports.Budgets{} }

// reservationTTL is how long money stays set aside beyond a turn's own time: for
// waiting, sending and storing. What its owner has not settled then counts as spent.
const reservationTTL = 5 * time.Minute

// reservation asks for money for this taking up of the turn.
func (s *session) reservation(steps ...ports.Step) ports.Reservation {
	return ports.Reservation{
		ID: s.reservationID(), Payer: s.payer(), Caps: s.caps(), Steps: steps, TTL: s.persona.TurnTimeout + s.persona.Burst.Limit + reservationTTL,
	}
}

func (s *session) reservationID() string {
	return string(s.turn.ID()) + "." + strconv.Itoa(s.turn.Attempt())
}

func (s *session) payer() ports.Payer {
	return ports.Payer{Day: dayOf(s.started, s.opt.Budget.zone()), User: string(s.conv.ID()), Number: s.turn.Number()}
}

// reserve asks the store, and tells of a budget that runs low.
func (s *session) reserve(ctx context.Context, steps ...ports.Step) (ports.Standing, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeBudget)
	defer cancel()
	standing, err := s.deps.Ledger.Reserve(ctx, s.reservation(steps...))
	if err != nil {
		return ports.Standing{Step: -1}, err
	}
	s.holds = s.holds || standing.Step >= 0
	s.crossed(standing)
	return standing, nil
}

// budget is the last gate: it finds the rung the turn is answered on and sets the money
// for it aside. While the store cannot tell, nothing is spent: the turn is taken up
// again later, and at last apologises without asking anybody. It waits, too, while only
// what others have set aside is in its way.
func (s *session) budget(ctx context.Context) (verdict, error) {
	s.rung = rungVoice
	if !s.budgeted() {
		return verdict{}, nil
	}
	rungs, steps := s.ladder()
	got, err := s.reserve(ctx, steps...)
	switch {
	case err != nil && s.turn.Attempt() > maxTakeUps:
		s.rung = rungSilence // composing apologises
		return verdict{}, nil
	case err != nil:
		return verdict{}, fmt.Errorf("%w: set money aside: %w", errStore, err)
	case got.Step < 0 && !s.used(got.Spent, s.opt.Budget.SentenceAt) && s.turn.Attempt() < maxTakeUps:
		return verdict{later: sendBackoff(s.turn.Attempt(), 0)}, nil // others may give back what they set aside
	case got.Step < 0:
		s.rung = rungSilence
	default:
		s.rung = rungs[got.Step]
		s.meter.reserved(steps[got.Step].Amount)
	}
	if s.rung > rungVoice && s.rung > rungs[0] {
		s.event(ports.StageBudgetStep, 0, s.rung.String(), nil)
	}
	switch s.rung {
	case rungSilence:
		return verdict{drop: reasonBudget}, nil
	case rungSentence:
		language := s.language(understanding{})
		return verdict{reply: &domain.Reply{Text: sentence(noticeBudget, language), Language: language}}, nil
	}
	return verdict{}, nil
}

// afford lets a sentence that another gate has put in place of an answer pass if there
// is money for its message. It waits while only what others have set aside is in its way.
// Who asks for a human is handed over without it. The verdict of a gate that fails is
// passed on.
func (s *session) afford(ctx context.Context, v verdict, err error) (verdict, error) {
	if err != nil || v.reply == nil || !s.budgeted() {
		return v, err
	}
	fee, _ := s.opt.Budget.fee(s.turn.To())
	got, err := s.reserve(ctx, ports.Step{Amount: s.meter.committed() + fee, Below: 100})
	switch {
	case err != nil && s.turn.Attempt() <= maxTakeUps:
		return verdict{}, fmt.Errorf("%w: set money aside: %w", errStore, err)
	case err == nil && got.Step < 0 && !s.used(got.Spent, 100) && s.turn.Attempt() < maxTakeUps:
		return verdict{later: sendBackoff(s.turn.Attempt(), 0)}, nil
	case err == nil && got.Step < 0 && s.wants != "":
		s.rung = rungSilence
		s.event(ports.StageBudgetStep, 0, s.rung.String(), nil)
		return verdict{reply: v.reply, unsaid: true}, nil
	case err == nil && got.Step < 0:
		return verdict{drop: reasonBudget}, nil
	}
	return v, nil
}

// ladder lists the rungs there are for this persona, and what each needs set aside: what
// was spent on an answer that went stale is a part of it.
func (s *session) ladder() ([]rung, []ports.Step) {
	b, a := s.opt.Budget, s.persona.Allowance
	fee, _ := b.fee(s.turn.To())
	base := s.meter.committed() + fee
	var rungs []rung
	var steps []ports.Step
	add := func(r rung, amount domain.Money, below int) {
		rungs, steps = append(rungs, r), append(steps, ports.Step{Amount: base + amount, Below: below})
	}
	if s.persona.TTS != nil && s.persona.ReplyMode != ReplyText {
		add(rungVoice, a.Voice, b.TextAt)
	}
	if a.CheaperLLM == nil {
		add(rungText, a.Text, b.SentenceAt)
	} else {
		add(rungText, a.Text, b.CheaperAt)
		add(rungCheaper, a.Cheaper, b.SentenceAt)
	}
	return append(rungs, rungSentence), append(steps, ports.Step{Amount: base, Below: 100, From: b.SentenceAt, Once: true})
}

// model is who is asked for the answer.
func (s *session) model() ports.LLMPort {
	if s.rung >= rungCheaper && s.persona.Allowance.CheaperLLM != nil {
		return s.persona.Allowance.CheaperLLM
	}
	return s.persona.LLM
}

// reasonBudget is why a turn is dropped, or waits, that nobody may pay for.
const reasonBudget = "budget"

// errRefused is what a vendor call ends with that no budget is left for.
var errRefused = &ports.Error{Op: "budget", Kind: ports.KindCanceled, Err: ports.ErrOverBudget}

// more sets more money aside in the middle of a turn, some in advance where there is
// enough. It returns what the turn may spend then.
func (s *session) more(ctx context.Context, need domain.Money) (domain.Money, error) {
	fee, _ := s.opt.Budget.fee(s.turn.To())
	steps := []ports.Step{{Amount: fee + 2*need, Below: s.opt.Budget.TextAt}, {Amount: fee + need, Below: 100}}
	got, err := s.reserve(ctx, steps...)
	switch {
	case err != nil:
		return 0, &ports.Error{Op: "budget", Kind: ports.KindCanceled, Err: fmt.Errorf("%w: the store cannot tell: %w", ports.ErrOverBudget, err)}
	case got.Step < 0:
		return 0, errRefused
	}
	return steps[got.Step].Amount, nil
}

// near is the percentage of a budget at which the operator is told that it runs low.
const near = 80

// used reports whether as many percent are spent of one of the turn's budgets.
func (s *session) used(spent ports.Budgets, percent int) bool {
	caps := s.caps()
	reached := func(limit, spent domain.Money) bool { return limit > 0 && spent >= limit/100*domain.Money(percent) }
	return reached(caps.User, spent.User) || reached(caps.Number, spent.Number) || reached(caps.Total, spent.Total)
}

// crossed tells when spending has passed near, and when it has reached the last rungs:
// once each, since the store says what was spent before.
func (s *session) crossed(st ports.Standing) {
	caps := s.caps()
	for _, each := range []struct {
		name                 string
		limit, before, spent domain.Money
	}{
		{"user", caps.User, st.Before.User, st.Spent.User},
		{"number", caps.Number, st.Before.Number, st.Spent.Number},
		{"day", caps.Total, st.Before.Total, st.Spent.Total},
	} {
		passed := func(percent int) bool {
			mark := each.limit / 100 * domain.Money(percent)
			return each.limit > 0 && each.before < mark && mark <= each.spent
		}
		if passed(near) {
			s.event(ports.StageBudgetNear, 0, each.name, nil)
		}
		if passed(s.opt.Budget.SentenceAt) {
			s.event(ports.StageBudgetReached, 0, each.name, nil)
		}
	}
}
