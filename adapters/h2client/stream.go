package h2client

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// stream is a request and its answer. It is guarded by the connection's lock.
type stream struct {
	c    *Conn
	id   uint32 // zero until the headers are written
	ctx  context.Context
	over func()      // told once that nothing more comes, or nil
	stop func() bool // of the watch over ctx, or nil
	cond sync.Cond   // whoever waits for anything: a place, a window, headers, data

	invited bool // has a place, after it had to wait
	sent    bool // our half is done
	halted  bool // and was not sent to its end
	window  int64
	reading io.Closer     // the request's body, while it is read
	closing chan struct{} // ends when it was closed meanwhile

	head     bool
	answer   *http.Response
	declared int64 // what the answer's headers say of its length, or -1
	received int64
	ended    bool // the server's half is done
	bare     bool // with the headers
	err      error
	closed   bool // by the reader

	data    inbox
	allowed int64       // what the server may still send
	owed    int64       // what was read and not given back
	pause   *time.Timer // of a reader in steps, once it has paused
}

// rouse wakes whoever waits for the stream. c.mu is held, here and below.
func (s *stream) rouse() {
	s.cond.Broadcast()
	if s.pause != nil && (s.ended || s.err != nil) {
		s.pause.Reset(0)
	}
}

// breakOff ends the stream with an error, without a word to the server.
func (s *stream) breakOff(err error) {
	if s.err != nil {
		return
	}
	if !s.ended {
		s.err = err
	} else if !s.sent {
		s.sent = true // the answer is there; what was asked is of no use any more
	}
	s.interrupt()
	s.forget()
	s.rouse()
}

// reset ends the stream and tells the server, if it knows of it.
func (s *stream) reset(err error, code http2.ErrCode) {
	if s.id != 0 && s.c.streams[s.id] == s && s.c.err == nil {
		s.c.queued(s.c.framer.WriteRSTStream(s.id, code))
	}
	s.breakOff(err)
}

// cancel is for the end of the request's context.
func (s *stream) cancel() {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.reset(s.ctx.Err(), http2.ErrCodeCancel)
}

// settle forgets a stream of which both halves are done. A server that has answered is
// told that the rest of the question does not come (RFC 9113, 8.1).
func (s *stream) settle() {
	if !s.ended || s.err != nil {
		return
	}
	if s.halted && !s.sent {
		s.sent = true
		s.c.queued(s.c.framer.WriteRSTStream(s.id, http2.ErrCodeNo))
	}
	if s.sent {
		s.forget()
	}
}

// interrupt ends a reading of the request's body, which might never end by itself. Its
// Close may wait for the reading, or for this very lock; whoever reads waits for it.
func (s *stream) interrupt() {
	if s.reading == nil || s.closing != nil {
		return
	}
	body, done := s.reading, make(chan struct{})
	s.closing = done
	go func() {
		defer close(done)
		_ = body.Close()
	}()
}

// forget takes the stream off the connection, whose place another may have. It may be
// called again.
func (s *stream) forget() {
	c := s.c
	if s.stop != nil {
		s.stop()
		s.stop = nil
	}
	if s.invited {
		s.invited = false
		c.held--
	}
	delete(c.senders, s)
	if s.id != 0 && c.streams[s.id] == s {
		delete(c.streams, s.id)
	}
	if c.idle() {
		c.quiet.unused = time.Now()
	}
	if s.over != nil {
		over := s.over
		s.over = nil
		over()
	}
	c.invite()
	if c.leaving && c.idle() {
		c.fail(errClosed, http2.ErrCodeNo)
	}
}

// end notes that the server's half is done.
func (s *stream) end() {
	if s.ended || s.err != nil {
		return
	}
	if s.declared >= 0 && s.received != s.declared && !s.head {
		s.reset(io.ErrUnexpectedEOF, http2.ErrCodeProtocol)
		return
	}
	s.ended = true
	s.interrupt()
	s.settle()
	s.rouse()
}

// invite gives places that have become free to those who wait for one, in the order in
// which they came.
func (c *Conn) invite() {
	for len(c.queue) > 0 && c.room() {
		s := c.queue[0]
		c.queue = c.queue[1:]
		s.invited = true
		c.held++
		s.cond.Broadcast()
	}
}

// room reports whether one more stream may be opened. Before the server has said how many
// it takes, one is: it would refuse what is too much.
func (c *Conn) room() bool {
	most := c.most.Load()
	if !c.settled {
		most = 1
	}
	return int64(len(c.streams)+c.held) < most
}
