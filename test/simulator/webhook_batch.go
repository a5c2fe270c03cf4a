package simulator

import (
	"errors"
	"fmt"
	"time"
)

// reorderHold is the longest a message is held back so that the next one can overtake it.
const reorderHold = 500 * time.Millisecond

// ErrQueueFull says that the bot left too many webhooks unanswered.
var ErrQueueFull = errors.New("too many webhooks are waiting")

// batch collects updates until it is full or its window has passed.
type batch struct{ updates []update }

// tell puts an update on its way to the bot, alone or in the batch of its kind. Counts.Pending already counts it. The
// caller holds the lock.
func (s *Simulator) tell(u update) {
	size := s.faults.BatchSize
	b := s.batches[u.kind]
	if size <= 1 && b == nil {
		s.send([]update{u})
		return
	}
	if b == nil {
		b = &batch{}
		s.batches[u.kind] = b
		window := ms(s.faults.BatchWindowMS)
		if window == 0 {
			window = 20 * time.Millisecond
		}
		s.later(window, func() { s.flush(u.kind, b) })
	}
	b.updates = append(b.updates, u)
	if len(b.updates) >= size {
		s.flush(u.kind, b)
	}
}

func (s *Simulator) flush(kind string, b *batch) {
	if s.batches[kind] != b {
		return // it was full before its window passed
	}
	delete(s.batches, kind)
	if len(b.updates) > 1 && s.roll(s.faults.ReorderPercent) {
		s.rng.Shuffle(len(b.updates), func(i, j int) { b.updates[i], b.updates[j] = b.updates[j], b.updates[i] })
	}
	s.send(b.updates)
}

// send makes the post of some updates, with the faults that concern whole posts.
func (s *Simulator) send(updates []update) {
	p, err := s.newPost(updates)
	if err != nil { // only a body that is no JSON, and everything was made from parsed JSON
		panic(err)
	}
	s.launch(p)
}

func (s *Simulator) newPost(updates []update) (*post, error) {
	body, err := s.envelope(updates)
	if err != nil {
		return nil, fmt.Errorf("make webhook: %w", err)
	}
	p := &post{kind: updates[0].kind, body: body, updates: updates}
	seen := map[string]bool{}
	for _, u := range updates {
		if u.lane != "" && !seen[u.lane] {
			seen[u.lane] = true
			p.lanes = append(p.lanes, u.lane)
		}
		if u.kind == "messages" {
			s.rememberPost(u.id, p)
		}
	}
	return p, nil
}

// launch sends a post on its way: held back (reorder), twice (duplicate), or simply queued.
func (s *Simulator) launch(p *post) {
	holder := s.users[p.updates[0].user]
	if p.kind == "messages" && len(p.updates) == 1 && holder != nil {
		if held := holder.held; held != nil {
			holder.held = nil
			s.enqueue(p)
			s.enqueue(held)
			s.maybeDuplicate(p)
			s.maybeDuplicate(held)
			return
		}
		if s.roll(s.faults.ReorderPercent) {
			holder.held = p
			s.later(reorderHold, func() {
				if holder.held == p {
					holder.held = nil
					s.enqueue(p)
					s.maybeDuplicate(p)
				}
			})
			return
		}
	}
	s.enqueue(p)
	s.maybeDuplicate(p)
}

// maybeDuplicate repeats a post outside of its lanes: half of the time together with the first try, which races with it,
// else after its 200. It never goes out before the first: it would overtake what the first waits for.
func (s *Simulator) maybeDuplicate(p *post) {
	if !s.roll(s.faults.DuplicatePercent) {
		return
	}
	again := p.again()
	s.counts.Pending += len(again.updates)
	if s.rng.IntN(2) == 0 {
		if p.behind > 0 {
			p.twin = again
		} else {
			s.enqueue(again)
		}
		return
	}
	first := &p.updates[0]
	done := first.acked
	first.acked = func(ok bool) {
		if done != nil {
			done(ok)
		}
		s.enqueue(again)
	}
}

func (p *post) again() *post {
	return &post{kind: p.kind, body: p.body, updates: p.updates, duplicate: true}
}

func (s *Simulator) rememberPost(id string, p *post) {
	if _, known := s.sentIn[id]; !known {
		if uint64(len(s.sentIDs.buf)) == maxRedeliveries {
			delete(s.sentIn, s.sentIDs.buf[s.sentIDs.start])
		}
		s.sentIDs.add(id)
	}
	s.sentIn[id] = p
}

// Redeliver posts again, byte for byte, the webhook that carried a message. It may run beside the original. It fails for
// a message that is not among the newest 20,000.
func (s *Simulator) Redeliver(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.sentIn[id]
	if p == nil {
		return errors.New("redeliver: no webhook with this message is remembered")
	}
	again := p.again()
	s.counts.Pending += len(again.updates)
	s.enqueue(again)
	s.changedLocked()
	return nil
}
