package vendorhttp

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// calmStreams is up to how many streams each is read as its words come.
	calmStreams = 150
	// stepEach and stepMost are how much coarser the steps become with each stream
	// beyond, and at most: a sentence is written in hundreds of milliseconds.
	stepEach = 80 * time.Microsecond
	stepMost = 80 * time.Millisecond

	eventStream = "text/event-stream"
)

// asksForStream reports whether a request wants an answer as it is made.
func asksForStream(req *http.Request) bool {
	return strings.HasPrefix(req.Header.Get("Accept"), eventStream)
}

// inSteps reads a stream of words in steps that grow with the number of streams. Each
// token wakes a goroutine, which costs more than to read it: a thousand models that
// write sixty tokens a second are a core's whole work. Read every 70 ms they are a
// quarter of it, and the last words come 35 ms later in the mean, or at once where the
// end of the stream is told; end may be nil.
//
// It is for HTTP/2, where one reading gives all that came. A reading of HTTP/1.1 gives one
// record of TLS, so that a stream in steps would fall behind the model.
func (c *Connections) inSteps(body io.ReadCloser, end *ending) io.ReadCloser {
	c.streams.Add(1)
	return &steps{ReadCloser: body, c: c, end: end}
}

// step is how long to wait between two reads of one stream.
func (c *Connections) step() time.Duration {
	return min(time.Duration(max(c.streams.Load()-calmStreams, 0))*stepEach, c.stepMost)
}

type steps struct {
	io.ReadCloser
	c    *Connections
	end  *ending
	left atomic.Bool
	last time.Time // of the newest reading; zero when there is more to read already
}

func (s *steps) leave() {
	if !s.left.Swap(true) {
		s.c.streams.Add(-1)
	}
}

func (s *steps) Read(p []byte) (int, error) {
	if d := s.c.step(); d > 0 && !s.last.IsZero() {
		s.end.wait(d - time.Since(s.last))
	}
	n, err := s.ReadCloser.Read(p)
	if s.last = time.Now(); n == len(p) {
		s.last = time.Time{}
	}
	if err != nil {
		s.leave()
	}
	return n, err
}

func (s *steps) Close() error {
	defer s.leave()
	return s.ReadCloser.Close()
}

// ending is the body of a request that tells when the answer has come to its end:
// net/http lets go of the body of an HTTP/2 request then, and not before. It is a hint.
// Where it comes at another time, a stream is read earlier, or in its steps.
type ending struct {
	io.ReadCloser
	closed atomic.Bool
	timer  atomic.Pointer[time.Timer] // of the reader, once it has waited
}

// heeded makes a request whose body tells its answer's end.
func heeded(req *http.Request) (*http.Request, *ending) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, nil
	}
	e := &ending{ReadCloser: req.Body}
	out := *req // a transport changes no request of others
	out.Body = e
	return &out, e
}

// Close implements io.Closer. It ends the reader's wait by its own timer: to wait for one
// of two costs twice as much, thirty times an answer.
func (e *ending) Close() error {
	e.closed.Store(true)
	if timer := e.timer.Load(); timer != nil {
		timer.Reset(0)
	}
	return e.ReadCloser.Close()
}

// wait returns after a time, or at the end of the answer. It is for one goroutine.
func (e *ending) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	if e == nil {
		time.Sleep(d)
		return
	}
	timer := e.timer.Load()
	if timer == nil {
		timer = time.NewTimer(d)
		e.timer.Store(timer)
	} else {
		timer.Reset(d)
	}
	if !e.closed.Load() { // else Close may have come too early for this wait
		<-timer.C
	}
}
