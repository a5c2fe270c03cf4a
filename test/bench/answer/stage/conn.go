package stage

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	// streamRoom is what a client may send on one stream: no body of a benchmark is
	// larger, so it is granted once.
	streamRoom = 4 << 20
	// connRoom is what a client may send on a connection before more is granted.
	connRoom = 64 << 20
	// frameRoom is the largest frame every peer takes (RFC 9113, section 4.2).
	frameRoom        = 16 << 10
	handshakeTimeout = 30 * time.Second
)

// conn is one HTTP/2 connection (RFC 9113). One goroutine reads; whoever has something
// to say appends frames and flushes them.
type conn struct {
	server *Server
	raw    *tls.Conn

	mu      sync.Mutex
	out     []byte // frames that were not written yet
	room    int64  // what the client still takes on the connection
	each    int64  // what it takes on one stream
	streams map[uint32]*stream
	headers bytes.Buffer
	encoder *hpack.Encoder
	broken  bool
	taken   uint32 // bytes of bodies since the last grant
}

func newConn(s *Server, raw *tls.Conn) *conn {
	c := &conn{server: s, raw: raw, room: 65_535, each: 65_535, streams: map[uint32]*stream{}}
	c.encoder = hpack.NewEncoder(&c.headers)
	return c
}

// serve reads until the connection ends.
func (c *conn) serve() {
	err := c.talk()
	c.mu.Lock()
	c.broken = true
	for _, st := range c.streams {
		st.gone = true
	}
	c.mu.Unlock()
	c.raw.Close()
	var misuse http2.ConnectionError
	if errors.As(err, &misuse) || errors.Is(err, errMisuse) {
		c.server.fail(fmt.Errorf("stage: %w", err))
	}
}

// errMisuse marks what a sound client does not do.
var errMisuse = errors.New("a client broke the protocol")

func (c *conn) talk() error {
	ctx, cancel := context.WithTimeout(context.Background(), handshakeTimeout)
	defer cancel()
	if err := c.raw.HandshakeContext(ctx); err != nil {
		return err
	}
	if p := c.raw.ConnectionState().NegotiatedProtocol; p != "h2" {
		return fmt.Errorf("%w: it speaks %q", errMisuse, p)
	}
	in := bufio.NewReaderSize(c.raw, 64<<10)
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(in, preface); err != nil || string(preface) != http2.ClientPreface {
		return errors.Join(err, errors.New("no preface"))
	}
	c.mu.Lock()
	c.frame(http2.FrameSettings, 0, 0, settings(
		http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: uint32(c.server.opt.Streams)},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: streamRoom}))
	c.grant(connRoom)
	c.mu.Unlock()
	c.flush()
	framer := http2.NewFramer(io.Discard, in)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	framer.SetReuseFrames()
	for {
		f, err := framer.ReadFrame()
		if err != nil {
			return err
		}
		if err := c.take(f); err != nil {
			return err
		}
	}
}

// take handles one frame of the client's.
func (c *conn) take(f http2.Frame) error {
	switch f := f.(type) {
	case *http2.MetaHeadersFrame:
		st := &stream{conn: c, id: f.StreamID, method: f.PseudoValue("method")}
		st.path, _, _ = strings.Cut(f.PseudoValue("path"), "?")
		if f.StreamEnded() {
			c.dispatch(st)
			return nil
		}
		for _, field := range f.RegularFields() {
			if n, err := strconv.Atoi(field.Value); field.Name == "content-length" && err == nil && n <= streamRoom {
				st.body = make([]byte, 0, n)
			}
		}
		c.mu.Lock()
		c.streams[st.id] = st
		c.mu.Unlock()
	case *http2.DataFrame:
		c.mu.Lock()
		st := c.streams[f.StreamID]
		if c.taken += f.Length; c.taken > connRoom/4 {
			c.grant(c.taken)
			c.taken = 0
		}
		c.mu.Unlock()
		c.flush()
		if st == nil {
			return nil // given up meanwhile
		}
		if st.body = append(st.body, f.Data()...); f.StreamEnded() {
			c.dispatch(st)
		}
	case *http2.RSTStreamFrame:
		c.mu.Lock()
		if st := c.streams[f.StreamID]; st != nil {
			st.gone = true
			delete(c.streams, f.StreamID)
		}
		c.mu.Unlock()
	case *http2.SettingsFrame:
		if f.IsAck() {
			return nil
		}
		c.mu.Lock()
		if each, set := f.Value(http2.SettingInitialWindowSize); set {
			c.each = int64(each)
		}
		if size, set := f.Value(http2.SettingHeaderTableSize); set {
			c.encoder.SetMaxDynamicTableSizeLimit(size)
		}
		c.frame(http2.FrameSettings, http2.FlagSettingsAck, 0, nil)
		c.mu.Unlock()
		c.flush()
	case *http2.PingFrame:
		if !f.IsAck() {
			c.mu.Lock()
			c.frame(http2.FramePing, http2.FlagPingAck, 0, f.Data[:])
			c.mu.Unlock()
			c.flush()
		}
	case *http2.WindowUpdateFrame:
		if f.StreamID == 0 {
			c.mu.Lock()
			c.room += int64(f.Increment)
			c.mu.Unlock()
		}
	}
	return nil
}

// dispatch asks the handler and plays what it says.
func (c *conn) dispatch(st *stream) {
	st.began = c.server.schedule.now()
	st.answer = c.server.handler(Request{Method: st.method, Path: st.path, Body: st.body})
	st.body = nil
	if st.method == http.MethodHead { // an answer without a body (RFC 9110, section 9.3.2)
		st.answer.Steps = nil
	}
	total := int64(0)
	for _, step := range st.answer.Steps {
		total += int64(len(step.Data))
	}
	c.mu.Lock()
	if total > c.each {
		c.mu.Unlock()
		c.server.fail(fmt.Errorf("stage: an answer of %d bytes is more than the client takes on a stream", total))
		return
	}
	c.streams[st.id] = st
	if st.answer.Early && len(st.answer.Steps) > 0 {
		c.open(st, 0)
	}
	c.mu.Unlock()
	if len(st.answer.Steps) > 0 && st.answer.Steps[0].At > 0 {
		c.server.schedule.add(st.began+st.answer.Steps[0].At, st)
	} else if due, more := st.play(); more {
		c.server.schedule.add(due, st)
	}
	c.flush()
}

// frame appends a frame to what is to be written.
func (c *conn) frame(kind http2.FrameType, flags http2.Flags, id uint32, payload []byte) {
	n := len(payload)
	c.out = append(c.out, byte(n>>16), byte(n>>8), byte(n), byte(kind), byte(flags))
	c.out = binary.BigEndian.AppendUint32(c.out, id)
	c.out = append(c.out, payload...)
}

// grant lets the client send more on the connection.
func (c *conn) grant(n uint32) {
	c.frame(http2.FrameWindowUpdate, 0, 0, binary.BigEndian.AppendUint32(nil, n))
}

func settings(list ...http2.Setting) []byte {
	var out []byte
	for _, s := range list {
		out = binary.BigEndian.AppendUint16(out, uint16(s.ID))
		out = binary.BigEndian.AppendUint32(out, s.Val)
	}
	return out
}

// flush writes what is to be written. A client that does not read holds it up, and all
// the others with it, which shows as lateness.
func (c *conn) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.out) == 0 || c.broken {
		return
	}
	if _, err := c.raw.Write(c.out); err != nil {
		c.broken = true
	}
	c.out = c.out[:0]
}
