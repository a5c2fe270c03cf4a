package porttest_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"whatsappnode/adapters/fake"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// doubleLease gives every lease to two callers.
type doubleLease struct {
	*fake.Store
	mu    sync.Mutex
	spare []ports.Work
}

func (s *doubleLease) Lease(ctx context.Context) (ports.Work, error) {
	s.mu.Lock()
	if len(s.spare) > 0 {
		w := s.spare[0]
		s.spare = s.spare[1:]
		s.mu.Unlock()
		return w, nil
	}
	s.mu.Unlock()
	w, err := s.Store.Lease(ctx)
	if err == nil {
		s.mu.Lock()
		s.spare = append(s.spare, w)
		s.mu.Unlock()
	}
	return w, err
}

// immortal keeps extending every lease.
type immortal struct{ *fake.Store }

func (s immortal) Lease(ctx context.Context) (ports.Work, error) {
	w, err := s.Store.Lease(ctx)
	if err == nil {
		s.extend(w.Lease)
	}
	return w, err
}

func (s immortal) extend(l ports.Lease) {
	time.AfterFunc(l.TTL/3, func() {
		if s.Extend(context.Background(), l) == nil {
			s.extend(l)
		}
	})
}

// noExtend checks the lease and does not prolong it.
type noExtend struct{ *fake.Store }

func (noExtend) Extend(context.Context, ports.Lease) error { return nil }

// unfenced lets the holder of any earlier lease write under the newest.
type unfenced struct {
	*fake.Store
	mu     sync.Mutex
	newest ports.Lease
}

func (s *unfenced) Lease(ctx context.Context) (ports.Work, error) {
	w, err := s.Store.Lease(ctx)
	if err == nil {
		s.mu.Lock()
		s.newest = w.Lease
		s.mu.Unlock()
	}
	return w, err
}

func (s *unfenced) Finish(ctx context.Context, l ports.Lease, t domain.Turn, c domain.Conversation) error {
	s.mu.Lock()
	if l.Conversation == s.newest.Conversation {
		l.Token = s.newest.Token
	}
	s.mu.Unlock()
	return s.Store.Finish(ctx, l, t, c)
}

// silentLease hides that its context ended.
type silentLease struct{ *fake.Store }

func (s silentLease) Lease(ctx context.Context) (ports.Work, error) {
	w, err := s.Store.Lease(ctx)
	if ctx.Err() != nil {
		return w, nil
	}
	return w, err
}

// backwards hands out the newest message first.
type backwards struct{ *fake.Store }

func (s backwards) Lease(ctx context.Context) (ports.Work, error) {
	w, err := s.Store.Lease(ctx)
	slices.Reverse(w.Pending)
	return w, err
}

// unbounded hands out everything that was ever admitted to the one conversation.
type unbounded struct {
	*fake.Store
	mu  sync.Mutex
	all []domain.Message
}

func (s *unbounded) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	s.mu.Lock()
	s.all = append(s.all, batch...)
	s.mu.Unlock()
	return s.Store.Admit(ctx, batch)
}

func (s *unbounded) Lease(ctx context.Context) (ports.Work, error) {
	w, err := s.Store.Lease(ctx)
	if len(w.Pending) == ports.MaxPending {
		s.mu.Lock()
		defer s.mu.Unlock()
		w.Pending = slices.Clone(s.all)
	}
	return w, err
}

// impatient does not hold messages back.
type impatient struct{ *fake.Store }

func (s impatient) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	return s.Store.Admit(ctx, edited(batch, func(m *domain.Message) { m.Hold = min(m.Hold, 0) }))
}

// unfair gives the second in the queue before the first.
type unfair struct {
	*fake.Store
	mu    sync.Mutex
	first *ports.Work
}

func (s *unfair) Lease(ctx context.Context) (ports.Work, error) {
	s.mu.Lock()
	if s.first != nil {
		w := *s.first
		s.first = nil
		s.mu.Unlock()
		return w, nil
	}
	s.mu.Unlock()
	w, err := s.Store.Lease(ctx)
	if err != nil {
		return w, err
	}
	brief, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	if next, err := s.Store.Lease(brief); err == nil {
		s.mu.Lock()
		s.first = &w
		s.mu.Unlock()
		return next, nil
	}
	return w, nil
}

// forgetful says that it stored a checkpoint.
type forgetful struct{ *fake.Store }

func (forgetful) Checkpoint(context.Context, ports.Lease, domain.Turn) error { return nil }

// costless forgets what a turn cost.
type costless struct{ *fake.Store }

