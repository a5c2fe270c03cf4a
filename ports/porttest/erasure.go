package porttest

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// ErasureHarness is what TestErasure needs. The stores New makes implement
// ports.ErasurePort and ports.DeadLetterPort too; Dead is not used.
type ErasureHarness struct {
	StoreHarness
	// Dump returns every byte that the store New made last holds: keys, values,
	// files, logs, what is free but not overwritten. It is called while the store is
	// open, and again after Reopen.
	Dump func() string
	// Sealed says that the store has keys: then Dump shows nothing of a person even
	// before they are erased.
	Sealed bool
}

// TestErasure checks what ports.ErasurePort promises.
func TestErasure(t *testing.T, h ErasureHarness) {
	cases := map[string]func(*erasureCase){
		"FindFollowsUserIDAndPhone":           findNames,
		"FindLooksAtAllNumbers":               findNumbers,
		"FindOfNobodyIsNoError":               findNobody,
		"FindFollowsEachNameGiven":            findEach,
		"FindDoesNotFollowAbandonedNumber":    findAbandoned,
		"FindWithoutNameFindsNobody":          findNameless,
		"NothingMentionsThePerson":            eraseEverything,
		"NothingIsLeftByPhoneEither":          eraseByPhone,
		"OtherPersonKeepsEverything":          eraseKeepsOthers,
		"CountsAreTrue":                       eraseCounts,
		"DeadLettersGo":                       eraseLetters,
		"ErasesAtAllNumbers":                  eraseNumbers,
		"FormerNamesGo":                       eraseFormerNames,
		"ConversationThatLostItsNameGoes":     eraseOrphan,
		"StrangerOnTheSameNumberStays":        eraseStranger,
		"WorkerLosesItsLease":                 eraseLease,
		"ErasedConversationIsNotDue":          eraseNotDue,
		"LaterStatusIsUnknown":                eraseStatus,
		"ErasingAgainRemovesNothing":          eraseAgain,
		"LaterMessageStartsAnew":              eraseStartsAnew,
		"ErasureSurvivesReopen":               eraseReopen,
		"FailedErasureCanBeRepeated":          eraseFails,
		"ConcurrentAdmitLeavesNothingHalf":    eraseConcurrent,
		"ErasedTwiceAtOnceIsCountedOnce":      eraseTwiceAtOnce,
		"EndedContextErasesNothing":           eraseCanceled,
		"TraceOfAnsweredMessagesIsNotLeft":    eraseAnswered,
		"LargeConversationLeavesNoTraceAtAll": eraseLarge,
	}
	wrapped := make(map[string]func(*storeCase), len(cases))
	for name, fn := range cases {
		wrapped[name] = func(c *storeCase) { fn(&erasureCase{storeCase: c, dump: h.Dump, sealed: h.Sealed}) }
	}
	h.run(t, wrapped)
}

type erasureCase struct {
	*storeCase
	dump   func() string
	sealed bool
}

// person is somebody with markers that can be looked for.
type person struct {
	user        domain.UserID
	phone       domain.Phone
	name, words string
	tag         string // for ids of turns, which tell nothing about a person
}

var (
	ana   = person{userA, phoneA, "Ana Marcadora", "the code of my safe is 4711", "ana"}
	bruno = person{userB, phoneB, "Bruno Testigo", "my dog is called Strolch", "bruno"}
)

func (p person) contact() domain.Contact {
	return domain.Contact{UserID: p.user, Phone: p.phone, Name: p.name}
}

// says is a message of the person; id must be different for each.
func (p person) says(id string) domain.Message {
	m := textFrom(string(p.user)+"."+id, p.user, p.phone)
	m.From.Name, m.Content = p.name, domain.Text{Body: p.words + ", " + id}
	return m
}

func (p person) markers() []string {
	return []string{string(p.user), string(p.phone), p.name, p.words, "answer for " + p.name}
}

func (c *erasureCase) port() ports.ErasurePort {
	c.Helper()
	p, ok := c.s.(ports.ErasurePort)
	require.True(c, ok, "the store must implement ports.ErasurePort")
	return p
}

func (c *erasureCase) find(who domain.Contact) []domain.ConversationID {
	c.Helper()
	out, err := c.port().Find(c.ctx, who)
	require.NoError(c, err)
	return out
}

func (c *erasureCase) erase(who domain.Contact) ports.Erased {
	c.Helper()
	out, err := c.port().Erase(c.ctx, who)
	require.NoError(c, err)
	return out
}

