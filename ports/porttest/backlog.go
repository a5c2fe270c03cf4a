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

// BacklogHarness is what TestBacklog needs. The stores New makes implement
// ports.BacklogPort and ports.DeadLetterPort too.
type BacklogHarness = StoreHarness

// TestBacklog checks what ports.BacklogPort promises.
func TestBacklog(t *testing.T, h BacklogHarness) {
	h.run(t, map[string]func(*storeCase){
		"EmptyStoreHasNone":              backlogEmpty,
		"CountsWhatWaits":                backlogCounts,
		"OldestIsTheFirstAdmitted":       backlogOldest,
		"DuplicatesDoNotCount":           backlogDuplicate,
		"LeasedConversationStillCounts":  backlogLeased,
		"FinishedMessagesDoNotCount":     backlogFinished,
		"DeadLettersAreCounted":          backlogDead,
		"ReplayMovesLettersBackToWaits":  backlogReplayed,
		"AskingChangesNothing":           backlogHarmless,
		"EndedContextIsAnError":          backlogCanceled,
		"FiguresSurviveReopen":           backlogReopen,
		"WhatAnotherProcessAdmitsCounts": backlogAnother,
	})
}

func (c *storeCase) backlog() ports.Backlog {
	c.Helper()
	return c.backlogOf(c.s)
}

func (c *storeCase) backlogOf(s Store) ports.Backlog {
	c.Helper()
	p, ok := s.(ports.BacklogPort)
	require.True(c, ok, "the store must implement ports.BacklogPort")
	b, err := p.Backlog(c.ctx)
	require.NoError(c, err)
	return b
}

func backlogEmpty(c *storeCase) { assert.Zero(c, c.backlog()) }

func backlogCounts(c *storeCase) {
	c.admit(textOf(1, "1"), textOf(2, "2"), textOf(1, "3"))
	b := c.backlog()
	assert.Equal(c, 2, b.Conversations)
	assert.Equal(c, 3, b.Messages)
	assert.Zero(c, b.DeadLetters)
	assert.False(c, b.Oldest.IsZero())
}

func backlogOldest(c *storeCase) {
	c.admit(textOf(1, "1"))
	first := c.backlog().Oldest
	c.advance(c.units(2))
	c.admit(textOf(2, "2"), textOf(1, "3"))
	assert.True(c, first.Equal(c.backlog().Oldest), "later messages are younger")
	w := c.lease()
	c.finish(w, c.dropped("t1", w, w.Pending...)) // of user 1, due longest
	assert.GreaterOrEqual(c, c.backlog().Oldest.Sub(first), c.units(2), "the oldest that still waits")
}

func backlogDuplicate(c *storeCase) {
	c.admit(textOfA("1"))
	c.admit(textOfA("1"))
	assert.Equal(c, 1, c.backlog().Messages)
}

func backlogLeased(c *storeCase) {
	c.admit(textOfA("1"))
	c.lease()
	b := c.backlog()
	assert.Equal(c, 1, b.Conversations)
	assert.Equal(c, 1, b.Messages)
}

func backlogFinished(c *storeCase) {
	c.finishSent("t1", "wamid.s1")
	assert.Zero(c, c.backlog())
	c.admit(textOfA("1"), textOfA("2"))
	w := c.lease()
	c.finish(w, c.dropped("t2", w, w.Pending[0]))
	assert.Equal(c, 1, c.backlog().Messages, "one of two was consumed")
}

func backlogDead(c *storeCase) {
	c.buried("t1", textOf(1, "1"))
	c.buried("t2", textOf(2, "2"))
	assert.Equal(c, ports.Backlog{DeadLetters: 2}, c.backlog(), "what a letter holds does not wait")
	require.NoError(c, c.deadLetterPort().Discard(c.ctx, "t1"))
	assert.Equal(c, ports.Backlog{DeadLetters: 1}, c.backlog())
}

func backlogReplayed(c *storeCase) {
	c.buried("t1", textOfA("1"), textOfA("2"))
	c.replay("t1")
	b := c.backlog()
	assert.Zero(c, b.DeadLetters)
	assert.Equal(c, 2, b.Messages)
	assert.Equal(c, 1, b.Conversations)
}

func backlogHarmless(c *storeCase) {
	c.admit(textOfA("1"))
	before := c.backlog()
	assert.Equal(c, before, c.backlog())
	assert.Len(c, c.lease().Pending, 1)
}

func backlogCanceled(c *storeCase) {
	c.admit(textOfA("1"))
	ended, cancel := context.WithCancel(c.ctx)
	cancel()
	b, err := c.s.(ports.BacklogPort).Backlog(ended)
	require.ErrorIs(c, err, context.Canceled)
	assert.Equal(c, ports.KindCanceled, ports.KindOf(err))
	assert.Zero(c, b, "no figure is better than a wrong one")
}

func backlogReopen(c *storeCase) {
	c.buried("t1", textOf(1, "1"))
	c.admit(textOf(2, "2"))
	before := c.backlog()
	c.reopen()
	after := c.backlog()
	assert.True(c, before.Oldest.Equal(after.Oldest))
	before.Oldest, after.Oldest = time.Time{}, time.Time{}
	assert.Equal(c, before, after)
}

func backlogAnother(c *storeCase) {
	if c.h.Another == nil {
		c.Skip("the store is of one process")
	}
	other := c.h.Another(c.T, c.s)
	_, err := other.Admit(c.ctx, []domain.Message{textOfA("1")})
	require.NoError(c, err)
	assert.Equal(c, 1, c.backlog().Messages)
	assert.Equal(c, 1, c.backlogOf(other).Messages)
}
