package vendorhttp

import (
	"io"
	"sync"
	"time"
)

const (
	// calmStreams is up to how many streams each is read as its words come.
	calmStreams = 150
	// stepEach and stepMost are how much coarser the steps become with each stream
	// beyond, and at most: a sentence is written in hundreds of milliseconds.
	stepEach = 80 * time.Microsecond
	stepMost = 80 * time.Millisecond
)

// inSteps reads a stream of words in steps that grow with the number of streams. Each
// token wakes a goroutine, which costs more than to read it: a thousand models that
// write sixty tokens a second are a core's whole work. Read every 70 ms they are a
// quarter of it, and the last words come 35 ms later in the mean.
func (c *Connections) inSteps(body io.ReadCloser) io.ReadCloser {
	c.streams.Add(1)
	return &steps{ReadCloser: body, c: c, left: sync.OnceFunc(func() { c.streams.Add(-1) })}
}

// step is how long to wait between two reads of one stream.
func (c *Connections) step() time.Duration {
	return min(time.Duration(max(c.streams.Load()-calmStreams, 0))*stepEach, stepMost)
}

type steps struct {
	io.ReadCloser
	c    *Connections
	left func()
	last time.Time
}

func (s *steps) Read(p []byte) (int, error) {
	if d := s.c.step(); d > 0 && !s.last.IsZero() {
		time.Sleep(d - time.Since(s.last))
	}
	n, err := s.ReadCloser.Read(p)
	s.last = time.Now()
	if err != nil {
		s.left()
	}
	return n, err
}

func (s *steps) Close() error {
	defer s.left()
	return s.ReadCloser.Close()
}
