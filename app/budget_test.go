package app_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/app"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// priced engines tell the turn's meter what they cost, as the decorators do.
type (
	pricedLLM struct {
		ports.LLMPort
		vendor string
		cost   domain.Money
	}
	pricedSTT struct {
		ports.STTPort
		cost domain.Money
	}
	pricedTTS struct {
		ports.TTSPort
		cost domain.Money
	}
)

func expense(stage, vendor string, cost domain.Money, err error) domain.Expense {
	e := domain.Expense{Stage: stage, Vendor: vendor, Calls: 1, Cost: cost}
	if err != nil {
		e.Doubtful, e.DoubtfulCost = 1, cost
	}
	return e
}

func (p pricedLLM) Generate(ctx context.Context, req ports.LLMRequest) iter.Seq2[ports.LLMChunk, error] {
	return func(yield func(ports.LLMChunk, error) bool) {
		if err := ports.MeterOf(ctx).Begin(ctx, p.cost); err != nil {
			yield(ports.LLMChunk{}, err)
			return
		}
		var failed error
		defer func() { ports.MeterOf(ctx).End(p.cost, expense(domain.StageThink, p.vendor, p.cost, failed)) }()
		for chunk, err := range p.LLMPort.Generate(ctx, req) {
			failed = err
			if !yield(chunk, err) {
				return
			}
		}
	}
}

func (p pricedSTT) Transcribe(ctx context.Context, clip domain.Audio, opt ports.STTOptions) (domain.Transcript, error) {
	if err := ports.MeterOf(ctx).Begin(ctx, p.cost); err != nil {
		return domain.Transcript{}, err
	}
	heard, err := p.STTPort.Transcribe(ctx, clip, opt)
	ports.MeterOf(ctx).End(p.cost, expense(domain.StageHear, "ears", p.cost, err))
	return heard, err
}

func (p pricedTTS) Synthesize(ctx context.Context, text string, opt ports.TTSOptions) (domain.Audio, error) {
	if err := ports.MeterOf(ctx).Begin(ctx, p.cost); err != nil {
		return domain.Audio{}, err
	}
	clip, err := p.TTSPort.Synthesize(ctx, text, opt)
	ports.MeterOf(ctx).End(p.cost, expense(domain.StageSpeak, "voice", p.cost, err))
	return clip, err
}

// What things cost in these tests: a turn on each rung is 10, 6, 3 and 2 units.
const (
	unit                                                  = domain.Dollar / 100
	costThink, costThrifty, costSpeak, costHear, costSend = 4 * unit, 1 * unit, 4 * unit, 1 * unit, 2 * unit
)

const budgetSentence = "Sorry, I can't answer any more today. Please write to us again tomorrow."

// thrifty is the model of the third rung.
type thrifty struct{}

func (thrifty) Generate(context.Context, ports.LLMRequest) iter.Seq2[ports.LLMChunk, error] {
	return func(yield func(ports.LLMChunk, error) bool) {
		_ = yield(ports.LLMChunk{Text: "Briefly."}, nil) && yield(ports.LLMChunk{Done: true}, nil)
	}
}

// spending makes a rig whose engines cost something, with a budget for the day in units.
func spending(day domain.Money) func(r *rig) {
	return func(r *rig) {
		r.opt.ReplyMode, r.opt.SpeakParallel = app.ReplyVoice, 1
		r.opt.LLM = pricedLLM{r.brain, "brain", costThink}
		r.opt.STT, r.opt.TTS = pricedSTT{r.ears, costHear}, pricedTTS{r.voice, costSpeak}
		r.opt.Budget = app.Budget{
			Day: day * unit, TextAt: 50, CheaperAt: 70, SentenceAt: 90,
			Fee: func(domain.Phone, string) (domain.Money, bool) { return costSend, true },
		}
		r.opt.Allowance = app.Allowance{
			Voice: costThink + costSpeak, Text: costThink, Cheaper: costThrifty,
			CheaperLLM: pricedLLM{thrifty{}, "thrifty", costThrifty},
		}
	}
}

// spent is what the store says was spent of the day, in units.
func (r *rig) spent() domain.Money {
	r.t.Helper()
	got, err := r.store.Settle(context.Background(), ports.Settlement{ID: "look", Payer: ports.Payer{Day: time.Now().UTC().Format(time.DateOnly), Number: number}})
	require.NoError(r.t, err)
	return got.Spent.Total / unit
}

