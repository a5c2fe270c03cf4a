package porttest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// RetentionHarness is what TestRetention needs.
type RetentionHarness struct {
	StoreHarness
	// Sweep makes the store remove now what is over its time; nil for one that shows
	// nothing that is.
	Sweep func(t *testing.T, s Store)
}

// TestedRetention is what New's stores keep in this suite. All are under nine days, and
// each leaves room to see that it is not one of the others.
var TestedRetention = ports.Retention{History: 3 * oneDay, Turns: 2 * oneDay, DeadLetters: 5 * oneDay}

const oneDay = 24 * time.Hour

// TestRetention checks what ports.Retention promises.
func TestRetention(t *testing.T, h RetentionHarness) {
	cases := map[string]func(*retentionCase){
		"MemoryIsKeptForItsTime":        keepMemory,
		"NextTurnProlongsTheMemory":     keepProlonged,
		"TurnsAreKeptForTheirTime":      keepTurns,
		"DeadLettersAreKeptForTheirs":   keepLetters,
		"WhatWaitsIsKept":               keepWaiting,
		"WithoutMemoryOneStartsAnew":    keepNothing,
		"ReopenedTurnIsHandedOut":       keepReopened,
		"WhoHasNothingLeftIsNotFound":   keepNobody,
		"WhoHasSomethingLeftIsFound":    keepSomebody,
		"WhoOptedOutIsRemembered":       keepOptOut,
		"WhoWasForgottenIsLetInAsNew":   keepStranger,
		"IDsAreKnownWithoutTheirMemory": keepIDs,
	}
	wrapped := make(map[string]func(*storeCase), len(cases))
	for name, fn := range cases {
		wrapped[name] = func(c *storeCase) { fn(&retentionCase{&erasureCase{storeCase: c}, h}) }
	}
	h.run(t, wrapped)
}

type retentionCase struct {
	*erasureCase
	h RetentionHarness
}

// pass lets time go by and the store clean up.
func (c *retentionCase) pass(d time.Duration) {
	c.Helper()
	c.advance(d)
	if c.h.Sweep != nil {
		c.h.Sweep(c.T, c.s)
	}
}

// answered finishes one turn and returns its conversation.
func (c *retentionCase) answered(id string) domain.ConversationID {
	c.Helper()
	conv := c.admitNew(ana.says(id))
	w := c.lease()
	w.Conversation.Hear(w.Pending[0])
	w.Conversation.Remember(domain.Memory{Messages: 10, Tokens: 1000}, domain.Remark{Role: domain.RoleUser, Text: ana.words, At: storeTime, Turn: domain.TurnID(id)})
	c.finish(w, c.dropped(domain.TurnID(id), w, w.Pending...))
	return conv
}

func (c *retentionCase) remembers(conv domain.ConversationID) bool {
	c.Helper()
	_, err := c.s.Load(c.ctx, conv)
	if ports.KindOf(err) == ports.KindNotFound {
		return false
	}
	require.NoError(c, err)
	return true
}

func keepMemory(c *retentionCase) {
	conv := c.answered("1")
	c.pass(TestedRetention.History - time.Hour)
	assert.True(c, c.remembers(conv), "an hour too early")
	c.pass(2 * time.Hour)
	assert.False(c, c.remembers(conv), "its time is over")
}

func keepProlonged(c *retentionCase) {
	conv := c.answered("1")
	c.pass(TestedRetention.History - time.Hour)
	require.Equal(c, conv, c.answered("2"))
	c.pass(TestedRetention.History - time.Hour)
	assert.True(c, c.remembers(conv))
}

func keepTurns(c *retentionCase) {
	conv := c.answered("1")
	c.pass(TestedRetention.Turns - time.Hour)
	assert.Len(c, c.turns(conv, 10), 1, "an hour too early")
	c.pass(2 * time.Hour)
	assert.Empty(c, c.turns(conv, 10), "its time is over")
	assert.True(c, c.remembers(conv), "the memory has a time of its own")
}

func keepLetters(c *retentionCase) {
	c.buried("letter", ana.says("1"))
	c.pass(TestedRetention.DeadLetters - time.Hour)
	letters := c.letters(10)
	require.Len(c, letters, 1, "an hour too early")
	assert.Equal(c, idsOf([]domain.Message{ana.says("1")}), idsOf(letters[0].Messages))
	assert.Len(c, c.turns(letters[0].Turn.Conversation(), 10), 1, "a dead letter's turn is kept with it")
	c.pass(2 * time.Hour)
	assert.Empty(c, c.letters(10), "its time is over")
	assert.Empty(c, c.turns(letters[0].Turn.Conversation(), 10))
}

