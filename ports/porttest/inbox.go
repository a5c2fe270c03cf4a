package porttest

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// TestInbox checks what ports.InboxPort promises.
func TestInbox(t *testing.T, h InboxHarness) {
	h.run(t, map[string]func(*storeCase){
		// What is due, and in which order.
		"LeaseWaitsForMessage":             inboxWaits,
		"LeaseEndsWithContext":             inboxContext,
		"WaitingLeaseWakesInTime":          inboxWakes,
		"OneMessageWakesOneWorker":         inboxWakesOne,
		"PendingKeepsOrderOfAdmission":     inboxOrder,
		"PendingHoldsWholeMessage":         inboxWhole,
		"PendingIsBounded":                 inboxBounded,
		"HoldDelays":                       inboxHold,
		"ShortestHoldDecides":              inboxShortestHold,
		"LongestDueComesFirst":             inboxLongest,
		"CrowdOfStrangersWaits":            inboxCrowd,
		"HoldCountsForMessageDuringLease":  inboxHoldDuringLease,
		"MessageDuringLeaseMakesDueAgain":  inboxDuringLease,
		"OneLeaseAtATime":                  inboxOneLease,
		"ConversationsAreLeasedInParallel": inboxParallel,
		// The life of a lease.
		"ExpiredLeaseIsGivenAgain":    leaseExpires,
		"ExtendKeepsLease":            leaseExtend,
		"TokensGrow":                  leaseTokens,
		"LostLeaseChangesNothing":     leaseFenced,
		"EndedLeaseIsLost":            leaseEnded,
		"UntakenExpiredLeaseIsLost":   leaseUntaken,
		"UnknownLeaseIsLost":          leaseUnknown,
		"ReleaseMakesDueAtOnce":       leaseRelease,
		"LeaseOfFailingStoreRecovers": leaseBroken,
		"AbandonedLeaseIsTold":        abandonedTold,
		"EndedLeaseIsNotAbandoned":    abandonedEnded,
		"LateCallEndsNoLease":         abandonedLate,
		"AbandonedIsOneConversations": abandonedApart,
		"PauseAbandonsNoLease":        abandonedRecalled,
		"AbandonedSurvivesReopen":     abandonedReopen,
		"AbandonedByAnotherIsTold":    abandonedElsewhere,
		// What is stored under it.
		"CheckpointComesBack":            turnCheckpoint,
		"CheckpointReplaces":             turnReplaces,
		"OpenTurnsComeOldestFirst":       turnOldestFirst,
		"FinishConsumesOnlyItsInputs":    turnConsumes,
		"FinishOfEverythingLeavesNoWork": turnNoWork,
		"FinishTwiceIsLost":              turnTwice,
		"FinishStoresConversation":       turnMemory,
		"FailedFinishChangesNothing":     turnFinishFails,
		"DeadTurnIsKept":                 turnDead,
		"WorkSurvivesReopen":             turnReopen,
		// What came meanwhile.
		"MessageDuringLeaseIsPending":      pendingMeanwhile,
		"PendingMessageIsWhole":            pendingWhole,
		"PendingCallKeepsOrder":            pendingOrder,
		"PendingCallIsBounded":             pendingBounded,
		"PendingWaitsForNoHold":            pendingHold,
		"DuplicateIsPendingOnce":           pendingDuplicate,
		"ConsumedMessageIsNotPending":      pendingConsumed,
		"InputsOfOpenTurnArePending":       pendingOpen,
		"PendingChangesNothing":            pendingHarmless,
		"PendingDoesNotProlongLease":       pendingExpires,
		"PendingIsOfOneConversation":       pendingApart,
		"PendingOfLostLeaseIsRefused":      pendingLost,
		"PendingEndsWithContext":           pendingContext,
		"AnsweredAdmissionIsPending":       pendingConcurrent,
		"PendingKnowsWhatOthersAdmit":      pendingElsewhere,
		"NewsTellOfMessage":                newsMessage,
		"NewsTellOfMessageOnHold":          newsHold,
		"NewsTellOfEachMessageThatIsAlone": newsAgain,
		"NewsOutliveExtend":                newsExtended,
		"UnreadNewsHoldUpNobody":           newsUnread,
		"NewsEndWithLease":                 newsEnd,
		"NewsGoToNewestLease":              newsNewest,
		"NewsTellOfWhatOthersAdmit":        newsElsewhere,
		// Waiting on purpose.
		"DeferWaits":                      deferWaits,
		"DeferWithoutTurnKeepsStored":     deferNil,
		"NewMessageDoesNotShortenDefer":   deferMessage,
		"StatusOfOpenTurnEndsDefer":       deferStatus,
		"StatusDuringLeaseIsNotSleptOver": deferEarlyStatus,
		"DeferSurvivesReopen":             deferReopen,
	})
}

