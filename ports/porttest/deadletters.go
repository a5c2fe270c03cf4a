package porttest

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// DeadLetterHarness is what TestDeadLetters needs. The stores New makes implement
// ports.DeadLetterPort too; Dead is not used.
type DeadLetterHarness = StoreHarness

// TestDeadLetters checks what ports.DeadLetterPort promises.
func TestDeadLetters(t *testing.T, h DeadLetterHarness) {
	h.run(t, map[string]func(*storeCase){
		"LetterHoldsTurnAndMessages":       letterWhole,
		"OnlyDeadTurnsAreLetters":          letterOnlyDead,
		"NewestLetterComesFirst":           letterNewestFirst,
		"LettersAreBounded":                letterLimit,
		"LettersSurviveReopen":             letterReopen,
		"DeadTurnFinishedAgainIsOneLetter": letterOnce,
		"ReplayMakesDueAtOnce":             replayDue,
		"ReplayPutsMessagesBackWhole":      replayWhole,
		"ReplayedComeBeforeLaterMessages":  replayOrder,
		"ReplayIgnoresHold":                replayHold,
		"ReplayDuringLeaseMakesDueAgain":   replayDuringLease,
		"ReplayWakesWaitingWorker":         replayWakes,
		"ReplayedIDsStayKnown":             replayKnown,
		"ReplayTwiceIsNotFound":            replayTwice,
		"ConcurrentReplayHappensOnce":      replayConcurrent,
		"FailedReplayChangesNothing":       replayFails,
		"ReplayedMessagesSurviveReopen":    replayReopen,
		"LateFailureKeepsReplayedMessages": replayLateFailure,
		"ReplayedMessagesCanDieAgain":      replayDiesAgain,
		"ReplayOfNoDeadLetterIsNotFound":   replayUnknown,
		"DiscardRemovesForGood":            discardRemoves,
		"DiscardOfNoDeadLetterIsNotFound":  discardUnknown,
		"LettersOfOthersStay":              letterOthers,
		"EndedContextChangesNothing":       letterCanceled,
	})
}

func (c *storeCase) deadLetterPort() ports.DeadLetterPort {
	c.Helper()
	p, ok := c.s.(ports.DeadLetterPort)
	require.True(c, ok, "the store must implement ports.DeadLetterPort")
	return p
}

func (c *storeCase) letters(limit int) []ports.DeadLetter {
	c.Helper()
	out, err := c.deadLetterPort().DeadLetters(c.ctx, limit)
	require.NoError(c, err)
	return out
}

func (c *storeCase) letterIDs() []domain.TurnID {
	c.Helper()
	out := []domain.TurnID{}
	for _, l := range c.letters(100) {
		out = append(out, l.Turn.ID())
	}
	return out
}

func (c *storeCase) replay(turn domain.TurnID) {
	c.Helper()
	require.NoError(c, c.deadLetterPort().Replay(c.ctx, turn))
}

func (c *storeCase) noLetter(err error, msg string) {
	c.Helper()
	require.Error(c, err, msg)
	assert.Equal(c, ports.KindNotFound, ports.KindOf(err), "%s: %v", msg, err)
}

// die gives a turn over messages of the work up.
func (c *storeCase) die(id domain.TurnID, w ports.Work, inputs ...domain.Message) domain.Turn {
	c.Helper()
	t := c.newTurn(id, w, inputs...)
	require.NoError(c, t.Hear(inputs[0].ID, domain.Transcript{Text: "words of " + string(id)}))
	require.NoError(c, t.Die("too many attempts"))
	c.finish(w, t)
	return t
}

// buried admits messages, which must be all that is due, and gives them up.
func (c *storeCase) buried(id domain.TurnID, messages ...domain.Message) domain.ConversationID {
	c.Helper()
	conv := c.admit(messages...)[0].Conversation
	w := c.lease()
	require.Equal(c, conv, w.Lease.Conversation)
	c.die(id, w, w.Pending...)
	return conv
}

func letterWhole(c *storeCase) {
	assert.Empty(c, c.letters(10), "an empty store has none")
	first, second := textOfA("1"), textOfA("2")
	second.ReplyTo, second.From.Name = "wamid.0", "Ana"
	conv := c.admit(first, second)[0].Conversation
	w := c.lease()
	t := c.die("t1", w, w.Pending...)
	c.notDue("a dead turn is not tried again")
	letters := c.letters(10)
	require.Len(c, letters, 1)
	assert.Equal(c, t.Record(), letters[0].Turn.Record())
	assert.Equal(c, conv, letters[0].Turn.Conversation())
	assert.Equal(c, domain.TurnDead, letters[0].Turn.State())
	assert.Equal(c, []domain.Message{first, second}, letters[0].Messages)
	assert.False(c, letters[0].At.IsZero())
}

