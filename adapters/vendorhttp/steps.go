package vendorhttp

import (
	"io"
	"sync/atomic"
	"time"

	"whatsappnode/adapters/h2client"
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

// inSteps reads a stream of words in steps that grow with the number of streams. Each
// token wakes a goroutine, which costs more than to read it: a thousand models that
// write sixty tokens a second are a core's whole work. Read every 70 ms they are a
// quarter of it, and the last words come at once, since the end of the stream ends the pause.
//
// It is for the streams of a lane, where one reading gives all that came. A reading of
// HTTP/1.1 gives one record of TLS, so that a stream in steps would fall behind the model.
func (c *Connections) inSteps(stream io.ReadCloser) io.ReadCloser {
	paused, ok := stream.(h2client.Paused)
	if !ok {
		return stream
	}
	c.streams.Add(1)
	return &steps{ReadCloser: stream, paused: paused, c: c}
}

// step is how long to wait between two reads of one stream.
func (c *Connections) step() time.Duration {
	return min(time.Duration(max(c.streams.Load()-calmStreams, 0))*stepEach, c.stepMost)
}

type steps struct {
	io.ReadCloser
	paused h2client.Paused
	c      *Connections
	left   atomic.Bool
	last   time.Time // of the newest reading; zero when there is more to read already
}

func (s *steps) leave() {
	if !s.left.Swap(true) {
		s.c.streams.Add(-1)
	}
}

func (s *steps) Read(p []byte) (int, error) {
	if d := s.c.step(); d > 0 && !s.last.IsZero() {
		s.paused.Pause(d - time.Since(s.last))
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
