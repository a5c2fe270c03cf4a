package redisstore

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

// What is kept for a time goes by itself: memory, turns and dead letters have an expiry.
// Who is left then is a conversation with nothing in it, and the names that lead to it.
// They live in several partitions, so a sweep removes them.

const (
	// sweepEvery is how often one of all processes sweeps.
	sweepEvery = 10 * time.Minute
	// sweepPiece bounds how many conversations one script looks at.
	sweepPiece = 100
	// lookAgain is how soon a conversation that still has something is looked at again.
	lookAgain = 24 * time.Hour
)

// sweepLoop is the sweeper's goroutine. It belongs to the dispatcher, and so runs in
// processes that answer.
func (d *dispatcher) sweepLoop() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-d.ctx.Done():
			return
		case <-tick.C:
		}
		if err := d.s.sweepOnce(d.ctx); err != nil && d.s.opt.OnSweepError != nil && d.ctx.Err() == nil {
			d.s.opt.OnSweepError(err)
		}
	}
}

// sweepOnce sweeps unless another process has done so lately.
func (s *Store) sweepOnce(ctx context.Context) error {
	msg, err := s.do(ctx, "sweep", false, func(b rueidis.Builder) rueidis.Completed {
		return b.Set().Key(s.meta("sweeper")).Value(s.instance).Nx().Px(sweepEvery * 9 / 10).Build()
	})
	if err != nil || msg.IsNil() {
		return err
	}
	return s.sweep(ctx)
}

func (s *Store) sweep(ctx context.Context) error {
	for part := range s.bases {
		for {
			convs, err := s.idle(ctx, part)
			if err != nil {
				return storeErr(ctx, "sweep", err)
			}
			for _, conv := range convs {
				if err := s.retire(ctx, part, conv); err != nil {
					return storeErr(ctx, "sweep", err)
				}
			}
			if len(convs) == 0 {
				break
			}
		}
	}
	return nil
}

func (s *Store) idle(ctx context.Context, part int) ([]string, error) {
	msg, err := s.run(ctx, "sweep", call{
		sc: scIdle, part: part, harmless: true,
		args: []string{micros(s.opt.Retention.Person()), strconv.Itoa(sweepPiece), micros(lookAgain)},
	})
	if err != nil {
		return nil, err
	}
	return stringsOf(msg)
}

// retire forgets a conversation with nothing left. Names go first, each unless somebody
// wrote under it lately, then the rest, unless something came meanwhile. When it turns
// out that the person is back, the names that went are put back.
func (s *Store) retire(ctx context.Context, part int, conv string) error {
	has, err := s.inventory(ctx, conv)
	if err != nil {
		return err
	}
	gone := map[string]string{}
	for _, n := range has.names {
		msg, err := s.run(ctx, "sweep", call{sc: scRetire, part: s.partition(n), args: append(ttlArgs(), n, conv), durable: true})
		if err != nil {
			return err
		}
		out, err := stringsOf(msg)
		if err != nil || len(out) != 2 {
			return errors.Join(err, errors.New("unexpected answer"))
		}
		switch out[0] {
		case "gone":
			gone[n] = out[1]
		case "known":
			return s.putBack(ctx, part, conv, gone)
		}
	}
	args := []string{conv, s.tombstone(conv), strconv.FormatInt(tombstoneTTL.Milliseconds(), 10), micros(s.opt.Retention.Person())}
	counts, err := s.counts(ctx, call{sc: scErase, part: part, args: args, durable: true}, 5)
	if err != nil {
		return err
	}
	if counts[0] < 0 {
		return s.putBack(ctx, part, conv, gone)
	}
	return nil
}

// putBack restores names that lead nowhere since, and has the conversation looked at
// later.
func (s *Store) putBack(ctx context.Context, part int, conv string, gone map[string]string) error {
	for n, raw := range gone {
		if _, err := s.swap(ctx, "sweep", name(n), lead{}, raw); err != nil {
			return err
		}
	}
	_, err := s.do(ctx, "sweep", true, func(b rueidis.Builder) rueidis.Completed {
		return b.Zadd().Key(s.base(part)+":idle").Xx().ScoreMember().ScoreMember(float64(time.Now().Add(lookAgain-s.opt.Retention.Person()).UnixMicro()), conv).Build()
	})
	return err
}
