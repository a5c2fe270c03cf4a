package porttest_test

import (
	"context"
	"errors"
	"slices"
	"sync"

	"whatsappnode/adapters/fake"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// alwaysNew calls every fact new.
type alwaysNew struct{ *fake.Store }

func (s alwaysNew) Observe(ctx context.Context, statuses []domain.Status) ([]ports.Observation, error) {
	out, err := s.Store.Observe(ctx, statuses)
	for i := range out {
		out[i].New = out[i].Turn != ""
	}
	return out, err
}

// allPriced takes every status with a price for the first of its send.
type allPriced struct{ *fake.Store }

func (s allPriced) Observe(ctx context.Context, statuses []domain.Status) ([]ports.Observation, error) {
	out, err := s.Store.Observe(ctx, statuses)
	for i := range out {
		out[i].Priced = out[i].New && statuses[i].Pricing != nil
	}
	return out, err
}

// neverPriced marks none.
type neverPriced struct{ *fake.Store }

func (s neverPriced) Observe(ctx context.Context, statuses []domain.Status) ([]ports.Observation, error) {
	out, err := s.Store.Observe(ctx, statuses)
	for i := range out {
		out[i].Priced = false
	}
	return out, err
}

// recast changes every status on its way into the store.
func recast(statuses []domain.Status, change func(*domain.Status)) []domain.Status {
	statuses = slices.Clone(statuses)
	for i := range statuses {
		change(&statuses[i])
	}
	return statuses
}

// optimist takes a failure for good news.
type optimist struct{ *fake.Store }

func (s optimist) Observe(ctx context.Context, statuses []domain.Status) ([]ports.Observation, error) {
	return s.Store.Observe(ctx, recast(statuses, func(st *domain.Status) {
		if st.State == domain.DeliveryFailed {
			st.State = domain.DeliverySent
		}
	}))
}

// pessimist makes a conversation due for every fact.
type pessimist struct{ *fake.Store }

func (s *pessimist) Observe(ctx context.Context, statuses []domain.Status) ([]ports.Observation, error) {
	return s.Store.Observe(ctx, recast(statuses, func(st *domain.Status) { st.State = domain.DeliveryFailed }))
}

// refOnly does not know which send a wamid belongs to.
type refOnly struct{ *fake.Store }

func (s refOnly) Observe(ctx context.Context, statuses []domain.Status) ([]ports.Observation, error) {
	return s.Store.Observe(ctx, recast(statuses, func(st *domain.Status) { st.Message = "" }))
}

// strangerError refuses statuses of sends it does not know.
type strangerError struct{ *fake.Store }

func (s strangerError) Observe(ctx context.Context, statuses []domain.Status) ([]ports.Observation, error) {
	out, err := s.Store.Observe(ctx, statuses)
	for _, o := range out {
		if o.Turn == "" {
			return nil, errors.New("unknown send")
		}
	}
	return out, err
}

// claimFact notes a fact before it is stored, so that a failure loses it.
type claimFact struct {
	*fake.Store
	mu      sync.Mutex
	claimed map[domain.PartRef]bool
}

func (s *claimFact) Observe(ctx context.Context, statuses []domain.Status) ([]ports.Observation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claimed == nil {
		s.claimed = map[domain.PartRef]bool{}
	}
	for _, st := range statuses {
		if s.claimed[st.Ref] {
			return make([]ports.Observation, len(statuses)), nil
		}
		s.claimed[st.Ref] = true
	}
	return s.Store.Observe(ctx, statuses)
}

// plainTurns returns turns as they were finished, without later facts.
type plainTurns struct {
	*fake.Store
	mu       sync.Mutex
	finished []domain.Turn
}

func (s *plainTurns) Finish(ctx context.Context, l ports.Lease, t domain.Turn, c domain.Conversation) error {
	s.mu.Lock()
	s.finished = append(s.finished, t)
	s.mu.Unlock()
	return s.Store.Finish(ctx, l, t, c)
}

func (s *plainTurns) Turns(context.Context, domain.ConversationID, int) ([]domain.Turn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.finished), nil
}

// oldestFirst returns turns in the wrong order.
type oldestFirst struct{ *fake.Store }

func (s oldestFirst) Turns(ctx context.Context, id domain.ConversationID, limit int) ([]domain.Turn, error) {
	out, err := s.Store.Turns(ctx, id, limit)
	slices.Reverse(out)
	return out, err
}

// eagerLoad makes up a conversation that was never finished.
type eagerLoad struct{ *fake.Store }

func (s *eagerLoad) Load(ctx context.Context, id domain.ConversationID) (domain.Conversation, error) {
	c, err := s.Store.Load(ctx, id)
	if ports.KindOf(err) == ports.KindNotFound {
		return domain.NewConversation(id, "1", domain.Contact{UserID: "u"})
	}
	return c, err
}
