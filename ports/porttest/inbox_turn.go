package porttest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

func turnCheckpoint(c *storeCase) {
	c.admit(textOfA("1"), textOfA("2"))
	w := c.lease()
	t := c.intended("t1", w, w.Pending...)
	t.Charge(domain.Expenses{{ // in whole milliseconds, as they are stored
		Stage: domain.StageHear, Vendor: "v", Use: domain.Use{InputTokens: 1, OutputTokens: 2, Heard: 3 * time.Millisecond, Spoken: 4 * time.Second, Characters: 5},
		Calls: 6, Doubtful: 7, Unpriced: 8, Cost: 9, DoubtfulCost: 10,
	}})
	c.checkpoint(w, t)
	c.notDue("a checkpoint keeps the lease")
	c.advance(w.Lease.TTL) // the worker died before it finished
	again := c.lease()
	require.Len(c, again.Open, 1)
	assert.Equal(c, t.Record(), again.Open[0].Record())
	assert.Equal(c, []domain.MessageID{"wamid.1", "wamid.2"}, idsOf(again.Pending), "the inputs of an open turn are pending still")
	c.finish(again, c.dropped("t2", again, again.Pending...))
}

func turnReplaces(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	w := c.lease()
	t := c.newTurn("t1", w, w.Pending...)
	c.checkpoint(w, t)
	t.TakeUp()
	require.NoError(c, t.Answer(domain.Reply{Text: "later"}))
	c.checkpoint(w, t)
	require.NoError(c, c.s.Release(c.ctx, w.Lease))
	again := c.lease()
	require.Len(c, again.Open, 1)
	assert.Equal(c, t.Record(), again.Open[0].Record())
	assert.Len(c, c.turns(conv, 10), 1)
}

func turnOldestFirst(c *storeCase) {
	c.admit(textOfA("1"), textOfA("2"), textOfA("3"))
	w := c.lease()
	for i, id := range []domain.TurnID{"t9", "t1", "t5"} {
		c.checkpoint(w, c.newTurn(id, w, w.Pending[i]))
	}
	c.checkpoint(w, c.intended("t9", w, w.Pending[0])) // newly stored is not newer
	require.NoError(c, c.s.Release(c.ctx, w.Lease))
	var got []domain.TurnID
	for _, t := range c.lease().Open {
		got = append(got, t.ID())
	}
	assert.Equal(c, []domain.TurnID{"t9", "t1", "t5"}, got)
}

func turnConsumes(c *storeCase) {
	c.admit(textOfA("1"), textOfA("2"), textOfA("3"))
	w := c.lease()
	c.finish(w, c.dropped("t1", w, w.Pending[0], w.Pending[2]))
	again := c.lease()
	assert.Equal(c, []domain.MessageID{"wamid.2"}, idsOf(again.Pending))
	assert.Empty(c, again.Open, "the turn is finished")
}

func turnNoWork(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	w := c.lease()
	t := c.sent("t1", "wamid.s1", w, w.Pending...)
	c.checkpoint(w, t)
	c.finish(w, t)
	c.notDue("everything is finished")
	c.advance(2 * w.Lease.TTL)
	c.notDue("an ended lease does not run out")
	assert.Equal(c, conv, c.admitNew(textOfA("2")))
	again := c.lease()
	assert.Equal(c, []domain.MessageID{"wamid.2"}, idsOf(again.Pending))
	assert.Empty(c, again.Open)
	assert.Empty(c, again.Facts)
}

func turnTwice(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	t := c.dropped("t1", w, w.Pending...)
	c.finish(w, t)
	require.ErrorIs(c, c.s.Finish(c.ctx, w.Lease, t, w.Conversation), ports.ErrLeaseLost)
	c.notDue("everything is finished")
}

func turnMemory(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	w := c.lease()
	w.Conversation.Hear(w.Pending[0])
	w.Conversation.SpeakIn("es-ES")
	w.Conversation.Remember(domain.Memory{Messages: 10, Tokens: 1000},
		domain.Remark{Role: domain.RoleUser, Text: "hola", At: storeTime, Turn: "t1"},
		domain.Remark{Role: domain.RoleAssistant, Text: "buenas", At: storeTime, Turn: "t1"})
	c.finish(w, c.dropped("t1", w, w.Pending...))
	loaded, err := c.s.Load(c.ctx, conv)
	require.NoError(c, err)
	assert.Equal(c, w.Conversation.Record(), loaded.Record())
	c.admit(textOfA("2"))
	assert.Equal(c, w.Conversation.Record(), c.lease().Conversation.Record())
}

func turnFinishFails(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	w := c.lease()
	mend := c.breakStore()
	err := c.s.Finish(c.ctx, w.Lease, c.dropped("t1", w, w.Pending...), w.Conversation)
	mend()
	require.Error(c, err)
	assert.Empty(c, c.turns(conv, 10))
	_, err = c.s.Load(c.ctx, conv)
	assert.Equal(c, ports.KindNotFound, ports.KindOf(err))
	require.NoError(c, c.s.Release(c.ctx, w.Lease), "the lease still holds")
	assert.Equal(c, []domain.MessageID{"wamid.1"}, idsOf(c.lease().Pending))
}

func turnDead(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	c.admit(textOfA("2"))
	w := c.lease()
	t := c.newTurn("t1", w, w.Pending...)
	c.checkpoint(w, t)
	require.NoError(c, t.Die("too many attempts"))
	c.finish(w, t)
	c.notDue("a dead turn is not tried again")
	turns := c.turns(conv, 10)
	require.Len(c, turns, 1)
	assert.Equal(c, domain.TurnDead, turns[0].State())
	assert.Equal(c, "too many attempts", turns[0].Reason())
	if c.h.Dead == nil {
		c.Skip("the harness cannot list dead letters")
	}
	want := []DeadLetter{{Turn: "t1", Reason: "too many attempts", Messages: []domain.MessageID{"wamid.1", "wamid.2"}}}
	assert.Equal(c, want, c.h.Dead(c.T, c.s))
}

func turnReopen(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	w := c.lease()
	w.Conversation.SpeakIn("es-ES")
	finished := c.sent("t1", "wamid.s1", w, w.Pending...)
	c.finish(w, finished)
	c.admit(textOfA("2"), textOfA("3"))
	w = c.lease()
	open := c.intended("t2", w, w.Pending[0])
	c.checkpoint(w, open)
	ttl := w.Lease.TTL

	c.reopen()

	c.advance(ttl) // a store may let the lease of a process that is gone run out
	again := c.lease()
	assert.Equal(c, conv, again.Lease.Conversation)
	assert.Greater(c, again.Lease.Token, w.Lease.Token)
	assert.Equal(c, "es-ES", again.Conversation.Language())
	assert.Equal(c, []domain.MessageID{"wamid.2", "wamid.3"}, idsOf(again.Pending))
	require.Len(c, again.Open, 1)
	assert.Equal(c, open.Record(), again.Open[0].Record())
	turns := c.turns(conv, 10)
	require.Len(c, turns, 2)
	assert.Equal(c, finished.Record(), turns[1].Record())
	c.lost(w.Lease, c.dropped("t3", w, w.Pending...), w.Conversation)
}
