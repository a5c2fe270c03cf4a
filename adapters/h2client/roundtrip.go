package h2client

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
)

var _ http.RoundTripper = (*Conn)(nil)

// RoundTrip implements http.RoundTripper. The caller's goroutine sends the request and
// waits for the headers of the answer; it holds little of its stack meanwhile.
func (c *Conn) RoundTrip(req *http.Request) (*http.Response, error) { return c.Do(req, nil) }

// Do is RoundTrip that tells when the server has ended its answer, or either side has
// given it up: over is called once, with the connection's lock held, also where Do fails.
func (c *Conn) Do(req *http.Request, over func()) (*http.Response, error) {
	s, err := c.begin(req, over)
	if err == nil {
		err = s.send(req)
	}
	if req.Body != nil {
		_ = req.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	return s.wait(req)
}

// begin opens a stream and queues its headers.
//
//go:noinline
func (c *Conn) begin(req *http.Request, over func()) (*stream, error) {
	s := &stream{c: c, ctx: req.Context(), over: over, declared: -1, head: req.Method == http.MethodHead, allowed: streamWindow}
	s.cond.L = &c.mu
	trace := httptrace.ContextClientTrace(s.ctx)
	if trace != nil && trace.GetConn != nil {
		trace.GetConn(authority(req))
	}
	err := refused(req)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		err = s.open(req)
	}
	if err != nil {
		s.err = err
		s.forget()
		return nil, err
	}
	if trace != nil && trace.WroteHeaders != nil {
		trace.WroteHeaders()
	}
	return s, nil
}

// open waits for a place and writes the headers. c.mu is held.
func (s *stream) open(req *http.Request) error {
	c := s.c
	if err := s.ctx.Err(); err != nil {
		return err
	}
	if s.ctx.Done() != nil {
		s.stop = context.AfterFunc(s.ctx, s.cancel)
	}
	if !c.usable.Load() {
		return ErrUnusable
	}
	if len(c.queue) > 0 || !c.room() {
		c.queue = append(c.queue, s)
		for !s.invited && s.err == nil {
			s.cond.Wait()
		}
	}
	switch {
	case s.err != nil:
		c.unqueue(s)
		return s.err
	case !c.usable.Load() || c.nextID > lastStream:
		return ErrUnusable
	}
	if s.invited {
		s.invited = false
		c.held--
	}
	s.id, s.window = c.nextID, c.initial
	c.nextID += 2
	c.streams[s.id] = s
	length := bodyLength(req)
	s.sent = length == 0
	c.encode(req, length)
	c.writeBlock(s.id, s.sent)
	if c.nextID > lastStream {
		c.leave()
	}
	return s.err
}

// unqueue takes a stream out of the queue.
func (c *Conn) unqueue(s *stream) {
	for i, waiting := range c.queue {
		if waiting == s {
			c.queue = append(c.queue[:i:i], c.queue[i+1:]...)
			return
		}
	}
}

// send sends the body, if there is one.
//
//go:noinline
func (s *stream) send(req *http.Request) error {
	err := s.sendBody(req)
	if errors.Is(err, errEnough) {
		err = nil
	}
	if trace := httptrace.ContextClientTrace(s.ctx); trace != nil && trace.WroteRequest != nil {
		trace.WroteRequest(httptrace.WroteRequestInfo{Err: err})
	}
	return err
}

// wait waits for the headers of the answer.
func (s *stream) wait(req *http.Request) (*http.Response, error) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	for s.answer == nil && s.err == nil {
		s.cond.Wait()
	}
	resp := s.answer
	if resp == nil {
		return nil, s.err
	}
	resp.Request, resp.TLS, resp.Body = req, s.c.state, body{s}
	if s.bare && s.err == nil {
		resp.Body = http.NoBody
	}
	return resp, nil
}
