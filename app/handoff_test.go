package app_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/app"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// handing is a bot with a receiver that fail decides about.
func handing(fail func(n int) error) (*fake.Handoffs, func(*rig)) {
	desk := &fake.Handoffs{Fail: fail}
	return desk, func(r *rig) { r.opt.Handing.On, r.handoffs = true, desk }
}

func TestWordsThatAskForAHuman(t *testing.T) {
	for text, want := range map[string]string{
		"Human!": "en", "AGENT, please": "en", "Hi, can I talk to a real person?": "en", "No, I want to speak with a human about my bike.": "en",
		"Un humano, por favor": "es", "No, quiero hablar con una persona": "es", "¿Puedo hablar con un agente?": "es",
		"atendente": "pt", "Quero falar com uma pessoa": "pt",
		"conseiller svp": "fr", "Je voudrais parler à un conseiller": "fr",
		"Mitarbeiter bitte": "de", "Ich möchte mit einem Menschen sprechen": "de",
		"Operatore": "it", "Vorrei parlare con un operatore": "it",
		"the boss": "en", // a word of one's own
	} {
		language, ok := app.AsksForHuman(text, []string{"the boss"}, "en")
		require.True(t, ok, text)
		require.Equal(t, want, language, text)
	}
	for _, text := range []string{
		"", "?!", "Are you a human?", "Is the agent in the shop?", "I don't want to talk to a human", "No quiero hablar con una persona",
		"não quero falar com uma pessoa", "Je ne veux pas parler à un conseiller", "Ich will nicht mit einem Menschen sprechen", "Non voglio parlare con un operatore",
		"The human body has 206 bones", "I want to walk to a person", strings.Repeat("la ", 90) + "talk to a human", "the bosses", "I pretalk to a human",
	} {
		_, ok := app.AsksForHuman(text, []string{"the boss"}, "en")
		require.False(t, ok, text)
	}
	language, _ := app.AsksForHuman("agente", nil, "pt-BR")
	require.Equal(t, "pt", language, "of those who share the word, the one that is spoken")
}

func TestWhoAsksForAHumanIsHandedOver(t *testing.T) {
	desk, tune := handing(nil)
	bubble(t, func(r *rig) { tune(r); r.opt.ReplyMode = app.ReplyVoice }, func(r *rig) {
		began := time.Now()
		m := message("m1", "ES.1", domain.Text{Body: "Quiero hablar con una persona"})
		m.From.Phone, m.From.Name = "34600111222", "Ana"
		r.receives(m)
		r.settle()
		require.Len(t, r.answers(), 1)
		require.Contains(t, r.answers()[0], "Te paso con una persona")
		require.Empty(t, r.brain.raw())
		require.Zero(t, r.voice.spoke, "it is written")
		require.Equal(t, domain.PausedByUser, r.controls().PausedBy)
		require.Equal(t, time.Hour, r.controls().Paused)
		require.Len(t, desk.Received(), 1)
		got := desk.Received()[0]
		require.Equal(t, ports.Handoff{
			ID: r.turns()[0].ID(), At: began, Number: number, Conversation: r.events.conversation(),
			Contact: m.From, Language: "es",
		}, got)
		require.Equal(t, domain.TurnSent, r.turns()[0].State())
		require.Equal(t, 1, r.events.count(ports.StageHandoff, "text"))
		require.Equal(t, 1, r.events.count(ports.StageHandoffTold, ""))

		r.says("m2", "ES.1", "and what does it cost?")
		r.pass(59 * time.Minute)
		require.Len(t, r.answers(), 1, "the bot keeps silent")
		r.pass(2 * time.Minute)
		require.Equal(t, "spoken: You said: and what does it cost?", r.answers()[1], "what is unanswered then is answered")
		require.Equal(t, 1, desk.Calls())
		require.Equal(t, []string{"user: and what does it cost?", "assistant: You said: and what does it cost?"}, r.history())
	})
}

func TestButtonsAndVoiceAskForAHuman(t *testing.T) {
	for how, content := range map[string]domain.Content{
		"button": domain.ButtonReply{ID: app.HandoffButton, Title: "Help me"},
		"row":    domain.ListReply{ID: app.HandoffButton, Title: "Help me"},
		"voice":  nil,
	} {
		t.Run(how, func(t *testing.T) {
			desk, tune := handing(nil)
			bubble(t, tune, func(r *rig) {
				if content == nil {
					r.speaks("m1", "ES.1", "Can I talk to a human, please?")
				} else {
					r.receives(message("m1", "ES.1", content))
				}
				r.settle()
				require.Len(t, desk.Received(), 1)
				require.Len(t, r.answers(), 1)
				require.Contains(t, r.answers()[0], "I am passing you on")
				require.Empty(t, r.brain.raw(), "no model is asked")
				require.Equal(t, domain.PausedByUser, r.controls().PausedBy)
			})
		})
	}
}

