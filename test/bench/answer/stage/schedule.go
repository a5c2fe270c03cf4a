package stage

import (
	"container/heap"
	"runtime"
	"sync"
	"time"
)

// nap is the longest sleep while something is scheduled: an answer that comes in
// during it begins later than that, or at once and not by the schedule.
const nap = time.Millisecond

// player is an answer under way. It is used by the schedule's goroutine alone.
type player interface {
	// play does what is due and says when there is more to do, if there is.
	play() (next time.Duration, more bool)
	// flush writes out what play left to be written; once for many players is enough.
	flush()
}

// entry is a player and when it is due, counted from the schedule's beginning.
type entry struct {
	due time.Duration
	who player
}

type entries []entry

func (e entries) Len() int           { return len(e) }
func (e entries) Less(i, j int) bool { return e[i].due < e[j].due }
func (e entries) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *entries) Push(x any)        { *e = append(*e, x.(entry)) }
func (e *entries) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}

// call is a function to be called when it is due.
type call func()

func (c call) play() (time.Duration, bool) {
	c()
	return 0, false
}

func (call) flush() {}

// schedule plays answers at their times, all of them on one thread that sleeps in the
// kernel: the runtime's timers are up to a millisecond late when nothing else wakes
// them.
type schedule struct {
	began time.Time

	mu       sync.Mutex
	wake     *sync.Cond
	incoming []entry
	waiting  int // answers under way
	lateness []time.Duration
	closed   bool
}

func newSchedule() *schedule {
	s := &schedule{began: time.Now()}
	s.wake = sync.NewCond(&s.mu)
	return s
}

// now is the time on the schedule's clock.
func (s *schedule) now() time.Duration { return time.Since(s.began) }

func (s *schedule) add(due time.Duration, who player) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.incoming = append(s.incoming, entry{due, who})
	s.waiting++
	if len(s.incoming) == 1 {
		s.wake.Signal()
	}
}

// open counts answers that are played by somebody else.
func (s *schedule) open(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting += n
}

func (s *schedule) pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting
}

func (s *schedule) late(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lateness = append(s.lateness, d)
}

func (s *schedule) takeLateness() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.lateness
	s.lateness = nil
	return out
}

func (s *schedule) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.wake.Signal()
}

// run plays until close.
func (s *schedule) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var queue entries
	var batch []entry
	ended := 0
	for s.take(&queue, batch, ended) {
		batch, ended = batch[:0], 0
		now := s.now()
		for len(queue) > 0 && queue[0].due <= now {
			e := queue[0]
			batch = append(batch, e)
			if next, more := e.who.play(); more {
				queue[0].due = next
				heap.Fix(&queue, 0)
			} else {
				heap.Pop(&queue)
				ended++
			}
		}
		for i, e := range batch {
			e.who.flush()
			batch[i].due = s.now() - e.due // by how much it was late
		}
		if len(queue) > 0 {
			pause(min(queue[0].due-s.now(), nap))
		}
	}
}

// take adds what came in to the queue, and waits while it is empty. It notes how late
// the last batch was and how many answers ended with it, and reports whether to go on.
func (s *schedule) take(queue *entries, played []entry, ended int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range played {
		s.lateness = append(s.lateness, e.due)
	}
	s.waiting -= ended
	for {
		for _, e := range s.incoming {
			heap.Push(queue, e)
		}
		s.incoming = s.incoming[:0]
		if s.closed || len(*queue) > 0 {
			return !s.closed
		}
		s.wake.Wait()
	}
}
