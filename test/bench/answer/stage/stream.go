package stage

import (
	"errors"
	"strconv"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

var _ player = (*stream)(nil)

// stream is one request of an HTTP/2 connection and its answer.
type stream struct {
	conn         *conn
	id           uint32
	method, path string
	body         []byte
	began        time.Duration // when the whole request was there
	answer       Answer
	next         int  // the step to play
	opened       bool // the headers are out
	gone         bool // the client gave up; guarded by conn.mu
}

// play appends the steps that are due.
func (st *stream) play() (time.Duration, bool) {
	c := st.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if st.gone || c.broken {
		return 0, false
	}
	if len(st.answer.Steps) == 0 && !st.opened {
		c.open(st, http2.FlagHeadersEndStream)
		delete(c.streams, st.id)
		return 0, false
	}
	if !st.opened {
		c.open(st, 0)
	}
	steps := st.answer.Steps
	now := c.server.schedule.now()
	for st.next < len(steps) && st.began+steps[st.next].At <= now {
		st.next++
		c.data(st, steps[st.next-1].Data, st.next == len(steps))
	}
	if st.next < len(steps) {
		return st.began + steps[st.next].At, true
	}
	delete(c.streams, st.id)
	return 0, false
}

func (st *stream) flush() { st.conn.flush() }

// open appends the headers of an answer. The flags say whether they are all of it.
func (c *conn) open(st *stream, flags http2.Flags) {
	st.opened = true
	c.headers.Reset()
	for _, f := range []hpack.HeaderField{
		{Name: ":status", Value: strconv.Itoa(st.answer.status())},
		{Name: "content-type", Value: st.answer.Type},
	} {
		_ = c.encoder.WriteField(f) // a buffer takes everything
	}
	c.frame(http2.FrameHeaders, http2.FlagHeadersEndHeaders|flags, st.id, c.headers.Bytes())
}

// data appends a part of an answer's body. The client must take it at once: this server
// holds nothing back.
func (c *conn) data(st *stream, data []byte, last bool) {
	if c.room -= int64(len(data)); c.room < 0 {
		c.broken = true
		c.server.fail(errors.New("stage: a client takes no more on its connection"))
		return
	}
	for {
		part := data[:min(len(data), frameRoom)]
		data = data[len(part):]
		var flags http2.Flags
		if last && len(data) == 0 {
			flags = http2.FlagDataEndStream
		}
		c.frame(http2.FrameData, flags, st.id, part)
		if len(data) == 0 {
			return
		}
	}
}
