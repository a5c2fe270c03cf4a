package h2client

import (
	"errors"
	"fmt"
	"math"

	"golang.org/x/net/http2"
)

// settings follows what the server asks for (RFC 9113, 6.5). c.mu is held, here and below.
func (c *Conn) settings(f *http2.SettingsFrame) error {
	if f.IsAck() {
		return nil
	}
	most := int64(math.MaxInt64) // the first settings that name no number allow any
	if c.settled {
		most = c.most.Load()
	}
	c.settled = true
	err := f.ForeachSetting(func(set http2.Setting) error {
		if err := set.Valid(); err != nil {
			return err
		}
		switch set.ID {
		case http2.SettingEnablePush:
			if set.Val != 0 {
				return http2.ConnectionError(http2.ErrCodeProtocol) // a server may not say so (RFC 9113, 6.5.2)
			}
		case http2.SettingMaxConcurrentStreams:
			most = int64(set.Val)
		case http2.SettingMaxFrameSize:
			c.maxFrame = int64(set.Val)
		case http2.SettingHeaderTableSize:
			c.encoder.SetMaxDynamicTableSize(min(set.Val, 4<<10))
		case http2.SettingInitialWindowSize:
			more := int64(set.Val) - c.initial
			c.initial += more
			for _, s := range c.streams {
				if s.window += more; s.window > math.MaxInt32 {
					return http2.ConnectionError(http2.ErrCodeFlowControl)
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.most.Store(most)
	c.reply(c.framer.WriteSettingsAck())
	c.wakeSenders()
	c.invite()
	return nil
}

// opened widens a window.
func (c *Conn) opened(f *http2.WindowUpdateFrame) error {
	more := int64(f.Increment)
	if f.StreamID == 0 {
		if c.window += more; c.window > math.MaxInt32 {
			return http2.ConnectionError(http2.ErrCodeFlowControl)
		}
		c.wakeSenders()
		return nil
	}
	s, err := c.stream(f.StreamID)
	if s == nil {
		return err
	}
	if s.window += more; s.window > math.MaxInt32 {
		s.reset(errors.New("http2: the server opened its window too far"), http2.ErrCodeFlowControl)
		return nil
	}
	s.cond.Broadcast()
	return nil
}

// wasReset ends a stream that the server gave up. One that it refused it has not looked
// at; and one whose answer is complete is complete, whatever it says of the question.
func (c *Conn) wasReset(f *http2.RSTStreamFrame) error {
	s, err := c.stream(f.StreamID)
	if s == nil {
		return err
	}
	if f.ErrCode == http2.ErrCodeRefusedStream && s.answer == nil {
		s.breakOff(fmt.Errorf("%w: it refused the request", ErrUnusable))
		return nil
	}
	s.breakOff(fmt.Errorf("http2: the server broke off: %w", http2.StreamError{StreamID: f.StreamID, Code: f.ErrCode}))
	return nil
}

// goAway lets the requests go on that the server has seen. The others may be asked
// elsewhere.
func (c *Conn) goAway(f *http2.GoAwayFrame) error {
	for id, s := range c.streams {
		if id > f.LastStreamID {
			s.breakOff(fmt.Errorf("%w: it is about to be closed", ErrUnusable))
		}
	}
	c.leave()
	return nil
}