// noTrace demands that nothing in the store mentions any of the markers. The dump
// itself is not shown: it is long, and may be binary.
func (c *erasureCase) noTrace(markers ...string) {
	c.Helper()
	dump := c.dump()
	for _, m := range markers {
		if i := strings.Index(dump, m); i >= 0 {
			c.Errorf("the store still holds %q: ...%q...", m, dump[max(0, i-80):min(len(dump), i+80)])
		}
	}
}

// traces demands that the store holds all of the markers, so that noTrace can fail. A
// sealed store must show none of them at any time.
func (c *erasureCase) traces(markers ...string) {
	c.Helper()
	if c.sealed {
		c.noTrace(markers...)
		return
	}
	dump := c.dump()
	for _, m := range markers {
		if !strings.Contains(dump, m) {
			c.Errorf("the store does not hold %q", m)
		}
	}
}

// live gives a person one of everything: an answered turn with facts and history,
// a dead letter, an open turn and messages that wait. It must be alone with what
// is due, and leaves its conversation due.
func (c *erasureCase) live(p person) domain.ConversationID {
	c.Helper()
	id := func(s string) domain.TurnID { return domain.TurnID(s + " of " + p.tag) }
	conv := c.admitNew(p.says("answered"))
	w := c.lease()
	w.Conversation.Hear(w.Pending[0])
	w.Conversation.Remember(domain.Memory{Messages: 10, Tokens: 1000},
		domain.Remark{Role: domain.RoleUser, Text: p.words, At: storeTime, Turn: id("t1")},
		domain.Remark{Role: domain.RoleAssistant, Text: "answer for " + p.name, At: storeTime, Turn: id("t1")})
	t := c.newTurn(id("t1"), w, w.Pending...)
	require.NoError(c, t.Hear(w.Pending[0].ID, domain.Transcript{Text: p.words}))
	require.NoError(c, t.Answer(domain.Reply{Text: "answer for " + p.name}))
	require.NoError(c, t.Plan([]domain.Part{{Kind: domain.PartText, Text: "answer for " + p.name}}))
	require.NoError(c, t.Intend(0, storeTime))
	require.NoError(c, t.Accepted(0, domain.MessageID("wamid.send to "+p.user)))
	c.finish(w, t)
	status := byRef(t, domain.MessageID("wamid.send to "+p.user), domain.DeliveryDelivered)
	status.Recipient = p.contact()
	c.observe(status)
	c.buried(id("dead"), p.says("dead"))
	c.admitNew(p.says("open"))
	w = c.lease()
	open := c.newTurn(id("open"), w, w.Pending...)
	require.NoError(c, open.Hear(w.Pending[0].ID, domain.Transcript{Text: p.words}))
	c.checkpoint(w, open)
	require.NoError(c, c.s.Defer(c.ctx, w.Lease, nil, 0))
	c.admitNew(p.says("waiting"))
	return conv
}

// leased is live with the lease of the newest state in hand.
func (c *erasureCase) leased(p person) (domain.ConversationID, ports.Work) {
	c.Helper()
	conv := c.live(p)
	w := c.lease()
	require.Equal(c, conv, w.Lease.Conversation)
	return conv, w
}

func eraseEverything(c *erasureCase) {
	conv := c.live(ana)
	c.traces(ana.markers()...)
	c.erase(domain.Contact{UserID: userA})
	c.noTrace(append(ana.markers(), string(conv))...)
	assert.Empty(c, c.find(ana.contact()))
	assert.Empty(c, c.turns(conv, 10))
	_, err := c.s.Load(c.ctx, conv)
	assert.Equal(c, ports.KindNotFound, ports.KindOf(err))
}

func eraseByPhone(c *erasureCase) {
	conv := c.live(ana)
	c.erase(domain.Contact{Phone: phoneA})
	c.noTrace(append(ana.markers(), string(conv))...)
}

func eraseKeepsOthers(c *erasureCase) {
	_, held := c.leased(bruno) // so that only Ana is due
	require.NoError(c, c.s.Defer(c.ctx, held.Lease, nil, c.units(5)))
	other := held.Lease.Conversation
	c.live(ana)
	turns, letters := len(c.turns(other, 10)), len(c.letters(10))
	c.erase(ana.contact())
	c.noTrace(ana.markers()...)
	c.traces(bruno.markers()...)
	assert.Equal(c, []domain.ConversationID{other}, c.find(bruno.contact()))
	assert.Len(c, c.turns(other, 10), turns)
	assert.Len(c, c.letters(10), letters-1)
	assert.False(c, c.admit(bruno.says("answered"))[0].New, "ids stay known")
	assert.Equal(c, other, c.admitNew(bruno.says("later")), "names still lead there")
	conv, err := c.s.Load(c.ctx, other)
	require.NoError(c, err)
	assert.Len(c, conv.History(), 2)
	assert.Equal(c, domain.TurnID("t1 of "+bruno.tag), c.observe(byWamid(domain.MessageID("wamid.send to "+userB), domain.DeliveryRead))[0].Turn)
	c.advance(c.units(5))
	w := c.lease()
	require.Equal(c, other, w.Lease.Conversation)
	assert.Equal(c, idsOf([]domain.Message{bruno.says("open"), bruno.says("waiting"), bruno.says("later")}), idsOf(w.Pending))
	assert.Len(c, w.Open, 1)
}

