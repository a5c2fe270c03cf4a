package app_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/app"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// replies is what somebody of the business writes to a person.
func (r *rig) replies(id, user string, c domain.Content) {
	r.t.Helper()
	r.receives(message(id, user, domain.Echo{Content: c}))
}

func (r *rig) control(kind domain.ControlKind, d time.Duration) {
	r.t.Helper()
	ch := domain.ControlChange{Kind: kind, For: d}
	if kind == domain.ControlPause {
		ch.By = domain.PausedByOrder
	}
	require.NoError(r.t, r.store.Control(context.Background(), r.events.conversation(), ch))
}

func (r *rig) controls() domain.Controls {
	r.t.Helper()
	c, err := r.store.Controls(context.Background(), r.events.conversation())
	require.NoError(r.t, err)
	return c
}

func (r *rig) history() (out []string) {
	r.t.Helper()
	conv, err := r.store.Load(context.Background(), r.events.conversation())
	require.NoError(r.t, err)
	for _, h := range conv.History() {
		out = append(out, string(h.Role)+": "+h.Text)
	}
	return out
}

func TestOperatorsAnswerStopsTheTurnAtWork(t *testing.T) {
	stages := map[string]func(*rig){
		"hearing":  func(r *rig) { r.ears.delay = 5 * time.Second },
		"thinking": func(r *rig) { r.brain.delay = 5 * time.Second },
		"speaking": func(r *rig) { r.voice.takes = func(string) time.Duration { return 5 * time.Second } },
	}
	for name, slow := range stages {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) { r.opt.ReplyMode = app.ReplyVoice; slow(r) }, func(r *rig) {
				r.speaks("m1", "ES.1", "Is my bike ready?")
				r.pass(time.Second)
				require.Empty(t, r.answers())
				r.replies("e1", "ES.1", domain.Text{Body: "It is, come by!"})
				r.pass(30 * time.Minute)
				require.Empty(t, r.phone.calls(), "nobody talks over a human")
				require.Equal(t, 1, r.events.count(ports.StageDropped, "human"))
				require.Equal(t, domain.PausedByOperator, r.controls().PausedBy)
			})
		})
	}
}

func TestOperatorAndPersonAreRemembered(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.says("m1", "ES.1", "hello")
		r.settle()
		r.says("m2", "ES.1", "is my bike ready?")
		r.replies("e1", "ES.1", domain.Text{Body: "It is!"})
		r.settle()
		r.speaks("m3", "ES.1", "what does it cost?")
		r.replies("e2", "ES.1", domain.Image{Caption: "the bill"})
		r.replies("e3", "ES.1", domain.Voice{})
		r.pass(2 * time.Hour)
		require.Empty(t, r.ears.asked, "a note that a human answered is not paid for")
		r.says("m4", "ES.1", "thank you")
		r.settle()
		require.Equal(t, []string{"You said: hello", "You said: is my bike ready?", "You said: thank you"}[0], r.answers()[0])
		last := r.brain.requests()[len(r.brain.requests())-1]
		var said []string
		for _, m := range last.Messages {
			said = append(said, string(m.Role)+": "+m.Text)
		}
		require.Contains(t, said, "assistant: It is!")
		require.Contains(t, said, "user: (voice)")
		require.Equal(t, "user: thank you", said[len(said)-1])
		require.Contains(t, said[len(said)-2], "the bill\n")
		require.Contains(t, said[len(said)-2], "(voice)")
	})
}

func TestPausedMessagesWaitAndAreAnsweredTogether(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.says("m1", "ES.1", "hello")
		r.settle()
		r.control(domain.ControlPause, 2*time.Hour)
		r.says("m2", "ES.1", "first")
		r.pass(time.Minute)
		r.says("m3", "ES.1", "second")
		r.pass(time.Hour)
		require.Len(t, r.answers(), 1)
		require.Empty(t, r.phone.receipts()[1:], "nothing says that they were read")
		r.pass(time.Hour)
		require.Equal(t, []string{"You said: hello", "You said: first + second"}, r.answers())
		require.Len(t, r.turns(), 2)
	})
}

