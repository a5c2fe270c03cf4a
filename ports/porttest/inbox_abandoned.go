package porttest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// ends are the ways in which the holder of a lease ends it.
var ends = map[string]func(c *storeCase, w ports.Work) error{
	"Release": func(c *storeCase, w ports.Work) error { return c.s.Release(c.ctx, w.Lease) },
	"Defer":   func(c *storeCase, w ports.Work) error { return c.s.Defer(c.ctx, w.Lease, nil, 0) },
	"Finish": func(c *storeCase, w ports.Work) error {
		return c.s.Finish(c.ctx, w.Lease, c.dropped("t1", w, w.Pending[0]), w.Conversation)
	},
}

// expired takes a lease of the one conversation and lets it run out.
func (c *storeCase) expired() ports.Work {
	c.Helper()
	w := c.lease()
	c.advance(w.Lease.TTL)
	return w
}

func abandonedTold(c *storeCase) {
	c.admit(textOfA("1"))
	assert.False(c, c.expired().Abandoned, "the first lease has none before it")
	assert.True(c, c.expired().Abandoned)
	w := c.lease()
	assert.True(c, w.Abandoned, "one after the other")
	require.NoError(c, c.s.Extend(c.ctx, w.Lease))
	c.advance(w.Lease.TTL)
	assert.True(c, c.lease().Abandoned, "a lease that was extended runs out, too")
}

func abandonedEnded(c *storeCase) {
	for name, end := range ends {
		c.admit(textOfA("1 "+name), textOfA("2 "+name))
		c.expired()
		w := c.lease()
		require.True(c, w.Abandoned, name)
		require.NoError(c, end(c, w), name)
		w = c.lease()
		assert.False(c, w.Abandoned, "%s ends a lease", name)
		c.finish(w, c.dropped(domain.TurnID("rest "+name), w, w.Pending...))
	}
	c.admit(textOfA("3"))
	assert.False(c, c.lease().Abandoned, "nor is it when nothing waited in between")
}

func abandonedLate(c *storeCase) {
	for name, end := range ends {
		c.admit(textOfA(name))
		old := c.expired()
		require.ErrorIs(c, end(c, old), ports.ErrLeaseLost, name)
		w := c.lease()
		require.True(c, w.Abandoned, "%s comes too late to end a lease", name)
		require.ErrorIs(c, end(c, old), ports.ErrLeaseLost, name)
		c.advance(w.Lease.TTL)
		w = c.lease()
		require.True(c, w.Abandoned, "%s of an earlier lease does not end a later one", name)
		c.finish(w, c.dropped(domain.TurnID("rest "+name), w, w.Pending...))
	}
}

func abandonedApart(c *storeCase) {
	a := c.admitNew(textOf(1, "1"))
	c.expired()
	b := c.admitNew(textOf(2, "2"))
	told := map[domain.ConversationID]bool{}
	for range 2 {
		w := c.lease()
		told[w.Lease.Conversation] = w.Abandoned
	}
	assert.Equal(c, map[domain.ConversationID]bool{a: true, b: false}, told)
}

func abandonedRecalled(c *storeCase) {
	c.admit(textOfA("1"))
	c.lease()
	c.admit(c.pausing("2", c.units(50)))
	assert.False(c, c.lease().Abandoned, "a message with a Pause takes a lease away")
}

func abandonedReopen(c *storeCase) {
	c.admit(textOfA("1"))
	ttl := c.lease().Lease.TTL
	for range 2 {
		c.reopen()
		c.reopen()     // a start that comes to nothing forgets nothing
		c.advance(ttl) // a store may let the lease of a process that is gone run out
		assert.True(c, c.lease().Abandoned)
	}
	c.reopen()
	c.advance(ttl)
	w := c.lease()
	require.NoError(c, c.s.Release(c.ctx, w.Lease))
	c.reopen()
	assert.False(c, c.lease().Abandoned)
}

func abandonedElsewhere(c *storeCase) {
	other := c.another()
	c.admit(textOfA("1"))
	c.expired()
	c.s = other
	w := c.lease()
	assert.True(c, w.Abandoned, "whoever had it")
	require.NoError(c, c.s.Release(c.ctx, w.Lease))
}
