package porttest_test

import (
	"context"
	"testing"
	"time"

	"whatsappnode/adapters/fake"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// brokenBacklogs maps each store that counts wrongly to what makes it.
var brokenBacklogs = map[string]func(good *fake.Store) porttest.Store{
	"counts every admission": func(s *fake.Store) porttest.Store { return &admissions{Store: s} },
	"counts without leased":  func(s *fake.Store) porttest.Store { return &withoutLeased{Store: s} },
	"letters not counted":    func(s *fake.Store) porttest.Store { return miscount{s, func(b *ports.Backlog) { b.DeadLetters = 0 }} },
	"conversations not told": func(s *fake.Store) porttest.Store { return miscount{s, func(b *ports.Backlog) { b.Conversations = 0 }} },
	"letters wait": func(s *fake.Store) porttest.Store {
		return miscount{s, func(b *ports.Backlog) { b.Messages += b.DeadLetters }}
	},
	"age of the newest":       func(s *fake.Store) porttest.Store { return &newest{Store: s} },
	"figures of another time": func(s *fake.Store) porttest.Store { return &stale{Store: s} },
	"deaf to context":         func(s *fake.Store) porttest.Store { return deafBacklog{s} },
}

func TestBacklogRejectsBrokenStores(t *testing.T) {
	rejects(t, map[string]string{
		"counts every admission":  "DuplicatesDoNotCount",
		"counts without leased":   "LeasedConversationStillCounts",
		"letters not counted":     "DeadLettersAreCounted",
		"conversations not told":  "CountsWhatWaits",
		"letters wait":            "DeadLettersAreCounted",
		"age of the newest":       "OldestIsTheFirstAdmitted",
		"figures of another time": "FinishedMessagesDoNotCount",
		"deaf to context":         "EndedContextIsAnError",
	}, func(t *testing.T, name string) {
		h, _ := operatorHarness(brokenBacklogs[name])
		porttest.TestBacklog(t, h)
	})
}

// miscount changes what the good store says.
type miscount struct {
	*fake.Store
	change func(b *ports.Backlog)
}

func (s miscount) Backlog(ctx context.Context) (ports.Backlog, error) {
	b, err := s.Store.Backlog(ctx)
	s.change(&b)
	if err != nil {
		b = ports.Backlog{}
	}
	return b, err
}

// admissions counts messages when they come, whether they are new or not.
type admissions struct {
	*fake.Store
	more int
}

func (s *admissions) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	out, err := s.Store.Admit(ctx, batch)
	for _, a := range out {
		if !a.New {
			s.more++
		}
	}
	return out, err
}

func (s *admissions) Backlog(ctx context.Context) (ports.Backlog, error) {
	b, err := s.Store.Backlog(ctx)
	if err == nil {
		b.Messages += s.more
	}
	return b, err
}

// withoutLeased forgets a conversation while a worker has it.
type withoutLeased struct {
	*fake.Store
	leased bool
}

func (s *withoutLeased) Lease(ctx context.Context) (ports.Work, error) {
	w, err := s.Store.Lease(ctx)
	s.leased = err == nil
	return w, err
}

func (s *withoutLeased) Backlog(ctx context.Context) (ports.Backlog, error) {
	if s.leased {
		return ports.Backlog{}, nil
	}
	return s.Store.Backlog(ctx)
}

// newest tells the age of what came last.
type newest struct {
	*fake.Store
	last time.Time
}

func (s *newest) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	s.last = time.Now()
	return s.Store.Admit(ctx, batch)
}

func (s *newest) Backlog(ctx context.Context) (ports.Backlog, error) {
	b, err := s.Store.Backlog(ctx)
	if !b.Oldest.IsZero() {
		b.Oldest = s.last
	}
	return b, err
}

// stale repeats its first answer.
type stale struct {
	*fake.Store
	first *ports.Backlog
}

func (s *stale) Backlog(ctx context.Context) (ports.Backlog, error) {
	if s.first != nil {
		return *s.first, nil
	}
	b, err := s.Store.Backlog(ctx)
	s.first = &b
	return b, err
}

type deafBacklog struct{ *fake.Store }

func (s deafBacklog) Backlog(ctx context.Context) (ports.Backlog, error) {
	return s.Store.Backlog(context.WithoutCancel(ctx))
}
