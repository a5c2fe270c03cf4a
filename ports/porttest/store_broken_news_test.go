package porttest_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"whatsappnode/adapters/fake"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// teller makes the news itself. As it stands it has one fault: it never forgets a lease.
// The fields give it others.
type teller struct {
	*fake.Store
	never    bool // tells nothing
	once     bool // tells a lease once
	noHolds  bool // does not tell of a message on hold
	waits    bool // waits until there is room
	firstTTL bool // takes no notice of Extend
	oldest   bool // goes on telling the first lease
	anyToken bool // forgets a lease for what befalls an older one
	closes   bool // closes the channel at the end

	mu   sync.Mutex
	held map[domain.ConversationID]*told
}

type told struct {
	news  chan struct{}
	times int
	until time.Time
}

func (s *teller) Lease(ctx context.Context) (ports.Work, error) {
	w, err := s.Store.Lease(ctx)
	if err != nil {
		return w, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = map[domain.ConversationID]*told{}
	}
	t := &told{news: make(chan struct{}, 1), until: time.Now().Add(w.Lease.TTL)}
	w.News = t.news
	if s.held[w.Lease.Conversation] == nil || !s.oldest {
		s.held[w.Lease.Conversation] = t
	}
	return w, nil
}

func (s *teller) Admit(ctx context.Context, batch []domain.Message) ([]ports.Admission, error) {
	out, err := s.Store.Admit(ctx, batch)
	for i, a := range out {
		if !a.New || s.never || s.noHolds && batch[i].Hold > 0 {
			continue
		}
		s.mu.Lock()
		t := s.held[a.Conversation]
		skip := t == nil || s.once && t.times > 0 || s.firstTTL && !time.Now().Before(t.until)
		if !skip {
			t.times++
		}
		s.mu.Unlock()
		if skip {
			continue
		}
		if s.waits {
			select {
			case t.news <- struct{}{}:
			case <-time.After(time.Minute): // so that the other cases end
			}
			continue
		}
		select {
		case t.news <- struct{}{}:
		default:
		}
	}
	return out, err
}

func (s *teller) Pending(ctx context.Context, l ports.Lease) ([]domain.Message, error) {
	out, err := s.Store.Pending(ctx, l)
	if s.anyToken && errors.Is(err, ports.ErrLeaseLost) {
		s.mu.Lock()
		delete(s.held, l.Conversation)
		s.mu.Unlock()
	}
	return out, err
}

func (s *teller) Release(ctx context.Context, l ports.Lease) error {
	err := s.Store.Release(ctx, l)
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.held[l.Conversation]; err == nil && s.closes && t != nil {
		close(t.news)
		delete(s.held, l.Conversation)
	}
	return err
}

// noNews has no channel and does not say so.
type noNews struct{ *fake.Store }

func (s noNews) Lease(ctx context.Context) (ports.Work, error) {
	w, err := s.Store.Lease(ctx)
	w.News = nil
	return w, err
}
