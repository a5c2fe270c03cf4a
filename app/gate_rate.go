package app

import (
	"context"
	"fmt"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Rate bounds how often one person is answered at one number: Messages at once, and
// one more each Every. Every try to answer counts, so that a person who keeps adding to
// a question while it is answered is bounded, too. Zero Messages: no bound.
type Rate struct {
	Messages int
	Every    time.Duration
}

func (r Rate) valid() bool { return r.Messages >= 0 && (r.Messages == 0 || r.Every > 0) }

// The reasons for which turns of people who misuse the bot are dropped.
const (
	dropRate = "rate"
	dropLoop = "loop"
)

// withinRate is the gate of Rate. Who is over it is told so once, and is not answered
// from then on until the bucket has filled up. All processes share the buckets.
func withinRate(ctx context.Context, s *session) (verdict, error) {
	limit := s.persona.Rate
	if limit.Messages == 0 || s.deps.Pacer == nil {
		return verdict{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeBudget)
	defer cancel()
	over, err := s.take(ctx, "rate/", limit.Messages, limit.Every)
	if err != nil || !over {
		return verdict{}, err
	}
	told, err := s.take(ctx, "rate-told/", 1, time.Duration(limit.Messages)*limit.Every)
	if err != nil || told {
		return verdict{drop: dropRate}, err
	}
	language := s.language(understanding{})
	return verdict{reply: &domain.Reply{Text: sentence(noticeTooMany, language), Language: language}}, nil
}

// take reports whether a bucket of the conversation is empty. Its key is the
// conversation's own opaque id.
func (s *session) take(ctx context.Context, kind string, capacity int, every time.Duration) (empty bool, err error) {
	wait, err := s.deps.Pacer.Take(ctx, ports.Bucket{Key: kind + string(s.conv.ID()), Capacity: capacity, Every: every})
	if err != nil {
		return false, fmt.Errorf("%w: look at the rate of the conversation: %w", errStore, err)
	}
	return wait > 0, nil
}
