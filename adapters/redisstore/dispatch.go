package redisstore

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"whatsappnode/adapters/record"
	"whatsappnode/ports"
)

const (
	// claimsAtOnce bounds the claims under way in one process.
	claimsAtOnce = 8
	// lookEvery is how often all partitions are asked for their due times while
	// somebody waits: only for what was missed on the channel.
	lookEvery = 2 * time.Second
	// lookDeaf is the same while the channel is not heard.
	lookDeaf = 100 * time.Millisecond
	// claimTime bounds one claim and one look, so that a server that is frozen holds
	// up its own partitions only.
	claimTime = 1500 * time.Millisecond
	// sickFor is how long a partition is left alone after a claim on it failed.
	sickFor = 250 * time.Millisecond
)

// served is what a waiting caller of Lease gets.
type served struct {
	work ports.Work
	err  error
}

type waiter struct{ to chan served } // buffered, so that nobody waits for a caller

// dispatcher claims conversations for the callers of Lease: one goroutine decides,
// a few claim. It starts with the first caller, so that a process that only admits
// neither claims nor listens.
type dispatcher struct {
	s      *Store
	jitter jitter

	mu      sync.Mutex
	waiters []*waiter
	parts   []partState
	claims  int
	heard   bool // the channel is subscribed
	nextAll time.Time

	poke    chan struct{}
	once    sync.Once
	cancel  context.CancelFunc
	ctx     context.Context
	running sync.WaitGroup
}

func newDispatcher(s *Store) *dispatcher {
	ctx, cancel := context.WithCancel(context.Background())
	return &dispatcher{s: s, parts: make([]partState, s.opt.Partitions), poke: make(chan struct{}, 1), ctx: ctx, cancel: cancel}
}

// stop ends the goroutines and waits for them.
func (d *dispatcher) stop() {
	d.once.Do(func() {}) // none is started any more
	d.cancel()
	d.running.Wait()
}

func (d *dispatcher) start() {
	d.running.Go(d.loop)
	d.running.Go(d.listen)
	d.running.Go(d.sweepLoop)
}

// wait adds a caller.
func (d *dispatcher) wait() *waiter {
	d.once.Do(d.start)
	w := &waiter{to: make(chan served, 1)}
	d.mu.Lock()
	d.waiters = append(d.waiters, w)
	d.mu.Unlock()
	d.nudge()
	return w
}

// leave removes a caller and reports whether it was still waiting.
func (d *dispatcher) leave(w *waiter) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.Index(d.waiters, w)
	if i < 0 {
		return false
	}
	d.waiters = slices.Delete(d.waiters, i, i+1)
	return true
}

func (d *dispatcher) nudge() {
	select {
	case d.poke <- struct{}{}:
	default: // it has been told already
	}
}

// loop hands due partitions to claims and sleeps until the next is due.
func (d *dispatcher) loop() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for d.ctx.Err() == nil {
		timer.Reset(d.step())
		select {
		case <-d.ctx.Done():
		case <-d.poke:
		case <-timer.C:
		}
	}
	d.refuse(ErrClosed)
}

// step starts what can be started and returns how long to sleep then.
func (d *dispatcher) step() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.waiters) == 0 {
		return time.Hour // the next caller wakes us
	}
	now := time.Now()
	if !now.Before(d.nextAll) {
		d.nextAll = now.Add(lookEvery)
		if !d.heard {
			d.nextAll = now.Add(lookDeaf)
		}
		d.running.Go(d.lookAll)
	}
	wake := d.nextAll
	for d.claims < min(len(d.waiters), claimsAtOnce) {
		part, at := d.first()
		if part < 0 {
			break
		}
		if at.After(now) {
			if at.Before(wake) {
				wake = at
			}
			break
		}
		d.claims++
		d.parts[part].busy = true
		d.running.Go(func() { d.claim(part) })
	}
	return max(0, wake.Sub(now))
}

// claim leases from one partition and serves the caller that waits longest. When it
// fails the partition is left alone for a while: in a Cluster the others may be well.
// One server alone that fails is told to the callers.
func (d *dispatcher) claim(part int) {
	ctx, cancel := context.WithTimeout(d.ctx, claimTime)
	work, report, got, err := d.s.claim(ctx, part)
	cancel()
	d.mu.Lock()
	p := &d.parts[part]
	d.claims--
	p.busy = false
	heard := p.heard
	if err != nil {
		p.notBefore = time.Now().Add(sickFor)
	}
	var w *waiter
	if got && len(d.waiters) > 0 {
		w = d.waiters[0]
		d.waiters = d.waiters[1:]
	}
	d.mu.Unlock()
	if heard && err == nil {
		d.jitter.result(got)
	}
	d.learn(part, report)
	switch {
	case w != nil:
		w.to <- served{work: work}
	case got:
		d.s.giveBack(work.Lease)
	case err != nil && (record.Unreadable(err) || d.s.client.Mode() != rueidis.ClientModeCluster):
		d.refuse(err)
	}
	d.nudge()
}

// refuse answers every waiting caller with an error.
func (d *dispatcher) refuse(err error) {
	d.mu.Lock()
	all := d.waiters
	d.waiters = nil
	d.mu.Unlock()
	for _, w := range all {
		w.to <- served{err: err}
	}
}
