package porttest

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// TestConversation checks what ports.ConversationPort promises.
func TestConversation(t *testing.T, h ConversationHarness) {
	h.run(t, map[string]func(*storeCase){
		"LoadKnowsOnlyFinished":           convLoad,
		"TurnsComeNewestFirst":            convTurns,
		"StatusIsFoundByReference":        factByRef,
		"StatusIsFoundByWamid":            factByWamid,
		"ReferenceTeachesWamid":           factTeaches,
		"UnknownSendIsNoError":            factUnknown,
		"SameFactTwiceIsRecordedOnce":     factOnce,
		"ConcurrentObserveIsNewOnce":      factConcurrent,
		"FactsComeInAnyOrder":             factAnyOrder,
		"FactsComeInOrderOfArrival":       factArrival,
		"FailureReopensSettledTurn":       factFailure,
		"FailureByWamidReopens":           factFailureByWamid,
		"SuccessLeavesSettledTurnAlone":   factSuccess,
		"FirstPriceOfASendIsMarked":       factPriced,
		"FactDuringLeaseIsNotLost":        factDuringLease,
		"FactOfOtherTurnSurvivesFinish":   factOtherTurn,
		"FailedObserveCanBeRepeated":      factRepeat,
		"FactsSurviveReopen":              factReopen,
		"FinishedTurnIsClosedByWhatItSaw": factSeen,
	})
}

func convLoad(c *storeCase) {
	_, err := c.s.Load(c.ctx, "nobody")
	assert.Equal(c, ports.KindNotFound, ports.KindOf(err))
	conv := c.admitNew(textOfA("1"))
	_, err = c.s.Load(c.ctx, conv)
	assert.Equal(c, ports.KindNotFound, ports.KindOf(err), "it was not finished yet")
	w := c.lease()
	c.finish(w, c.dropped("t1", w, w.Pending...))
	loaded, err := c.s.Load(c.ctx, conv)
	require.NoError(c, err)
	assert.Equal(c, w.Conversation.Record(), loaded.Record())
}

func convTurns(c *storeCase) {
	assert.Empty(c, c.turns("nobody", 5))
	for _, id := range []domain.TurnID{"t3", "t1", "t2"} {
		c.finishSent(id, domain.MessageID("wamid.of "+string(id)))
	}
	conv := c.admitNew(textOfA("other"))
	names := func(turns []domain.Turn) (out []domain.TurnID) {
		for _, t := range turns {
			out = append(out, t.ID())
		}
		return out
	}
	assert.Equal(c, []domain.TurnID{"t2", "t1", "t3"}, names(c.turns(conv, 5)))
	assert.Equal(c, []domain.TurnID{"t2", "t1"}, names(c.turns(conv, 2)))
	assert.Empty(c, c.turns(conv, 0))
}

func factByRef(c *storeCase) {
	t := c.finishSent("t1", "wamid.s1")
	got := c.observe(byRef(t, "wamid.s1", domain.DeliveryDelivered))[0]
	assert.Equal(c, ports.Observation{Turn: "t1", Conversation: t.Conversation(), New: true, Priced: true}, got)
	assert.Equal(c, domain.TurnDelivered, c.newest(t.Conversation()).State(), "facts are applied")
}

func factByWamid(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	t := c.sent("t1", "wamid.s1", w, w.Pending...)
	assert.Empty(c, c.observe(byWamid("wamid.s1", domain.DeliverySent))[0].Turn, "nothing of the send is stored yet")
	c.checkpoint(w, t)
	want := ports.Observation{Turn: "t1", Conversation: w.Lease.Conversation, New: true, Priced: true}
	assert.Equal(c, want, c.observe(byWamid("wamid.s1", domain.DeliveryRead))[0], "known from a checkpoint")
	c.finish(w, t)
	want.Priced = false // the first price of the send was told before
	assert.Equal(c, want, c.observe(byWamid("wamid.s1", domain.DeliveryPlayed))[0], "known from a finished turn")
	assert.Equal(c, domain.TurnPlayed, c.newest(w.Lease.Conversation).State())
}

func factTeaches(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	t := c.intended("t1", w, w.Pending...) // the answer to its send never came
	c.checkpoint(w, t)
	require.True(c, c.observe(byRef(t, "wamid.s1", domain.DeliverySent))[0].New)
	got := c.observe(byWamid("wamid.s1", domain.DeliveryDelivered))[0]
	assert.Equal(c, ports.Observation{Turn: "t1", Conversation: w.Lease.Conversation, New: true}, got)
	assert.Equal(c, domain.TurnDelivered, c.newest(w.Lease.Conversation).State())
}