func TestLadderIsWalkedInOrder(t *testing.T) {
	bubble(t, spending(100), func(r *rig) {
		var seen []string
		var at []domain.Money
		for i := range 22 {
			before, dropped := len(r.answers()), r.events.count(ports.StageDropped, "budget")
			at = append(at, r.spent())
			r.says(fmt.Sprint(i), fmt.Sprintf("u%d", i/20), "hello") // the last by another person
			r.pass(time.Second)
			require.LessOrEqual(r.t, r.spent(), domain.Money(100+10), "one turn beyond the cap at most")
			switch got := r.answers(); {
			case r.events.count(ports.StageDropped, "budget") > dropped:
				require.Len(r.t, got, before, "silence")
				seen = append(seen, "silence")
			case strings.HasPrefix(got[before], "spoken: "):
				seen = append(seen, "voice")
			case got[before] == "Briefly.":
				seen = append(seen, "cheaper")
			case got[before] == budgetSentence:
				seen = append(seen, "sentence")
			default:
				seen = append(seen, "text")
			}
		}
		require.Equal(r.t, []string{
			"voice", "voice", "voice", "voice", "voice", // 0 to 50
			"text", "text", "text", "text", // 50 to 74
			"cheaper", "cheaper", "cheaper", "cheaper", "cheaper", "cheaper", // 74 to 92
			"sentence", "silence", "silence", "silence", "silence", // told once
			"sentence", "silence", // and once each other person
		}, seen)
		require.Equal(r.t, []domain.Money{0, 10, 20, 30, 40, 50, 56, 62, 68, 74, 77, 80, 83, 86, 89, 92, 94, 94, 94, 94, 94, 96}, at)
		require.Equal(r.t, 1, r.events.count(ports.StageBudgetNear, "day"), "told once")
		require.Equal(r.t, 1, r.events.count(ports.StageBudgetReached, "day"), "told once")
		require.Zero(r.t, r.events.count(ports.StageBudgetNear, "user"), "there is no budget of a user")
		require.Len(r.t, r.turns(), 20, "silence is on record")
	})
}

func TestEachBudgetEndsTheVoice(t *testing.T) {
	for name, tune := range map[string]func(r *rig){
		"user":   func(r *rig) { r.opt.Budget.Day, r.opt.Allowance.User = 0, 10*unit },
		"number": func(r *rig) { r.opt.Budget.Day, r.opt.Allowance.Number = 0, 10*unit },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) { spending(0)(r); tune(r) }, func(r *rig) {
				r.says("1", "u", "hello")
				r.pass(time.Second)
				r.says("2", "u", "hello")
				r.pass(time.Second)
				require.Len(r.t, r.answers(), 1, "the cap is reached")
				require.Equal(r.t, 1, r.events.count(ports.StageBudgetReached, name))
				r.says("3", "v", "hello")
				r.pass(time.Second)
				require.Equal(r.t, name == "user", len(r.answers()) == 2, "another person is only in the way of the number's budget")
				r.pass(24 * time.Hour)
				r.says("4", "u", "hello")
				r.pass(time.Second)
				require.Contains(r.t, r.answers()[len(r.answers())-1], "spoken: ", "a new day")
			})
		})
	}
}

func TestManyAtOncePassTheCapByOneTurnAtMost(t *testing.T) {
	bubble(t, func(r *rig) {
		spending(45)(r)
		r.workers, r.brain.delay = 40, time.Second
	}, func(r *rig) {
		for i := range 40 {
			r.says(fmt.Sprint(i), fmt.Sprintf("u%d", i), "hello")
		}
		r.pass(10 * time.Minute)
		require.LessOrEqual(r.t, r.spent(), domain.Money(45+10))
		require.GreaterOrEqual(r.t, r.spent(), domain.Money(40), "and they are not refused for nothing: who does not fit waits")
		require.Equal(r.t, 40, len(r.answers())+r.events.count(ports.StageDropped, "budget"), "every message has its end")
	})
}

// brokenLedger fails while down is set, and counts what it is asked.
type brokenLedger struct {
	ports.LedgerPort
	down  atomic.Bool
	asked atomic.Int64
}

var errLedger = &ports.Error{Op: "ledger", Kind: ports.KindTransient, Err: errors.New("down")}

func (b *brokenLedger) Reserve(ctx context.Context, r ports.Reservation) (ports.Standing, error) {
	b.asked.Add(1)
	if b.down.Load() {
		return ports.Standing{}, errLedger
	}
	return b.LedgerPort.Reserve(ctx, r)
}

