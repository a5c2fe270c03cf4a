package redisstore

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"
)

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
