// Package stage plays the vendors of a benchmark: a server that says what it is told
// to say at the times it is told to, and keeps count of its own lateness.
//
// It speaks HTTP/2 over TLS, as vendors do, with frames written by hand: one goroutine
// writes what is due to all streams, so that a thousand streams of sixty tokens a
// second fit on a part of one core and nothing is late because too much else runs.
// Over plain HTTP/1.1 it is an ordinary server of the standard library.
package stage

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Request is what a client asked. Body is the handler's to keep.
type Request struct {
	Method string
	Path   string // without the query
	Body   []byte
}

// Step is a part of an answer's body and when it is due, counted from the moment at
// which the whole request was there.
type Step struct {
	At   time.Duration
	Data []byte
}

// Answer is what a handler says. The steps are in the order of their times, and shared
// between answers: nobody writes to them.
type Answer struct {
	Status int // 200 when zero
	Type   string
	Steps  []Step
	// Early sends the headers at once; else they come with the first step.
	Early bool
}

// Handler answers a request. It must not block: other requests wait behind it.
type Handler func(Request) Answer

// Options say how a Server speaks.
type Options struct {
	// Plain is HTTP/1.1 without TLS, in place of HTTP/2 over TLS.
	Plain bool
	// Streams is how many requests a client may have under way on one HTTP/2
	// connection, and 250 when zero.
	Streams int
}

// Server listens on a port of the loopback interface.
type Server struct {
	opt      Options
	handler  Handler
	listener net.Listener
	plain    *http.Server
	trust    certificate
	schedule *schedule
	running  sync.WaitGroup

	mu     sync.Mutex
	conns  map[*conn]bool
	opened int
	fault  error
	closed bool
}

// Start makes a server that runs until Close.
func Start(handler Handler, opt Options) (*Server, error) {
	if opt.Streams == 0 {
		opt.Streams = 250
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("stage: %w", err)
	}
	s := &Server{opt: opt, handler: handler, listener: listener, schedule: newSchedule(), conns: map[*conn]bool{}}
	if opt.Plain {
		s.plain = &http.Server{Handler: http.HandlerFunc(s.servePlain), ReadHeaderTimeout: time.Minute, ConnState: s.count}
		s.running.Go(func() { _ = s.plain.Serve(listener) }) // it ends with Close, and says so
	} else {
		if s.trust, err = newCertificate(); err != nil {
			listener.Close()
			return nil, fmt.Errorf("stage: %w", err)
		}
		s.running.Go(s.accept)
	}
	s.running.Go(s.schedule.run)
	return s, nil
}

// Base is the address that paths are appended to.
func (s *Server) Base() string {
	if s.opt.Plain {
		return "http://" + s.listener.Addr().String()
	}
	return "https://" + s.listener.Addr().String()
}

// Authority is the certificate to trust, as PEM; nil over plain HTTP.
func (s *Server) Authority() []byte { return s.trust.authority }

// Client is a client that trusts the server. Its idle connections are the caller's to
// close.
func (s *Server) Client() *http.Client {
	t := &http.Transport{MaxIdleConnsPerHost: 64}
	if !s.opt.Plain {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(s.trust.authority)
		t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		t.ForceAttemptHTTP2 = true
	}
	return &http.Client{Transport: t}
}

// Lateness is by how much the steps since the last call were written too late. Steps of
// one answer that were late enough to be written together count once, with the first.
func (s *Server) Lateness() []time.Duration { return s.schedule.takeLateness() }

// After calls fn after a time, on the thread that plays the answers: it must not block.
// How late it was called counts as lateness. What is due after Close is not called.
func (s *Server) After(d time.Duration, fn func()) {
	s.schedule.add(s.schedule.now()+d, call(fn))
}

// SleepUntil sleeps as exactly as the answers are played.
func SleepUntil(t time.Time) {
	for d := time.Until(t); d > 0; d = time.Until(t) {
		pause(d)
	}
}

// Pending is how many answers, and calls of After, are still to come.
func (s *Server) Pending() int { return s.schedule.pending() }

// Connections is how many connections were opened so far.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

// Fault is the first thing that went wrong in the server itself, or nil.
func (s *Server) Fault() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

func (s *Server) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == nil && !s.closed {
		s.fault = err
	}
}

// Close drops all connections and waits for everything the server started.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	open := s.conns
	s.conns = map[*conn]bool{}
	s.mu.Unlock()
	s.listener.Close()
	if s.plain != nil {
		_ = s.plain.Close()
	}
	for c := range open {
		c.raw.Close()
	}
	s.schedule.close()
	s.running.Wait()
}

// accept takes HTTP/2 connections.
func (s *Server) accept() {
	for {
		raw, err := s.listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				s.fail(fmt.Errorf("stage: accept: %w", err))
			}
			return
		}
		c := newConn(s, tls.Server(raw, s.trust.server()))
		s.mu.Lock()
		closed := s.closed
		if !closed {
			s.conns[c] = true
			s.opened++
		}
		s.mu.Unlock()
		if closed {
			raw.Close()
			return
		}
		s.running.Go(func() {
			c.serve()
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		})
	}
}

// count counts the connections of plain HTTP.
func (s *Server) count(_ net.Conn, state http.ConnState) {
	if state == http.StateNew {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.opened++
	}
}

// servePlain plays an answer over HTTP/1.1. Its times are those of the runtime's
// timers, which are up to a millisecond late.
func (s *Server) servePlain(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	s.schedule.open(1)
	defer s.schedule.open(-1)
	began := time.Now()
	answer := s.handler(Request{Method: r.Method, Path: r.URL.Path, Body: body})
	w.Header().Set("Content-Type", answer.Type)
	flush := http.NewResponseController(w)
	if answer.Early {
		w.WriteHeader(answer.status())
		_ = flush.Flush()
	}
	for i, step := range answer.Steps {
		if wait(r.Context(), time.Until(began.Add(step.At))) != nil {
			return
		}
		if i == 0 && !answer.Early {
			w.WriteHeader(answer.status())
		}
		if _, err := w.Write(step.Data); err != nil {
			return
		}
		_ = flush.Flush()
		if step.At > 0 {
			s.schedule.late(time.Since(began) - step.At)
		}
	}
}

func (a Answer) status() int {
	if a.Status == 0 {
		return http.StatusOK
	}
	return a.Status
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