func (b *brokenLedger) Settle(ctx context.Context, s ports.Settlement) (ports.Standing, error) {
	b.asked.Add(1)
	if b.down.Load() {
		return ports.Standing{}, errLedger
	}
	return b.LedgerPort.Settle(ctx, s)
}

func TestNothingIsSpentWhileTheLedgerIsDown(t *testing.T) {
	var ledger *brokenLedger
	tune := func(r *rig) {
		spending(100)(r)
		ledger = &brokenLedger{LedgerPort: r.store}
		r.ledger = ledger
	}
	t.Run("for a moment", func(t *testing.T) {
		bubble(t, tune, func(r *rig) {
			ledger.down.Store(true)
			r.says("1", "u", "hello") // which is acknowledged all the same
			r.pass(time.Second)
			require.Empty(r.t, r.brain.requests())
			ledger.down.Store(false)
			r.pass(time.Minute)
			require.Equal(r.t, []string{"spoken: You said: hello"}, r.answers())
			require.Equal(r.t, domain.Money(10), r.spent())
		})
	})
	t.Run("for good", func(t *testing.T) {
		bubble(t, tune, func(r *rig) {
			ledger.down.Store(true)
			r.says("1", "u", "hello")
			r.pass(10 * time.Minute)
			require.Empty(r.t, r.brain.requests(), "no vendor is asked")
			require.Equal(r.t, []string{app.DefaultFallback}, r.answers())
		})
	})
}

func TestNoBudgetAsksNoStore(t *testing.T) {
	var ledger *brokenLedger
	bubble(t, func(r *rig) {
		spending(0)(r)
		ledger = &brokenLedger{LedgerPort: r.store}
		r.ledger = ledger
	}, func(r *rig) {
		r.says("1", "u", "hello")
		r.pass(time.Minute)
		require.Len(r.t, r.answers(), 1)
		require.Zero(r.t, ledger.asked.Load())
	})
}

// TestDearCallIsForbidden: what turns out dearer than what was set aside needs more, and
// there is none beside the money of others.
func TestDearCallIsForbidden(t *testing.T) {
	bubble(t, func(r *rig) {
		spending(100)(r)
		r.opt.LLM = pricedLLM{r.brain, "brain", 60 * unit}
	}, func(r *rig) {
		other := ports.Reservation{
			ID: "other", Payer: ports.Payer{Day: time.Now().UTC().Format(time.DateOnly), Number: number}, Caps: ports.Budgets{Total: 100 * unit},
			Steps: []ports.Step{{Amount: 45 * unit, Below: 100}}, TTL: time.Hour,
		}
		_, err := r.store.Reserve(context.Background(), other)
		require.NoError(r.t, err)
		r.says("1", "u", "hello")
		r.pass(time.Second)
		require.Empty(r.t, r.brain.requests())
		require.Equal(r.t, []string{app.DefaultFallback}, r.answers())
		_, err = r.store.Settle(context.Background(), ports.Settlement{ID: "other", Payer: other.Payer})
		require.NoError(r.t, err)
		r.says("2", "u", "hello")
		r.pass(time.Second)
		require.Len(r.t, r.brain.requests(), 1, "alone it may")
	})
}

func TestTurnKeepsItsAccount(t *testing.T) {
	bubble(t, func(r *rig) {
		spending(0)(r)
		fails := 0
		r.brain.fail = func(int) error { // the answer breaks off once
			fails++
			if fails == 1 {
				return &ports.Error{Op: "brain", Kind: ports.KindDenied}
			}
			return nil
		}
	}, func(r *rig) {
		r.speaks("1", "u", "hello")
		r.pass(time.Second)
		r.speaks("2", "u", "hello again")
		r.pass(time.Second)
		turns := r.turns()
		require.Equal(r.t, domain.Expenses{
			{Stage: "llm", Vendor: "brain", Calls: 1, Cost: costThink, Doubtful: 1, DoubtfulCost: costThink},
			{Stage: "stt", Vendor: "ears", Calls: 1, Cost: costHear},
			{Stage: "whatsapp", Vendor: "whatsapp", Calls: 1, Cost: costSend},
		}, turns[0].Expenses(), "what failed may be billed")
		require.Equal(r.t, domain.Money(costHear+costThink+costSpeak+costSend), turns[1].Expenses().Cost())

		r.pass(10 * time.Second)
		day := time.Now().UTC().Format(time.DateOnly)
		booked, err := r.store.Spending(context.Background(), []string{day})
		require.NoError(r.t, err)
		require.Len(r.t, booked, 3)
		assert.Equal(r.t, ports.Entry{Day: day, Number: number, Expense: domain.Expense{
			Stage: "llm", Vendor: "brain", Calls: 2, Cost: 2 * costThink, Doubtful: 1, DoubtfulCost: costThink,
		}}, booked[0])
		assert.NotEqual(r.t, "whatsapp", booked[2].Stage, "Meta says by a status what it charges")
	})
}

