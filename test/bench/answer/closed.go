package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"whatsappnode/test/bench/answer/script"
	"whatsappnode/test/bench/answer/stage"
)

// closedLoop lets so many users converse at once, each asking again after its answer.
func (p plan) closedLoop(ctx context.Context, users int, aloud bool, res *results) error {
	floors, err := p.rates.Floors(script.Text, aloud)
	if err != nil {
		return err
	}
	return p.withBot(ctx, nil, func(w *world, b *bot) error {
		c := newCrowd(ctx, w, b, users, aloud, p.think)
		w.watch(c)
		// Users come one by one over the time of an answer, as a crowd in the middle of
		// its conversations would. First questions open connections and do not count.
		spread, measure := floors.BySentence, p.measure
		if users == 1 {
			spread, measure = 0, p.measure*3/2 // turns are few
		}
		began := time.Now()
		for i := range users {
			due := began.Add(spread * time.Duration(i) / time.Duration(users))
			if stage.SleepUntil(due); ctx.Err() != nil {
				return ctx.Err()
			}
			c.ask(i, due)
		}
		if err := sleep(ctx, time.Until(began.Add(spread+floors.BySentence))); err != nil {
			return err
		}
		run, err := p.observe(ctx, w, c, func() error { return sleep(ctx, measure) })
		if err != nil {
			return err
		}
		run.Kind, run.Conversations, run.Floors = kind(aloud), users, floors
		return res.addClosed(run)
	})
}

// openLoop asks at a fixed rate, whatever became of the questions before.
func (p plan) openLoop(ctx context.Context, res *results) error {
	floors, err := p.rates.Floors(script.Text, false)
	if err != nil {
		return err
	}
	// Who asked is not asked for again before this time: longer than any answer takes
	// unless the bot cannot keep up, and then the question counts as not answered.
	const rest = 20
	return p.withBot(ctx, nil, func(w *world, b *bot) error {
		c := newCrowd(ctx, w, b, p.rate*rest, false, -1)
		w.watch(c)
		const warm = 3 * time.Second
		total := int((warm + p.open).Seconds() * float64(p.rate))
		began, asked := time.Now(), 0
		until := func(end time.Time) error {
			for ; asked < total; asked++ {
				due := began.Add(time.Duration(asked) * time.Second / time.Duration(p.rate))
				if due.After(end) {
					return nil
				}
				if stage.SleepUntil(due); ctx.Err() != nil {
					return ctx.Err()
				}
				c.ask(asked%len(c.due), due)
			}
			return nil
		}
		if err := until(began.Add(warm)); err != nil {
			return err
		}
		run, err := p.observe(ctx, w, c, func() error { return until(began.Add(warm + p.open)) })
		if err != nil {
			return err
		}
		run.Kind, run.Rate, run.Floors = kind(false), p.rate, floors
		return res.addOpen(run)
	})
}

func kind(aloud bool) string {
	if aloud {
		return "voice"
	}
	return "text"
}

// withBot runs fn with a bot on a fresh store among fresh fakes.
func (p plan) withBot(ctx context.Context, env map[string]string, fn func(w *world, b *bot) error) error {
	w, err := p.newWorld(p.rates)
	if err != nil {
		return err
	}
	defer w.server.Close()
	b, err := p.startBot(ctx, w, env)
	if err != nil {
		return err
	}
	defer b.stop()
	if err := errors.Join(fn(w, b), w.err()); err != nil {
		return fmt.Errorf("%w\nthe bot's last words: %s", err, b.lastWords())
	}
	return nil
}