func TestHandoffIsASetting(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.says("m1", "ES.1", "human")
		r.settle()
		require.Equal(t, []string{"You said: human"}, r.answers())
		require.Zero(t, r.controls())
	})
}

// TestHandoffWithoutAReceiver: the person is told, and the log tells the operator.
func TestHandoffWithoutAReceiver(t *testing.T) {
	bubble(t, func(r *rig) { r.opt.Handing.On = true }, func(r *rig) {
		r.says("m1", "ES.1", "human")
		r.settle()
		require.Len(t, r.answers(), 1)
		require.Equal(t, domain.PausedByUser, r.controls().PausedBy)
		require.Equal(t, 1, r.events.count(ports.StageHandoff, "text"))
		require.Equal(t, domain.TurnSent, r.turns()[0].State())
	})
}

// TestMessageThatJoinsCanAsk: the answer to the first is in the making.
func TestMessageThatJoinsCanAsk(t *testing.T) {
	desk, tune := handing(nil)
	bubble(t, func(r *rig) { tune(r); r.brain.delay = 5 * time.Second }, func(r *rig) {
		r.says("m1", "ES.1", "my bike is broken")
		r.pass(time.Second)
		r.says("m2", "ES.1", "agent")
		r.pass(time.Minute)
		require.Len(t, r.answers(), 1)
		require.Contains(t, r.answers()[0], "I am passing you on")
		require.Len(t, desk.Received(), 1)
	})
}

func down(kind ports.Kind, times int) func(int) error {
	return func(n int) error {
		if n < times {
			return &ports.Error{Op: "desk", Kind: kind, Err: errors.New("down")}
		}
		return nil
	}
}

func TestReceiverThatIsDownIsToldLater(t *testing.T) {
	desk, tune := handing(down(ports.KindTransient, 3))
	bubble(t, tune, func(r *rig) {
		r.says("m1", "ES.1", "human")
		r.settle()
		require.Len(t, r.answers(), 1, "the person does not wait for the receiver")
		require.Equal(t, domain.PausedByUser, r.controls().PausedBy)
		require.Empty(t, desk.Received())
		require.Equal(t, domain.TurnSending, r.turns()[0].State(), "it stays open")
		for range 3 { // statuses of the sentence are no reason to ask again
			r.hears(0, domain.DeliveryDelivered, nil)
			r.hears(0, domain.DeliveryRead, nil)
		}
		r.settle()
		require.Equal(t, 1, desk.Calls())
		r.says("m2", "ES.1", "hello?")
		r.pass(50 * time.Second)
		require.Len(t, desk.Received(), 1)
		require.Equal(t, 4, desk.Calls())
		require.Len(t, r.answers(), 1)
		require.Equal(t, domain.TurnRead, r.turns()[0].State())
		r.pass(time.Hour)
		require.Len(t, r.answers(), 2)
		require.Equal(t, 1, r.events.count(ports.StageHandoff, ""), "the pause began once")
	})
}

func TestReceiverThatStaysDownIsGivenUp(t *testing.T) {
	desk, tune := handing(down(ports.KindDenied, 1000))
	bubble(t, func(r *rig) { tune(r); r.opt.PauseFor = 2 * time.Hour }, func(r *rig) {
		r.says("m1", "ES.1", "human")
		r.pass(119 * time.Minute)
		require.Equal(t, 8, desk.Calls())
		require.Equal(t, 1, r.events.count(ports.StageHandoffTold, "denied"))
		require.Equal(t, domain.TurnSent, r.turns()[0].State())
		require.Len(t, r.answers(), 1)
	})
	desk, tune = handing(down(ports.KindInvalid, 1000))
	bubble(t, tune, func(r *rig) {
		r.says("m1", "ES.1", "human")
		r.settle()
		require.Equal(t, 1, desk.Calls(), "what a repeat cannot mend is not repeated")
		require.Equal(t, 1, r.events.count(ports.StageHandoffTold, "invalid"))
		require.Equal(t, domain.TurnSent, r.turns()[0].State())
	})
}

