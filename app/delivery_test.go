package app_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/app"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

func sendError(kind ports.Kind, scope ports.Scope) error {
	return &ports.Error{Op: "phone", Kind: kind, Scope: scope, Err: errors.New("refused")}
}

var lostAnswer = &ports.Error{Op: "phone", Kind: ports.KindTimeout, MaybeDone: true, Err: errors.New("no answer")}

// first makes the first send do something and the others succeed.
func first(accept bool, err error) func(int, domain.Outbound) (bool, error) {
	return func(n int, _ domain.Outbound) (bool, error) {
		if n == 0 {
			return accept, err
		}
		return true, nil
	}
}

func TestSendThatMayPassIsTriedAgainWithTheSameWords(t *testing.T) {
	for _, kind := range []ports.Kind{ports.KindTransient, ports.KindRateLimited, ports.KindDenied} {
		t.Run(string(kind), func(t *testing.T) {
			bubble(t, func(r *rig) { r.phone.send = first(false, sendError(kind, "")) }, func(r *rig) {
				r.says("m1", "ES.1", "hi")
				r.settle()
				require.Empty(t, r.answers())
				r.pass(time.Minute)
				require.Equal(t, []string{"You said: hi"}, r.answers())
				require.Len(t, r.brain.requests(), 1, "the model is not asked twice")
				require.Equal(t, 2, r.phone.calls()[1].out.Ref.Attempt)
			})
		})
	}
}

func TestVendorsWishForPatienceIsHonoured(t *testing.T) {
	wait := &ports.Error{Op: "phone", Kind: ports.KindRateLimited, RetryAfter: 10 * time.Minute}
	bubble(t, func(r *rig) { r.phone.send = first(false, wait) }, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		r.pass(9 * time.Minute)
		require.Len(t, r.phone.calls(), 1)
		r.pass(2 * time.Minute)
		require.Equal(t, []string{"You said: hi"}, r.answers())
	})
}

func TestWaitingForALimitDoesNotCountAsFailing(t *testing.T) {
	held := &ports.Error{Op: "phone", Kind: ports.KindRateLimited, Scope: ports.ScopeRecipient, RetryAfter: 6 * time.Second}
	bubble(t, func(r *rig) {
		r.phone.send = func(n int, _ domain.Outbound) (bool, error) {
			if n < 9 {
				return false, held
			}
			return true, nil
		}
	}, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		r.pass(10 * 8 * time.Second)
		require.Equal(t, []string{"You said: hi"}, r.answers(), "the tenth try comes as soon as the others did")
	})
}

func TestLaterMessagesWaitBehindAnAnswerThatCouldNotBeSent(t *testing.T) {
	wait := &ports.Error{Op: "phone", Kind: ports.KindRateLimited, RetryAfter: time.Minute}
	bubble(t, func(r *rig) { r.phone.send = first(false, wait) }, func(r *rig) {
		r.says("m1", "ES.1", "one")
		r.pass(time.Second)
		r.says("m2", "ES.1", "two")
		r.pass(5 * time.Minute)
		require.Equal(t, []string{"You said: one", "You said: two"}, r.answers())
		require.Equal(t, domain.MessageID("m1"), r.phone.calls()[1].out.ReplyTo, "it quotes what it answers, since more came")
	})
}

func TestRefusedVoiceNoteIsFollowedByItsWords(t *testing.T) {
	bubble(t, func(r *rig) {
		r.opt.ReplyMode = app.ReplyVoice
		r.phone.send = first(false, sendError(ports.KindUnsupported, ports.ScopeMedia))
	}, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		r.settle()
		require.Equal(t, []string{"You said: hi"}, r.answers())
	})
}

func TestVoiceNoteThatFailsLateIsFollowedByItsWordsOnce(t *testing.T) {
	bubble(t, func(r *rig) { r.opt.ReplyMode = app.ReplyVoice }, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		r.settle()
		r.hears(0, domain.DeliverySent, nil)
		for range 3 {
			r.hears(0, domain.DeliveryFailed, &domain.Failure{Code: 131053, Class: domain.FailMedia})
			r.pass(time.Minute)
		}
		require.Equal(t, []string{"spoken: You said: hi", "You said: hi"}, r.answers())
		r.hears(1, domain.DeliveryRead, nil)
		require.Equal(t, domain.TurnRead, r.turns()[0].State())
	})
}

