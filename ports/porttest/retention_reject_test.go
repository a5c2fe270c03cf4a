package porttest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"whatsappnode/adapters/fake"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

func TestRetentionRejectsBrokenStores(t *testing.T) {
	with := func(change func(r *ports.Retention)) func() porttest.Store {
		return func() porttest.Store {
			r := porttest.TestedRetention
			change(&r)
			return fake.NewStore(fake.StoreOptions{Retention: r})
		}
	}
	broken := map[string]func() porttest.Store{
		"memory too long":      with(func(r *ports.Retention) { r.History *= 2 }),
		"memory too short":     with(func(r *ports.Retention) { r.History -= 2 * time.Hour }),
		"turns too long":       with(func(r *ports.Retention) { r.Turns = r.History }),
		"turns too short":      with(func(r *ports.Retention) { r.Turns /= 2 }),
		"letters too long":     with(func(r *ports.Retention) { r.DeadLetters *= 2 }),
		"letters as turns":     with(func(r *ports.Retention) { r.DeadLetters = r.Turns }),
		"nothing goes":         with(func(r *ports.Retention) { *r = ports.Retention{} }),
		"people stay":          func() porttest.Store { return haunted{kept()} },
		"waiting messages go":  func() porttest.Store { return &careless{Store: kept()} },
		"ids go with memory":   func() porttest.Store { return &oblivious{Store: kept()} },
		"memory for nobody":    func() porttest.Store { return eternal{kept()} },
		"opt-outs go":          func() porttest.Store { return lapsing{kept()} },
		"names go before time": with(func(r *ports.Retention) { r.History, r.Turns = time.Hour, time.Hour }),
	}
	rejects(t, map[string]string{
		"memory too long": "MemoryIsKeptForItsTime", "memory too short": "MemoryIsKeptForItsTime",
		"turns too long": "TurnsAreKeptForTheirTime", "turns too short": "TurnsAreKeptForTheirTime",
		"letters too long": "DeadLettersAreKeptForTheirs", "letters as turns": "DeadLettersAreKeptForTheirs",
		"nothing goes": "TurnsAreKeptForTheirTime", "people stay": "WhoHasNothingLeftIsNotFound",
		"waiting messages go": "WhatWaitsIsKept", "ids go with memory": "IDsAreKnownWithoutTheirMemory",
		"memory for nobody": "WithoutMemoryOneStartsAnew", "names go before time": "MemoryIsKeptForItsTime",
		"opt-outs go": "WhoOptedOutIsRemembered",
	}, func(t *testing.T, name string) {
		porttest.TestRetention(t, porttest.RetentionHarness{StoreHarness: porttest.StoreHarness{
			New:     func(*testing.T) porttest.Store { return broken[name]() },
			Advance: func(_ *testing.T, d time.Duration) { time.Sleep(d) },
			Wrap:    synctest.Test,
		}})
	})
}

func kept() *fake.Store {
	return fake.NewStore(fake.StoreOptions{Retention: porttest.TestedRetention})
}

type (
	haunted   struct{ *fake.Store }
	careless  struct{ *fake.Store }
	oblivious struct {
		*fake.Store
		first time.Time
	}
	eternal struct{ *fake.Store }
	lapsing struct{ *fake.Store }
)

// Control does not last.
func (s lapsing) Control(context.Context, domain.ConversationID, domain.ControlChange) error {
	return nil
}

// Find finds people long after they were forgotten.
func (s haunted) Find(ctx context.Context, who domain.Contact) ([]domain.ConversationID, error) {
	out, err := s.Store.Find(ctx, who)
	if err == nil && len(out) == 0 {
		out = []domain.ConversationID{"a ghost"}
	}
	return out, err
}

// Lease loses what waited for long.
func (s *careless) Lease(ctx context.Context) (ports.Work, error) {
	w, err := s.Store.Lease(ctx)
	if len(w.Open) > 0 {
		w.Pending = nil
	}
	return w, err
}

// Admit forgets ids when the memory goes.
func (s *oblivious) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	out, err := s.Store.Admit(ctx, batch)
	if s.first.IsZero() {
		s.first = time.Now()
	}
	for i := range out {
		out[i].New = out[i].New || time.Since(s.first) > porttest.TestedRetention.History
	}
	return out, err
}

// Lease hands out a conversation without the person.
func (s eternal) Lease(ctx context.Context) (ports.Work, error) {
	w, err := s.Store.Lease(ctx)
	if err == nil && len(w.Conversation.History()) == 0 && len(w.Open) == 0 && w.Lease.Token > 1 {
		w.Conversation, err = domain.NewConversation(w.Lease.Conversation, "100", domain.Contact{UserID: "ES.0"})
	}
	return w, err
}