// TestResumeEndsTheTries: somebody has looked at the conversation, and wants it answered.
func TestResumeEndsTheTries(t *testing.T) {
	desk, tune := handing(down(ports.KindTransient, 1000))
	bubble(t, tune, func(r *rig) {
		r.says("m1", "ES.1", "human")
		r.pass(5 * time.Minute)
		calls := desk.Calls()
		r.says("m2", "ES.1", "hello?")
		r.control(domain.ControlResume, 0)
		r.settle()
		require.Equal(t, calls+1, desk.Calls())
		require.Equal(t, "You said: hello?", r.answers()[1])
		require.Zero(t, r.controls(), "it is not paused again")
	})
}

// dying is a store of a process that dies when it is about to do something: what it was
// told is lost, and so is every later call.
type dying struct {
	ports.InboxPort
	finishes int // that are lost
}

func (d *dying) Finish(ctx context.Context, l ports.Lease, t domain.Turn, c domain.Conversation) error {
	if d.finishes > 0 {
		d.finishes--
		return &ports.Error{Op: "finish", Kind: ports.KindTransient, Err: errors.New("gone")}
	}
	return d.InboxPort.Finish(ctx, l, t, c)
}

// TestHandoffOutlivesTheProcess that told the receiver and died before it could note it:
// the receiver hears the same id again, the person nothing.
func TestHandoffOutlivesTheProcess(t *testing.T) {
	desk, tune := handing(nil)
	bubble(t, func(r *rig) {
		tune(r)
		r.wrap = func(in ports.InboxPort) ports.InboxPort { return &dying{in, 1} }
	}, func(r *rig) {
		r.says("m1", "ES.1", "human")
		r.pass(50 * time.Minute)
		require.Len(t, r.answers(), 1)
		got := desk.Received()
		require.Len(t, got, 2)
		require.Equal(t, got[0], got[1])
		require.Equal(t, domain.TurnSent, r.turns()[0].State())
	})
}

// TestHandoffOfAProcessThatDiedWithTheSend: the sentence may have left or not.
func TestHandoffOfAProcessThatDiedWithTheSend(t *testing.T) {
	desk, tune := handing(nil)
	bubble(t, func(r *rig) {
		tune(r)
		r.phone.send = first(true, &ports.Error{Op: "phone", Kind: ports.KindTimeout, MaybeDone: true})
	}, func(r *rig) {
		r.says("m1", "ES.1", "human")
		r.settle()
		require.Empty(t, desk.Received(), "the person first")
		r.stop()
		r.start()
		r.hears(0, domain.DeliveryDelivered, nil)
		r.pass(time.Minute)
		require.Len(t, r.phone.calls(), 1)
		require.Len(t, desk.Received(), 1)
		require.Equal(t, domain.PausedByUser, r.controls().PausedBy)
	})
}

// TestOperatorWhoWasFasterNeedsNoHandoff.
func TestOperatorWhoWasFasterNeedsNoHandoff(t *testing.T) {
	desk, tune := handing(nil)
	bubble(t, func(r *rig) {
		tune(r)
		r.phone.send = first(false, sendError(ports.KindTransient, ""))
	}, func(r *rig) {
		r.says("m1", "ES.1", "human")
		r.settle()
		r.replies("e1", "ES.1", domain.Text{Body: "Luis here"})
		r.pass(30 * time.Minute)
		require.Empty(t, r.answers())
		require.Empty(t, desk.Received())
		require.Equal(t, domain.TurnDropped, r.turns()[0].State())
		require.Equal(t, domain.PausedByOperator, r.controls().PausedBy)
	})
}

// TestSentenceThatFailsLateIsSentAgain over the pause that came with it.
func TestSentenceThatFailsLateIsSentAgain(t *testing.T) {
	desk, tune := handing(down(ports.KindTransient, 2))
	bubble(t, tune, func(r *rig) {
		r.says("m1", "ES.1", "human")
		r.settle()
		r.hears(0, domain.DeliveryFailed, &domain.Failure{Class: domain.FailTransient})
		r.pass(time.Minute)
		require.Len(t, r.answers(), 2)
		require.Len(t, desk.Received(), 1)
		require.Equal(t, domain.TurnSent, r.turns()[0].State())
		require.Empty(t, r.history(), "the bot's own sentences are not remembered, by whichever process")
	})
}

