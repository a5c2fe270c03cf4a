package app

import (
	"sync"
	"sync/atomic"
)

// voices is what the answers that are spoken at a time share.
type voices struct {
	answers atomic.Int64 // how many there are
	crew    *crew
}

func (v *voices) enter() (answers int64) { return v.answers.Add(1) }

// leave is called once for each enter. After the last answer nobody rests.
func (v *voices) leave() {
	if v.answers.Add(-1) == 0 {
		v.crew.dismiss()
	}
}

// maxResting bounds how many of the crew wait for a task.
const maxResting = 256

// crew does tasks in goroutines that take another task when they are done with one: a call
// of a vendor wants a stack of 16 KB, and to grow one anew for each of a thousand pieces a
// second is a fiftieth of the work. There are as many as there are tasks at a time, and
// those that rest.
type crew struct {
	tasks   chan task
	mu      sync.Mutex
	home    chan struct{} // closed when everybody who rests is to go
	resting atomic.Int64
}

// task is something to do, which does not panic, and whom to tell that it is done.
type task struct{ do, done func() }

func newCrew() *crew { return &crew{tasks: make(chan task), home: make(chan struct{})} }

// begin begins a task at once.
func (c *crew) begin(t task) {
	select {
	case c.tasks <- t: // somebody rests
	default:
		go c.work(t)
	}
}

func (c *crew) work(t task) {
	for {
		t.do()
		// From before the word that it is done: who sends everybody home after it means this
		// one, too.
		c.mu.Lock()
		home := c.home
		c.mu.Unlock()
		rests := c.resting.Add(1) <= maxResting
		t.done()
		again := false
		if rests {
			select {
			case t = <-c.tasks:
				again = true
			case <-home:
			}
		}
		if c.resting.Add(-1); !again {
			return
		}
	}
}

// dismiss ends everybody whose task is done.
func (c *crew) dismiss() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.home)
	c.home = make(chan struct{})
}
