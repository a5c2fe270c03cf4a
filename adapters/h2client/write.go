package h2client

import (
	"net"
	"runtime"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

const (
	// keptBuffer is up to which size, in bytes, memory that was written from is kept.
	keptBuffer = 512 << 10
	// lastWords is how long the writer may take over what is left when the connection ends.
	lastWords = time.Second
)

// buffers are lent to all connections, since each needs one for a moment.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

func borrow() []byte { return (*buffers.Get().(*[]byte))[:0] }

func giveBack(b []byte) {
	if cap(b) <= keptBuffer {
		buffers.Put(&b)
	}
}

// outbox is where the framer writes to. c.mu is held.
type outbox struct{ *Conn }

func (o outbox) Write(p []byte) (int, error) {
	if o.out == nil {
		o.out = borrow()
	}
	o.out = append(o.out, p...)
	return len(p), nil
}

// queued sends the writer on its way. Frames go to memory, so an error is one of ours: a
// frame that must not be written.
func (c *Conn) queued(err error) {
	if err != nil {
		c.fail(err, http2.ErrCodeInternal)
		return
	}
	c.nudge()
}

// reply queues what a server can ask for at will.
func (c *Conn) reply(err error) {
	c.queued(err)
	if c.replies++; c.replies > maxReplies && c.err == nil {
		c.fail(errStuck, http2.ErrCodeEnhanceYourCalm)
	}
}

// maxReplies is how many replies may wait to be written.
const maxReplies = 10_000

func (c *Conn) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Corked is a connection that keeps what is written until it is told to let it go: records
// of TLS leave in one system call then.
type Corked interface {
	Cork()
	Uncork() error
}

// corked finds such a connection below one of TLS, or returns nil.
func corked(conn net.Conn) Corked {
	for {
		if k, ok := conn.(Corked); ok {
			return k
		}
		above, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		conn = above.NetConn()
	}
}

// write is the writer: it takes all that has gathered by the time it gets to run. It closes
// the connection when it is over.
func (c *Conn) write() {
	defer func() { _ = c.conn.Close() }()
	cork := corked(c.conn)
	for range c.wake {
		runtime.Gosched() // whoever is about to write goes first
		c.mu.Lock()
		out, over := c.out, c.err != nil
		c.out = nil
		c.replies = 0
		c.quiet.writing = time.Now()
		c.wakeSenders()
		c.mu.Unlock()
		err := emit(c.conn, cork, out)
		c.mu.Lock()
		c.quiet.writing = time.Time{}
		if err != nil {
			c.fail(err, http2.ErrCodeNo)
			over = true
		}
		c.mu.Unlock()
		if over {
			return
		}
	}
}

func emit(conn net.Conn, cork Corked, out []byte) error {
	if len(out) == 0 {
		return nil
	}
	defer giveBack(out)
	if cork == nil {
		_, err := conn.Write(out)
		return err
	}
	cork.Cork()
	_, err := conn.Write(out)
	if e := cork.Uncork(); err == nil {
		err = e
	}
	return err
}

// wakeSenders has those look again who wait for a window or for room.
func (c *Conn) wakeSenders() {
	for s := range c.senders {
		delete(c.senders, s)
		s.cond.Broadcast()
	}
}