func TestFeeIsBookedOnceByItsStatus(t *testing.T) {
	bubble(t, spending(0), func(r *rig) {
		r.says("1", "u", "hello")
		r.pass(time.Second)
		sent := r.phone.calls()[0]
		for _, state := range []domain.DeliveryState{domain.DeliverySent, domain.DeliveryDelivered, domain.DeliveryRead} {
			s := domain.Status{Message: sent.id, Number: number, State: state, At: time.Now(), Ref: sent.out.Ref, HasRef: true}
			if state != domain.DeliverySent {
				s.Pricing = &domain.Pricing{Billable: true, Category: "service"}
			}
			_, err := r.intake.Receive(context.Background(), domain.Envelope{Statuses: []domain.Status{s}})
			require.NoError(r.t, err)
		}
		r.pass(10 * time.Second)
		booked, err := r.store.Spending(context.Background(), []string{time.Now().UTC().Format(time.DateOnly)})
		require.NoError(r.t, err)
		require.Equal(r.t, domain.Expense{Stage: "whatsapp", Vendor: "whatsapp", Calls: 1, Cost: costSend}, booked[len(booked)-1].Expense)
		require.True(r.t, r.turns()[0].Parts()[0].Pricing.Billable, "the turn knows it, too")
	})
}

// TestFeeOfAIProvidersIsTold once for a number: Meta takes the bot for an assistant for
// general purposes then.
func TestFeeOfAIProvidersIsTold(t *testing.T) {
	bubble(t, spending(0), func(r *rig) {
		for i := range 3 {
			r.says(fmt.Sprint(i), "u", "hello")
			r.pass(time.Second)
			sent := r.phone.calls()[i]
			category := "general_purpose_ai"
			if i == 0 {
				category = "service"
			}
			_, err := r.intake.Receive(context.Background(), domain.Envelope{Statuses: []domain.Status{{
				Message: sent.id, Number: number, State: domain.DeliverySent, At: time.Now(), Ref: sent.out.Ref, HasRef: true,
				Pricing: &domain.Pricing{Billable: true, Category: category},
			}}})
			require.NoError(t, err)
			require.Equal(t, min(i, 1), r.events.count(ports.StageProviderFee, "general_purpose_ai"))
		}
	})
}

func TestResponderRefusesBudgetsItCannotKeep(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		personas, err := app.OnePersona(r.opt.Persona)
		require.NoError(r.t, err)
		deps := app.Deps{Inbox: r.store, Controls: r.store, Messenger: r.phone, Personas: personas, Observer: r.events}
		opt := r.opt.Options
		opt.Budget = app.Budget{Day: 100, TextAt: 50, CheaperAt: 70, SentenceAt: 90}
		_, err = app.NewResponder(deps, opt)
		require.ErrorContains(r.t, err, "ledger")
		deps.Ledger = r.store
		_, err = app.NewResponder(deps, opt)
		require.NoError(r.t, err)
		opt.Budget.CheaperAt = 40
		_, err = app.NewResponder(deps, opt)
		require.ErrorContains(r.t, err, "order")
	})
}

// TestWhoDoesNotFitBesideOthersWaits: most of what they have set aside comes back.
func TestWhoDoesNotFitBesideOthersWaits(t *testing.T) {
	bubble(t, func(r *rig) {
		spending(100)(r)
		r.opt.Allowance.Voice, r.opt.Allowance.Text, r.opt.Allowance.Cheaper = 80*unit, 80*unit, 80*unit
		r.brain.delay = time.Second
	}, func(r *rig) {
		for i := range 3 {
			r.says(fmt.Sprint(i), fmt.Sprintf("u%d", i), "hello")
		}
		r.pass(5 * time.Minute)
		require.Len(r.t, r.answers(), 3)
		require.Positive(r.t, r.events.count(ports.StageDeferred, "budget"))
		require.Zero(r.t, r.events.count(ports.StageDropped, "budget"))
	})
}