func TestPermanentRefusalsEndTheTurn(t *testing.T) {
	for _, c := range []struct {
		err    error
		reason string
	}{
		{sendError(ports.KindInvalid, ""), "permanent"},
		{sendError(ports.KindBlocked, ""), "recipient"},
		{sendError(ports.KindInvalid, ports.ScopeWindow), "window"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			bubble(t, func(r *rig) { r.phone.send = func(int, domain.Outbound) (bool, error) { return false, c.err } }, func(r *rig) {
				r.says("m1", "ES.1", "hi")
				r.pass(time.Hour)
				require.Len(t, r.phone.calls(), 1)
				require.Equal(t, domain.TurnFailed, r.turns()[0].State())
				require.Equal(t, c.reason, r.turns()[0].Reason())
			})
		})
	}
}

func TestUnknownOutcomeWaitsForItsStatus(t *testing.T) {
	bubble(t, func(r *rig) { r.phone.send = first(true, lostAnswer) }, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		r.pass(10 * time.Second)
		require.Equal(t, domain.TurnSending, r.turns()[0].State())
		r.hears(0, domain.DeliverySent, nil)
		r.pass(time.Hour)
		require.Len(t, r.phone.calls(), 1, "it arrived: nothing is sent again")
		require.Equal(t, domain.TurnSent, r.turns()[0].State())
	})
}

func TestUnknownOutcomeThatStaysUnknownFollowsThePolicy(t *testing.T) {
	t.Run("at least once", func(t *testing.T) {
		bubble(t, func(r *rig) { r.phone.send = first(false, lostAnswer) }, func(r *rig) {
			r.says("m1", "ES.1", "hi")
			r.pass(29 * time.Second)
			require.Empty(t, r.answers())
			r.pass(2 * time.Second)
			require.Equal(t, []string{"You said: hi"}, r.answers())
			require.Equal(t, 1, r.events.count(ports.StageUnsettled, "at_least_once"))
		})
	})
	t.Run("at most once", func(t *testing.T) {
		bubble(t, func(r *rig) { r.phone.send = first(false, lostAnswer); r.opt.SendPolicy = app.AtMostOnce }, func(r *rig) {
			r.says("m1", "ES.1", "hi")
			r.pass(time.Hour)
			require.Len(t, r.phone.calls(), 1)
			require.Equal(t, domain.TurnFailed, r.turns()[0].State())
			require.Equal(t, 1, r.events.count(ports.StageUnsettled, "at_most_once"))
		})
	})
}

// mortal is an inbox whose process "dies": after death no write of it gets through.
type mortal struct {
	ports.InboxPort
	dead func() bool
}

var errDead = errors.New("the process is dead")

func (m *mortal) Checkpoint(ctx context.Context, l ports.Lease, t domain.Turn) error {
	if m.dead() {
		return errDead
	}
	return m.InboxPort.Checkpoint(ctx, l, t)
}

func (m *mortal) Finish(ctx context.Context, l ports.Lease, t domain.Turn, c domain.Conversation) error {
	if m.dead() {
		return errDead
	}
	return m.InboxPort.Finish(ctx, l, t, c)
}

func (m *mortal) Defer(ctx context.Context, l ports.Lease, t *domain.Turn, after time.Duration) error {
	if m.dead() {
		return errDead
	}
	return m.InboxPort.Defer(ctx, l, t, after)
}

// TestDeathBetweenSendAndFinish: the send got through, the process did not live to
// store it. The next one must learn it from the status and not send again.
func TestDeathBetweenSendAndFinish(t *testing.T) {
	for _, heard := range []bool{true, false} {
		name := map[bool]string{true: "the status tells", false: "no status comes"}[heard]
		t.Run(name, func(t *testing.T) {
			dead := false
			bubble(t, func(r *rig) {
				r.wrap = func(in ports.InboxPort) ports.InboxPort {
					return &mortal{InboxPort: in, dead: func() bool { return dead }}
				}
				r.phone.send = func(n int, _ domain.Outbound) (bool, error) { dead = dead || n == 0; return true, nil }
			}, func(r *rig) {
				r.says("m1", "ES.1", "hi")
				r.settle()
				r.stop()
				require.Len(t, r.answers(), 1)
				dead = false
				r.start()
				if heard {
					r.hears(0, domain.DeliverySent, nil)
				}
				r.pass(time.Hour)
				if heard {
					require.Len(t, r.answers(), 1)
				} else {
					require.Len(t, r.answers(), 2, "the outcome nobody can learn is governed by the policy")
				}
				require.Equal(t, domain.TurnSent, r.turns()[0].State())
				require.Len(t, r.brain.requests(), 1)
			})
		})
	}
}

