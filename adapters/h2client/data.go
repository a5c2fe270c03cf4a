package h2client

import (
	"errors"

	"golang.org/x/net/http2"
)

// data reads what a frame carries, as it comes.
func (c *Conn) data(id uint32, length int, end bool) error {
	if length > frameSize {
		return http2.ErrFrameTooLarge
	}
	c.mu.Lock()
	c.heard = true
	s, err := c.receive(id, length, length)
	if err == nil && length == 0 {
		s.take(nil, 0, end)
	}
	c.mu.Unlock()
	for err == nil && length > 0 {
		if c.in.Buffered() == 0 {
			if _, err = c.in.Peek(1); err != nil {
				break
			}
		}
		part, _ := c.in.Peek(min(c.in.Buffered(), length))
		length -= len(part)
		c.mu.Lock()
		s.take(part, 0, end && length == 0)
		c.mu.Unlock()
		_, err = c.in.Discard(len(part))
	}
	return err
}

// receive counts a frame of data against the windows, and finds its stream. That of the
// connection is given back at once, since nothing is kept of a stream that is not read but
// its own window.
func (c *Conn) receive(id uint32, length, content int) (*stream, error) {
	s, err := c.stream(id)
	if err != nil {
		return nil, err
	}
	n := int64(length)
	if n > c.allowed {
		return nil, http2.ConnectionError(http2.ErrCodeFlowControl)
	}
	c.allowed -= n
	if c.owed += n; c.owed >= connWindow/4 {
		c.queued(c.framer.WriteWindowUpdate(0, uint32(c.owed))) // #nosec G115 -- at most connWindow
		c.allowed += c.owed
		c.owed = 0
	}
	if s == nil {
		return nil, nil
	}
	switch {
	case n > s.allowed:
		s.reset(errors.New("http2: the server sent more than it may"), http2.ErrCodeFlowControl)
	case s.answer == nil:
		s.reset(errors.New("http2: the server sent an answer without headers"), http2.ErrCodeProtocol)
	case s.ended:
		s.reset(errors.New("http2: the server went on after its end"), http2.ErrCodeStreamClosed)
	case content > 0 && s.head:
		s.reset(errors.New("http2: the server sent what was not asked for"), http2.ErrCodeProtocol)
	case s.declared >= 0 && s.received+int64(content) > s.declared && !s.head:
		s.reset(errors.New("http2: the answer is longer than it says"), http2.ErrCodeProtocol)
	}
	if s.err != nil || c.streams[id] != s {
		return nil, nil
	}
	s.allowed -= n
	return s, nil
}

// take receives a part of a frame, and with it so much padding.
func (s *stream) take(p []byte, padding int, end bool) {
	if s == nil || s.err != nil || s.closed {
		return
	}
	s.received += int64(len(p))
	if len(p) > 0 {
		s.data.add(p)
		s.cond.Broadcast()
	}
	s.repay(int64(padding))
	if end {
		s.end()
	}
}