func TestResumeAnswersAtOnce(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.says("m1", "ES.1", "hello")
		r.settle()
		r.control(domain.ControlPause, 20*time.Hour)
		r.says("m2", "ES.1", "are you there?")
		r.pass(time.Hour)
		r.control(domain.ControlResume, 0)
		r.settle()
		require.Equal(t, []string{"You said: hello", "You said: are you there?"}, r.answers())
		r.pass(30 * time.Hour)
		require.Len(t, r.answers(), 2)
	})
}

func TestWhatPeopleAnsweredIsNotAnsweredAgain(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.says("m1", "ES.1", "hello")
		r.settle()
		r.control(domain.ControlPause, 10*time.Minute)
		r.says("m2", "ES.1", "what does it cost?")
		r.pass(time.Second)
		r.replies("e1", "ES.1", domain.Text{Body: "12 euros"})
		r.pass(time.Second)
		r.says("m3", "ES.1", "and in red?")
		r.pass(50 * time.Minute)
		require.Len(t, r.answers(), 1, "the operator's answer made the pause longer")
		r.pass(11 * time.Minute)
		require.Equal(t, []string{"You said: hello", "You said: and in red?"}, r.answers())
		require.Contains(t, r.history(), "assistant: 12 euros")
		require.Contains(t, r.history(), "user: what does it cost?")
	})
}

func TestPauseIsLongerThanTheWindow(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.says("m1", "ES.1", "hello")
		r.settle()
		r.control(domain.ControlPause, 25*time.Hour)
		r.says("m2", "ES.1", "are you there?")
		r.pass(26 * time.Hour)
		require.Len(t, r.answers(), 1)
		require.Equal(t, 1, r.events.count(ports.StageDropped, "window"))
	})
}

func TestFullInboxOfAPauseIsPutAside(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.says("m0", "ES.1", "hello")
		r.settle()
		r.control(domain.ControlPause, time.Hour)
		for i := range ports.MaxPending {
			r.says("x"+string(rune('A'+i)), "ES.1", "more")
		}
		r.pass(time.Minute)
		require.Empty(t, r.turns()[1:], "they wait until somebody looks")
		r.replies("e1", "ES.1", domain.Text{Body: "one at a time"})
		r.pass(2 * time.Hour)
		require.Equal(t, 1, r.events.count(ports.StageDropped, "paused"))
		require.Equal(t, 1, r.events.count(ports.StageDropped, "human"))
		require.Len(t, r.answers(), 1)
		backlog, err := r.store.Backlog(context.Background())
		require.NoError(t, err)
		require.Zero(t, backlog.Messages)
	})
}

// TestRestOfAnAnswerIsWithdrawn: the first part is on its way when the operator
// answers, and the second does not follow it.
func TestRestOfAnAnswerIsWithdrawn(t *testing.T) {
	bubble(t, func(r *rig) {
		r.opt.ReplyMode = app.ReplyBoth
		r.phone.send = func(int, domain.Outbound) (bool, error) { time.Sleep(2 * time.Second); return true, nil }
	}, func(r *rig) {
		r.says("m1", "ES.1", "hello")
		r.pass(time.Second)
		r.replies("e1", "ES.1", domain.Text{Body: "hi, this is Luis"})
		r.pass(2 * time.Second)
		r.hears(0, domain.DeliveryDelivered, nil)
		r.pass(time.Hour)
		require.Equal(t, []string{"spoken: You said: hello"}, r.answers())
		turn := r.turns()[0]
		require.Equal(t, domain.TurnDelivered, turn.State())
		require.Equal(t, domain.PartWithdrawn, turn.Parts()[1].State)
		require.Equal(t, 1, r.events.count(ports.StageDropped, "human"), "what the operator wrote is a turn of its own")
	})
}

