package redisstore

import (
	"context"
	"errors"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// PlainURL is what a URL of ours becomes for the client.
func PlainURL(text string) (string, string, error) {
	plain, want, err := plainURL(text)
	return plain, string(want), err
}

// The steps of a first contact, at each of which a process can die.
const (
	AfterChoice = iota
	AfterPin
	AfterLink
	Steps
)

// AdmitHalf runs the long way of admission up to a step and stops there, as a
// process that is killed does.
func (s *Store) AdmitHalf(ctx context.Context, m domain.Message, step int) error {
	var answer ports.Admission
	it, err := s.newItem(&m, &answer)
	if err != nil {
		return err
	}
	if err := s.remember(ctx, "test", m.Number); err != nil {
		return err
	}
	conv, err := s.choose(ctx, it)
	if err != nil || step == AfterChoice {
		return err
	}
	if _, conv, err = s.pin(ctx, s.at(it.route), string(it.route), it, conv, ""); err != nil || step == AfterPin {
		return err
	}
	return s.link(ctx, it, conv)
}

// Sweep forgets whom nothing is left of, now.
func (s *Store) Sweep(ctx context.Context) error { return s.sweep(ctx) }

// Held is how many leases the store remembers to tell of news.
func (s *Store) Held() int { return s.news.Len() }

// Idle are the conversations that a sweep has found to have nothing left, and Retire is what
// it does next with each.
func (s *Store) Idle(ctx context.Context) ([]string, error) {
	var out []string
	for part := range s.bases {
		found, err := s.idle(ctx, part)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

func (s *Store) Retire(ctx context.Context, conv string) error {
	part, ok := s.home(conv)
	if !ok {
		return errors.New("no conversation of this store")
	}
	return s.retire(ctx, part, conv)
}
