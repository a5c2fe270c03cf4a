package app_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

func TestWithdrawnMessageIsNotAnswered(t *testing.T) {
	for name, limit := range map[string]time.Duration{"while others may join": 15 * time.Second, "when nothing joins any more": 0} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) { r.brain.delay = 5 * time.Second; r.opt.Burst.Limit = limit }, func(r *rig) {
				r.says("m1", "ES.1", "my password is hunter2")
				r.pass(time.Second)
				r.receives(message("x1", "ES.1", domain.Revoke{Target: "m1"}))
				r.pass(time.Minute)
				require.Empty(t, r.phone.calls())
				require.Equal(t, 1, r.events.count(ports.StageDropped, "revoke"))
			})
		})
	}
}

func TestEditedMessageIsAnsweredAsItStands(t *testing.T) {
	bubble(t, func(r *rig) { r.brain.delay = 5 * time.Second; r.opt.Burst.Limit = 0 }, func(r *rig) {
		r.says("m1", "ES.1", "a table for two")
		r.pass(time.Second)
		r.receives(message("x1", "ES.1", domain.Edit{Target: "m1", Content: domain.Text{Body: "a table for three"}}))
		r.pass(time.Minute)
		require.Equal(t, []string{"You said: a table for three"}, r.answers())
		r.receives(message("x2", "ES.1", domain.Edit{Target: "m1", Content: domain.Text{Body: "a table for four"}}))
		r.receives(message("x3", "ES.1", domain.Revoke{Target: "m1"}))
		r.pass(time.Minute)
		require.Len(t, r.answers(), 1, "it was answered")
	})
}

// otherClock is a store whose clock is ahead of this process's.
type otherClock struct {
	ports.InboxPort
	ahead time.Duration
}

func (o otherClock) Lease(ctx context.Context) (ports.Work, error) {
	w, err := o.InboxPort.Lease(ctx)
	w.Now = w.Now.Add(o.ahead)
	return w, err
}

// TestWindowIsJudgedByTheStoresClock: this process's clock is a day behind, or ahead.
func TestWindowIsJudgedByTheStoresClock(t *testing.T) {
	for _, day := range []time.Duration{25 * time.Hour, -25 * time.Hour} {
		bubble(t, func(r *rig) {
			r.wrap = func(in ports.InboxPort) ports.InboxPort { return otherClock{in, day} }
		}, func(r *rig) {
			m := message("m1", "ES.1", domain.Text{Body: "hello"})
			m.SentAt = time.Now().Add(day).Add(-23 * time.Hour)
			r.receives(m)
			r.settle()
			require.Len(t, r.answers(), 1, "an hour is left")
			m = message("m2", "ES.2", domain.Text{Body: "hello"})
			m.SentAt = time.Now().Add(day).Add(-24*time.Hour - time.Second)
			r.receives(m)
			r.settle()
			require.Len(t, r.answers(), 1, "it has closed")
		})
	}
}