// TestUnknownSendIsNotRepeatedOverAHuman, whatever the policy.
func TestUnknownSendIsNotRepeatedOverAHuman(t *testing.T) {
	bubble(t, func(r *rig) {
		r.phone.send = func(int, domain.Outbound) (bool, error) {
			return false, &ports.Error{Op: "phone", Kind: ports.KindTimeout, MaybeDone: true}
		}
	}, func(r *rig) {
		r.says("m1", "ES.1", "hello")
		r.pass(time.Second)
		r.control(domain.ControlPause, time.Hour)
		r.pass(50 * time.Minute)
		require.Len(t, r.phone.calls(), 1)
		require.Equal(t, domain.TurnFailed, r.turns()[0].State())
	})
}

// TestSendThatIsToBeRepeatedIsWithdrawn when somebody paused the conversation.
func TestSendThatIsToBeRepeatedIsWithdrawn(t *testing.T) {
	bubble(t, func(r *rig) { r.phone.send = first(false, sendError(ports.KindTransient, "")) }, func(r *rig) {
		r.says("m1", "ES.1", "hello")
		r.settle()
		r.control(domain.ControlPause, time.Hour)
		r.pass(30 * time.Minute)
		require.Empty(t, r.answers())
		require.Equal(t, domain.TurnDropped, r.turns()[0].State())
		require.Equal(t, "paused", r.turns()[0].Reason())
	})
}

func TestEchoOfTheBotsOwnSendPausesNothing(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.says("m1", "ES.1", "hello")
		r.settle()
		sent := r.phone.calls()[0]
		r.replies(string(sent.id), "ES.1", domain.Text{Body: sent.words})
		r.settle()
		require.Zero(t, r.controls())
		r.says("m2", "ES.1", "and now?")
		r.settle()
		require.Len(t, r.answers(), 2)
		require.Equal(t, 0, r.events.count(ports.StageDropped, ""))
	})
}

// TestOwnEchoBeforeTheAnswerOfTheSend: the echo overtakes the answer to the call, so
// that nobody knows yet whose it is.
func TestOwnEchoBeforeTheAnswerOfTheSend(t *testing.T) {
	bubble(t, func(r *rig) {
		r.phone.send = func(int, domain.Outbound) (bool, error) { time.Sleep(time.Second); return true, nil }
	}, func(r *rig) {
		r.says("m1", "ES.1", "hello")
		r.pass(500 * time.Millisecond)
		r.replies("wamid.OUT0", "ES.1", domain.Text{Body: "You said: hello"})
		r.pass(time.Minute)
		require.Zero(t, r.controls())
		require.Equal(t, domain.TurnSent, r.turns()[0].State())
		r.says("m2", "ES.1", "and now?")
		r.pass(time.Minute)
		require.Equal(t, []string{"You said: hello", "You said: and now?"}, r.answers())
		require.Equal(t, []string{"user: hello", "assistant: You said: hello", "user: and now?", "assistant: You said: and now?"}, r.history())
	})
}

func TestEchoThatIsDeliveredLatePausesNothing(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		late := message("e1", "ES.1", domain.Echo{Content: domain.Text{Body: "see you"}})
		late.SentAt = time.Now().Add(-3 * time.Hour)
		r.says("m1", "ES.1", "hello")
		r.receives(late)
		r.settle()
		require.Equal(t, []string{"You said: hello"}, r.answers(), "it was written before the question")
		require.Zero(t, r.controls())
	})
}

