package app_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/app"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// killed is an inbox whose process may be killed: nothing that it does from then on gets
// through, so that its leases run out.
type killed struct {
	ports.InboxPort
	dead atomic.Bool
	// at is asked before each checkpoint whether it kills the process.
	at func(domain.Turn) bool

	mu   sync.Mutex
	list []string
}

// writes are the calls that got through.
func (k *killed) writes() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.list)
}

func (k *killed) note(what string, err error) error {
	if err == nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.list = append(k.list, what)
	}
	return err
}

func (k *killed) Lease(ctx context.Context) (ports.Work, error) {
	w, err := k.InboxPort.Lease(ctx)
	return w, k.note("lease", err)
}

func (k *killed) Extend(ctx context.Context, l ports.Lease) error {
	if k.dead.Load() {
		return errDead
	}
	return k.InboxPort.Extend(ctx, l)
}

func (k *killed) Checkpoint(ctx context.Context, l ports.Lease, t domain.Turn) error {
	if k.at != nil && k.at(t) {
		k.dead.Store(true)
	}
	if k.dead.Load() {
		return errDead
	}
	return k.note("checkpoint "+string(t.State()), k.InboxPort.Checkpoint(ctx, l, t))
}

func (k *killed) Finish(ctx context.Context, l ports.Lease, t domain.Turn, c domain.Conversation) error {
	if k.dead.Load() {
		return errDead
	}
	return k.note("finish "+string(t.State()), k.InboxPort.Finish(ctx, l, t, c))
}

func (k *killed) Defer(ctx context.Context, l ports.Lease, t *domain.Turn, after time.Duration) error {
	if k.dead.Load() {
		return errDead
	}
	return k.note(fmt.Sprintf("defer %t", t != nil), k.InboxPort.Defer(ctx, l, t, after))
}

func (k *killed) Release(ctx context.Context, l ports.Lease) error {
	if k.dead.Load() {
		return errDead
	}
	return k.note("release", k.InboxPort.Release(ctx, l))
}

// over puts the inbox in front of the store.
func (k *killed) over(r *rig) {
	r.wrap = func(in ports.InboxPort) ports.InboxPort { k.InboxPort = in; return k }
}

// next is the next process, once the leases of the one that was killed have run out.
func (k *killed) next(r *rig) {
	r.settle()
	r.stop()
	k.dead.Store(false)
	r.pass(31 * time.Second)
	r.start()
}

// TestNewTurnIsStoredOnceThereIsSomethingToKeep: nobody waits for the store before the
// model is asked, and nothing is sent before its intent is stored.
func TestNewTurnIsStoredOnceThereIsSomethingToKeep(t *testing.T) {
	for name, tc := range map[string]struct {
		say    func(r *rig)
		writes []string
	}{
		"text": {
			func(r *rig) { r.says("m1", "ES.1", "hi") },
			[]string{"lease", "checkpoint answered", "checkpoint sending", "finish sent"},
		},
		"voice": {
			func(r *rig) { r.speaks("m1", "ES.1", "hi") },
			[]string{"lease", "checkpoint transcribed", "checkpoint answered", "checkpoint sending", "finish sent"},
		},
		"a sentence of the bot's own": {
			func(r *rig) { r.receives(message("m1", "ES.1", domain.Sticker{})) },
			[]string{"lease", "checkpoint sending", "finish sent"},
		},
		"nothing to say": {
			func(r *rig) { r.receives(message("m1", "ES.1", domain.Reaction{Emoji: "👍", Target: "m0"})) },
			[]string{"lease", "finish dropped"},
		},
		"stop": {
			func(r *rig) { r.says("m1", "ES.1", "stop") },
			[]string{"lease", "checkpoint received", "checkpoint sending", "finish sent"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := &killed{}
			bubble(t, k.over, func(r *rig) {
				tc.say(r)
				r.pass(time.Minute)
				require.Equal(t, tc.writes, k.writes())
			})
		})
	}
}

// TestTurnThatKillsTheProcessIsGivenUp, first by apologising and at last without a word,
// though the first of the processes leaves nothing but its lease.
func TestTurnThatKillsTheProcessIsGivenUp(t *testing.T) {
	const takeUps = 8
	asks := &killed{}
	t.Run("with an apology", func(t *testing.T) {
		bubble(t, func(r *rig) {
			asks.over(r)
			r.brain.fail = func(int) error { asks.dead.Store(true); return errDead }
		}, func(r *rig) {
			r.says("m1", "ES.1", "hi")
			for n := range takeUps {
				r.settle()
				require.Len(t, r.brain.requests(), n+1)
				require.Empty(t, r.phone.calls())
				asks.next(r)
			}
			r.settle()
			require.Len(t, r.brain.requests(), takeUps, "the next asks nobody")
			require.Equal(t, []string{app.DefaultFallback}, r.answers())
			require.Len(t, r.turns(), 1)
			require.Equal(t, takeUps+1, r.turns()[0].Attempt())
		})
	})
	always := &killed{at: func(t domain.Turn) bool { return !t.Unsent() }}
	t.Run("as a dead letter", func(t *testing.T) {
		bubble(t, func(r *rig) {
			always.over(r)
			r.brain.fail = func(int) error { always.dead.Store(true); return errDead }
		}, func(r *rig) {
			r.says("m1", "ES.1", "hi")
			for range 2 * takeUps {
				r.settle()
				require.True(t, always.dead.Load(), "it kills whoever has it")
				always.next(r)
			}
			r.settle()
			require.Empty(t, r.phone.calls())
			require.Len(t, r.turns(), 1)
			require.Equal(t, domain.TurnDead, r.turns()[0].State())
			require.Equal(t, "poison", r.turns()[0].Reason())
			letters, err := r.store.DeadLetters(context.Background(), 10)
			require.NoError(t, err)
			require.Len(t, letters, 1)
			require.Len(t, letters[0].Messages, 1)
			r.brain.mu.Lock()
			r.brain.fail = nil
			r.brain.mu.Unlock()
			always.at = nil
			r.says("m2", "ES.1", "again")
			r.pass(time.Minute)
			require.Equal(t, []string{"You said: again"}, r.answers(), "the conversation goes on")
			require.Equal(t, 1, r.turns()[1].Attempt(), "and its next turn is a new one")
		})
	})
}

