package porttest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// TestControl checks what ports.ControlPort promises, and what a message with a Pause
// does. The stores New makes implement ports.ControlPort and ports.ErasurePort too.
func TestControl(t *testing.T, h StoreHarness) {
	h.run(t, map[string]func(*storeCase){
		"ControlsComeWithLease":             controlInWork,
		"ControlsAreOfOneConversation":      controlOthers,
		"PauseEndsByItself":                 controlPauseEnds,
		"PauseReplacesPause":                controlPauseReplaced,
		"ResumeEndsPause":                   controlResume,
		"ChangeLeavesTheOtherControlsAlone": controlIndependent,
		"ChangeTakesTheLease":               controlTakesLease,
		"ChangeEndsDelay":                   controlEndsDelay,
		"ChangeMakesNoWork":                 controlIdle,
		"ChangeTellsTheHolder":              controlNews,
		"HolderKeepsItsLease":               controlHeld,
		"LostHolderChangesNothing":          controlLost,
		"UnknownConversationIsNotFound":     controlUnknown,
		"InvalidChangeIsRefused":            controlInvalid,
		"FailedChangeChangesNothing":        controlFails,
		"EndedContextChangesNothing":        controlCanceled,
		"ControlsOutliveFinish":             controlFinish,
		"ControlsSurviveReopen":             controlReopen,
		"ControlsGoWithThePerson":           controlErased,
		"OtherProcessMayChange":             controlElsewhere,
		"PausingMessagePauses":              pausingMessage,
		"PausingMessageTakesTheLease":       pausingTakesLease,
		"PausingMessageEndsDelay":           pausingEndsDelay,
		"PausingMessageShortensNothing":     pausingNotShorter,
		"DuplicatePausesNothing":            pausingDuplicate,
		"WorkTellsTheTime":                  workNow,
	})
}

func (c *storeCase) port() ports.ControlPort {
	c.Helper()
	p, ok := c.s.(ports.ControlPort)
	require.True(c, ok, "the store has no controls")
	return p
}

func pause(d time.Duration) domain.ControlChange {
	return domain.ControlChange{Kind: domain.ControlPause, For: d, By: domain.PausedByOrder}
}

func change(kind domain.ControlKind) domain.ControlChange { return domain.ControlChange{Kind: kind} }

func (c *storeCase) control(id domain.ConversationID, ch domain.ControlChange) {
	c.Helper()
	require.NoError(c, c.port().Control(c.ctx, id, ch))
}

func (c *storeCase) controls(id domain.ConversationID) domain.Controls {
	c.Helper()
	got, err := c.port().Controls(c.ctx, id)
	require.NoError(c, err)
	return got
}

// paused demands a pause with about so much left, and its cause.
func (c *storeCase) paused(got domain.Controls, left time.Duration, by domain.PausedBy) {
	c.Helper()
	require.Greater(c, got.Paused, left-c.units(4), "left of the pause")
	require.LessOrEqual(c, got.Paused, left+time.Millisecond, "left of the pause")
	require.Equal(c, by, got.PausedBy)
}

// pausing is what somebody of the business wrote to user A.
func (c *storeCase) pausing(id string, d time.Duration) domain.Message {
	m := textOfA(id)
	m.Content, m.Pause = domain.Echo{Content: domain.Text{Body: "text of " + id}}, d
	return m
}

func controlInWork(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	w := c.lease()
	require.Zero(c, w.Controls, "nothing was decided")
	require.NoError(c, c.s.Release(c.ctx, w.Lease))
	c.control(conv, pause(c.units(50)))
	c.control(conv, change(domain.ControlOptOut))
	c.control(conv, change(domain.ControlBlock))
	w = c.lease()
	c.paused(w.Controls, c.units(50), domain.PausedByOrder)
	require.True(c, w.Controls.OptedOut)
	require.True(c, w.Controls.Blocked)
	now := c.controls(conv)
	c.paused(now, c.units(50), domain.PausedByOrder)
	require.True(c, now.OptedOut && now.Blocked)
}

func controlOthers(c *storeCase) {
	a, b := c.admitNew(textOf(1, "1")), c.admitNew(textOf(2, "2"))
	c.control(a, pause(c.units(50)))
	c.control(a, change(domain.ControlBlock))
	c.control(a, change(domain.ControlOptOut))
	require.Zero(c, c.controls(b))
	for range 2 {
		if w := c.lease(); w.Lease.Conversation == b {
			require.Zero(c, w.Controls)
		}
	}
}

func controlPauseEnds(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	c.control(conv, pause(c.units(9)))
	c.advance(c.units(3))
	c.paused(c.controls(conv), c.units(6), domain.PausedByOrder)
	c.advance(c.units(6))
	require.Zero(c, c.controls(conv))
	require.Zero(c, c.lease().Controls)
}

func controlPauseReplaced(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	for _, d := range []int{50, 9, 30} {
		c.control(conv, pause(c.units(d)))
		c.paused(c.controls(conv), c.units(d), domain.PausedByOrder)
	}
}