func factUnknown(c *storeCase) {
	t := c.finishSent("t1", "wamid.s1")
	foreign := byRef(t, "wamid.x", domain.DeliveryFailed)
	foreign.Ref.Turn = "not ours"
	got := c.observe(byWamid("wamid.unknown", domain.DeliveryFailed), byWamid("wamid.s1", domain.DeliveryRead), foreign)
	assert.Empty(c, got[0].Turn)
	assert.Equal(c, domain.TurnID("t1"), got[1].Turn, "the answers come in order")
	assert.Empty(c, got[2].Turn)
	c.notDue("an unknown send is nobody's work")
	out, err := c.s.Observe(c.ctx, nil)
	require.NoError(c, err)
	assert.Empty(c, out)
}

func factOnce(c *storeCase) {
	t := c.finishSent("t1", "wamid.s1")
	s := byRef(t, "wamid.s1", domain.DeliveryDelivered)
	got := c.observe(s, s)
	assert.Equal(c, []bool{true, false}, []bool{got[0].New, got[1].New}, "twice in one call")
	assert.Equal(c, domain.TurnID("t1"), got[1].Turn, "a repeat still belongs to its turn")
	assert.False(c, c.observe(s)[0].New, "in a later call")
	assert.False(c, c.observe(byWamid("wamid.s1", domain.DeliveryDelivered))[0].New, "without its reference")
	assert.True(c, c.observe(byRef(t, "wamid.s1", domain.DeliveryRead))[0].New, "another state is another fact")
	s.Ref.Attempt++
	assert.True(c, c.observe(s)[0].New, "another attempt is another fact")

	failed := byRef(t, "wamid.s1", domain.DeliveryFailed)
	c.observe(failed)
	w := c.lease()
	c.finish(w, w.Open[0])
	assert.False(c, c.observe(failed)[0].New)
	c.notDue("a repeated failure is no new work")
}

func factConcurrent(c *storeCase) {
	t := c.finishSent("t1", "wamid.s1")
	for _, state := range []domain.DeliveryState{domain.DeliverySent, domain.DeliveryDelivered, domain.DeliveryRead} {
		var fresh atomic.Int32
		var failed errorList
		atOnce(8, func(int) {
			got, err := c.s.Observe(c.ctx, []domain.Status{byRef(t, "wamid.s1", state)})
			failed.add(err)
			if err == nil && got[0].New {
				fresh.Add(1)
			}
		})
		require.NoError(c, failed.err())
		require.EqualValues(c, 1, fresh.Load(), "%s must be new exactly once", state)
	}
}

func factAnyOrder(c *storeCase) {
	t := c.finishSent("t1", "wamid.s1")
	for _, state := range []domain.DeliveryState{domain.DeliveryRead, domain.DeliverySent, domain.DeliveryDelivered} {
		c.observe(byRef(t, "wamid.s1", state))
		assert.Equal(c, domain.TurnRead, c.newest(t.Conversation()).State(), "after %s", state)
	}
}

func factArrival(c *storeCase) {
	_, t := c.deferred(c.units(8))
	statuses := []domain.Status{
		byRef(t, "wamid.s1", domain.DeliveryRead), byRef(t, "wamid.s1", domain.DeliverySent), byRef(t, "wamid.s1", domain.DeliveryDelivered),
	}
	c.observe(statuses[0])
	c.observe(statuses[1:]...)
	assert.Equal(c, statuses, c.lease().Facts)
}

func factFailure(c *storeCase) {
	t := c.finishSent("t1", "wamid.s1")
	c.notDue("the turn is settled")
	failed := byRef(t, "wamid.s1", domain.DeliveryFailed)
	c.observe(failed)
	w := c.lease()
	require.Len(c, w.Open, 1)
	assert.Equal(c, t.Record(), w.Open[0].Record())
	assert.Equal(c, []domain.Status{failed}, w.Facts)
	assert.Empty(c, w.Pending)

	again := w.Open[0]
	require.True(c, again.Observe(failed))
	require.Equal(c, domain.TurnSending, again.State(), "the words are to be sent as text")
	require.NoError(c, c.s.Defer(c.ctx, w.Lease, &again, 0))
	w = c.lease()
	require.Len(c, w.Open, 1)
	require.NoError(c, again.Intend(1, storeTime))
	require.NoError(c, again.Accepted(1, "wamid.s2"))
	c.finish(w, again)
	c.notDue("the failure was dealt with")
	assert.Equal(c, domain.TurnID("t1"), c.observe(byWamid("wamid.s2", domain.DeliverySent))[0].Turn)
}

func factFailureByWamid(c *storeCase) {
	c.finishSent("t1", "wamid.s1")
	failed := byWamid("wamid.s1", domain.DeliveryFailed)
	c.observe(failed)
	w := c.lease()
	require.Len(c, w.Open, 1)
	assert.Equal(c, []domain.Status{failed}, w.Facts)
}

