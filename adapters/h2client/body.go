package h2client

import (
	"errors"
	"io"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

var errBodyClosed = errors.New("http2: the answer was closed")

// chunk is a piece of memory for what was received.
type chunk struct {
	next    *chunk
	from, n int // what of bytes is unread
	bytes   [4 << 10]byte
}

var chunks = sync.Pool{New: func() any { return new(chunk) }}

// inbox is what was received and not read, in chunks that are lent.
type inbox struct {
	first, last *chunk
	size        int
}

func (in *inbox) add(p []byte) {
	in.size += len(p)
	for len(p) > 0 {
		if in.last == nil || in.last.n == len(in.last.bytes) {
			next := chunks.Get().(*chunk)
			next.next, next.from, next.n = nil, 0, 0
			if in.last == nil {
				in.first = next
			} else {
				in.last.next = next
			}
			in.last = next
		}
		n := copy(in.last.bytes[in.last.n:], p)
		in.last.n += n
		p = p[n:]
	}
}

func (in *inbox) read(p []byte) (n int) {
	for n < len(p) && in.first != nil {
		c := in.first
		m := copy(p[n:], c.bytes[c.from:c.n])
		n += m
		if c.from += m; c.from == c.n {
			if in.first = c.next; in.first == nil {
				in.last = nil
			}
			chunks.Put(c)
		}
	}
	in.size -= n
	return n
}

func (in *inbox) drop() {
	for in.first != nil {
		c := in.first
		in.first = c.next
		chunks.Put(c)
	}
	*in = inbox{}
}

// body is an answer as it comes. Reading is for one goroutine at a time.
type body struct{ s *stream }

// Read implements io.Reader. What came before an error is read first, but for the end of
// the request's context.
func (b body) Read(p []byte) (int, error) {
	s := b.s
	c := s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(p) > 0 && s.data.size == 0 && !s.ended && s.err == nil && !s.closed {
		s.cond.Wait()
	}
	switch {
	case s.closed:
		return 0, errBodyClosed
	case s.err != nil && s.ctx.Err() != nil:
		s.data.drop()
		return 0, s.err
	case s.data.size > 0:
		n := s.data.read(p)
		s.repay(int64(n))
		return n, nil
	case len(p) == 0:
		return 0, nil
	case s.err != nil:
		return 0, s.err
	}
	return 0, io.EOF
}

// repay lets the server send as much more as was read.
func (s *stream) repay(n int64) {
	if s.owed += n; s.owed >= streamWindow/2 && !s.ended && s.err == nil {
		s.c.queued(s.c.framer.WriteWindowUpdate(s.id, uint32(s.owed))) // #nosec G115 -- at most streamWindow
		s.allowed += s.owed
		s.owed = 0
	}
}

// Close implements io.Closer. An answer that has not ended is given up.
func (b body) Close() error {
	s := b.s
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.data.drop()
	if !s.ended {
		s.reset(errBodyClosed, http2.ErrCodeCancel)
	}
	s.rouse()
	return nil
}

// Paused is an answer whose end ends a pause.
type Paused interface {
	// Pause waits for so long, or until the answer has come to its end or is broken. It is
	// for the reader's goroutine.
	Pause(d time.Duration)
}

var _ Paused = body{}

// Pause implements Paused with one timer an answer, which is set off at the end: to wait
// for one of two costs twice as much, thirty times an answer.
func (b body) Pause(d time.Duration) {
	s := b.s
	s.c.mu.Lock()
	if d <= 0 || s.ended || s.err != nil || s.closed {
		s.c.mu.Unlock()
		return
	}
	if s.pause == nil {
		s.pause = time.NewTimer(d)
	} else {
		s.pause.Reset(d)
	}
	timer := s.pause
	s.c.mu.Unlock()
	<-timer.C
}
