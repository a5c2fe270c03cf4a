package porttest_test

import (
	"context"
	"testing"

	"whatsappnode/adapters/fake"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// badExport changes what a good store's export visits.
type badExport struct {
	*fake.Store
	change func(ports.Stored) (ports.Stored, bool)
	// Deaf ones go on after an error of visit, or after the context ended.
	deafToVisit, deafToContext bool
	// atMost messages are visited, when it is not zero.
	atMost int
	twice  bool
}

func (b badExport) Export(ctx context.Context, id domain.ConversationID, visit func(ports.Stored) error) error {
	if b.deafToContext {
		ctx = context.WithoutCancel(ctx)
	}
	messages := 0
	return b.Store.Export(ctx, id, func(s ports.Stored) error {
		if s.Waiting != nil {
			if messages++; b.atMost > 0 && messages > b.atMost {
				return nil
			}
		}
		if b.change != nil {
			changed, keep := b.change(s)
			if !keep {
				return nil
			}
			s = changed
		}
		err := visit(s)
		if b.twice && err == nil && s.Turn == nil && s.Letter == nil && s.Conversation == nil {
			err = visit(s)
		}
		if b.deafToVisit {
			return nil
		}
		return err
	})
}

func TestExportRejectsBrokenStores(t *testing.T) {
	without := func(drop func(ports.Stored) bool) func(ports.Stored) (ports.Stored, bool) {
		return func(s ports.Stored) (ports.Stored, bool) { return s, !drop(s) }
	}
	broken := map[string]badExport{
		"memory left out":   {change: without(func(s ports.Stored) bool { return s.Conversation != nil })},
		"messages left out": {change: without(func(s ports.Stored) bool { return s.Waiting != nil })},
		"letters left out":  {change: without(func(s ports.Stored) bool { return s.Letter != nil })},
		"open turns left out": {change: without(func(s ports.Stored) bool {
			return s.Turn != nil && !s.Turn.State().Settled()
		})},
		"facts left out": {change: func(s ports.Stored) (ports.Stored, bool) {
			s.Facts = nil
			return s, true
		}},
		"letters without messages": {change: func(s ports.Stored) (ports.Stored, bool) {
			if s.Letter != nil {
				s.Letter.Messages = nil
			}
			return s, true
		}},
		"one page alone":  {atMost: ports.MaxPending},
		"messages twice":  {twice: true},
		"deaf to visit":   {deafToVisit: true},
		"deaf to context": {deafToContext: true},
	}
	rejects(t, map[string]string{
		"memory left out": "EverythingIsExported", "messages left out": "UnfinishedConversationIsThere",
		"letters left out": "EverythingIsExported", "open turns left out": "EverythingIsExported",
		"facts left out": "EverythingIsExported", "letters without messages": "EverythingIsExported",
		"one page alone": "ManyMessagesAreExportedOnce", "messages twice": "OldestComesFirst",
		"deaf to visit": "ErrorOfVisitEndsIt", "deaf to context": "EndedContextExportsNothing",
	}, func(t *testing.T, name string) {
		h, _ := operatorHarness(func(s *fake.Store) porttest.Store {
			b := broken[name]
			b.Store = s
			return b
		})
		porttest.TestExport(t, h)
	})
}