func TestBlockedPersonGetsNothing(t *testing.T) {
	bubble(t, func(r *rig) { r.brain.delay = 5 * time.Second }, func(r *rig) {
		r.says("m1", "ES.1", "hello")
		r.pass(time.Second)
		r.control(domain.ControlBlock, 0)
		r.pass(time.Minute)
		r.says("m2", "ES.1", "hello?")
		r.pass(time.Minute)
		require.Empty(t, r.phone.calls())
		require.Equal(t, 2, r.events.count(ports.StageDropped, "blocked"))
		require.Len(t, r.brain.requests(), 1)
		r.control(domain.ControlUnblock, 0)
		r.says("m3", "ES.1", "and now?")
		r.pass(time.Minute)
		require.Equal(t, []string{"You said: and now?"}, r.answers())
		require.NotContains(t, r.history(), "user: hello?", "what a blocked person writes is not remembered")
	})
}

// speechless is an inbox whose process "dies" each time it is about to send: nothing it
// sends is on record before, and so nothing leaves.
type speechless struct {
	ports.InboxPort
	dead atomic.Bool
}

func (s *speechless) Checkpoint(ctx context.Context, l ports.Lease, t domain.Turn) error {
	if s.dead.Load() && !t.Unsent() {
		return errDead
	}
	return s.InboxPort.Checkpoint(ctx, l, t)
}

// TestFixedAnswerIsNotSentToABlockedPerson: the answer stands, nothing of it was sent, and
// then the operator blocks the person. The gates are behind such a turn already, so whoever
// takes it up must look again.
func TestFixedAnswerIsNotSentToABlockedPerson(t *testing.T) {
	inbox := &speechless{}
	for name, tune := range map[string]func(*rig){
		"while it is spoken": func(r *rig) {
			r.opt.ReplyMode = app.ReplyVoice
			r.voice.takes = func(string) time.Duration { return 5 * time.Second }
		},
		"before it is sent": func(r *rig) {
			inbox.dead.Store(true)
			r.wrap = func(in ports.InboxPort) ports.InboxPort { inbox.InboxPort = in; return inbox }
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, tune, func(r *rig) {
				r.says("m1", "ES.1", "hello")
				r.pass(time.Second)
				require.Equal(t, domain.TurnAnswered, r.turns()[0].State())
				require.True(t, r.turns()[0].Unsent())
				r.control(domain.ControlBlock, 0)
				inbox.dead.Store(false)
				r.pass(10 * time.Minute)
				require.Empty(t, r.phone.calls(), "a blocked person gets nothing, however ready it was")
				turn := r.turns()[0]
				require.Equal(t, domain.TurnDropped, turn.State())
				require.Equal(t, "blocked", turn.Reason())
				require.Equal(t, 1, r.events.count(ports.StageDropped, "blocked"))
				require.Len(t, r.brain.requests(), 1)
				require.Empty(t, r.history(), "an answer that nobody got is not remembered")
				r.control(domain.ControlUnblock, 0)
				r.says("m2", "ES.1", "and now?")
				r.pass(time.Minute)
				require.Len(t, r.answers(), 1)
				require.Contains(t, r.answers()[0], "and now?")
				require.NotContains(t, r.answers()[0], "hello", "what was dropped stays dropped")
			})
		})
	}
}

func TestListsOfPeople(t *testing.T) {
	both := func(m domain.Message, phone domain.Phone) domain.Message { m.From.Phone = phone; return m }
	bubble(t, func(r *rig) {
		r.opt.Allowed = app.People{"ES.1": true, "34600111222": true}
		r.opt.Blocked = app.People{"34600333444": true}
	}, func(r *rig) {
		r.says("m1", "ES.1", "one")
		r.settle()
		r.receives(both(message("m2", "ES.2", domain.Text{Body: "two"}), "34600111222"))
		r.says("m3", "ES.3", "three")
		r.receives(both(message("m4", "ES.1", domain.Text{Body: "four"}), "34600333444"))
		r.settle()
		require.ElementsMatch(t, []string{"You said: one", "You said: two"}, r.answers())
		require.Equal(t, 1, r.events.count(ports.StageDropped, "not_allowed"))
		require.Equal(t, 1, r.events.count(ports.StageDropped, "blocked"))
	})
}
