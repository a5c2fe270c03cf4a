package redisstore

import (
	"context"
	"slices"
	"strconv"
	"strings"
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

// partState is what the process believes of a partition.
type partState struct {
	due time.Time // when its first conversation is due, by our clock; zero for none
	// notBefore is when we may claim it, a little later for what another process told
	// us, so that not all claim at once.
	notBefore time.Time
	stamp     int64 // when it was so, by the server's clock
	heard     bool  // another process told us
	busy      bool  // a claim is under way
}

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

// learn takes note of the head of a partition that a script of ours answered.
func (d *dispatcher) learn(part int, report string) { d.note(part, report, false) }

// clockBack is how much older than the last a report must be to be believed all the
// same: no answer is on its way that long, so another server's clock is behind.
const clockBack = int64(time.Second / time.Microsecond)

// note reads a report, "time/delay" in microseconds by the server's clock, and drops
// it if a newer one has come already.
func (d *dispatcher) note(part int, report string, heard bool) {
	stampText, delay, _ := strings.Cut(report, "/")
	stamp, err := strconv.ParseInt(stampText, 10, 64)
	if err != nil {
		return
	}
	st := partState{heard: heard, stamp: stamp}
	if delay != "" {
		us, err := strconv.ParseInt(delay, 10, 64)
		if err != nil {
			return
		}
		now := time.Now()
		st.due = now.Add(time.Duration(us) * time.Microsecond)
		if heard {
			st.notBefore = st.due
			if now.After(st.due) {
				st.notBefore = now
			}
			st.notBefore = st.notBefore.Add(d.jitter.next())
		}
	}
	d.mu.Lock()
	last := d.parts[part].stamp
	waiting := len(d.waiters) > 0
	if stamp < last && stamp > last-clockBack {
		d.mu.Unlock()
		return
	}
	st.busy = d.parts[part].busy
	d.parts[part] = st
	d.mu.Unlock()
	if waiting {
		d.nudge()
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

// first finds the partition whose first conversation is due longest, and when it may
// be claimed. A partition that is not claimable yet does not hold up one that is.
func (d *dispatcher) first() (int, time.Time) {
	best, bestAt := -1, time.Time{}
	now := time.Now()
	for i := range d.parts {
		p := &d.parts[i]
		if p.busy || p.due.IsZero() {
			continue
		}
		at := p.due
		if p.notBefore.After(now) {
			at = p.notBefore
		}
		if best < 0 || at.Before(bestAt) {
			best, bestAt = i, at
		}
	}
	return best, bestAt
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

// lookAll asks every partition when its first conversation is due. If none answers
// the callers are told.
func (d *dispatcher) lookAll() {
	var mu sync.Mutex
	var failed []error
	_ = each(d.ctx, d.s.allParts(), func(_ context.Context, part int, _ struct{}) error {
		ctx, cancel := context.WithTimeout(d.ctx, claimTime)
		defer cancel()
		msg, err := d.s.run(ctx, "lease", call{sc: scPeek, part: part, harmless: true})
		if err != nil {
			mu.Lock()
			defer mu.Unlock()
			failed = append(failed, err)
			return nil // the others are asked all the same
		}
		report, _ := msg.ToString() // anything else is not a report
		d.learn(part, report)
		return nil
	})
	if len(failed) == len(d.parts) && d.ctx.Err() == nil {
		d.refuse(failed[0])
	}
}
