package main

import (
	"context"
	"time"

	"whatsappnode/test/bench/report"
)

// watch hands messages to the crowd.
func (w *world) watch(c *crowd) {
	tell := c.delivered
	w.delivered.Store(&tell)
}

// observe counts what happens while fn runs, and waits for the answers.
func (p plan) observe(ctx context.Context, w *world, c *crowd, fn func() error) (turns, error) {
	w.server.Lateness()
	began := time.Now()
	before, err := p.usage(c.bot)
	if err != nil {
		return turns{}, err
	}
	c.begin()
	if err := fn(); err != nil {
		return turns{}, err
	}
	c.hush()
	took := time.Since(began)
	after, err := p.usage(c.bot)
	if err != nil {
		return turns{}, err
	}
	used, answers := after.minus(before), c.answers()
	run := turns{
		Seconds: took.Seconds(), AnswersPerSecond: float64(answers) / took.Seconds(),
		BotBusy: used.bot.Seconds() / took.Seconds(), BenchBusy: used.bench.Seconds() / took.Seconds(), Strangers: used.strangers(took),
		Late: report.Summarize(w.server.Lateness()), Connections: w.server.Connections(),
	}
	if answers > 0 {
		run.CPU = used.bot / time.Duration(answers)
	}
	// What is open now may take as long as everything before did.
	got, err := c.end(20 * time.Second)
	run.calls(w.counts.now(), got.all)
	run.Took, run.Ack = report.Summarize(got.took), report.Summarize(got.acks)
	run.Asked = report.Summarize(got.late)
	run.InWriting, run.Surplus, run.Refused, run.Unposted, run.Unanswered = got.text, got.surplus, got.refused, got.unposted, got.open
	return run, err
}

// answers is how many there were since begin.
func (c *crowd) answers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.got.answers
}
