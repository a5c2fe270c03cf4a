package h2client

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"

	"golang.org/x/net/http2"
)

const headerLen = 9 // of a frame, in bytes (RFC 9113, 4.1)

// read is the reader. It ends with the connection.
func (c *Conn) read() {
	var err error
	for err == nil {
		err = c.next()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	code := http2.ErrCodeNo
	var fault http2.ConnectionError
	switch {
	case errors.As(err, &fault):
		code, err = http2.ErrCode(fault), fmt.Errorf("http2: the server broke the protocol: %w", err)
	case errors.Is(err, http2.ErrFrameTooLarge):
		code, err = http2.ErrCodeFrameSize, fmt.Errorf("http2: the server broke the protocol: %w", err)
	case errors.Is(err, io.EOF):
		err = fmt.Errorf("http2: the server closed the connection: %w", io.ErrUnexpectedEOF)
	default:
		err = fmt.Errorf("http2: reading the connection: %w", err)
	}
	c.fail(err, code)
}

// next reads a frame. Data is by far the most, and goes from the connection's memory to
// the stream's; the framer reads all else.
func (c *Conn) next() error {
	header, err := c.in.Peek(headerLen)
	if err != nil {
		return err
	}
	kind, length := http2.FrameType(header[3]), int(header[0])<<16|int(header[1])<<8|int(header[2])
	if !c.greeted { // SETTINGS come first (RFC 9113, 3.4)
		if kind != http2.FrameSettings || http2.Flags(header[4]).Has(http2.FlagSettingsAck) {
			return http2.ConnectionError(http2.ErrCodeProtocol)
		}
		c.greeted = true
	}
	if kind == http2.FrameData && length == 0 && http2.Flags(header[4]).Has(http2.FlagDataPadded) {
		return http2.ConnectionError(http2.ErrCodeFrameSize)
	}
	if kind == http2.FrameData && !http2.Flags(header[4]).Has(http2.FlagDataPadded) {
		id := binary.BigEndian.Uint32(header[5:]) & math.MaxInt32
		end := http2.Flags(header[4]).Has(http2.FlagDataEndStream)
		if _, err := c.in.Discard(headerLen); err != nil {
			return err
		}
		return c.data(id, length, end)
	}
	frame, err := c.framer.ReadFrame()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = true
	var fault http2.StreamError
	switch {
	case c.err != nil:
		return c.err
	case errors.As(err, &fault) && kind == http2.FrameHeaders && fault.Cause == nil:
		return http2.ConnectionError(fault.Code) // the headers were not decoded, and the next ones cannot be
	case errors.As(err, &fault):
		return c.faulty(fault)
	case err != nil:
		return err
	}
	switch f := frame.(type) {
	case *http2.MetaHeadersFrame:
		return c.headers(f)
	case *http2.DataFrame: // padded
		s, err := c.receive(f.StreamID, int(f.Length), len(f.Data()))
		if err == nil {
			s.take(f.Data(), int(f.Length)-len(f.Data()), f.StreamEnded())
		}
		return err
	case *http2.SettingsFrame:
		return c.settings(f)
	case *http2.WindowUpdateFrame:
		return c.opened(f)
	case *http2.RSTStreamFrame:
		return c.wasReset(f)
	case *http2.GoAwayFrame:
		return c.goAway(f)
	case *http2.PingFrame:
		if !f.IsAck() {
			c.reply(c.framer.WritePing(true, f.Data))
		}
	case *http2.PushPromiseFrame:
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	return nil
}

// stream finds a stream by its id; nil is one that is no more.
func (c *Conn) stream(id uint32) (*stream, error) {
	if id%2 == 0 || id >= c.nextID {
		return nil, http2.ConnectionError(http2.ErrCodeProtocol) // nobody opened it
	}
	return c.streams[id], nil
}

// faulty gives up a stream whose frame was wrong.
func (c *Conn) faulty(fault http2.StreamError) error {
	s, err := c.stream(fault.StreamID)
	if s != nil {
		s.reset(fmt.Errorf("http2: the server broke the protocol: %w", fault), fault.Code)
	}
	return err
}

// headers are an answer's, or its trailers, of which nothing is kept.
func (c *Conn) headers(f *http2.MetaHeadersFrame) error {
	s, err := c.stream(f.StreamID)
	if s == nil {
		return err
	}
	switch {
	case s.ended:
		s.reset(errors.New("http2: the server went on after its end"), http2.ErrCodeStreamClosed)
		return nil
	case s.answer != nil && !f.StreamEnded():
		s.reset(errors.New("http2: the server sent headers within an answer"), http2.ErrCodeProtocol)
		return nil
	case s.answer != nil && len(f.PseudoFields()) > 0:
		s.reset(errors.New("http2: the server sent a status after its answer"), http2.ErrCodeProtocol)
		return nil
	case s.answer != nil:
		s.end()
		return nil
	}
	resp, err := answer(f)
	if err != nil {
		s.reset(err, http2.ErrCodeProtocol)
		return nil
	}
	if resp.StatusCode < 200 {
		if f.StreamEnded() || resp.StatusCode == http.StatusSwitchingProtocols {
			s.reset(errors.New("http2: the server ended without an answer"), http2.ErrCodeProtocol)
		}
		return nil
	}
	if s.bare = f.StreamEnded(); s.bare && !s.head && resp.ContentLength < 0 {
		resp.ContentLength = 0
	}
	s.head = s.head || resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified
	s.answer, s.declared = resp, resp.ContentLength
	if f.StreamEnded() {
		s.end()
	} else if s.enough() {
		s.interrupt()
	}
	s.rouse()
	return nil
}
