// Package news knows the leases that this process holds and tells their holders that
// a message came: the channels behind ports.Work.News, for stores whose data is
// elsewhere.
//
// What is remembered is one small entry for each lease in hand. A lease that ends is
// forgotten when the store hears of it, and one that runs out in silence when it is
// next told, when its conversation is leased again, or when the number of entries has
// doubled since the last look for such.
package news

import (
	"maps"
	"sync"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Leases are the leases in hand. It is safe for concurrent use and owns no goroutine.
type Leases struct {
	clock func() time.Time

	mu   sync.Mutex
	held map[domain.ConversationID]entry
	// sweepAt is the number of entries at which those that ran out are looked for:
	// twice what the last look left, so that the looks cost little on average.
	sweepAt int

	expected int // leases that may be ours already, see Expect
	early    map[domain.ConversationID]bool
	earlyAll bool
}

type entry struct {
	token int64
	until time.Time
	news  chan struct{}
}

const (
	// firstSweep is the least number of entries worth a look.
	firstSweep = 1024
	// maxEarly bounds the conversations that are noted for leases on their way. Beyond
	// it each of those is told, which costs its holder one look without reason.
	maxEarly = 1024
)

// New makes an empty list that judges by the clock when a lease has run out.
func New(clock func() time.Time) *Leases {
	return &Leases{clock: clock, held: map[domain.ConversationID]entry{}, sweepAt: firstSweep}
}

// Expect says that a lease is being asked for elsewhere, before it is known which.
// Until done is called, once, what is told of any conversation is kept for Add:
// otherwise a message between the lease and the answer that brings it would be missed.
func (l *Leases) Expect() (done func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expected++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.expected--; l.expected == 0 {
			l.early, l.earlyAll = nil, false
		}
	}
}

// Add notes a lease that lasts until the given time, and returns its channel. It takes
// the place of an older lease on the conversation; an older one than is known gets a
// channel that stays silent.
func (l *Leases) Add(lease ports.Lease, until time.Time) <-chan struct{} {
	e := entry{token: lease.Token, until: until, news: make(chan struct{}, 1)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[lease.Conversation].token > lease.Token {
		return e.news
	}
	if l.earlyAll || l.early[lease.Conversation] {
		e.tell()
	}
	l.held[lease.Conversation] = e
	if len(l.held) >= l.sweepAt {
		now := l.clock()
		maps.DeleteFunc(l.held, func(_ domain.ConversationID, e entry) bool { return !now.Before(e.until) })
		l.sweepAt = max(firstSweep, 2*len(l.held))
	}
	return e.news
}

// Extend makes a lease last until the given time.
func (l *Leases) Extend(lease ports.Lease, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.held[lease.Conversation]; ok && e.token == lease.Token {
		e.until = until
		l.held[lease.Conversation] = e
	}
}

// Remove forgets a lease that ended or was lost.
func (l *Leases) Remove(lease ports.Lease) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.held[lease.Conversation]; ok && e.token == lease.Token {
		delete(l.held, lease.Conversation)
	}
}

// Tell lets the holder of a conversation, if it is held here, know of a message. It
// never waits.
func (l *Leases) Tell(conv domain.ConversationID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.expected > 0 && !l.earlyAll {
		if l.early == nil {
			l.early = map[domain.ConversationID]bool{}
		}
		l.early[conv] = true
		l.earlyAll = len(l.early) > maxEarly
	}
	e, ok := l.held[conv]
	switch {
	case !ok:
	case !l.clock().Before(e.until):
		delete(l.held, conv)
	default:
		e.tell()
	}
}

// TellAll lets every holder know that something may have come unheard.
func (l *Leases) TellAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.earlyAll = l.earlyAll || l.expected > 0
	now := l.clock()
	for conv, e := range l.held {
		if now.Before(e.until) {
			e.tell()
		} else {
			delete(l.held, conv)
		}
	}
}

// Len is how many leases are remembered.
func (l *Leases) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.held)
}

func (e entry) tell() {
	select {
	case e.news <- struct{}{}:
	default: // it has been told already
	}
}
