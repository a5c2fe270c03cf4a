package h2client

import (
	"time"

	"golang.org/x/net/http2"
)

const (
	// lookEvery is how often a connection is looked at, at most.
	lookEvery = 5 * time.Second
	// stuckTime is how long one writing may take.
	stuckTime = 20 * time.Second
)

// quiet is what the connection's watch goes by. It is guarded by Conn.mu.
type quiet struct {
	heard   time.Time // when something had come by the last look
	pinged  time.Time // zero when no reply is awaited
	unused  time.Time // since when there is no request, while there is none
	writing time.Time // since when the writer writes; zero when it does not
}

// watch begins to look at the connection now and then. c.mu is held.
func (c *Conn) watch() {
	every := lookEvery
	for _, limit := range []time.Duration{c.options.IdleTime, c.options.PingAfter, c.options.PingTimeout} {
		if limit > 0 {
			every = min(every, max(limit/4, time.Millisecond))
		}
	}
	now := time.Now()
	c.quiet.heard, c.quiet.unused = now, now
	c.watching = time.AfterFunc(every, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.err == nil && c.look(time.Now()) {
			c.watching.Reset(every)
		}
	})
}

// look ends a connection that is of no use, and reports whether it goes on.
func (c *Conn) look(now time.Time) bool {
	o, q := &c.options, &c.quiet
	if c.heard {
		c.heard, q.heard, q.pinged = false, now, time.Time{}
	}
	switch {
	case !q.writing.IsZero() && now.Sub(q.writing) >= stuckTime:
		c.fail(errStuck, http2.ErrCodeNo)
		_ = c.conn.Close() // the writer is in it
	case o.IdleTime > 0 && c.idle() && now.Sub(q.unused) >= o.IdleTime:
		c.fail(errIdle, http2.ErrCodeNo)
	case o.PingTimeout > 0 && !q.pinged.IsZero() && now.Sub(q.pinged) >= o.PingTimeout:
		c.fail(errSilent, http2.ErrCodeNo)
	case q.pinged.IsZero() && o.PingAfter > 0 && now.Sub(q.heard) >= o.PingAfter:
		q.pinged = now
		c.queued(c.framer.WritePing(false, [8]byte{}))
	}
	return c.err == nil
}
