package main

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

const (
	// hang is how long the model is silent while memory is measured: longer than it
	// takes to bring all turns in flight, and shorter than the bot can be told to wait.
	hang = 4 * time.Minute
	// arrivals is how many questions a second are asked until all are in flight.
	arrivals = 500
	// settling is for memory to settle.
	settling = 4 * time.Second
	// memoryLimit is what the bot makes of a container's limit of 400 MiB.
	memoryLimit = "360MiB"
	// gatherTime bounds how long it takes until all turns are in flight.
	gatherTime = 2 * time.Minute
)

// measureMemory brings so many turns in flight at once, all waiting for the model's
// first token, and looks at what they hold.
func (p plan) measureMemory(ctx context.Context, n int, res *results) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil && !p.h2 && limit.Cur < uint64(n)+500 {
		return fmt.Errorf("over HTTP/1.1 every turn is a connection, and only %d files may be open", limit.Cur)
	}
	rates := p.rates
	rates.FirstToken = hang
	w, err := p.newWorld(rates)
	if err != nil {
		return err
	}
	defer w.server.Close()
	b, err := p.startBot(ctx, w, map[string]string{"LLM_FIRST_TOKEN": "5m", "LLM_TIMEOUT": "10m", "TURN_TIMEOUT": "15m", "GOMEMLIMIT": memoryLimit})
	if err != nil {
		return err
	}
	defer b.kill()
	c := newCrowd(ctx, w, b, n, false, -1)
	w.watch(c)
	if err := sleep(ctx, settling); err != nil {
		return err
	}
	m := memory{InFlight: n}
	if m.Before, err = b.memory("VmRSS"); err != nil {
		return err
	}
	if err := gather(ctx, w, c, n); err != nil {
		return fmt.Errorf("%w\nthe bot's last words: %s", err, b.lastWords())
	}
	if err := sleep(ctx, settling); err != nil {
		return err
	}
	if m.During, err = b.memory("VmRSS"); err != nil {
		return err
	}
	if m.Most, err = b.memory("VmHWM"); err != nil {
		return err
	}
	m.Files, m.Connections = b.descriptors(), w.server.Connections()
	if held := w.server.Pending(); held != n {
		return fmt.Errorf("%d turns are in flight and not %d\nthe bot's last words: %s", held, n, b.lastWords())
	}
	return res.addMemory(m)
}

// gather asks the questions and waits until the model has all of them.
func gather(ctx context.Context, w *world, c *crowd, n int) error {
	began := time.Now()
	for i := range n {
		due := began.Add(time.Duration(i) * time.Second / arrivals)
		if err := sleep(ctx, time.Until(due)); err != nil {
			return err
		}
		c.ask(i, due)
	}
	for w.server.Pending() < n {
		if n := c.unposted(); n > 0 {
			return fmt.Errorf("%d webhooks were not acknowledged", n)
		}
		if time.Since(began) > gatherTime {
			return fmt.Errorf("after %v only %d turns are in flight", gatherTime, w.server.Pending())
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	c.posts.Wait()
	c.client.CloseIdleConnections()
	return w.err()
}