func letterOnlyDead(c *storeCase) {
	c.finishSent("sent", "wamid.s1")
	c.admit(textOfA("1"), textOfA("2"), textOfA("3"))
	w := c.lease()
	c.finish(w, c.dropped("dropped", w, w.Pending[0]))
	w = c.lease()
	failed := c.newTurn("failed", w, w.Pending[0])
	require.NoError(c, failed.Fail("test"))
	c.finish(w, failed)
	w = c.lease()
	c.checkpoint(w, c.newTurn("open", w, w.Pending...))
	assert.Empty(c, c.letterIDs())
}

func letterNewestFirst(c *storeCase) {
	for n, id := range []domain.TurnID{"t2", "t9", "t1"} {
		c.buried(id, textOf(n, string(id)))
		c.advance(c.units(2))
	}
	assert.Equal(c, []domain.TurnID{"t1", "t9", "t2"}, c.letterIDs())
	letters := c.letters(10)
	assert.True(c, letters[1].At.Before(letters[0].At))
	assert.True(c, letters[2].At.Before(letters[1].At))
}

func letterLimit(c *storeCase) {
	for n := range 3 {
		c.buried(domain.TurnID("t"+strconv.Itoa(n)), textOf(n, strconv.Itoa(n)))
		c.advance(c.units(2))
	}
	letters := c.letters(2)
	require.Len(c, letters, 2)
	assert.Equal(c, domain.TurnID("t2"), letters[0].Turn.ID(), "the newest are kept")
	assert.Empty(c, c.letters(0))
}

func letterReopen(c *storeCase) {
	c.buried("t1", textOfA("1"))
	before := c.letters(10)
	c.reopen()
	after := c.letters(10)
	require.Len(c, after, 1)
	assert.Equal(c, before[0].Turn.Record(), after[0].Turn.Record())
	assert.Equal(c, before[0].Messages, after[0].Messages)
	assert.True(c, before[0].At.Equal(after[0].At))
}

// sentThenDied is a turn that died after its first part was sent.
func (c *storeCase) sentThenDied(id domain.TurnID, wamid domain.MessageID, w ports.Work) domain.Turn {
	c.Helper()
	t := c.newTurn(id, w, w.Pending...)
	require.NoError(c, t.Answer(domain.Reply{Text: "answer"}))
	require.NoError(c, t.Plan([]domain.Part{{Kind: domain.PartText, Text: "one"}, {Kind: domain.PartText, Text: "two"}}))
	require.NoError(c, t.Intend(0, storeTime))
	require.NoError(c, t.Accepted(0, wamid))
	require.NoError(c, t.Die("too many attempts"))
	c.finish(w, t)
	return t
}

// finishReopened does what a worker does with a dead turn that a late failure
// reopened. A store may also leave such a turn closed.
func (c *storeCase) finishReopened(id domain.TurnID) {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, c.h.Unit/2)
	defer cancel()
	w, err := c.s.Lease(ctx)
	if err != nil {
		return
	}
	for _, t := range w.Open {
		if t.ID() == id {
			c.finish(w, t)
			return
		}
	}
	require.NoError(c, c.s.Release(c.ctx, w.Lease))
}

func letterOnce(c *storeCase) {
	c.admit(textOfA("1"))
	t := c.sentThenDied("t1", "wamid.s1", c.lease())
	c.observe(byRef(t, "wamid.s1", domain.DeliveryFailed))
	c.finishReopened("t1")
	letters := c.letters(10)
	require.Len(c, letters, 1)
	assert.Equal(c, []domain.MessageID{"wamid.1"}, idsOf(letters[0].Messages))
}

func replayDue(c *storeCase) {
	conv := c.buried("t1", textOfA("1"), textOfA("2"))
	c.notDue("a dead turn is not tried again")
	c.replay("t1")
	w := c.lease()
	assert.Equal(c, conv, w.Lease.Conversation)
	assert.Equal(c, []domain.MessageID{"wamid.1", "wamid.2"}, idsOf(w.Pending))
	assert.Empty(c, w.Open, "the dead turn is not open again")
	assert.Empty(c, c.letterIDs(), "the dead letter is gone")
	c.finish(w, c.dropped("t2", w, w.Pending...))
	c.notDue("they were answered")
}

