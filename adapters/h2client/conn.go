// Package h2client is one HTTP/2 connection as a client, for answers that are read while
// they are made: a thousand models that write, and each of their words a frame.
//
// It asks one lock a frame and one goroutine less a request than the client of net/http: a
// request is written by whoever makes it, all that gathers leaves in one record, and whoever
// reads in steps is not woken between them (ADR 25). Frames and headers are read and written by
// golang.org/x/net. Server push, upgrades and CONNECT are not for it.
package h2client

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	// frameSize is what a frame may carry, in bytes: the least and the usual limit (RFC 9113,
	// 6.5.2).
	frameSize = 16 << 10
	// streamWindow is how much of one answer may wait unread, in bytes; beyond, the server waits.
	streamWindow = 1 << 20
	// connWindow bounds what is on its way, in bytes. It is given back as frames come, so
	// that nobody waits for an answer that is not read.
	connWindow = 16 << 20
	// maxHeader bounds the headers of an answer, in bytes as RFC 9113, 6.5.2 counts them.
	maxHeader = 64 << 10
	// maxOut is how much may wait to be written, in bytes, before bodies of requests wait for
	// room.
	maxOut = 256 << 10
	// defaultStreams is how many requests a server is thought to take before it said so.
	defaultStreams = 100
	// defaultWindow is the window of connections and streams of which nothing was said.
	defaultWindow = 64<<10 - 1
	// lastStream is the highest id of a stream that a client may use.
	lastStream = math.MaxInt32
)

// ErrUnusable is the error of a request on which the server has not acted and which this
// connection cannot take: it was closed, or is about to be (GOAWAY), or the server refused the
// request for now. It may be sent on another.
var ErrUnusable = errors.New("http2: the connection takes no more requests")

var (
	errClosed = errors.New("http2: the connection was closed")
	errIdle   = errors.New("http2: the connection was not used")
	errSilent = errors.New("http2: the server does not answer a ping")
	errStuck  = errors.New("http2: the server does not read")
)

// Options are limits in time. Zero is none.
type Options struct {
	// IdleTime is how long a connection is kept without a request.
	IdleTime time.Duration
	// PingAfter is how long nothing may be heard before the server is asked whether it is
	// there, and PingTimeout how long it may be silent then.
	PingAfter, PingTimeout time.Duration
}

// Conn is a connection. It may be used by several goroutines.
type Conn struct {
	conn    net.Conn
	options Options
	state   *tls.ConnectionState
	usable  atomic.Bool
	most    atomic.Int64 // streams at once that the server takes

	in      *bufio.Reader // the reader's
	greeted bool          // the reader's: the server has begun
	wake    chan struct{} // for the writer
	done    sync.WaitGroup

	mu       sync.Mutex
	framer   *http2.Framer // its reading half is the reader's
	encoder  *hpack.Encoder
	block    bytes.Buffer // headers that were encoded
	out      []byte       // frames for the writer
	streams  map[uint32]*stream
	queue    []*stream            // wait for a place among streams
	held     int                  // places kept for streams that were told to come
	senders  map[*stream]struct{} // wait for a window, or room in out
	nextID   uint32
	leaving  bool  // the server, or we, said GOAWAY
	settled  bool  // the server's settings were heard
	err      error // why the connection is no more
	replies  int   // in out
	window   int64 // what may be sent
	owed     int64 // bytes of the server's window that were not given back
	allowed  int64 // what the server may send
	initial  int64 // window of new streams
	maxFrame int64 // what a frame of ours may carry
	heard    bool  // since the last look
	watching *time.Timer
	quiet    quiet
}

// New begins HTTP/2 on a connection for which it was agreed on, by TLS or beforehand. It
// writes nothing itself and starts two goroutines, which Close waits for; they end by
// themselves when the connection does.
func New(conn net.Conn, options Options) *Conn {
	c := &Conn{
		conn: conn, options: options, in: bufio.NewReaderSize(conn, frameSize), wake: make(chan struct{}, 1),
		streams: map[uint32]*stream{}, senders: map[*stream]struct{}{}, nextID: 1,
		window: defaultWindow, allowed: connWindow, initial: defaultWindow, maxFrame: frameSize,
	}
	if secured, ok := conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		state := secured.ConnectionState()
		c.state = &state
	}
	c.usable.Store(true)
	c.most.Store(defaultStreams)
	c.encoder = hpack.NewEncoder(&c.block)
	c.framer = http2.NewFramer(outbox{c}, c.in)
	c.framer.SetMaxReadFrameSize(frameSize)
	c.framer.SetReuseFrames()
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4<<10, nil)
	c.framer.MaxHeaderListSize = maxHeader

	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = append(borrow(), http2.ClientPreface...)
	c.queued(c.framer.WriteSettings(
		http2.Setting{ID: http2.SettingEnablePush, Val: 0},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: streamWindow},
		http2.Setting{ID: http2.SettingMaxFrameSize, Val: frameSize},
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: maxHeader},
	))
	c.queued(c.framer.WriteWindowUpdate(0, connWindow-defaultWindow))
	c.watch()
	c.done.Go(c.read)
	c.done.Go(c.write)
	return c
}

// Usable reports whether the connection takes requests.
func (c *Conn) Usable() bool { return c.usable.Load() }

// MaxStreams is how many requests the server takes at once; more wait here.
func (c *Conn) MaxStreams() int { return int(min(c.most.Load(), math.MaxInt)) }

// Close breaks off what is under way and waits for the goroutines. It returns nil.
func (c *Conn) Close() error {
	c.mu.Lock()
	c.fail(errClosed, http2.ErrCodeNo)
	c.mu.Unlock()
	c.done.Wait()
	return nil
}

// CloseIdle closes the connection if nothing is under way, and reports whether it did. It
// waits for the goroutines then.
func (c *Conn) CloseIdle() bool {
	c.mu.Lock()
	idle := c.idle()
	if idle {
		c.fail(errIdle, http2.ErrCodeNo)
	}
	c.mu.Unlock()
	if idle {
		c.done.Wait()
	}
	return idle
}

func (c *Conn) idle() bool { return len(c.streams) == 0 && len(c.queue) == 0 && c.held == 0 }

// leave takes no more requests. Those under way go on; the connection ends with the last.
func (c *Conn) leave() {
	c.leaving = true
	c.usable.Store(false)
	c.sendAway()
	if c.idle() {
		c.fail(errClosed, http2.ErrCodeNo)
	}
}

// sendAway has those go elsewhere who wait for a place.
func (c *Conn) sendAway() {
	queue := c.queue
	c.queue = nil
	for _, s := range queue {
		s.breakOff(ErrUnusable)
	}
}

// fail ends the connection and everything on it. The server is told, and the writer closes
// the connection. c.mu is held.
func (c *Conn) fail(err error, code http2.ErrCode) {
	if c.err != nil {
		return
	}
	c.err = err
	c.usable.Store(false)
	c.watching.Stop()
	c.queued(c.framer.WriteGoAway(0, code, nil))
	c.sendAway()
	for _, s := range c.streams {
		s.breakOff(err)
	}
	_ = c.conn.SetWriteDeadline(time.Now().Add(lastWords)) // a peer that takes nothing holds nobody up
	c.nudge()
}
