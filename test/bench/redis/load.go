package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// loadTime bounds one load; no measurement takes that long.
const loadTime = 2 * time.Minute

// connection is one keep-alive HTTP connection that does little more than copy bytes:
// the load shares its core with Redis, and what it uses is lost to the measurement.
type connection struct {
	conn net.Conn
	in   *bufio.Reader
}

func dial(addr string) (*connection, error) {
	conn, err := net.DialTimeout("tcp", addr, loadTime)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(loadTime)); err != nil {
		conn.Close()
		return nil, err
	}
	return &connection{conn: conn, in: bufio.NewReader(conn)}, nil
}

// call sends a request and reads its answer; anything but a 200 is an error.
func (c *connection) call(request []byte) error {
	if _, err := c.conn.Write(request); err != nil {
		return err
	}
	first, length := true, -1
	var status string
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if first {
			status, first = string(line), false
			continue
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return errors.New("an answer without a length")
	}
	if _, err := io.CopyN(io.Discard, c.in, int64(length)); err != nil {
		return err
	}
	if status != "HTTP/1.1 200 OK" {
		return fmt.Errorf("answered %q", status)
	}
	return nil
}

// drive calls fn on n connections at once, each until fn answers false, and returns
// the first error.
func drive(addr string, n int, fn func(c *connection) (bool, error)) error {
	conns := make([]*connection, n)
	for i := range conns {
		c, err := dial(addr)
		if err != nil {
			return err
		}
		defer c.conn.Close()
		conns[i] = c
	}
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i, c := range conns {
		wg.Go(func() {
			for more := true; more && errs[i] == nil; {
				more, errs[i] = fn(c)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// closedLoop sends as fast as the answers come, until the time or the requests end.
// It returns how many were acknowledged and how long that took.
func closedLoop(addr string, connections int, limit time.Duration, work [][]byte) (int, time.Duration, error) {
	var next, done atomic.Int64
	began := time.Now()
	err := drive(addr, connections, func(c *connection) (bool, error) {
		i := next.Add(1) - 1
		if i >= int64(len(work)) || time.Since(began) >= limit {
			return false, nil
		}
		err := c.call(work[i])
		done.Add(1)
		return true, err
	})
	return int(done.Load()), time.Since(began), err
}

// openLoop sends each request when it is due, whatever became of those before, and
// returns how long each took from the moment it was due, and how late it was sent.
func openLoop(addr string, connections, rate int, work [][]byte) (took, late []time.Duration, err error) {
	took, late = make([]time.Duration, len(work)), make([]time.Duration, len(work))
	due := make([]time.Time, len(work))
	queue := make(chan int, len(work))
	began := time.Now().Add(20 * time.Millisecond)
	go func() {
		defer close(queue)
		for i := range work {
			due[i] = began.Add(time.Duration(i) * time.Second / time.Duration(rate))
			pauseUntil(due[i])
			queue <- i
		}
	}()
	err = drive(addr, connections, func(c *connection) (bool, error) {
		i, more := <-queue
		if !more {
			return false, nil
		}
		late[i] = time.Since(due[i])
		err := c.call(work[i])
		took[i] = time.Since(due[i])
		return true, err
	})
	for range queue { // after an error the rest is not sent
	}
	return took, late, err
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// quantile is the value at or below which the share q, from 0 to 1, of all lies.
func quantile[T int | float64 | time.Duration](values []T, q float64) T {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	return s[int(q*float64(len(s)-1))]
}
