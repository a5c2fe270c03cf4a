package porttest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

func leaseExpires(c *storeCase) {
	c.admit(textOfA("1"))
	first := c.lease()
	c.advance(first.Lease.TTL / 2)
	c.notDue("the lease has not run out")
	c.advance(first.Lease.TTL / 2)
	second := c.lease()
	assert.Equal(c, first.Lease.Conversation, second.Lease.Conversation)
	assert.Greater(c, second.Lease.Token, first.Lease.Token)
	assert.Equal(c, []domain.MessageID{"wamid.1"}, idsOf(second.Pending))
}

func leaseExtend(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	for range 3 {
		c.advance(w.Lease.TTL * 6 / 10)
		require.NoError(c, c.s.Extend(c.ctx, w.Lease))
	}
	c.notDue("the lease was extended")
	c.advance(w.Lease.TTL * 6 / 10)
	c.notDue("the lease counts from the last extension")
	c.finish(w, c.dropped("t1", w, w.Pending...))
}

func leaseTokens(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	for range 4 {
		require.NoError(c, c.s.Release(c.ctx, w.Lease))
		next := c.lease()
		require.Greater(c, next.Lease.Token, w.Lease.Token)
		w = next
	}
	c.finish(w, c.dropped("t1", w, w.Pending...))
	c.admit(textOfA("2"))
	assert.Greater(c, c.lease().Lease.Token, w.Lease.Token)
}

func leaseFenced(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	old := c.lease()
	stale := c.sent("stale", "wamid.stale", old, old.Pending...)
	c.advance(old.Lease.TTL)
	now := c.lease()
	kept := c.intended("kept", now, now.Pending...)
	c.checkpoint(now, kept)
	spoilt := old.Conversation
	spoilt.SpeakIn("xx")

	c.lost(old.Lease, stale, spoilt)

	c.notDue("a stale Release or Defer must not end the lease")
	_, err := c.s.Load(c.ctx, conv)
	assert.Equal(c, ports.KindNotFound, ports.KindOf(err), "a stale Finish must not store the conversation")
	turns := c.turns(conv, 10)
	require.Len(c, turns, 1, "a stale write must not store its turn")
	assert.Equal(c, kept.Record(), turns[0].Record())
	assert.Empty(c, c.observe(byWamid("wamid.stale", domain.DeliverySent))[0].Turn, "nor its sends")
	require.NoError(c, c.s.Release(c.ctx, now.Lease))
	assert.Equal(c, []domain.MessageID{"wamid.1"}, idsOf(c.lease().Pending), "a stale Finish must consume nothing")
}

func leaseEnded(c *storeCase) {
	end := map[string]func(w ports.Work){
		"finish":  func(w ports.Work) { c.finish(w, c.dropped("t1", w, w.Pending...)) },
		"release": func(w ports.Work) { require.NoError(c, c.s.Release(c.ctx, w.Lease)) },
		"defer":   func(w ports.Work) { require.NoError(c, c.s.Defer(c.ctx, w.Lease, nil, 0)) },
	}
	for _, name := range []string{"defer", "release", "finish"} {
		c.admit(textOfA("before " + name))
		w := c.lease()
		end[name](w)
		c.lost(w.Lease, c.dropped("late", w, w.Pending...), w.Conversation)
	}
}

func leaseUntaken(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	w := c.lease()
	c.advance(w.Lease.TTL)
	c.lost(w.Lease, c.dropped("t1", w, w.Pending...), w.Conversation)
	assert.Empty(c, c.turns(conv, 10))
	assert.Len(c, c.lease().Pending, 1)
}

func leaseUnknown(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	future := w
	future.Lease.Token++
	c.lost(future.Lease, c.dropped("t1", w, w.Pending...), w.Conversation)
	unknown := ports.Lease{Conversation: "nobody", Token: 1}
	require.ErrorIs(c, c.s.Extend(c.ctx, unknown), ports.ErrLeaseLost)
	_, err := c.s.Pending(c.ctx, unknown)
	require.ErrorIs(c, err, ports.ErrLeaseLost)
	require.ErrorIs(c, c.s.Release(c.ctx, unknown), ports.ErrLeaseLost)
	c.finish(w, c.dropped("t1", w, w.Pending...)) // the real lease is unharmed
}

func leaseRelease(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	stored := c.intended("t1", w, w.Pending...)
	c.checkpoint(w, stored)
	require.NoError(c, c.s.Release(c.ctx, w.Lease))
	again := c.lease()
	require.Len(c, again.Open, 1)
	assert.Equal(c, stored.Record(), again.Open[0].Record(), "turns stay as they were last stored")
}

func leaseBroken(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	t := c.dropped("t1", w, w.Pending...)
	mend := c.breakStore()
	err := c.s.Checkpoint(c.ctx, w.Lease, t)
	mend()
	require.Error(c, err)
	assert.NotErrorIs(c, err, ports.ErrLeaseLost, "a store that cannot write does not take the lease away")
	c.finish(w, t)
}