func inboxWaits(c *storeCase) {
	type result struct {
		work ports.Work
		err  error
	}
	got := make(chan result, 1)
	ctx, cancel := context.WithTimeout(c.ctx, c.units(10))
	defer cancel()
	go func() {
		w, err := c.s.Lease(ctx)
		got <- result{w, err}
	}()
	c.advance(c.h.Unit / 10) // it is waiting by now, most likely; both orders must work
	c.admit(textOfA("1"))
	r := <-got
	require.NoError(c, r.err)
	assert.Equal(c, []domain.MessageID{"wamid.1"}, idsOf(r.work.Pending))
}

func inboxWakes(c *storeCase) {
	wait := func(what string) ports.Work {
		c.Helper()
		ctx, cancel := context.WithTimeout(c.ctx, c.units(30))
		defer cancel()
		w, err := c.s.Lease(ctx)
		require.NoError(c, err, "%s must wake a worker that waits already", what)
		return w
	}
	c.admit(withHold(textOfA("1"), c.units(2)))
	w := wait("a hold that passes")
	ttl := w.Lease.TTL
	require.NoError(c, c.s.Defer(c.ctx, w.Lease, nil, c.units(2)))
	w = wait("a delay that passes")
	if ttl > c.units(15) {
		c.advance(ttl - c.units(15))
	}
	next := wait("a lease that runs out")
	assert.Greater(c, next.Lease.Token, w.Lease.Token)
}

func inboxWakesOne(c *storeCase) {
	const callers = 5
	works := make(chan ports.Work, callers)
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	var failed errorList
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			w, err := c.s.Lease(ctx)
			if err != nil {
				failed.add(err)
				return
			}
			works <- w
		})
	}
	c.advance(c.h.Unit / 10)
	c.admit(textOf(1, "1"), textOf(2, "2"))
	first, second := <-works, <-works
	assert.NotEqual(c, first.Lease.Conversation, second.Lease.Conversation)
	c.advance(c.h.Unit / 10)
	cancel()
	all.Wait()
	close(works)
	assert.Empty(c, works, "two conversations are two leases")
	assert.Len(c, failed.list, callers-2)
	require.ErrorIs(c, failed.err(), context.Canceled)
}

func inboxContext(c *storeCase) {
	c.notDue("an empty store has no work")
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	_, err := c.s.Lease(ctx)
	require.ErrorIs(c, err, context.Canceled)
	// The caller that gave up must not have taken the work along.
	c.admit(textOfA("1"))
	assert.Len(c, c.lease().Pending, 1)
}

func inboxOrder(c *storeCase) {
	c.admit(textOfA("3"), textOfA("1"))
	c.admit(textOfA("2"))
	c.admit(textOfA("9"), textOfA("4"), textOfA("1"))
	assert.Equal(c, []domain.MessageID{"wamid.3", "wamid.1", "wamid.2", "wamid.9", "wamid.4"}, idsOf(c.lease().Pending))
}

func inboxWhole(c *storeCase) {
	media := domain.MediaRef{ID: "7", Number: storeNumber, MIME: domain.MIMEOggOpus, SHA256: "ab", URL: "https://media.example/7"}
	voice := domain.Message{
		ID: "wamid.voice", Number: storeNumber, From: domain.Contact{UserID: userA, Phone: phoneA, Name: "Ana"}, SentAt: storeTime,
		Content: domain.Voice{Media: media, Note: true}, ReplyTo: "wamid.0", Forwarded: true, Group: "group", Trace: "00-1-2-01",
	}
	order := textOfA("order")
	order.Content = domain.Order{Catalog: "c", Items: []domain.OrderItem{{ProductID: "p", Quantity: 2, Price: 3.5, Currency: "EUR"}}}
	edit := textOfA("edit")
	edit.Content = domain.Edit{Target: "wamid.order", Content: domain.Image{Media: media, Caption: "ñ😀"}}
	c.admit(voice, order, edit)
	w := c.lease()
	assert.Equal(c, []domain.Message{voice, order, edit}, w.Pending)
	assert.Equal(c, voice.From, w.Conversation.Contact(), "a new conversation knows its first sender")
	assert.Equal(c, storeNumber, w.Conversation.Number())
	assert.Empty(c, w.Open)
	assert.Empty(c, w.Facts)
}

