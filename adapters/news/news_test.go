package news_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"whatsappnode/adapters/news"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// clock is a time that tests move.
type clock struct{ now time.Time }

func (c *clock) time() time.Time { return c.now }

func lease(conv domain.ConversationID, token int64) ports.Lease {
	return ports.Lease{Conversation: conv, Token: token, TTL: time.Minute}
}

// told reads what a channel holds.
func told(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

func TestHolderIsTold(t *testing.T) {
	c := &clock{now: time.Unix(1_800_000_000, 0)}
	l := news.New(c.time)
	a, b := l.Add(lease("a", 1), c.now.Add(time.Minute)), l.Add(lease("b", 1), c.now.Add(time.Minute))
	assert.False(t, told(a), "nothing came yet")
	l.Tell("a")
	l.Tell("a") // nobody has read the first
	l.Tell("nobody")
	assert.True(t, told(a))
	assert.False(t, told(a), "one value stands for both")
	assert.False(t, told(b))
	l.TellAll()
	assert.True(t, told(a))
	assert.True(t, told(b))
}

func TestLeaseThatEndedIsForgotten(t *testing.T) {
	for name, end := range map[string]func(l *news.Leases, c *clock){
		"removed":             func(l *news.Leases, _ *clock) { l.Remove(lease("a", 5)) },
		"run out and told":    func(l *news.Leases, c *clock) { c.now = c.now.Add(time.Minute); l.Tell("a") },
		"run out and all are": func(l *news.Leases, c *clock) { c.now = c.now.Add(time.Minute); l.TellAll() },
	} {
		t.Run(name, func(t *testing.T) {
			c := &clock{now: time.Unix(1_800_000_000, 0)}
			l := news.New(c.time)
			ch := l.Add(lease("a", 5), c.now.Add(time.Minute))
			end(l, c)
			assert.Zero(t, l.Len())
			l.Tell("a")
			assert.False(t, told(ch))
		})
	}
}

func TestOnlyItsOwnTokenEndsOrExtendsALease(t *testing.T) {
	c := &clock{now: time.Unix(1_800_000_000, 0)}
	l := news.New(c.time)
	old := l.Add(lease("a", 5), c.now.Add(time.Minute))
	now := l.Add(lease("a", 6), c.now.Add(time.Minute))
	l.Remove(lease("a", 5))
	l.Extend(lease("a", 5), c.now)
	late := l.Add(lease("a", 4), c.now.Add(time.Hour))
	l.Tell("a")
	assert.True(t, told(now))
	assert.False(t, told(old), "a newer lease has taken its place")
	assert.False(t, told(late), "it was over when it was noted")
}

func TestExtendedLeaseGoesOn(t *testing.T) {
	c := &clock{now: time.Unix(1_800_000_000, 0)}
	l := news.New(c.time)
	ch := l.Add(lease("a", 5), c.now.Add(time.Minute))
	l.Extend(lease("a", 5), c.now.Add(2*time.Minute))
	c.now = c.now.Add(90 * time.Second)
	l.Tell("a")
	assert.True(t, told(ch))
	l.Extend(lease("b", 1), c.now.Add(time.Minute))
	assert.Equal(t, 1, l.Len(), "what is not held is not extended")
}

// A message between the lease and the answer that brings it is told when that came.
func TestNothingIsMissedWhileALeaseIsOnItsWay(t *testing.T) {
	c := &clock{now: time.Unix(1_800_000_000, 0)}
	until := c.now.Add(time.Minute)
	l := news.New(c.time)
	l.Tell("a")
	first, second := l.Expect(), l.Expect()
	assert.False(t, told(l.Add(lease("a", 1), until)), "that was before")
	l.Tell("b")
	first()
	assert.True(t, told(l.Add(lease("b", 1), until)))
	assert.False(t, told(l.Add(lease("c", 1), until)))
	l.TellAll()
	assert.True(t, told(l.Add(lease("d", 1), until)))
	second()
	assert.False(t, told(l.Add(lease("b", 2), until)), "nothing is on its way any more")

	done := l.Expect()
	for n := range 5000 { // more than are remembered
		l.Tell(domain.ConversationID(fmt.Sprint(n)))
	}
	assert.True(t, told(l.Add(lease("4999", 1), until)))
	done()
	assert.False(t, told(l.Add(lease("4998", 1), until)))
}

// Leases that run out in silence, as those of workers that died do, do not pile up.
func TestForgottenLeasesDoNotPileUp(t *testing.T) {
	c := &clock{now: time.Unix(1_800_000_000, 0)}
	l := news.New(c.time)
	for n := range 100_000 {
		if n%100 == 0 { // a hundred a second, for a minute each: 6,000 at once
			c.now = c.now.Add(time.Second)
		}
		l.Add(lease(domain.ConversationID(fmt.Sprint(n)), 1), c.now.Add(time.Minute))
		if !assert.LessOrEqual(t, l.Len(), 2*6000+1) {
			return
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	l := news.New(time.Now)
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range 8 {
		all.Go(func() {
			<-start
			for n := range 500 {
				own := lease(domain.ConversationID(fmt.Sprint(n%20)), int64(8*n+i))
				done := l.Expect()
				ch := l.Add(own, time.Now().Add(time.Minute))
				done()
				l.Tell(own.Conversation)
				l.TellAll()
				l.Extend(own, time.Now().Add(time.Minute))
				told(ch)
				l.Remove(own)
			}
		})
	}
	close(start)
	all.Wait()
	assert.Zero(t, l.Len(), "everybody has removed what is theirs")
}