func (s costless) Checkpoint(ctx context.Context, l ports.Lease, t domain.Turn) error {
	t.Charge(nil)
	return s.Store.Checkpoint(ctx, l, t)
}

// keepsInputs leaves the consumed messages in the inbox.
type keepsInputs struct{ *fake.Store }

func (s keepsInputs) Finish(ctx context.Context, l ports.Lease, t domain.Turn, c domain.Conversation) error {
	r := t.Record()
	r.Inputs = []domain.MessageID{"none"}
	t, err := domain.RestoreTurn(r)
	if err != nil {
		return err
	}
	return s.Store.Finish(ctx, l, t, c)
}

// losesNew empties the inbox, whatever the turn has consumed.
type losesNew struct{ *fake.Store }

func (s losesNew) Finish(ctx context.Context, l ports.Lease, t domain.Turn, c domain.Conversation) error {
	if err := s.Store.Finish(ctx, l, t, c); err != nil {
		return err
	}
	brief, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	w, err := s.Store.Lease(brief)
	if err != nil {
		return nil
	}
	rest, err := domain.NewTurn("rest", w.Lease.Conversation, w.Pending, time.Now())
	if err != nil {
		return err
	}
	if err := rest.Drop("lost"); err != nil {
		return err
	}
	return s.Store.Finish(ctx, w.Lease, rest, c)
}

// lenientFinish calls a second finish a success.
type lenientFinish struct{ *fake.Store }

func (s lenientFinish) Finish(ctx context.Context, l ports.Lease, t domain.Turn, c domain.Conversation) error {
	if err := s.Store.Finish(ctx, l, t, c); !errors.Is(err, ports.ErrLeaseLost) {
		return err
	}
	return nil
}

// amnesia does not store the conversation's language and history.
type amnesia struct{ *fake.Store }

func (s amnesia) Finish(ctx context.Context, l ports.Lease, t domain.Turn, c domain.Conversation) error {
	blank, err := domain.NewConversation(c.ID(), c.Number(), c.Contact())
	if err != nil {
		return err
	}
	return s.Store.Finish(ctx, l, t, blank)
}

// seesAll takes every fact for seen.
type seesAll struct{ *fake.Store }

func (s seesAll) Finish(ctx context.Context, l ports.Lease, t domain.Turn, c domain.Conversation) error {
	l.Cursor = math.MaxInt64
	return s.Store.Finish(ctx, l, t, c)
}

// slowRelease gives a conversation back after a while.
type slowRelease struct{ *fake.Store }

func (s slowRelease) Release(ctx context.Context, l ports.Lease) error {
	return s.Defer(ctx, l, nil, time.Minute)
}

// hasty wakes a deferred turn in half the time.
type hasty struct{ *fake.Store }

func (s hasty) Defer(ctx context.Context, l ports.Lease, t *domain.Turn, after time.Duration) error {
	return s.Store.Defer(ctx, l, t, after/2)
}

// nervous wakes a deferred turn for a new message.
type nervous struct {
	*fake.Store
	mu   sync.Mutex
	turn *domain.Turn
}

func (s *nervous) Defer(ctx context.Context, l ports.Lease, t *domain.Turn, after time.Duration) error {
	s.mu.Lock()
	s.turn = t
	s.mu.Unlock()
	return s.Store.Defer(ctx, l, t, after)
}

func (s *nervous) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	out, err := s.Store.Admit(ctx, batch)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && s.turn != nil {
		_, err = s.Observe(ctx, []domain.Status{{State: domain.DeliverySent, Ref: domain.PartRef{Turn: s.turn.ID()}, HasRef: true}})
	}
	return out, err
}

// deepSleep defers as if the worker had seen every status.
type deepSleep struct{ *fake.Store }

func (s *deepSleep) Defer(ctx context.Context, l ports.Lease, t *domain.Turn, after time.Duration) error {
	l.Cursor = math.MaxInt64
	return s.Store.Defer(ctx, l, t, after)
}

// noGraves keeps nothing of a dead turn.
type noGraves struct{ *fake.Store }

func (s noGraves) Turns(ctx context.Context, id domain.ConversationID, limit int) ([]domain.Turn, error) {
	out, err := s.Store.Turns(ctx, id, limit)
	return slices.DeleteFunc(out, func(t domain.Turn) bool { return t.State() == domain.TurnDead }), err
}

// noHeadStart lets a crowd of strangers go first. A hold, however short, has no head
// start.
type noHeadStart struct{ *fake.Store }

func (s noHeadStart) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	batch = slices.Clone(batch)
	for i := range batch {
		batch[i].Hold = max(batch[i].Hold, 1)
	}
	return s.Store.Admit(ctx, batch)
}