// broke is a bot whose budget of the day is used up by others.
func broke(r *rig) {
	r.t.Helper()
	other := ports.Payer{Day: time.Now().UTC().Format(time.DateOnly), Number: number, User: "other"}
	_, err := r.store.Settle(context.Background(), ports.Settlement{ID: "other", Payer: other, Amount: r.opt.Budget.Day})
	require.NoError(r.t, err)
}

// TestHandoffNeedsNoBudget: nothing may be spent any more, not even on the sentence. To
// ask for a human costs nothing, and the human hears that the person was told nothing.
func TestHandoffNeedsNoBudget(t *testing.T) {
	for name, fail := range map[string]func(int) error{"at once": nil, "later": down(ports.KindTransient, 2)} {
		t.Run(name, func(t *testing.T) {
			desk, tune := handing(fail)
			bubble(t, func(r *rig) {
				spending(100)(r)
				tune(r)
				r.wrap = func(in ports.InboxPort) ports.InboxPort { return &dying{in, 1} }
			}, func(r *rig) {
				broke(r)
				spent := r.spent()
				r.says("m1", "ES.1", "Quiero hablar con una persona")
				r.pass(50 * time.Minute) // and the process that told the desk dies once
				require.Empty(t, r.phone.calls())
				require.Equal(t, spent, r.spent())
				require.NotEmpty(t, desk.Received())
				got := desk.Received()[0]
				require.True(t, got.Unsaid)
				require.Equal(t, "es", got.Language)
				require.Equal(t, domain.UserID("ES.1"), got.Contact.UserID)
				require.Equal(t, domain.PausedByUser, r.controls().PausedBy)
				turn := r.turns()[0]
				require.Equal(t, domain.TurnDropped, turn.State())
				require.Equal(t, "budget", turn.Reason())
				require.Positive(t, r.events.count(ports.StageDropped, "budget"))
				require.Equal(t, 1, r.events.count(ports.StageHandoff, "text"))

				r.says("m2", "ES.1", "human")
				r.pass(5 * time.Minute)
				require.Len(t, r.turns(), 1, "once in a pause")
				r.speaks("m3", "ES.2", "human")
				r.pass(time.Minute)
				require.Empty(t, r.ears.asked, "to hear it would cost")
			})
		})
	}
}

// TestSentenceWaitsForMoneyThatOthersHold, and what they do not spend pays for it.
func TestSentenceWaitsForMoneyThatOthersHold(t *testing.T) {
	desk, tune := handing(nil)
	bubble(t, func(r *rig) { spending(100)(r); tune(r) }, func(r *rig) {
		other := ports.Payer{Day: time.Now().UTC().Format(time.DateOnly), Number: number, User: "other"}
		_, err := r.store.Reserve(context.Background(), ports.Reservation{
			ID: "other", Payer: other, Caps: ports.Budgets{Total: r.opt.Budget.Day}, Steps: []ports.Step{{Amount: 99 * unit, Below: 100}}, TTL: time.Hour,
		})
		require.NoError(t, err)
		r.says("m1", "ES.1", "human")
		r.settle()
		require.Empty(t, r.phone.calls())
		require.Empty(t, desk.Received())
		_, err = r.store.Settle(context.Background(), ports.Settlement{ID: "other", Payer: other})
		require.NoError(t, err)
		r.pass(time.Minute)
		require.Len(t, r.answers(), 1)
		require.Len(t, desk.Received(), 1)
		require.False(t, desk.Received()[0].Unsaid)
	})
}

// TestStopIsStrongerThanHuman in the same turn.
func TestStopIsStrongerThanHuman(t *testing.T) {
	desk, tune := handing(nil)
	bubble(t, tune, func(r *rig) {
		r.receives(message("m1", "ES.1", domain.Text{Body: "human"}), message("m2", "ES.1", domain.Text{Body: "stop"}))
		r.settle()
		require.Empty(t, desk.Received())
		require.True(t, r.controls().OptedOut)
	})
}

// TestStopThatJoinsIsStrongerThanHuman: the sentence for who asks for a human is ready,
// and has not left yet.
func TestStopThatJoinsIsStrongerThanHuman(t *testing.T) {
	desk, tune := handing(nil)
	bubble(t, func(r *rig) { tune(r); r.opt.Burst.Window = 3 * time.Second }, func(r *rig) {
		r.says("m1", "ES.1", "human")
		r.pass(time.Second)
		r.says("m2", "ES.1", "stop")
		r.pass(time.Minute)
		require.Equal(t, []string{optedOutSentence}, r.answers())
		require.Empty(t, desk.Received())
		require.Zero(t, r.controls().Paused)
	})
}