// TestDeathOfAWorkerDelaysNobodyLongerThanItsLease: the status can come while the lease
// runs out, so the wait for it is over by then.
func TestDeathOfAWorkerDelaysNobodyLongerThanItsLease(t *testing.T) {
	dead := false
	bubble(t, func(r *rig) {
		r.opt.TakesStatuses = false // other processes do
		r.wrap = func(in ports.InboxPort) ports.InboxPort {
			return &mortal{InboxPort: in, dead: func() bool { return dead }}
		}
		r.phone.send = func(n int, _ domain.Outbound) (bool, error) { dead = dead || n == 0; return n > 0, nil }
	}, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		r.settle()
		r.stop()
		dead = false
		r.start()
		r.pass(29 * time.Second)
		require.Len(t, r.phone.calls(), 1)
		r.pass(2 * time.Second)
		require.Len(t, r.phone.calls(), 2, "lease and wait are 30 s each, and pass together")
		require.Equal(t, []string{"You said: hi"}, r.answers())
	})
}

// watchful tells whoever waits for a lease that the store is out of order, as a store
// on the network does.
type watchful struct {
	ports.InboxPort
	down atomic.Bool
}

func (w *watchful) Lease(ctx context.Context) (ports.Work, error) {
	for {
		if w.down.Load() {
			return ports.Work{}, sendError(ports.KindTransient, "")
		}
		once, cancel := context.WithTimeout(ctx, time.Second)
		work, err := w.InboxPort.Lease(once)
		cancel()
		if err == nil || ctx.Err() != nil {
			return work, err
		}
	}
}

// TestStatusThatWaitsForTheStoreIsWaitedFor: statuses cannot be taken while the store is
// out of order, so what came meanwhile gets its chance when it is back.
func TestStatusThatWaitsForTheStoreIsWaitedFor(t *testing.T) {
	store := &watchful{}
	bubble(t, func(r *rig) {
		r.opt.TakesStatuses = false
		r.phone.send = first(true, lostAnswer)
		r.wrap = func(in ports.InboxPort) ports.InboxPort {
			store.InboxPort = in
			return store
		}
	}, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		r.pass(time.Second)
		store.down.Store(true)
		r.pass(40 * time.Second)
		store.down.Store(false)
		r.pass(10 * time.Second)
		require.Len(t, r.phone.calls(), 1, "WhatsApp is about to try again")
		r.hears(0, domain.DeliverySent, nil)
		r.pass(time.Hour)
		require.Len(t, r.phone.calls(), 1)
	})
}

func TestWaitForAStatusStartsAnewWithTheProcess(t *testing.T) {
	bubble(t, func(r *rig) { r.phone.send = first(true, lostAnswer) }, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		r.pass(time.Second)
		r.stop()
		r.pass(time.Hour) // nobody could tell a process that was down
		r.start()
		r.pass(20 * time.Second)
		r.hears(0, domain.DeliverySent, nil)
		r.pass(time.Hour)
		require.Len(t, r.phone.calls(), 1)
	})
}

func TestProcessesThatAreReplacedOftenDoNotWaitForAStatusForEver(t *testing.T) {
	bubble(t, func(r *rig) { r.phone.send = first(true, lostAnswer) }, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		r.pass(time.Second)
		for range 8 { // each process begins after the wait did, and ends before it
			r.stop()
			r.start()
			r.pass(20 * time.Second)
		}
		require.Len(t, r.phone.calls(), 2, "sent again after two waits of 30 s")
	})
}

func TestWordsAreKeptWhenAWorkerDiesAfterTheAnswer(t *testing.T) {
	bubble(t, func(r *rig) {
		r.opt.ReplyMode = app.ReplyVoice
		deaths := 2
		r.phone.upload = func() error {
			if deaths--; deaths >= 0 {
				panic("upload")
			}
			return nil
		}
	}, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		r.pass(time.Minute)
		require.Equal(t, []string{"spoken: You said: hi"}, r.answers())
		require.Len(t, r.brain.requests(), 1, "the model is not paid twice")
		require.Equal(t, 3, r.voice.spoke)
	})
}

