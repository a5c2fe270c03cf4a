package porttest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// TestExport checks what ports.ExportPort promises. The stores New makes implement it.
func TestExport(t *testing.T, h StoreHarness) {
	cases := map[string]func(*erasureCase){
		"EverythingIsExported":            exportAll,
		"OldestComesFirst":                exportOrder,
		"ManyMessagesAreExportedOnce":     exportMany,
		"NobodyElseIsExported":            exportOthers,
		"UnfinishedConversationIsThere":   exportUnfinished,
		"UnknownConversationHoldsNothing": exportUnknown,
		"ErrorOfVisitEndsIt":              exportStopped,
		"EndedContextExportsNothing":      exportCanceled,
	}
	wrapped := make(map[string]func(*storeCase), len(cases))
	for name, fn := range cases {
		wrapped[name] = func(c *storeCase) { fn(&erasureCase{storeCase: c}) }
	}
	h.run(t, wrapped)
}

// exported is what one export visited.
type exported struct {
	conversations []domain.Conversation
	waiting       []domain.Message
	turns         []domain.Turn
	facts         map[domain.TurnID][]domain.Status
	letters       []ports.DeadLetter
}

func (c *erasureCase) exporter() ports.ExportPort {
	c.Helper()
	p, ok := c.s.(ports.ExportPort)
	require.True(c, ok, "the store must implement ports.ExportPort")
	return p
}

func (c *erasureCase) export(id domain.ConversationID) exported {
	c.Helper()
	out := exported{facts: map[domain.TurnID][]domain.Status{}}
	err := c.exporter().Export(c.ctx, id, func(s ports.Stored) error {
		switch {
		case s.Conversation != nil:
			out.conversations = append(out.conversations, *s.Conversation)
		case s.Waiting != nil:
			out.waiting = append(out.waiting, *s.Waiting)
		case s.Turn != nil:
			out.turns = append(out.turns, *s.Turn)
			out.facts[s.Turn.ID()] = s.Facts
		case s.Letter != nil:
			out.letters = append(out.letters, *s.Letter)
		default:
			c.Errorf("something empty was visited")
		}
		return nil
	})
	require.NoError(c, err)
	return out
}

func exportAll(c *erasureCase) {
	conv := c.live(ana)
	got := c.export(conv)
	require.Len(c, got.conversations, 1)
	assert.Equal(c, conv, got.conversations[0].ID())
	assert.Len(c, got.conversations[0].History(), 2)
	assert.Equal(c, idsOf([]domain.Message{ana.says("open"), ana.says("waiting")}), idsOf(got.waiting))
	require.Len(c, got.turns, 3)
	first := got.turns[0]
	assert.Equal(c, "answer for "+ana.name, first.Reply().Text)
	heard, _ := first.Transcript(ana.says("answered").ID)
	assert.Equal(c, ana.words, heard.Text)
	assert.Equal(c, domain.TurnDelivered, first.State(), "facts are applied")
	require.Len(c, got.facts[first.ID()], 1)
	assert.Equal(c, ana.phone, got.facts[first.ID()][0].Recipient.Phone)
	require.Len(c, got.letters, 1)
	assert.Equal(c, got.turns[1].ID(), got.letters[0].Turn.ID())
	require.Equal(c, idsOf([]domain.Message{ana.says("dead")}), idsOf(got.letters[0].Messages))
	assert.Equal(c, ana.says("dead").Content, got.letters[0].Messages[0].Content)
	assert.False(c, got.letters[0].At.IsZero())
}

func exportOrder(c *erasureCase) {
	var conv domain.ConversationID
	for i := range 3 {
		conv = c.admitNew(textOfA(fmt.Sprint(i)))
		w := c.lease()
		c.finish(w, c.dropped(domain.TurnID(fmt.Sprint("t", i)), w, w.Pending...))
	}
	c.admit(textOfA("8"), textOfA("9"))
	got := c.export(conv)
	require.Len(c, got.turns, 3)
	for i, t := range got.turns {
		assert.Equal(c, domain.TurnID(fmt.Sprint("t", i)), t.ID())
	}
	assert.Equal(c, idsOf([]domain.Message{textOfA("8"), textOfA("9")}), idsOf(got.waiting))
}

func exportMany(c *erasureCase) {
	var all []domain.Message
	for i := range 2*ports.MaxPending + 7 {
		all = append(all, textOfA(fmt.Sprintf("%04d", i)))
	}
	conv := c.admit(all...)[0].Conversation
	assert.Equal(c, idsOf(all), idsOf(c.export(conv).waiting))
}

func exportOthers(c *erasureCase) {
	_, held := c.leased(bruno) // so that only Ana is due
	require.NoError(c, c.s.Defer(c.ctx, held.Lease, nil, c.units(5)))
	got := c.export(c.live(ana))
	for _, m := range got.waiting {
		assert.Equal(c, userA, m.From.UserID)
	}
	for _, t := range got.turns {
		assert.Equal(c, userA, t.To().UserID)
	}
	assert.Len(c, got.turns, 3)
	assert.Len(c, got.letters, 1)
}

func exportUnfinished(c *erasureCase) {
	conv := c.admitNew(ana.says("1"))
	got := c.export(conv)
	assert.Empty(c, got.conversations)
	assert.Equal(c, idsOf([]domain.Message{ana.says("1")}), idsOf(got.waiting))
	w := c.lease()
	assert.Equal(c, idsOf([]domain.Message{ana.says("1")}), idsOf(w.Pending), "reading takes nothing away")
}

func exportUnknown(c *erasureCase) {
	c.live(ana)
	for _, id := range []domain.ConversationID{"", "nobody", "nobody-0", "nobody-99999"} {
		assert.Equal(c, exported{facts: map[domain.TurnID][]domain.Status{}}, c.export(id))
	}
}

func exportStopped(c *erasureCase) {
	conv := c.live(ana)
	stop, seen := errors.New("no room for it"), 0
	for at := 1; at <= 7; at++ {
		seen = 0
		err := c.exporter().Export(c.ctx, conv, func(ports.Stored) error {
			if seen++; seen == at {
				return stop
			}
			return nil
		})
		require.ErrorIs(c, err, stop)
		require.Equal(c, at, seen, "it goes on after an error")
	}
}

func exportCanceled(c *erasureCase) {
	conv := c.live(ana)
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	err := c.exporter().Export(ctx, conv, func(ports.Stored) error {
		c.Errorf("something was visited")
		return nil
	})
	require.ErrorIs(c, err, context.Canceled)
}
