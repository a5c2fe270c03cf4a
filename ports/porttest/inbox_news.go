package porttest

import (
	"context"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// leaseForNews takes a conversation whose holder can be told of messages.
func (c *storeCase) leaseForNews() ports.Work {
	c.Helper()
	if c.h.Silent {
		c.Skip("the store cannot tell of news")
	}
	w := c.lease()
	require.NotNil(c, w.News)
	require.Equal(c, 1, cap(w.News), "room for one value")
	return w
}

// told waits for news of the lease. The time is for machines that are busy elsewhere.
func (c *storeCase) told(w ports.Work, what string) {
	c.Helper()
	if w.NewsExact {
		select {
		case <-w.News:
		default:
			c.Fatalf("no news of %s at once, from a store that promises it", what)
		}
		return
	}
	timer := time.NewTimer(c.units(4))
	defer timer.Stop()
	select {
	case _, open := <-w.News:
		require.True(c, open, "the channel is never closed")
	case <-timer.C:
		c.Fatalf("no news of %s", what)
	}
}

// quiet empties the channel of what came before, or came without reason.
func quiet(w ports.Work) {
	select {
	case <-w.News:
	default:
	}
}

// silent demands that a lease which ended gets no news.
func (c *storeCase) silent(w ports.Work, why string) {
	c.Helper()
	timer := time.NewTimer(c.h.Unit / 2)
	defer timer.Stop()
	select {
	case _, open := <-w.News:
		require.True(c, open, "the channel is never closed")
		c.Fatalf("news after the lease ended: %s", why)
	case <-timer.C:
	}
}

func newsMessage(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.leaseForNews()
	c.admit(textOfA("2"))
	c.told(w, "a message during the lease")
	assert.Equal(c, []domain.MessageID{"wamid.1", "wamid.2"}, c.pendingIDs(w))
}

func newsHold(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.leaseForNews()
	c.admit(withHold(textOfA("2"), c.units(9)))
	c.told(w, "a message on hold")
}

func newsAgain(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.leaseForNews()
	for _, id := range []string{"2", "3", "4"} {
		c.admit(textOfA(id))
		c.told(w, "message "+id)
	}
}

func newsExtended(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.leaseForNews()
	for range 3 {
		c.advance(w.Lease.TTL * 6 / 10)
		require.NoError(c, c.s.Extend(c.ctx, w.Lease))
	}
	quiet(w)
	c.admit(textOfA("2"))
	c.told(w, "a message to a lease that was extended")
}

func newsUnread(c *storeCase) {
	c.admit(textOfA("1"))
	w := c.leaseForNews()
	ctx, cancel := context.WithTimeout(c.ctx, c.units(8))
	defer cancel()
	done := make(chan error, 1)
	go func() {
		for i := range 5 {
			if _, err := c.s.Admit(ctx, []domain.Message{textOfA("more" + string(rune('a'+i)))}); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	select {
	case err := <-done:
		require.NoError(c, err)
	case <-ctx.Done():
		c.Fatal("a message waits for somebody to read the news")
	}
	c.told(w, "several messages")
	assert.Len(c, c.pending(w), 6)
}

func newsEnd(c *storeCase) {
	end := map[string]func(w ports.Work){
		"finish":  func(w ports.Work) { c.finish(w, c.dropped("t1", w, w.Pending...)) },
		"release": func(w ports.Work) { require.NoError(c, c.s.Release(c.ctx, w.Lease)) },
		"defer":   func(w ports.Work) { require.NoError(c, c.s.Defer(c.ctx, w.Lease, nil, 0)) },
		"running out": func(w ports.Work) {
			c.advance(w.Lease.TTL)
		},
	}
	for _, name := range []string{"defer", "release", "running out", "finish"} {
		c.admit(textOfA("before " + name))
		w := c.leaseForNews()
		end[name](w)
		quiet(w)
		c.admit(textOfA("after " + name))
		c.silent(w, name)
	}
}

func newsNewest(c *storeCase) {
	c.admit(textOfA("1"))
	old := c.leaseForNews()
	c.advance(old.Lease.TTL)
	now := c.leaseForNews()
	quiet(old)
	_, err := c.s.Pending(c.ctx, old.Lease) // whoever had it learns so, which must not disturb the other
	require.ErrorIs(c, err, ports.ErrLeaseLost)
	c.admit(textOfA("2"))
	c.told(now, "a message to the newest lease")
	c.silent(old, "a newer lease took its place")
}

func newsElsewhere(c *storeCase) {
	other := c.another()
	c.admit(textOfA("1"))
	w := c.leaseForNews()
	for _, id := range []string{"2", "3"} {
		_, err := other.Admit(c.ctx, []domain.Message{textOfA(id)})
		require.NoError(c, err)
		c.told(w, "a message that another process admitted")
	}
}
