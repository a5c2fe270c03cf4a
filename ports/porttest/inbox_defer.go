package porttest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// deferred admits a message, leaves an intended turn over it and defers it.
func (c *storeCase) deferred(after time.Duration) (ports.Work, domain.Turn) {
	c.Helper()
	c.admitNew(textOfA("1"))
	w := c.lease()
	t := c.intended("t1", w, w.Pending...)
	require.NoError(c, c.s.Defer(c.ctx, w.Lease, &t, after))
	return w, t
}

func deferWaits(c *storeCase) {
	_, t := c.deferred(c.units(4))
	c.notDue("the time has not come")
	c.advance(c.units(3))
	c.notDue("the time has not come yet")
	c.advance(c.units(1))
	w := c.lease()
	require.Len(c, w.Open, 1)
	assert.Equal(c, t.Record(), w.Open[0].Record())
	assert.Equal(c, []domain.MessageID{"wamid.1"}, idsOf(w.Pending))
}

func deferNil(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	t := c.intended("t1", w, w.Pending...)
	c.checkpoint(w, t)
	require.NoError(c, c.s.Defer(c.ctx, w.Lease, nil, c.units(2)))
	c.notDue("the time has not come")
	c.advance(c.units(2))
	again := c.lease()
	require.Len(c, again.Open, 1)
	assert.Equal(c, t.Record(), again.Open[0].Record())
}

func deferMessage(c *storeCase) {
	c.deferred(c.units(4))
	c.admit(textOfA("2"))
	c.notDue("a new message does not shorten the wait")
	c.advance(c.units(4))
	assert.Equal(c, []domain.MessageID{"wamid.1", "wamid.2"}, idsOf(c.lease().Pending))
}

func deferStatus(c *storeCase) {
	_, t := c.deferred(c.units(8))
	c.notDue("the time has not come")
	status := byRef(t, "wamid.s1", domain.DeliverySent)
	got := c.observe(status)[0]
	assert.Equal(c, ports.Observation{Turn: "t1", Conversation: t.Conversation(), New: true, Priced: true}, got)
	w := c.lease()
	assert.Equal(c, []domain.Status{status}, w.Facts)
	require.Len(c, w.Open, 1)
	assert.Equal(c, t.Record(), w.Open[0].Record(), "the turn is handed out as it was stored")
}

func deferEarlyStatus(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	t := c.intended("t1", w, w.Pending...)
	c.checkpoint(w, t)
	status := byRef(t, "wamid.s1", domain.DeliverySent)
	c.observe(status)
	c.notDue("the conversation is leased")
	require.NoError(c, c.s.Defer(c.ctx, w.Lease, &t, c.units(8)))
	again := c.lease()
	assert.Equal(c, []domain.Status{status}, again.Facts)
	// Now that it was seen, it is no reason to come back early.
	require.NoError(c, c.s.Defer(c.ctx, again.Lease, nil, c.units(2)))
	c.notDue("the worker has seen the status")
	c.advance(c.units(2))
	assert.Equal(c, []domain.Status{status}, c.lease().Facts)
}

func deferReopen(c *storeCase) {
	_, t := c.deferred(c.units(4))
	c.reopen()
	c.notDue("the time has not come")
	c.advance(c.units(4))
	w := c.lease()
	require.Len(c, w.Open, 1)
	assert.Equal(c, t.Record(), w.Open[0].Record())
}
