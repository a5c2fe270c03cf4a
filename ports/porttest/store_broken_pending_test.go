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

// frozen answers with what waited when the lease was given.
type frozen struct {
	*fake.Store
	mu   sync.Mutex
	then map[ports.Lease][]domain.Message
}

func (s *frozen) Lease(ctx context.Context) (ports.Work, error) {
	w, err := s.Store.Lease(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.then == nil {
		s.then = map[ports.Lease][]domain.Message{}
	}
	s.then[w.Lease] = w.Pending
	return w, err
}

func (s *frozen) Pending(ctx context.Context, l ports.Lease) ([]domain.Message, error) {
	if _, err := s.Store.Pending(ctx, l); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.then[l], nil
}

// newestFirst reads the newest message first.
type newestFirst struct{ *fake.Store }

func (s newestFirst) Pending(ctx context.Context, l ports.Lease) ([]domain.Message, error) {
	out, err := s.Store.Pending(ctx, l)
	slices.Reverse(out)
	return out, err
}

// openBook lets the holder of any earlier lease read under the newest.
type openBook struct {
	unfenced
}

func (s *openBook) Pending(ctx context.Context, l ports.Lease) ([]domain.Message, error) {
	s.mu.Lock()
	if l.Conversation == s.newest.Conversation {
		l.Token = s.newest.Token
	}
	s.mu.Unlock()
	return s.Store.Pending(ctx, l)
}

// readOnce hands every message out once.
type readOnce struct {
	*fake.Store
	mu   sync.Mutex
	read map[domain.MessageID]bool
}

func (s *readOnce) Pending(ctx context.Context, l ports.Lease) ([]domain.Message, error) {
	out, err := s.Store.Pending(ctx, l)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.read == nil {
		s.read = map[domain.MessageID]bool{}
	}
	out = slices.DeleteFunc(out, func(m domain.Message) bool { return s.read[m.ID] })
	for _, m := range out {
		s.read[m.ID] = true
	}
	return out, err
}

// eatsRead finishes what was read along with the turn.
type eatsRead struct {
	losesNew
	mu   sync.Mutex
	read bool
}

func (s *eatsRead) Pending(ctx context.Context, l ports.Lease) ([]domain.Message, error) {
	s.mu.Lock()
	s.read = true
	s.mu.Unlock()
	return s.Store.Pending(ctx, l)
}

func (s *eatsRead) Finish(ctx context.Context, l ports.Lease, t domain.Turn, c domain.Conversation) error {
	s.mu.Lock()
	read := s.read
	s.read = false
	s.mu.Unlock()
	if read {
		return s.losesNew.Finish(ctx, l, t, c)
	}
	return s.Store.Finish(ctx, l, t, c)
}

// chronicle notes everything that was admitted, with repeats.
type chronicle struct {
	*fake.Store
	mu  sync.Mutex
	all []domain.Message
	of  map[domain.MessageID]domain.ConversationID
}

func (s *chronicle) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	out, err := s.Store.Admit(ctx, batch)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[domain.MessageID]domain.ConversationID{}
	}
	s.all = append(s.all, batch...)
	for _, a := range out {
		s.of[a.Message] = a.Conversation
	}
	return out, err
}

// read returns what Pending should, if it can be read, and what keep picks of all that
// was admitted.
func (s *chronicle) read(ctx context.Context, l ports.Lease, keep func(m domain.Message, waits bool) bool) ([]domain.Message, error) {
	good, err := s.Store.Pending(ctx, l)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.all), func(m domain.Message) bool {
		return !keep(m, slices.ContainsFunc(good, func(g domain.Message) bool { return g.ID == m.ID }))
	}), nil
}

// boundless reads more than MaxPending.
type boundless struct{ chronicle }

func (s *boundless) Pending(ctx context.Context, l ports.Lease) ([]domain.Message, error) {
	out, err := s.Store.Pending(ctx, l)
	if len(out) < ports.MaxPending {
		return out, err
	}
	return s.read(ctx, l, func(domain.Message, bool) bool { return true })
}

// stutter reads a message as often as it was admitted.
type stutter struct{ chronicle }

