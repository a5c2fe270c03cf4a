package h2client

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"golang.org/x/net/http2"
)

// frames are lent for reading bodies.
var frames = sync.Pool{New: func() any { return new([frameSize]byte) }}

// errEnough ends the sending of a body that the server does not want any more.
var errEnough = errors.New("http2: the server has answered")

// bodyLength is the length of the body, or -1 where it is not known.
func bodyLength(req *http.Request) int64 {
	switch {
	case req.Body == nil || req.Body == http.NoBody:
		return 0
	case req.ContentLength > 0:
		return req.ContentLength
	}
	return -1
}

// sendBody sends a body to its end, or until the server has enough of it.
func (s *stream) sendBody(req *http.Request) error {
	length := bodyLength(req)
	if length == 0 {
		return nil
	}
	lent := frames.Get().(*[frameSize]byte)
	defer frames.Put(lent)
	for sent := int64(0); ; {
		n, err := s.readBody(req.Body, lent[:])
		sent += int64(n)
		end := errors.Is(err, io.EOF)
		switch {
		case errors.Is(err, errEnough):
			return err
		case err != nil && !end:
			return s.giveUp(fmt.Errorf("http2: reading the body: %w", err))
		case length > 0 && sent > length:
			return s.giveUp(errors.New("http2: the body is longer than its length"))
		case length > 0 && sent < length && end:
			return s.giveUp(fmt.Errorf("http2: the body is shorter than its length: %w", io.ErrUnexpectedEOF))
		}
		if err := s.sendData(lent[:n], end); err != nil || end {
			return err
		}
	}
}

// readBody reads of the body. The end of the stream closes the body, since a reading may
// wait for something that never comes.
func (s *stream) readBody(body io.ReadCloser, p []byte) (int, error) {
	s.c.mu.Lock()
	enough := s.enough()
	if s.err == nil && !enough {
		s.reading = body
	}
	err := s.err
	s.c.mu.Unlock()
	switch {
	case err != nil:
		return 0, err
	case enough:
		return 0, s.halt()
	}
	n, err := body.Read(p)
	s.c.mu.Lock()
	s.reading = nil
	enough, broken, closing := s.enough(), s.err, s.closing
	s.c.mu.Unlock()
	if closing != nil {
		<-closing
	}
	switch {
	case broken != nil:
		return 0, broken
	case enough:
		return 0, s.halt()
	}
	return n, err
}

// enough reports whether the server wants no more of the body: it has ended its answer, or
// the answer is no success.
func (s *stream) enough() bool {
	return s.ended || s.answer != nil && s.answer.StatusCode > 299
}

// halt ends the sending in the middle.
func (s *stream) halt() error {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.halted = true
	s.settle()
	return errEnough
}

// giveUp ends the stream for a fault of the request.
func (s *stream) giveUp(err error) error {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.err != nil {
		return s.err // which the fault came of
	}
	s.reset(err, http2.ErrCodeCancel)
	return err
}

// sendData queues a part of the body, as the windows and the memory for what waits allow.
func (s *stream) sendData(p []byte, end bool) error {
	c := s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case s.err != nil:
			return s.err
		case s.enough():
			s.halted = true
			s.settle()
			return errEnough
		}
		n := min(int64(len(p)), c.maxFrame, s.window, c.window)
		if len(c.out) > maxOut || n <= 0 && len(p) > 0 {
			c.senders[s] = struct{}{}
			s.cond.Wait()
			continue
		}
		part := p[:n]
		p = p[n:]
		s.window -= n
		c.window -= n
		s.sent = end && len(p) == 0
		if n > 0 || s.sent {
			c.queued(c.framer.WriteData(s.id, s.sent, part))
		}
		if len(p) == 0 {
			s.settle()
			return s.err
		}
	}
}