func replayWhole(c *storeCase) {
	m := textOfA("1")
	m.From.Name, m.ReplyTo, m.Forwarded, m.Group, m.Trace = "Ana", "wamid.0", true, "group", "00-1-2-01"
	c.buried("t1", m)
	c.replay("t1")
	assert.Equal(c, []domain.Message{m}, c.lease().Pending)
}

func replayOrder(c *storeCase) {
	c.buried("t1", textOfA("1"), textOfA("2"))
	c.admit(textOfA("3"))
	c.replay("t1")
	assert.Equal(c, []domain.MessageID{"wamid.1", "wamid.2", "wamid.3"}, idsOf(c.lease().Pending), "order of admission")
}

func replayHold(c *storeCase) {
	c.admit(withHold(textOfA("1"), c.units(3)))
	c.advance(c.units(3))
	w := c.lease()
	c.die("t1", w, w.Pending...)
	c.admit(withHold(textOfA("2"), c.units(8)))
	c.replay("t1")
	assert.Equal(c, []domain.MessageID{"wamid.1", "wamid.2"}, idsOf(c.lease().Pending), "due at once")
}

func replayDuringLease(c *storeCase) {
	c.buried("t1", textOfA("1"))
	c.admit(textOfA("2"))
	w := c.lease()
	c.replay("t1")
	c.notDue("the conversation is leased")
	c.finish(w, c.dropped("t2", w, w.Pending...))
	assert.Equal(c, []domain.MessageID{"wamid.1"}, idsOf(c.lease().Pending))
}

func replayWakes(c *storeCase) {
	c.buried("t1", textOfA("1"))
	got := make(chan error, 1)
	ctx, cancel := context.WithTimeout(c.ctx, c.units(10))
	defer cancel()
	go func() {
		_, err := c.s.Lease(ctx)
		got <- err
	}()
	c.advance(c.h.Unit / 10)
	c.replay("t1")
	require.NoError(c, <-got)
}

func replayKnown(c *storeCase) {
	conv := c.buried("t1", textOfA("1"))
	c.replay("t1")
	again := c.admit(textOfA("1"))[0]
	assert.Equal(c, ports.Admission{Message: "wamid.1", Conversation: conv}, again, "a redelivery is a duplicate")
	assert.Equal(c, []domain.MessageID{"wamid.1"}, idsOf(c.lease().Pending))
}

func replayTwice(c *storeCase) {
	c.buried("t1", textOfA("1"))
	c.replay("t1")
	c.noLetter(c.deadLetterPort().Replay(c.ctx, "t1"), "while it waits")
	w := c.lease()
	assert.Len(c, w.Pending, 1)
	c.finish(w, c.dropped("t2", w, w.Pending...))
	c.noLetter(c.deadLetterPort().Replay(c.ctx, "t1"), "after it was answered")
	c.notDue("nothing was put back twice")
}

func replayConcurrent(c *storeCase) {
	const rounds, callers = 5, 8
	for round := range rounds {
		id := domain.TurnID("t" + strconv.Itoa(round))
		c.buried(id, textOf(round, string(id)))
		var done atomic.Int64
		var failed errorList
		atOnce(callers, func(int) {
			if err := c.deadLetterPort().Replay(c.ctx, id); err == nil {
				done.Add(1)
			} else if ports.KindOf(err) != ports.KindNotFound {
				failed.add(err)
			}
		})
		require.NoError(c, failed.err())
		require.Equal(c, int64(1), done.Load())
		w := c.lease()
		require.Len(c, w.Pending, 1)
		c.finish(w, c.dropped("after "+id, w, w.Pending...))
	}
	c.notDue("everything was answered")
}

func replayFails(c *storeCase) {
	c.buried("t1", textOfA("1"), textOfA("2"))
	mend := c.breakStore()
	err := c.deadLetterPort().Replay(c.ctx, "t1")
	mend()
	require.Error(c, err)
	assert.Equal(c, ports.KindTransient, ports.KindOf(err))
	c.notDue("nothing was put back")
	letters := c.letters(10)
	require.Len(c, letters, 1, "the dead letter is still there")
	assert.Equal(c, []domain.MessageID{"wamid.1", "wamid.2"}, idsOf(letters[0].Messages))
	c.replay("t1")
	assert.Len(c, c.lease().Pending, 2)
}

