package porttest_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"whatsappnode/adapters/fake"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// marker tells by itself whether a lease was abandoned. As it stands it is a good store
// of one process that cannot be reopened; each of its faults makes it a bad one.
type marker struct {
	*fake.Store
	// deaf are the calls that do not end a lease for it, late those that do though they
	// are refused.
	deaf, late string
	// first is told of the first lease; never and once say how often it tells.
	first, never, once bool
	// everybody has one mark for all conversations.
	everybody bool

	mu   sync.Mutex
	open map[domain.ConversationID]bool
}

func (s *marker) Lease(ctx context.Context) (ports.Work, error) {
	w, err := s.Store.Lease(ctx)
	if err != nil {
		return w, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[domain.ConversationID]bool{}
	}
	id := s.of(w.Lease.Conversation)
	w.Abandoned = (s.open[id] || s.first) && !s.never
	s.open[id] = !w.Abandoned || !s.once
	return w, nil
}

func (s *marker) of(id domain.ConversationID) domain.ConversationID {
	if s.everybody {
		return ""
	}
	return id
}

func (s *marker) ended(call string, id domain.ConversationID, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deaf != call && (err == nil || s.late == call) {
		s.open[s.of(id)] = false
	}
	return err
}

func (s *marker) Finish(ctx context.Context, l ports.Lease, t domain.Turn, c domain.Conversation) error {
	return s.ended("Finish", l.Conversation, s.Store.Finish(ctx, l, t, c))
}

func (s *marker) Defer(ctx context.Context, l ports.Lease, t *domain.Turn, after time.Duration) error {
	return s.ended("Defer", l.Conversation, s.Store.Defer(ctx, l, t, after))
}

func (s *marker) Release(ctx context.Context, l ports.Lease) error {
	return s.ended("Release", l.Conversation, s.Store.Release(ctx, l))
}

func (s *marker) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	out, err := s.Store.Admit(ctx, batch)
	if err == nil && len(out) > 0 && slices.ContainsFunc(batch, func(m domain.Message) bool { return m.Pause > 0 }) {
		_ = s.ended("Pause", out[0].Conversation, nil)
	}
	return out, err
}

// extendEnds takes a lease that was extended for one that was ended.
type extendEnds struct{ *marker }

func (s extendEnds) Extend(ctx context.Context, l ports.Lease) error {
	return s.ended("Extend", l.Conversation, s.Store.Extend(ctx, l))
}
