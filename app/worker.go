package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Worker leases conversations and lets the Responder handle them, a bounded number
// at a time. It owns every goroutine it starts.
type Worker struct {
	inbox     ports.InboxPort
	responder interface {
		Handle(ctx context.Context, work *ports.Work) error
		storeFailed()
	}
	observer ports.ObserverPort
	slots    chan struct{}
	drain    time.Duration

	mu   sync.Mutex
	held map[int64]*hold // leases in hand, by a number of our own
	next int64
}

// hold is one lease in hand.
type hold struct {
	lease  ports.Lease
	cancel context.CancelCauseFunc
	until  time.Time // when the lease ends unless it is extended
}

// ErrStopping is the cause of a turn's context when the process stops.
var ErrStopping = errors.New("the worker is stopping")

// NewWorker makes a worker of at most parallel turns at once. Drain is how long
// turns may go on after Run's context ended.
func NewWorker(inbox ports.InboxPort, responder *Responder, observer ports.ObserverPort, parallel int, drain time.Duration) *Worker {
	return &Worker{
		inbox: inbox, responder: responder, observer: observer, drain: drain,
		slots: make(chan struct{}, max(parallel, 1)), held: map[int64]*hold{},
	}
}

// Run works until ctx ends. It then leases nothing more, lets the turns in hand go
// on for the drain time, stops the rest, gives their leases back and returns nil
// once every goroutine has ended.
func (w *Worker) Run(ctx context.Context) error {
	turns, stopTurns := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stopTurns(nil)
	var wg sync.WaitGroup
	beat, stopBeat := context.WithCancel(context.WithoutCancel(ctx))
	var heart sync.WaitGroup
	heart.Go(func() { w.heartbeat(beat) })

	var leasers sync.WaitGroup
	for range min(cap(w.slots), leasersAtOnce) {
		leasers.Go(func() { w.lease(ctx, turns, &wg) })
	}
	leasers.Wait()

	drained := make(chan struct{})
	go func() { wg.Wait(); close(drained) }()
	timer := time.NewTimer(w.drain)
	defer timer.Stop()
	select {
	case <-drained:
	case <-timer.C:
		stopTurns(ErrStopping)
		<-drained
	}
	stopBeat()
	heart.Wait()
	return nil
}

// leasersAtOnce is how many callers ask the store for work: a store that writes in
// groups then hands out several conversations with one write.
const leasersAtOnce = 16

// lease takes conversations, as many as there are slots for, until ctx ends.
func (w *Worker) lease(ctx, turns context.Context, wg *sync.WaitGroup) {
	pause := newPause()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			continue
		case w.slots <- struct{}{}:
		}
		work, err := w.inbox.Lease(ctx)
		if err != nil {
			<-w.slots
			if ctx.Err() == nil {
				w.responder.storeFailed()
				w.trouble("lease", &work, err)
				pause.wait(ctx)
			}
			continue
		}
		pause.reset()
		wg.Go(func() {
			defer func() { <-w.slots }()
			w.handle(turns, &work)
		})
	}
}

// handle brings one conversation on and sees to its lease whatever happens.
func (w *Worker) handle(parent context.Context, work *ports.Work) {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	key := w.hold(work.Lease, cancel)
	err := w.safely(ctx, work)
	w.release(key)
	if err != nil && !errors.Is(err, ports.ErrLeaseLost) {
		w.giveBack(parent, work, err)
	}
}

// giveBack gives back the lease of a turn that was interrupted, with what is to be stored
// of the turn.
//
//go:noinline
func (w *Worker) giveBack(parent context.Context, work *ports.Work, err error) {
	var turn *domain.Turn // what is to be stored of it
	if i := (*interrupted)(nil); errors.As(err, &i) {
		turn, err = &i.turn, i.cause
	}
	back, stop := context.WithTimeout(context.WithoutCancel(parent), storeBudget)
	defer stop()
	var giveBack error
	switch {
	case !errors.Is(err, ErrStopping):
		if errors.Is(err, errStore) {
			w.responder.storeFailed()
		}
		w.trouble("turn interrupted", work, err)
		giveBack = w.inbox.Defer(back, work.Lease, turn, sendBackoff(2, 0))
	case turn != nil:
		giveBack = w.inbox.Defer(back, work.Lease, turn, 0)
	default:
		giveBack = w.inbox.Release(back, work.Lease)
	}
	if giveBack != nil && !errors.Is(giveBack, ports.ErrLeaseLost) {
		w.trouble("lease not given back", work, giveBack)
	}
}

// safely turns a panic before a turn was begun into an error: one bad message must not
// take down the others.
func (w *Worker) safely(ctx context.Context, work *ports.Work) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = ports.Panicked(p)
		}
	}()
	return w.responder.Handle(ctx, work)
}

func (w *Worker) hold(lease ports.Lease, cancel context.CancelCauseFunc) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next++
	w.held[w.next] = &hold{lease: lease, cancel: cancel, until: time.Now().Add(lease.TTL)}
	return w.next
}

// Leases is how many conversations are in hand.
func (w *Worker) Leases() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.held)
}

func (w *Worker) release(key int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.held, key)
}

// trouble tells the observer of a problem that no turn can tell of itself, with the
// person and the messages that wait for it.
func (w *Worker) trouble(what string, work *ports.Work, err error) {
	ev := ports.Event{
		At: time.Now(), Stage: ports.StageTrouble, Conversation: work.Lease.Conversation, User: work.Conversation.Contact(), Detail: what, Err: err,
	}
	for _, m := range work.Pending {
		ev.Messages = append(ev.Messages, m.ID)
	}
	if len(work.Open) > 0 {
		turn := work.Open[0]
		ev.Turn, ev.Trace = turn.ID(), turn.Trace()
		if len(ev.Messages) == 0 {
			ev.Messages = turn.Inputs()
		}
	}
	w.observer.Observe(ev)
}

// pause is the wait between attempts to reach a store that is down.
type pause struct{ next time.Duration }

const (
	pauseFirst = 50 * time.Millisecond
	pauseLast  = 5 * time.Second
)

func newPause() *pause  { return &pause{next: pauseFirst} }
func (p *pause) reset() { p.next = pauseFirst }
func (p *pause) wait(ctx context.Context) {
	timer := time.NewTimer(p.next)
	defer timer.Stop()
	p.next = min(2*p.next, pauseLast)
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