// TestDeathBeforeAnythingIsStoredLosesNothing, and the person gets one answer.
func TestDeathBeforeAnythingIsStoredLosesNothing(t *testing.T) {
	k := &killed{}
	bubble(t, func(r *rig) {
		k.over(r)
		r.brain.fail = func(n int) error {
			if n > 0 {
				return nil
			}
			k.dead.Store(true)
			return errDead
		}
	}, func(r *rig) {
		r.says("m1", "ES.1", "one")
		r.settle()
		require.Empty(t, r.turns(), "nothing was stored of it")
		r.says("m2", "ES.1", "two")
		k.next(r)
		r.settle()
		require.Equal(t, []string{"You said: one + two"}, r.answers())
		require.Len(t, r.turns(), 1)
		require.Equal(t, 2, r.turns()[0].Attempt())
		require.Equal(t, []string{"lease", "lease", "checkpoint received", "checkpoint answered", "checkpoint sending", "finish sent"}, k.writes(),
			"what may have killed a process is counted before anything else")
	})
}

// TestInterruptedTurnIsStoredWithItsLease is given back, in one write.
func TestInterruptedTurnIsStoredWithItsLease(t *testing.T) {
	t.Run("after a panic", func(t *testing.T) {
		k := &killed{}
		bubble(t, func(r *rig) {
			k.over(r)
			r.brain.fail = func(n int) error {
				if n == 0 {
					panic("trouble")
				}
				return nil
			}
		}, func(r *rig) {
			r.says("m1", "ES.1", "hi")
			r.settle()
			require.Equal(t, []string{"lease", "defer true"}, k.writes())
			require.Equal(t, domain.TurnReceived, r.turns()[0].State())
			require.Equal(t, 1, r.turns()[0].Attempt())
			r.pass(time.Minute)
			require.Equal(t, []string{"You said: hi"}, r.answers())
			require.Len(t, r.turns(), 1)
			require.Equal(t, 2, r.turns()[0].Attempt())
			require.NotContains(t, r.events.first(ports.StageTrouble).Err.Error(), "trouble")
			var panicked *ports.PanicError
			require.ErrorAs(t, r.events.first(ports.StageTrouble).Err, &panicked)
		})
	})
	t.Run("when the process stops", func(t *testing.T) {
		k := &killed{}
		bubble(t, func(r *rig) { k.over(r); r.brain.delay = 50 * time.Second }, func(r *rig) {
			r.says("m1", "ES.1", "hi")
			synctest.Wait()
			r.stop()
			require.Equal(t, []string{"lease", "defer true"}, k.writes())
			r.brain.mu.Lock()
			r.brain.delay = 0
			r.brain.mu.Unlock()
			r.start()
			r.settle()
			require.Equal(t, []string{"You said: hi"}, r.answers(), "at once")
			require.Len(t, r.turns(), 1)
		})
	})
	t.Run("when its intent cannot be stored", func(t *testing.T) {
		k := &unwilling{left: 1}
		bubble(t, func(r *rig) {
			r.wrap = func(in ports.InboxPort) ports.InboxPort { k.InboxPort = in; return k }
		}, func(r *rig) {
			r.receives(message("m1", "ES.1", domain.Sticker{}))
			r.pass(10 * time.Second)
			require.Len(t, r.answers(), 1, "nothing was sent, so nothing has to be waited for")
			require.Equal(t, 1, r.turns()[0].Parts()[0].Attempt)
		})
	})
	t.Run("unless it is stored already", func(t *testing.T) {
		k := &unwilling{left: 1, pass: 1}
		bubble(t, func(r *rig) {
			r.wrap = func(in ports.InboxPort) ports.InboxPort { k.InboxPort = in; return k }
		}, func(r *rig) {
			r.says("m1", "ES.1", "hi")
			r.pass(10 * time.Second)
			require.Equal(t, []string{"You said: hi"}, r.answers())
			require.Len(t, r.brain.requests(), 1, "its answer is kept")
		})
	})
}

// unwilling lets some checkpoints pass, and refuses the next ones.
type unwilling struct {
	ports.InboxPort
	pass, left int
}

func (u *unwilling) Checkpoint(ctx context.Context, l ports.Lease, t domain.Turn) error {
	if u.pass--; u.pass < 0 && u.left > 0 {
		u.left--
		return errors.New("no room left")
	}
	return u.InboxPort.Checkpoint(ctx, l, t)
}

// TestStopIsConfirmedThoughPeopleCameBetween: the operator pauses the conversation after
// the decision was stored and before the person was told.
func TestStopIsConfirmedThoughPeopleCameBetween(t *testing.T) {
	k := &killed{}
	bubble(t, func(r *rig) {
		k.over(r)
		paused := false
		k.at = func(t domain.Turn) bool {
			if !t.Unsent() && !paused {
				paused = true
				r.control(domain.ControlPause, time.Hour)
			}
			return false
		}
	}, func(r *rig) {
		r.says("m1", "ES.1", "stop")
		r.pass(time.Minute)
		require.True(t, r.controls().OptedOut)
		require.Empty(t, r.answers())
		r.pass(time.Hour)
		require.Equal(t, []string{optedOutSentence}, r.answers())
	})
}
