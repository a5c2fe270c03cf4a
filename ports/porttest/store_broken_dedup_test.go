package porttest_test

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"whatsappnode/adapters/fake"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// racyClaim asks whether an id is known and notes it in two steps.
type racyClaim struct {
	*fake.Store
	mu   sync.Mutex
	seen map[domain.MessageID]bool
}

func (s *racyClaim) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	out, err := s.Store.Admit(ctx, batch)
	for i := range out {
		s.mu.Lock()
		known := s.seen[out[i].Message]
		s.mu.Unlock()
		runtime.Gosched() // the gap in which another caller asks the same
		s.mu.Lock()
		if s.seen == nil {
			s.seen = map[domain.MessageID]bool{}
		}
		s.seen[out[i].Message] = true
		s.mu.Unlock()
		out[i].New = !known
	}
	return out, err
}

// slidingIDs counts the eight days from the last delivery.
type slidingIDs struct {
	*fake.Store
	mu   sync.Mutex
	last map[domain.MessageID]time.Time
}

func (s *slidingIDs) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out, err := s.Store.Admit(ctx, batch)
	for i := range out {
		if s.last == nil {
			s.last = map[domain.MessageID]time.Time{}
		}
		if at, ok := s.last[out[i].Message]; ok && time.Since(at) < ports.DedupTTL {
			out[i].New = false
		}
		s.last[out[i].Message] = time.Now()
	}
	return out, err
}

// longMemory never forgets an id.
type longMemory struct {
	*fake.Store
	mu   sync.Mutex
	seen map[domain.MessageID]bool
}

func (s *longMemory) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out, err := s.Store.Admit(ctx, batch)
	for i := range out {
		if s.seen == nil {
			s.seen = map[domain.MessageID]bool{}
		}
		out[i].New = out[i].New && !s.seen[out[i].Message]
		s.seen[out[i].Message] = true
	}
	return out, err
}

// claimFirst notes the id in one step and stores the message in another, so that
// a failure between the two loses the message: its repeat is called a duplicate.
type claimFirst struct {
	*fake.Store
	mu      sync.Mutex
	claimed map[domain.MessageID]bool
}

func (s *claimFirst) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claimed == nil {
		s.claimed = map[domain.MessageID]bool{}
	}
	var fresh []domain.Message
	var out []ports.Admission
	for _, m := range batch {
		if s.claimed[m.ID] {
			out = append(out, ports.Admission{Message: m.ID, Conversation: "unknown"})
			continue
		}
		s.claimed[m.ID] = true
		fresh = append(fresh, m)
	}
	stored, err := s.Store.Admit(ctx, fresh)
	return append(out, stored...), err
}

// pieces admits each message of a batch by itself.
type pieces struct{ *fake.Store }

func (s pieces) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	var out []ports.Admission
	for _, m := range batch {
		one, err := s.Store.Admit(ctx, []domain.Message{m})
		if err != nil {
			return nil, err
		}
		out = append(out, one...)
	}
	return out, nil
}

// edited applies a change to every message on its way into the store.
func edited(batch []domain.Message, change func(*domain.Message)) []domain.Message {
	batch = slices.Clone(batch)
	for i := range batch {
		change(&batch[i])
	}
	return batch
}

// noPhone knows people by user id alone where there is one.
type noPhone struct{ *fake.Store }

func (s noPhone) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	return s.Store.Admit(ctx, edited(batch, func(m *domain.Message) {
		if m.From.UserID != "" {
			m.From.Phone = ""
		}
	}))
}

// gullible believes that whoever writes from a number is its last owner.
type gullible struct{ *fake.Store }

func (s gullible) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	return s.Store.Admit(ctx, edited(batch, func(m *domain.Message) {
		if m.From.Phone != "" {
			m.From.UserID = ""
		}
	}))
}

// oneNumber takes all business numbers for one.
type oneNumber struct{ *fake.Store }

func (s oneNumber) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	return s.Store.Admit(ctx, edited(batch, func(m *domain.Message) {
		if m.Number != "" {
			m.Number = "1"
		}
	}))
}

// deafToChange does not act on system messages.
type deafToChange struct{ *fake.Store }

func (s deafToChange) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	return s.Store.Admit(ctx, edited(batch, func(m *domain.Message) {
		if _, ok := m.Content.(domain.System); ok {
			m.Content = domain.System{}
		}
	}))
}

// shuffledAnswers answers the new messages first.
type shuffledAnswers struct{ *fake.Store }

func (s shuffledAnswers) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	out, err := s.Store.Admit(ctx, batch)
	slices.SortStableFunc(out, func(a, b ports.Admission) int {
		switch {
		case a.New == b.New:
			return 0
		case a.New:
			return -1
		}
		return 1
	})
	return out, err
}

// deafAdmit does not look at its context.
type deafAdmit struct{ *fake.Store }

func (s deafAdmit) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	return s.Store.Admit(context.WithoutCancel(ctx), batch)
}