func replayReopen(c *storeCase) {
	c.buried("t1", textOfA("1"))
	c.replay("t1")
	c.reopen()
	assert.Empty(c, c.letterIDs())
	assert.Equal(c, []domain.MessageID{"wamid.1"}, idsOf(c.lease().Pending))
}

func replayLateFailure(c *storeCase) {
	c.admit(textOfA("1"))
	t := c.sentThenDied("t1", "wamid.s1", c.lease())
	c.replay("t1")
	c.observe(byRef(t, "wamid.s1", domain.DeliveryFailed))
	c.finishReopened("t1")
	assert.Equal(c, []domain.MessageID{"wamid.1"}, idsOf(c.lease().Pending), "they belong to another turn now")
	assert.Empty(c, c.letterIDs(), "and the dead letter stays gone")
}

func replayDiesAgain(c *storeCase) {
	c.buried("t1", textOfA("1"))
	c.replay("t1")
	w := c.lease()
	c.die("t2", w, w.Pending...)
	letters := c.letters(10)
	require.Len(c, letters, 1)
	assert.Equal(c, domain.TurnID("t2"), letters[0].Turn.ID())
	assert.Equal(c, []domain.MessageID{"wamid.1"}, idsOf(letters[0].Messages))
	c.replay("t2")
	assert.Len(c, c.lease().Pending, 1)
}

// notDead leaves a turn that is finished and one that is open.
func (c *storeCase) notDead() {
	c.Helper()
	c.finishSent("sent", "wamid.s1")
	c.admit(textOfA("1"))
	w := c.lease()
	c.checkpoint(w, c.newTurn("open", w, w.Pending...))
}

func replayUnknown(c *storeCase) {
	c.notDead()
	for _, id := range []domain.TurnID{"nobody", "sent", "open", ""} {
		c.noLetter(c.deadLetterPort().Replay(c.ctx, id), string(id))
	}
}

func discardRemoves(c *storeCase) {
	c.admit(textOfA("1"))
	t := c.sentThenDied("t1", "wamid.s1", c.lease())
	require.NoError(c, c.deadLetterPort().Discard(c.ctx, "t1"))
	assert.Empty(c, c.letterIDs())
	c.notDue("nothing was put back")
	c.noLetter(c.deadLetterPort().Discard(c.ctx, "t1"), "twice")
	c.noLetter(c.deadLetterPort().Replay(c.ctx, "t1"), "replay after it")
	c.observe(byRef(t, "wamid.s1", domain.DeliveryFailed))
	c.finishReopened("t1")
	assert.Empty(c, c.letterIDs(), "a late failure does not bring it back")
	assert.False(c, c.admit(textOfA("1"))[0].New, "its messages are duplicates still")
}

func discardUnknown(c *storeCase) {
	c.notDead()
	for _, id := range []domain.TurnID{"nobody", "sent", "open", ""} {
		c.noLetter(c.deadLetterPort().Discard(c.ctx, id), string(id))
	}
}

func letterOthers(c *storeCase) {
	c.buried("t1", textOf(1, "1"))
	c.advance(c.units(2))
	c.buried("t2", textOf(2, "2"))
	c.advance(c.units(2))
	c.buried("t3", textOf(3, "3"))
	c.replay("t2")
	require.NoError(c, c.deadLetterPort().Discard(c.ctx, "t3"))
	assert.Equal(c, []domain.TurnID{"t1"}, c.letterIDs())
	assert.Equal(c, []domain.MessageID{"wamid.1"}, idsOf(c.letters(10)[0].Messages))
	assert.Equal(c, []domain.MessageID{"wamid.2"}, idsOf(c.lease().Pending))
	c.notDue("only one was replayed")
}

func letterCanceled(c *storeCase) {
	c.buried("t1", textOfA("1"))
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	p := c.deadLetterPort()
	_, err := p.DeadLetters(ctx, 10)
	for name, err := range map[string]error{"DeadLetters": err, "Replay": p.Replay(ctx, "t1"), "Discard": p.Discard(ctx, "t1")} {
		require.ErrorIs(c, err, context.Canceled, name)
		assert.Equal(c, ports.KindCanceled, ports.KindOf(err), name)
	}
	assert.Equal(c, []domain.TurnID{"t1"}, c.letterIDs())
	c.notDue("nothing was put back")
}