func factSuccess(c *storeCase) {
	t := c.finishSent("t1", "wamid.s1")
	c.observe(byRef(t, "wamid.s1", domain.DeliveryDelivered), byRef(t, "wamid.s1", domain.DeliveryRead))
	c.notDue("good news is no work")
	c.admit(textOfA("2"))
	assert.Empty(c, c.lease().Open)
}

func factDuringLease(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	t := c.sent("t1", "wamid.s1", w, w.Pending...)
	c.checkpoint(w, t)
	failed := byRef(t, "wamid.s1", domain.DeliveryFailed)
	c.observe(failed)
	c.notDue("the conversation is leased")
	c.finish(w, t) // the worker does not know of the failure
	again := c.lease()
	require.Len(c, again.Open, 1, "the failure reopens the turn")
	assert.Equal(c, []domain.Status{failed}, again.Facts)
	c.finish(again, again.Open[0])
	c.notDue("the failure was seen")
}

func factOtherTurn(c *storeCase) {
	first, second := c.finishSent("t1", "wamid.s1"), c.finishSent("t2", "wamid.s2")
	c.observe(byRef(first, "wamid.s1", domain.DeliveryFailed), byRef(second, "wamid.s2", domain.DeliveryFailed))
	w := c.lease()
	require.Len(c, w.Open, 2)
	c.finish(w, w.Open[0])
	again := c.lease()
	require.Len(c, again.Open, 1, "finishing one turn does not close the other")
	assert.Equal(c, domain.TurnID("t2"), again.Open[0].ID())
	c.finish(again, again.Open[0])
	c.notDue("both failures were dealt with")
}

func factSeen(c *storeCase) {
	t := c.finishSent("t1", "wamid.s1")
	c.observe(byRef(t, "wamid.s1", domain.DeliveryFailed))
	w := c.lease()
	next := byRef(t, "wamid.s1", domain.DeliveryFailed)
	next.Ref.Attempt++
	c.observe(next) // came after the lease was given
	c.finish(w, w.Open[0])
	again := c.lease()
	require.Len(c, again.Open, 1)
	assert.Len(c, again.Facts, 2)
	c.finish(again, again.Open[0])
	c.notDue("both were seen")
}

func factRepeat(c *storeCase) {
	t := c.finishSent("t1", "wamid.s1")
	s := byRef(t, "wamid.s1", domain.DeliveryFailed)
	mend := c.breakStore()
	_, err := c.s.Observe(c.ctx, []domain.Status{s})
	mend()
	require.Error(c, err)
	assert.Equal(c, ports.KindTransient, ports.KindOf(err))
	c.observe(s)
	assert.Equal(c, []domain.Status{s}, c.lease().Facts)
}

func factReopen(c *storeCase) {
	t := c.finishSent("t1", "wamid.s1")
	failed, read := byRef(t, "wamid.s1", domain.DeliveryFailed), byRef(t, "wamid.s1", domain.DeliveryRead)
	c.observe(read, failed)
	c.reopen()
	assert.False(c, c.observe(read)[0].New)
	assert.Equal(c, domain.TurnID("t1"), c.observe(byWamid("wamid.s1", domain.DeliveryFailed))[0].Turn)
	w := c.lease()
	require.Len(c, w.Open, 1)
	assert.Equal(c, []domain.Status{read, failed}, w.Facts)
}

func factPriced(c *storeCase) {
	t := c.finishSent("t1", "wamid.s1")
	fee := &domain.Pricing{Billable: true, Category: "service", Type: "regular", Model: "PMP"}
	of := func(state domain.DeliveryState, p *domain.Pricing) domain.Status {
		s := byRef(t, "wamid.s1", state)
		s.Pricing = p
		return s
	}
	assert.False(c, c.observe(of(domain.DeliverySent, nil))[0].Priced, "it says nothing of a price")
	assert.True(c, c.observe(of(domain.DeliveryDelivered, fee))[0].Priced, "the first that does")
	assert.False(c, c.observe(of(domain.DeliveryDelivered, fee))[0].Priced, "a duplicate")
	assert.False(c, c.observe(of(domain.DeliveryRead, fee))[0].Priced, "the second")
	again := of(domain.DeliverySent, fee)
	again.Ref.Attempt++
	assert.True(c, c.observe(again)[0].Priced, "another send of the part")
	turns, err := c.s.Turns(c.ctx, t.Conversation(), 1)
	require.NoError(c, err)
	assert.Equal(c, fee, turns[0].Parts()[0].Pricing, "the turn knows what it was told")
}