func controlResume(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	c.control(conv, pause(c.units(50)))
	for range 2 { // the second changes nothing
		c.control(conv, change(domain.ControlResume))
		require.Zero(c, c.controls(conv))
	}
	require.Zero(c, c.lease().Controls)
}

func controlIndependent(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	for _, kind := range []domain.ControlKind{domain.ControlOptOut, domain.ControlBlock} {
		c.control(conv, change(kind))
	}
	c.control(conv, pause(c.units(50)))
	c.control(conv, change(domain.ControlOptIn))
	got := c.controls(conv)
	require.False(c, got.OptedOut)
	require.True(c, got.Blocked)
	c.control(conv, change(domain.ControlOptOut))
	c.control(conv, change(domain.ControlUnblock))
	c.control(conv, change(domain.ControlResume))
	require.Equal(c, domain.Controls{OptedOut: true}, c.controls(conv))
}

func controlTakesLease(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	for i, ch := range []domain.ControlChange{pause(c.units(50)), change(domain.ControlResume), change(domain.ControlBlock), change(domain.ControlUnblock)} {
		w := c.lease()
		turn := c.dropped(domain.TurnID("t"+string(rune('a'+i))), w, w.Pending...)
		c.control(conv, ch)
		c.lost(w.Lease, turn, w.Conversation)
	}
	require.Len(c, c.lease().Pending, 1, "the message waits still")
}

func controlEndsDelay(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	for _, ch := range []domain.ControlChange{pause(c.units(50)), change(domain.ControlResume)} {
		w := c.lease()
		require.NoError(c, c.s.Defer(c.ctx, w.Lease, nil, c.units(40)))
		c.notDue("it was deferred")
		c.control(conv, ch)
	}
	w := c.lease()
	require.NoError(c, c.s.Defer(c.ctx, w.Lease, nil, c.units(40)))
	c.notDue("it was deferred again")
}

func controlIdle(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	w := c.lease()
	c.finish(w, c.dropped("t1", w, w.Pending...))
	c.control(conv, pause(c.units(3)))
	c.notDue("nothing waits")
	c.control(conv, change(domain.ControlResume))
	c.notDue("nothing waits")
}

func controlNews(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	w := c.leaseForNews()
	c.control(conv, pause(c.units(50)))
	c.told(w, "a change")
	w = c.leaseForNews()
	c.admit(c.pausing("2", c.units(50)))
	c.told(w, "a message of the operator")
}

func controlHeld(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	w := c.lease()
	require.NoError(c, c.port().ControlHeld(c.ctx, w.Lease, domain.ControlChange{Kind: domain.ControlPause, For: c.units(50), By: domain.PausedByUser}))
	require.NoError(c, c.port().ControlHeld(c.ctx, w.Lease, change(domain.ControlOptOut)))
	c.paused(c.controls(conv), c.units(50), domain.PausedByUser)
	c.notDue("the lease goes on")
	c.checkpoint(w, c.newTurn("t1", w, w.Pending...))
	c.finish(w, c.dropped("t1", w, w.Pending...))
	c.admitNew(textOfA("2"))
	w = c.lease()
	c.paused(w.Controls, c.units(50), domain.PausedByUser)
	require.True(c, w.Controls.OptedOut)
}

func controlLost(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	w := c.lease()
	require.NoError(c, c.s.Release(c.ctx, w.Lease))
	require.ErrorIs(c, c.port().ControlHeld(c.ctx, w.Lease, pause(c.units(50))), ports.ErrLeaseLost)
	old := c.lease()
	c.advance(old.Lease.TTL)
	require.ErrorIs(c, c.port().ControlHeld(c.ctx, old.Lease, change(domain.ControlOptOut)), ports.ErrLeaseLost)
	require.Zero(c, c.controls(conv))
}

func controlUnknown(c *storeCase) {
	for _, id := range []domain.ConversationID{"nobody", "nobody-3"} {
		_, err := c.port().Controls(c.ctx, id)
		require.Equal(c, ports.KindNotFound, ports.KindOf(err))
		require.Equal(c, ports.KindNotFound, ports.KindOf(c.port().Control(c.ctx, id, pause(c.units(9)))))
		_, err = c.port().Controls(c.ctx, id)
		require.Equal(c, ports.KindNotFound, ports.KindOf(err), "the attempt made none")
	}
}

func controlInvalid(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	w := c.lease()
	for _, ch := range []domain.ControlChange{
		{},
		change("other"),
		pause(0),
		pause(-1),
		pause(domain.MaxPause + 1),
		{Kind: domain.ControlPause, For: c.h.Unit, By: "somebody"},
	} {
		require.Equal(c, ports.KindInvalid, ports.KindOf(c.port().Control(c.ctx, conv, ch)))
		require.Equal(c, ports.KindInvalid, ports.KindOf(c.port().ControlHeld(c.ctx, w.Lease, ch)))
	}
	require.Zero(c, c.controls(conv))
	require.NoError(c, c.s.Extend(c.ctx, w.Lease), "nobody lost a lease for it")
}

