package porttest

import (
	"context"
	"fmt"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// pending reads what waits under a lease that must hold.
func (c *storeCase) pending(w ports.Work) []domain.Message {
	c.Helper()
	out, err := c.s.Pending(c.ctx, w.Lease)
	require.NoError(c, err)
	return out
}

func (c *storeCase) pendingIDs(w ports.Work) []domain.MessageID {
	c.Helper()
	return idsOf(c.pending(w))
}

// another is a second store on the same data.
func (c *storeCase) another() Store {
	c.Helper()
	if c.h.Another == nil {
		c.Skip("the harness has one process only")
	}
	return c.h.Another(c.T, c.s)
}

func pendingMeanwhile(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	assert.Equal(c, []domain.MessageID{"wamid.1"}, c.pendingIDs(w))
	c.admit(textOfA("2"), textOfA("3"))
	assert.Equal(c, []domain.MessageID{"wamid.1", "wamid.2", "wamid.3"}, c.pendingIDs(w))
	c.checkpoint(w, c.newTurn("t1", w, w.Pending...))
	c.admit(textOfA("4"))
	assert.Equal(c, []domain.MessageID{"wamid.1", "wamid.2", "wamid.3", "wamid.4"}, c.pendingIDs(w))
}

func pendingWhole(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	media := domain.MediaRef{ID: "7", Number: storeNumber, MIME: domain.MIMEOggOpus, SHA256: "ab", URL: "https://media.example/7"}
	voice := domain.Message{
		ID: "wamid.voice", Number: storeNumber, From: domain.Contact{UserID: userA, Phone: phoneA, Name: "Ana"}, SentAt: storeTime,
		Content: domain.Voice{Media: media, Note: true}, ReplyTo: "wamid.1", Forwarded: true, Trace: "00-1-2-01",
	}
	c.admit(voice)
	assert.Equal(c, []domain.Message{textOfA("1"), voice}, c.pending(w))
}

func pendingOrder(c *storeCase) {
	c.admit(textOfA("3"), textOfA("1"))
	w := c.lease()
	c.admit(textOfA("2"))
	c.admit(textOfA("9"), textOfA("4"))
	assert.Equal(c, []domain.MessageID{"wamid.3", "wamid.1", "wamid.2", "wamid.9", "wamid.4"}, c.pendingIDs(w))
}

func pendingBounded(c *storeCase) {
	batch := []domain.Message{textOfA("first")}
	c.admit(batch...)
	w := c.lease()
	for i := range ports.MaxPending + 6 {
		batch = append(batch, textOfA(fmt.Sprint(i)))
	}
	c.admit(batch[1:]...)
	require.Equal(c, idsOf(batch[:ports.MaxPending]), c.pendingIDs(w))
	c.finish(w, c.dropped("t1", w, w.Pending...))
	assert.Equal(c, idsOf(batch[1:ports.MaxPending+1]), idsOf(c.lease().Pending), "the rest waits")
}

func pendingHold(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	c.admit(withHold(textOfA("2"), c.units(5)))
	assert.Equal(c, []domain.MessageID{"wamid.1", "wamid.2"}, c.pendingIDs(w))
	c.finish(w, c.dropped("t1", w, w.Pending...))
	c.notDue("to read is not to end the hold")
}

func pendingDuplicate(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	c.admit(textOfA("2"), textOfA("2"), textOfA("1"))
	c.admit(textOfA("2"))
	assert.Equal(c, []domain.MessageID{"wamid.1", "wamid.2"}, c.pendingIDs(w))
}

func pendingConsumed(c *storeCase) {
	c.admit(textOfA("1"), textOfA("2"), textOfA("3"))
	w := c.lease()
	c.finish(w, c.dropped("t1", w, w.Pending[0], w.Pending[2]))
	again := c.lease()
	c.admit(textOfA("4"), textOfA("1"))
	assert.Equal(c, []domain.MessageID{"wamid.2", "wamid.4"}, c.pendingIDs(again))
}

func pendingOpen(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	t := c.intended("t1", w, w.Pending...)
	require.NoError(c, c.s.Defer(c.ctx, w.Lease, &t, 0))
	again := c.lease()
	require.Len(c, again.Open, 1)
	c.admit(textOfA("2"))
	assert.Equal(c, []domain.MessageID{"wamid.1", "wamid.2"}, c.pendingIDs(again))
}

func pendingHarmless(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	w := c.lease()
	stored := c.intended("t1", w, w.Pending...)
	c.checkpoint(w, stored)
	c.admit(textOfA("2"))
	first := c.pendingIDs(w)
	assert.Equal(c, first, c.pendingIDs(w), "what was read is there still")
	c.notDue("the conversation is leased")
	turns := c.turns(conv, 10)
	require.Len(c, turns, 1)
	assert.Equal(c, stored.Record(), turns[0].Record())
	require.NoError(c, c.s.Extend(c.ctx, w.Lease), "the lease holds still")
	c.finish(w, c.dropped("t1", w, w.Pending...))
	again := c.lease()
	assert.Equal(c, []domain.MessageID{"wamid.2"}, idsOf(again.Pending), "only the turn's inputs are consumed")
	assert.Empty(c, again.Open)
	c.finish(again, c.dropped("t2", again, again.Pending...))
	c.notDue("everything is finished")
}

func pendingExpires(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	c.advance(w.Lease.TTL / 2)
	c.pending(w)
	c.advance(w.Lease.TTL / 2)
	again := c.lease()
	assert.Greater(c, again.Lease.Token, w.Lease.Token)
}

func pendingApart(c *storeCase) {
	c.admit(textOf(1, "1"), textOf(2, "2"))
	for range 2 {
		w := c.lease()
		c.admit(textOf(1, "more"), textOf(2, "further"))
		for _, m := range c.pending(w) {
			assert.Equal(c, w.Conversation.Contact().UserID, m.From.UserID)
		}
		assert.Len(c, c.pending(w), 2)
	}
}

func pendingLost(c *storeCase) {
	c.admit(textOfA("1"))
	refused := func(l ports.Lease, why string) {
		c.Helper()
		got, err := c.s.Pending(c.ctx, l)
		require.ErrorIs(c, err, ports.ErrLeaseLost, why)
		assert.Empty(c, got)
	}
	old := c.lease()
	future := old.Lease
	future.Token++
	refused(future, "a token that was not given yet")
	c.advance(old.Lease.TTL)
	refused(old.Lease, "it ran out, though nobody has taken the conversation")
	now := c.lease()
	refused(old.Lease, "somebody else has the conversation")
	c.pending(now)
	require.NoError(c, c.s.Release(c.ctx, now.Lease))
	refused(now.Lease, "it was given back")
	last := c.lease()
	c.finish(last, c.dropped("t1", last, last.Pending...))
	refused(last.Lease, "it was finished")
	refused(ports.Lease{Conversation: "nobody", Token: 1}, "there is no such conversation")
}

func pendingContext(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	_, err := c.s.Pending(ctx, w.Lease)
	require.ErrorIs(c, err, context.Canceled)
	assert.Len(c, c.pending(w), 1, "the lease is unharmed")
}

// pendingConcurrent lets many admit at once while each looks for what it admitted, and
// the lease is extended beside it.
func pendingConcurrent(c *storeCase) {
	const callers, each = 6, 8
	c.admit(textOfA("first"))
	w := c.lease()
	var failed errorList
	atOnce(callers+1, func(i int) {
		for n := range each {
			if i == callers {
				failed.add(c.s.Extend(c.ctx, w.Lease))
				continue
			}
			m := textOfA(fmt.Sprintf("%d.%d", i, n))
			if _, err := c.s.Admit(c.ctx, []domain.Message{m}); err != nil {
				failed.add(err)
				return
			}
			got, err := c.s.Pending(c.ctx, w.Lease)
			failed.add(err)
			found := false
			for _, p := range got {
				found = found || p.ID == m.ID
			}
			if !found {
				failed.add(fmt.Errorf("message %s was admitted and is not pending", m.ID))
			}
		}
	})
	require.NoError(c, failed.err())
	assert.Len(c, c.pending(w), 1+callers*each)
}

func pendingElsewhere(c *storeCase) {
	other := c.another()
	c.admit(textOfA("1"))
	w := c.lease()
	for _, id := range []string{"2", "3"} {
		out, err := other.Admit(c.ctx, []domain.Message{textOfA(id)})
		require.NoError(c, err)
		require.Equal(c, w.Lease.Conversation, out[0].Conversation)
	}
	assert.Equal(c, []domain.MessageID{"wamid.1", "wamid.2", "wamid.3"}, c.pendingIDs(w))
	got, err := other.Pending(c.ctx, w.Lease)
	require.NoError(c, err, "a lease counts wherever it is shown")
	assert.Len(c, got, 3)
}