func inboxBounded(c *storeCase) {
	var batch []domain.Message
	for i := range ports.MaxPending + 7 {
		m := textOfA(string(rune('A'+i/26)) + string(rune('a'+i%26)))
		batch = append(batch, m)
	}
	c.admit(batch...)
	w := c.lease()
	require.Equal(c, idsOf(batch[:ports.MaxPending]), idsOf(w.Pending))
	c.finish(w, c.dropped("t1", w, w.Pending...))
	assert.Equal(c, idsOf(batch[ports.MaxPending:]), idsOf(c.lease().Pending), "the rest waits for the next lease")
}

func inboxHold(c *storeCase) {
	c.admit(withHold(textOfA("1"), c.units(3)))
	c.notDue("its hold has not passed")
	c.advance(c.units(2))
	c.notDue("its hold has not passed yet")
	c.advance(c.units(1))
	assert.Len(c, c.lease().Pending, 1)
}

func inboxShortestHold(c *storeCase) {
	c.admit(withHold(textOfA("1"), c.units(8)))
	c.admit(withHold(textOfA("2"), c.units(2)))
	c.admit(withHold(textOfA("3"), c.units(9)))
	c.notDue("no hold has passed")
	c.advance(c.units(2))
	assert.Equal(c, []domain.MessageID{"wamid.1", "wamid.2", "wamid.3"}, idsOf(c.lease().Pending), "everything that waits comes along")
}

func inboxCrowd(c *storeCase) {
	known := c.admitNew(textOf(1, "1"))
	w := c.lease()
	c.finish(w, c.dropped("t1", w, w.Pending...))
	for n := 2; n < 6; n++ {
		c.admitNew(textOf(n, string(rune('0'+n))))
	}
	c.advance(c.h.Unit / 10)
	c.admitNew(textOf(1, "6"))
	w = c.lease()
	assert.Equal(c, known, w.Lease.Conversation, "who was leased before comes before strangers")
	c.admitNew(textOf(1, "7"))
	c.finish(w, c.dropped("t2", w, w.Pending...))
	assert.Equal(c, known, c.lease().Lease.Conversation, "also with what came meanwhile")
	assert.NotEqual(c, known, c.lease().Lease.Conversation)
}

func inboxLongest(c *storeCase) {
	want := []domain.ConversationID{
		c.admitNew(textOf(1, "1")),
	}
	late := c.admitNew(withHold(textOf(2, "2"), c.units(3)))
	for n := 3; n < 7; n++ {
		c.advance(c.h.Unit / 10)
		want = append(want, c.admitNew(textOf(n, string(rune('0'+n)))))
	}
	c.advance(c.units(3))
	want = append(want, late)
	var got []domain.ConversationID
	for range want {
		got = append(got, c.lease().Lease.Conversation)
	}
	assert.Equal(c, want, got)
}

func inboxHoldDuringLease(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	c.admit(withHold(textOfA("2"), c.units(3)))
	c.finish(w, c.dropped("t1", w, w.Pending...))
	c.notDue("the hold of what is left has not passed")
	c.advance(c.units(3))
	assert.Equal(c, []domain.MessageID{"wamid.2"}, idsOf(c.lease().Pending))
}

func inboxDuringLease(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.lease()
	c.admit(textOfA("2"))
	c.notDue("the conversation is leased")
	c.finish(w, c.dropped("t1", w, w.Pending...))
	assert.Equal(c, []domain.MessageID{"wamid.2"}, idsOf(c.lease().Pending))
}

func inboxParallel(c *storeCase) {
	c.admit(textOf(1, "1"), textOf(2, "2"), textOf(3, "3"))
	a, b, d := c.lease(), c.lease(), c.lease()
	assert.NotEqual(c, a.Lease.Conversation, b.Lease.Conversation)
	assert.NotEqual(c, b.Lease.Conversation, d.Lease.Conversation)
	assert.NotEqual(c, a.Lease.Conversation, d.Lease.Conversation)
	c.notDue("all conversations are leased")
}