func eraseCounts(c *erasureCase) {
	c.admit(ana.says("1"), ana.says("2"), bruno.says("1"))
	for range 2 {
		if w := c.lease(); w.Conversation.Contact().UserID == userA {
			c.finish(w, c.dropped("t1", w, w.Pending...))
		}
	}
	c.admit(ana.says("3"), ana.says("4"), ana.says("5"), ana.says("5"))
	assert.Equal(c, ports.Erased{Conversations: 1, Messages: 3, Turns: 1, MessageIDs: 5, Names: 2}, c.erase(ana.contact()))
}

func eraseLetters(c *erasureCase) {
	c.buried("t1", ana.says("1"))
	c.buried("t2", bruno.says("1"))
	assert.Equal(c, 1, c.erase(ana.contact()).DeadLetters)
	assert.Equal(c, []domain.TurnID{"t2"}, c.letterIDs())
	c.noLetter(c.deadLetterPort().Replay(c.ctx, "t1"), "it is gone")
	c.notDue("nothing was put back")
	c.noTrace(ana.markers()...)
}

func eraseNumbers(c *erasureCase) {
	elsewhere := ana.says("2")
	elsewhere.Number = "999"
	c.admit(ana.says("1"), elsewhere)
	gone := c.erase(domain.Contact{UserID: userA})
	assert.Equal(c, 2, gone.Conversations)
	assert.Equal(c, 4, gone.Names)
	c.noTrace(ana.markers()...)
}

func eraseFormerNames(c *erasureCase) {
	conv := c.admitNew(ana.says("1"))
	c.admitNew(changeOf(ana.says("2"), "34600999888", "ES.777000777"))
	c.admitNew(textFrom("3", "ES.777000777", "34600999888"))
	require.Equal(c, []domain.ConversationID{conv}, c.find(domain.Contact{UserID: "ES.777000777"}))
	c.erase(domain.Contact{UserID: "ES.777000777"})
	c.noTrace(append(ana.markers(), "ES.777000777", "34600999888")...)
}

// A message that overtakes the news of a changed number begins a conversation that
// no name leads to once the news is there.
func eraseOrphan(c *erasureCase) {
	c.admitNew(ana.says("1"))
	early := textFrom("2", "", phoneB)
	early.Content = domain.Text{Body: "written from my new number"}
	c.admitNew(early)
	c.admitNew(changeOf(ana.says("3"), phoneB, ""))
	c.erase(domain.Contact{UserID: userA})
	c.noTrace(append(ana.markers(), string(phoneB), "written from my new number")...)
	c.notDue("nothing of it is left to answer")
}

func eraseStranger(c *erasureCase) {
	c.admitNew(ana.says("1"))
	stranger := bruno.says("1")
	stranger.From.Phone = phoneA
	other := c.admitNew(stranger)
	c.erase(domain.Contact{UserID: userA})
	c.noTrace(string(userA), ana.name, ana.words)
	assert.Equal(c, []domain.ConversationID{other}, c.find(domain.Contact{Phone: phoneA}), "it is the stranger's number now")
	assert.Equal(c, idsOf([]domain.Message{stranger}), idsOf(c.lease().Pending))
}

func eraseLease(c *erasureCase) {
	_, w := c.leased(ana)
	t := c.newTurn("late", w, w.Pending...)
	require.NoError(c, t.Drop("test"))
	c.erase(ana.contact())
	c.lost(w.Lease, t, w.Conversation)
	c.noTrace(ana.markers()...)
	c.advance(w.Lease.TTL)
	c.notDue("the lease of an erased conversation does not run out")
}

func eraseNotDue(c *erasureCase) {
	c.admitNew(ana.says("1"))
	c.admitNew(withHold(bruno.says("1"), c.units(2)))
	c.erase(ana.contact())
	c.erase(bruno.contact())
	c.notDue("nothing waits")
	c.advance(c.units(3))
	c.notDue("no hold is left to pass")
}