func keepWaiting(c *retentionCase) {
	c.answered("1")
	c.admitNew(ana.says("2"))
	w := c.lease()
	t := c.newTurn("open", w, w.Pending...)
	require.NoError(c, t.Hear(w.Pending[0].ID, domain.Transcript{Text: ana.words}))
	require.NoError(c, c.s.Defer(c.ctx, w.Lease, &t, 0))
	c.pass(7 * oneDay)
	c.pass(oneDay + time.Hour)
	w = c.lease()
	require.Len(c, w.Open, 1, "a turn that is not finished has no time")
	heard, _ := w.Open[0].Transcript(ana.says("2").ID)
	assert.Equal(c, ana.words, heard.Text)
	assert.Equal(c, idsOf([]domain.Message{ana.says("2")}), idsOf(w.Pending))
	assert.Equal(c, userA, w.Conversation.Contact().UserID)
	c.finish(w, c.dropped("open", w, w.Pending...))
}

func keepNothing(c *retentionCase) {
	c.answered("1")
	c.pass(TestedRetention.History + time.Hour)
	c.admitNew(ana.says("2"))
	w := c.lease()
	assert.Empty(c, w.Conversation.History())
	assert.Equal(c, userA, w.Conversation.Contact().UserID)
	assert.Equal(c, idsOf([]domain.Message{ana.says("2")}), idsOf(w.Pending))
	c.finish(w, c.dropped("2", w, w.Pending...))
	assert.True(c, c.remembers(w.Lease.Conversation))
}

// A failure that comes when the memory is gone and the turn is not.
func keepReopened(c *retentionCase) {
	t := c.finishSent("t1", "wamid.s1")
	c.pass(TestedRetention.Turns - time.Hour)
	c.observe(byRef(t, "wamid.s1", domain.DeliveryFailed))
	c.pass(TestedRetention.History)
	w := c.lease()
	require.Len(c, w.Open, 1)
	assert.Equal(c, t.To().UserID, w.Conversation.Contact().UserID)
	assert.Empty(c, w.Conversation.History())
}

func keepNobody(c *retentionCase) {
	c.answered("1")
	c.pass(TestedRetention.Person() - time.Hour)
	assert.Len(c, c.find(ana.contact()), 1, "an hour too early")
	c.pass(2 * time.Hour)
	assert.Empty(c, c.find(ana.contact()))
	assert.Equal(c, ports.Erased{}, c.erase(ana.contact()), "nothing is left to erase")
}

func keepSomebody(c *retentionCase) {
	c.answered("1")
	c.pass(TestedRetention.Person() - time.Hour)
	conv := c.admitNew(ana.says("2"))
	c.pass(2 * time.Hour)
	require.Equal(c, []domain.ConversationID{conv}, c.find(ana.contact()))
	w := c.lease()
	assert.Equal(c, idsOf([]domain.Message{ana.says("2")}), idsOf(w.Pending))
	c.finish(w, c.dropped("2", w, w.Pending...))
	c.pass(time.Hour)
	assert.Equal(c, conv, c.admitNew(ana.says("3")))
	assert.Equal(c, []domain.ConversationID{conv}, c.find(domain.Contact{Phone: phoneA}))
}

func keepStranger(c *retentionCase) {
	conv := c.answered("1")
	c.pass(TestedRetention.Person() + time.Hour)
	again := c.admitNew(ana.says("1"))
	assert.NotEqual(c, conv, again)
	assert.Equal(c, []domain.ConversationID{again}, c.find(ana.contact()))
}

func keepIDs(c *retentionCase) {
	c.answered("1")
	c.pass(TestedRetention.DeadLetters + oneDay)
	assert.False(c, c.admit(ana.says("1"))[0].New, "Meta redelivers for longer than the memory is kept")
}

func keepOptOut(c *retentionCase) {
	conv := c.answered("1")
	port := c.s.(ports.ControlPort)
	require.NoError(c, port.Control(c.ctx, conv, domain.ControlChange{Kind: domain.ControlOptOut}))
	c.pass(TestedRetention.Person() + time.Hour)
	c.pass(2 * oneDay)
	require.Equal(c, []domain.ConversationID{conv}, c.find(ana.contact()))
	now, err := port.Controls(c.ctx, conv)
	require.NoError(c, err)
	assert.True(c, now.OptedOut)
}