func (s *stutter) Pending(ctx context.Context, l ports.Lease) ([]domain.Message, error) {
	return s.read(ctx, l, func(_ domain.Message, waits bool) bool { return waits })
}

// undead reads what finished turns have consumed.
type undead struct{ chronicle }

func (s *undead) Pending(ctx context.Context, l ports.Lease) ([]domain.Message, error) {
	seen := map[domain.MessageID]bool{}
	return s.read(ctx, l, func(m domain.Message, _ bool) bool {
		first := !seen[m.ID]
		seen[m.ID] = true
		return first && s.of[m.ID] == l.Conversation
	})
}

// oneInbox reads everybody's messages.
type oneInbox struct{ chronicle }

func (s *oneInbox) Pending(ctx context.Context, l ports.Lease) ([]domain.Message, error) {
	seen := map[domain.MessageID]bool{}
	return s.read(ctx, l, func(m domain.Message, waits bool) bool {
		first := !seen[m.ID]
		seen[m.ID] = true
		return first && (waits || s.of[m.ID] != l.Conversation)
	})
}

// selfish reads what this process has admitted.
type selfish struct{ chronicle }

func (s *selfish) Pending(ctx context.Context, l ports.Lease) ([]domain.Message, error) {
	out, err := s.Store.Pending(ctx, l)
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(out, func(m domain.Message) bool { return s.of[m.ID] == "" }), err
}

// polite does not read what is on hold.
type polite struct{ *fake.Store }

func (s polite) Pending(ctx context.Context, l ports.Lease) ([]domain.Message, error) {
	out, err := s.Store.Pending(ctx, l)
	return slices.DeleteFunc(out, func(m domain.Message) bool { return m.Hold > 0 }), err
}

// impolite lets what was read be due.
type impolite struct{ *fake.Store }

func (s impolite) Pending(ctx context.Context, l ports.Lease) ([]domain.Message, error) {
	out, err := s.Store.Pending(ctx, l)
	if err != nil {
		return nil, err
	}
	return out, s.Release(ctx, l)
}

// newsOnly does not read the inputs of open turns.
type newsOnly struct {
	*fake.Store
	mu   sync.Mutex
	open map[domain.MessageID]bool
}

func (s *newsOnly) Defer(ctx context.Context, l ports.Lease, t *domain.Turn, after time.Duration) error {
	s.mu.Lock()
	s.open = map[domain.MessageID]bool{}
	if t != nil {
		for _, id := range t.Inputs() {
			s.open[id] = true
		}
	}
	s.mu.Unlock()
	return s.Store.Defer(ctx, l, t, after)
}

func (s *newsOnly) Pending(ctx context.Context, l ports.Lease) ([]domain.Message, error) {
	out, err := s.Store.Pending(ctx, l)
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(out, func(m domain.Message) bool { return s.open[m.ID] }), err
}

// prolongs takes a reading holder for a sign of life.
type prolongs struct{ *fake.Store }

func (s prolongs) Pending(ctx context.Context, l ports.Lease) ([]domain.Message, error) {
	if err := s.Extend(ctx, l); err != nil {
		return nil, err
	}
	return s.Store.Pending(ctx, l)
}

// lagging reads from a copy that is a moment old.
type lagging struct {
	*fake.Store
	mu   sync.Mutex
	at   time.Time
	copy []domain.Message
}

func (s *lagging) Pending(ctx context.Context, l ports.Lease) ([]domain.Message, error) {
	out, err := s.Store.Pending(ctx, l)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && time.Since(s.at) > time.Millisecond {
		s.at, s.copy = time.Now(), out
	}
	return s.copy, err
}

// deafPending does not look at its context.
type deafPending struct{ *fake.Store }

func (s deafPending) Pending(_ context.Context, l ports.Lease) ([]domain.Message, error) {
	return s.Store.Pending(context.Background(), l)
}

// empty tells somebody without a lease that nothing waits.
type empty struct{ *fake.Store }

func (s empty) Pending(ctx context.Context, l ports.Lease) ([]domain.Message, error) {
	out, err := s.Store.Pending(ctx, l)
	if err != nil && ctx.Err() == nil {
		return nil, nil
	}
	return out, err
}