func TestTroublesomeTurnIsGivenUpWithAnApology(t *testing.T) {
	bubble(t, func(r *rig) { r.brain.fail = func(int) error { panic("poison") } }, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		r.pass(24 * time.Hour)
		require.Equal(t, []string{app.DefaultFallback}, r.answers())
		require.Greater(t, r.events.count(ports.StageTrouble, ""), 3)
		trouble := r.events.first(ports.StageTrouble)
		require.Equal(t, []domain.MessageID{"m1"}, trouble.Messages)
		require.Equal(t, domain.UserID("ES.1"), trouble.User.UserID, "it must be seen whose turn it is")
		r.brain.mu.Lock()
		r.brain.fail = nil
		r.brain.mu.Unlock()
		r.says("m2", "ES.1", "again")
		r.pass(time.Minute)
		require.Equal(t, "You said: again", r.answers()[1], "the conversation goes on")
	})
}

func TestOldMessagesAreNotAnswered(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		m := message("m1", "ES.1", domain.Text{Body: "hi"})
		m.SentAt = time.Now().Add(-25 * time.Hour)
		r.receives(m)
		r.settle()
		require.Empty(t, r.phone.calls())
		require.Equal(t, "window", r.turns()[0].Reason())
	})
}

func TestAnswerThatWaitsTooLongDiesWithTheWindow(t *testing.T) {
	bubble(t, func(r *rig) {
		r.phone.send = func(int, domain.Outbound) (bool, error) { return false, sendError(ports.KindTransient, "") }
	}, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		r.pass(48 * time.Hour)
		calls := len(r.phone.calls())
		require.Greater(t, calls, 20)
		require.Less(t, calls, 700, "the pauses grow")
		require.Equal(t, domain.TurnFailed, r.turns()[0].State())
		require.Equal(t, "window", r.turns()[0].Reason())
	})
}

func TestStopLetsTurnsFinish(t *testing.T) {
	bubble(t, func(r *rig) { r.brain.delay = 5 * time.Second }, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		synctest.Wait()
		r.stop()
		require.Equal(t, []string{"You said: hi"}, r.answers())
	})
}

func TestStopReleasesWhatDoesNotFinish(t *testing.T) {
	bubble(t, func(r *rig) { r.brain.delay = time.Minute - time.Second }, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		synctest.Wait()
		began := time.Now()
		r.stop()
		require.LessOrEqual(t, time.Since(began), 9*time.Second)
		require.Empty(t, r.answers())

		r.brain.mu.Lock()
		r.brain.delay = 0
		r.brain.mu.Unlock()
		r.start()
		r.settle()
		require.Equal(t, []string{"You said: hi"}, r.answers(), "at once: the lease was given back")
	})
}

func TestLongTurnsKeepTheirLease(t *testing.T) {
	bubble(t, func(r *rig) { r.opt.TurnTimeout = 10 * time.Minute; r.brain.delay = 5 * time.Minute }, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		r.pass(6 * time.Minute)
		require.Equal(t, []string{"You said: hi"}, r.answers())
		require.Len(t, r.brain.requests(), 1)
	})
}

// lossy loses every lease after a while, as a worker that was frozen does.
type lossy struct{ ports.InboxPort }

func (l *lossy) Extend(context.Context, ports.Lease) error { return ports.ErrLeaseLost }

func TestWorkerThatLostItsLeaseStops(t *testing.T) {
	bubble(t, func(r *rig) {
		r.brain.delay = 40 * time.Second
		r.wrap = func(in ports.InboxPort) ports.InboxPort { return &lossy{in} }
	}, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		r.pass(39 * time.Second)
		require.Empty(t, r.phone.calls())
		require.GreaterOrEqual(t, len(r.brain.requests()), 2, "the conversation is taken up again")
		require.GreaterOrEqual(t, r.brain.stops(), 1, "and the worker that lost it stops")
	})
}

func TestStoreThatIsDownIsWaitedFor(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.store.Fail(errors.New("disk full"))
		_, err := r.intake.Receive(context.Background(), domain.Envelope{Messages: []domain.Message{message("m1", "ES.1", domain.Text{Body: "hi"})}})
		require.Equal(t, ports.KindTransient, ports.KindOf(err))
		r.pass(time.Minute)
		r.store.Fail(nil)
		r.says("m1", "ES.1", "hi")
		r.pass(time.Minute)
		require.Equal(t, []string{"You said: hi"}, r.answers())
	})
}