func controlFails(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	w := c.lease()
	mend := c.breakStore()
	require.Error(c, c.port().Control(c.ctx, conv, pause(c.units(50))))
	require.Error(c, c.port().ControlHeld(c.ctx, w.Lease, change(domain.ControlBlock)))
	_, err := c.s.Admit(c.ctx, []domain.Message{c.pausing("2", c.units(50))})
	require.Error(c, err)
	mend()
	require.Zero(c, c.controls(conv))
	require.NoError(c, c.s.Extend(c.ctx, w.Lease))
}

func controlCanceled(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	require.ErrorIs(c, c.port().Control(ctx, conv, pause(c.units(50))), context.Canceled)
	_, err := c.port().Controls(ctx, conv)
	require.ErrorIs(c, err, context.Canceled)
	require.Zero(c, c.controls(conv))
}

func controlFinish(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	c.control(conv, pause(c.units(50)))
	c.control(conv, change(domain.ControlOptOut))
	for i := range 2 {
		w := c.lease()
		c.finish(w, c.dropped(domain.TurnID("t"+string(rune('a'+i))), w, w.Pending...))
		c.admitNew(textOfA("more" + string(rune('a'+i))))
	}
	got := c.controls(conv)
	require.Positive(c, got.Paused)
	require.True(c, got.OptedOut)
}

func controlReopen(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	c.control(conv, pause(c.units(500)))
	c.control(conv, change(domain.ControlBlock))
	c.reopen()
	got := c.controls(conv)
	require.Positive(c, got.Paused)
	require.Equal(c, domain.PausedByOrder, got.PausedBy)
	require.True(c, got.Blocked)
}

func controlErased(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	c.control(conv, pause(c.units(50)))
	c.control(conv, change(domain.ControlOptOut))
	_, err := c.s.(ports.ErasurePort).Erase(c.ctx, domain.Contact{UserID: userA})
	require.NoError(c, err)
	_, err = c.port().Controls(c.ctx, conv)
	require.Equal(c, ports.KindNotFound, ports.KindOf(err))
	require.Equal(c, ports.KindNotFound, ports.KindOf(c.port().Control(c.ctx, conv, change(domain.ControlBlock))))
	c.admitNew(textOfA("2"))
	require.Zero(c, c.lease().Controls, "the person starts anew")
}

func controlElsewhere(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	other := c.another()
	w := c.lease()
	require.NoError(c, other.(ports.ControlPort).Control(c.ctx, conv, pause(c.units(50))))
	require.ErrorIs(c, c.s.Extend(c.ctx, w.Lease), ports.ErrLeaseLost)
	c.paused(c.lease().Controls, c.units(50), domain.PausedByOrder)
}

func pausingMessage(c *storeCase) {
	conv := c.admitNew(c.pausing("1", c.units(50)))
	w := c.lease()
	assert.Equal(c, conv, w.Lease.Conversation)
	assert.Equal(c, []domain.MessageID{"wamid.1"}, idsOf(w.Pending))
	assert.Equal(c, domain.Echo{Content: domain.Text{Body: "text of 1"}}, w.Pending[0].Content)
	c.paused(w.Controls, c.units(50), domain.PausedByOperator)
	c.paused(c.controls(conv), c.units(50), domain.PausedByOperator)
}

func pausingTakesLease(c *storeCase) {
	c.admitNew(textOfA("1"))
	w := c.lease()
	turn := c.dropped("t1", w, w.Pending...)
	c.admitNew(c.pausing("2", c.units(50)))
	c.lost(w.Lease, turn, w.Conversation)
	assert.Equal(c, []domain.MessageID{"wamid.1", "wamid.2"}, idsOf(c.lease().Pending))
}

func pausingEndsDelay(c *storeCase) {
	c.admitNew(textOfA("1"))
	w := c.lease()
	require.NoError(c, c.s.Defer(c.ctx, w.Lease, nil, c.units(40)))
	c.admitNew(c.pausing("2", c.units(50)))
	require.Len(c, c.lease().Pending, 2)
}

func pausingNotShorter(c *storeCase) {
	conv := c.admitNew(textOfA("1"))
	c.control(conv, pause(c.units(90)))
	c.admitNew(c.pausing("2", c.units(20)))
	c.paused(c.controls(conv), c.units(90), domain.PausedByOrder)
	c.admitNew(c.pausing("3", c.units(200)))
	c.paused(c.controls(conv), c.units(200), domain.PausedByOperator)
}

func pausingDuplicate(c *storeCase) {
	conv := c.admitNew(c.pausing("1", c.units(50)))
	c.control(conv, change(domain.ControlResume))
	w := c.lease()
	require.False(c, c.admit(c.pausing("1", c.units(50)))[0].New)
	require.Zero(c, c.controls(conv))
	require.NoError(c, c.s.Extend(c.ctx, w.Lease), "nobody lost a lease for it")
}

func workNow(c *storeCase) {
	c.admitNew(textOfA("1"))
	first := c.lease()
	require.False(c, first.Now.IsZero())
	require.NoError(c, c.s.Release(c.ctx, first.Lease))
	c.advance(c.units(3))
	passed := c.lease().Now.Sub(first.Now)
	require.GreaterOrEqual(c, passed, c.units(3)-time.Millisecond)
	require.Less(c, passed, c.units(8))
}