func eraseStatus(c *erasureCase) {
	t := c.finishSent("t1", "wamid.s1")
	c.erase(ana.contact())
	status := byRef(t, "wamid.s1", domain.DeliveryFailed)
	status.Recipient = ana.contact()
	for _, got := range c.observe(status, byWamid("wamid.s1", domain.DeliveryRead)) {
		assert.Equal(c, ports.Observation{}, got)
	}
	c.noTrace(ana.markers()...)
	c.notDue("an erased turn is not reopened")
}

func eraseAgain(c *erasureCase) {
	assert.Equal(c, ports.Erased{}, c.erase(ana.contact()), "of a person nobody knows")
	c.live(ana)
	assert.Equal(c, 1, c.erase(ana.contact()).Conversations)
	assert.Equal(c, ports.Erased{}, c.erase(ana.contact()))
}

func eraseStartsAnew(c *erasureCase) {
	conv := c.live(ana)
	c.erase(ana.contact())
	out := c.admit(ana.says("answered"), textFrom("9", "", phoneA))
	assert.True(c, out[0].New, "even an id that was known")
	assert.NotEqual(c, conv, out[0].Conversation)
	assert.Equal(c, out[0].Conversation, out[1].Conversation)
	w := c.lease()
	assert.Equal(c, idsOf([]domain.Message{ana.says("answered"), textFrom("9", "", phoneA)}), idsOf(w.Pending))
	assert.Empty(c, w.Open)
	assert.Empty(c, w.Conversation.History())
	c.finish(w, c.dropped("t1 of "+domain.TurnID(ana.tag), w, w.Pending...)) // an id that was taken
	assert.Len(c, c.turns(w.Lease.Conversation, 10), 1)
}

func eraseReopen(c *erasureCase) {
	conv := c.live(ana)
	c.erase(ana.contact())
	c.reopen()
	c.noTrace(append(ana.markers(), string(conv))...)
	assert.Empty(c, c.find(ana.contact()))
	c.notDue("nothing waits")
}

func eraseFails(c *erasureCase) {
	c.live(ana)
	mend := c.breakStore()
	_, err := c.port().Erase(c.ctx, ana.contact())
	mend()
	require.Error(c, err)
	assert.Equal(c, ports.KindTransient, ports.KindOf(err))
	c.erase(ana.contact())
	c.noTrace(ana.markers()...)
}

func eraseConcurrent(c *erasureCase) {
	var failed errorList
	var mu sync.Mutex
	admitted := map[domain.MessageID]domain.ConversationID{}
	atOnce(8, func(i int) {
		if i%4 == 0 {
			_, err := c.port().Erase(c.ctx, ana.contact())
			failed.add(err)
			return
		}
		out, err := c.s.Admit(c.ctx, []domain.Message{ana.says(string(rune('a' + i)))})
		failed.add(err)
		mu.Lock()
		defer mu.Unlock()
		for _, a := range out {
			admitted[a.Message] = a.Conversation
		}
	})
	require.NoError(c, failed.err())
	left := c.find(ana.contact())
	require.LessOrEqual(c, len(left), 1, "one person is one conversation")
	if len(left) == 1 {
		for _, m := range c.lease().Pending {
			assert.Equal(c, left[0], admitted[m.ID], "%s waits where it was admitted", m.ID)
		}
	}
	c.erase(ana.contact())
	c.noTrace(ana.markers()...)
}

func eraseTwiceAtOnce(c *erasureCase) {
	c.admit(ana.says("1"), ana.says("2"))
	var failed errorList
	var mu sync.Mutex
	var sum ports.Erased
	atOnce(6, func(int) {
		gone, err := c.port().Erase(c.ctx, ana.contact())
		failed.add(err)
		mu.Lock()
		defer mu.Unlock()
		sum.Conversations += gone.Conversations
		sum.Messages += gone.Messages
	})
	require.NoError(c, failed.err())
	assert.Equal(c, ports.Erased{Conversations: 1, Messages: 2}, sum)
}

func eraseCanceled(c *erasureCase) {
	c.admitNew(ana.says("1"))
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	_, err := c.port().Find(ctx, ana.contact())
	require.ErrorIs(c, err, context.Canceled)
	_, err = c.port().Erase(ctx, ana.contact())
	require.ErrorIs(c, err, context.Canceled)
	assert.Equal(c, ports.KindCanceled, ports.KindOf(err))
	assert.Len(c, c.find(ana.contact()), 1)
}
