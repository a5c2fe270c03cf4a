package h2client_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	// patience is how long a script waits for the client; in a bubble it costs nothing.
	patience = time.Minute
	preface  = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	// smallest is the frame size and the window every endpoint begins with.
	smallest = 16 << 10
	window   = 1<<16 - 1
)

// frame is what the client sent. HEADERS and their CONTINUATION are one frame.
type frame struct {
	http2.FrameHeader
	block    []byte // of headers, as it was encoded
	fields   []hpack.HeaderField
	data     []byte
	settings []http2.Setting
	code     http2.ErrCode
	last     uint32 // of GOAWAY
	ping     [8]byte
}

func (f frame) ended() bool { return f.Flags.Has(http2.FlagDataEndStream) } // the same bit on HEADERS
func (f frame) ack() bool   { return f.Flags.Has(http2.FlagPingAck) }       // the same bit on SETTINGS

func (f frame) values(name string) []string {
	var all []string
	for _, field := range f.fields {
		if field.Name == name {
			all = append(all, field.Value)
		}
	}
	return all
}

func (f frame) value(name string) string {
	if all := f.values(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

// peer is a server that does what a script says. Only its reading goes on by itself.
type peer struct {
	t       testing.TB
	conn    net.Conn
	framer  *http2.Framer
	block   bytes.Buffer
	encoder *hpack.Encoder

	frames  chan frame // closed when the connection has ended
	pending []frame    // came while the script waited for others
	decoder *hpack.Decoder

	mu     sync.Mutex
	given  map[uint32]int64 // what the client's WINDOW_UPDATEs came to; 0 is the connection
	first  int64            // what a stream begins with
	paused chan struct{}    // closed when the peer may read on
}

func newPeer(t testing.TB, conn net.Conn) *peer {
	p := &peer{
		t: t, conn: conn, framer: http2.NewFramer(conn, conn), frames: make(chan frame, 1<<12),
		given: map[uint32]int64{0: window}, first: window, decoder: hpack.NewDecoder(4096, nil),
	}
	p.encoder = hpack.NewEncoder(&p.block)
	p.framer.AllowIllegalWrites = true
	p.framer.SetMaxReadFrameSize(smallest)
	return p
}

// listen reads what the client sends until the connection ends.
func (p *peer) listen() {
	defer close(p.frames)
	hello := make([]byte, len(preface))
	if _, err := io.ReadFull(p.conn, hello); err != nil {
		return
	}
	assert.Equal(p.t, preface, string(hello))
	var open *frame
	for {
		p.mu.Lock()
		paused := p.paused
		p.mu.Unlock()
		if paused != nil {
			<-paused
		}
		raw, err := p.framer.ReadFrame()
		if err != nil {
			if _, broken := err.(http2.ConnectionError); broken {
				p.t.Errorf("the client broke the protocol: %v, %v", err, p.framer.ErrorDetail())
			}
			return
		}
		f := frame{FrameHeader: raw.Header()}
		switch raw := raw.(type) {
		case *http2.DataFrame:
			f.data = bytes.Clone(raw.Data())
		case *http2.HeadersFrame:
			f.block = bytes.Clone(raw.HeaderBlockFragment())
			if !raw.HeadersEnded() {
				open = &f
				continue
			}
			p.decode(&f)
		case *http2.ContinuationFrame:
			open.block = append(open.block, raw.HeaderBlockFragment()...)
			if !raw.HeadersEnded() {
				continue
			}
			f = *open
			p.decode(&f)
		case *http2.SettingsFrame:
			_ = raw.ForeachSetting(func(s http2.Setting) error {
				f.settings = append(f.settings, s)
				if s.ID == http2.SettingInitialWindowSize {
					p.mu.Lock()
					p.first = int64(s.Val)
					p.mu.Unlock()
				}
				return nil
			})
		case *http2.WindowUpdateFrame:
			p.mu.Lock()
			p.given[f.StreamID] += int64(raw.Increment)
			p.mu.Unlock()
			continue
		case *http2.RSTStreamFrame:
			f.code = raw.ErrCode
		case *http2.GoAwayFrame:
			f.code, f.last = raw.ErrCode, raw.LastStreamID
		case *http2.PingFrame:
			f.ping = raw.Data
		}
		p.frames <- f
	}
}

func (p *peer) decode(f *frame) {
	fields, err := p.decoder.DecodeFull(f.block)
	if !assert.NoError(p.t, err, "the client's headers cannot be decoded") {
		return
	}
	f.fields = fields
}

// credit is how many bytes the client has let the peer send since the beginning,
// on a stream or, with 0, on the connection.
func (p *peer) credit(id uint32) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if id == 0 {
		return p.given[0]
	}
	return p.first + p.given[id]
}

// await takes the first frame that fits; others stay for later.
func (p *peer) await(what string, fits func(frame) bool) frame {
	p.t.Helper()
	for i, f := range p.pending {
		if fits(f) {
			p.pending = append(p.pending[:i:i], p.pending[i+1:]...)
			return f
		}
	}
	limit := time.After(patience)
	for {
		select {
		case f, ok := <-p.frames:
			if !ok {
				p.t.Fatalf("the connection ended before %s; there was %v", what, p.pending)
			}
			if fits(f) {
				return f
			}
			p.pending = append(p.pending, f)
		case <-limit:
			p.t.Fatalf("no %s came; there was %v", what, p.pending)
		}
	}
}

func on(kind http2.FrameType, id uint32) func(frame) bool {
	return func(f frame) bool { return f.Type == kind && f.StreamID == id }
}

// request awaits the headers of any request.
func (p *peer) request() frame {
	p.t.Helper()
	return p.await("request", func(f frame) bool { return f.Type == http2.FrameHeaders })
}

// body awaits n bytes of a request's body, and the stream's end when n is negative.
func (p *peer) body(id uint32, n int) []byte {
	p.t.Helper()
	var all []byte
	for n < 0 || len(all) < n {
		f := p.await(fmt.Sprintf("data of %d", id), on(http2.FrameData, id))
		all = append(all, f.data...)
		if f.ended() {
			break
		}
	}
	return all
}

func (p *peer) awaitReset(id uint32) http2.ErrCode {
	p.t.Helper()
	return p.await(fmt.Sprintf("reset of %d", id), on(http2.FrameRSTStream, id)).code
}

// awaitEnd waits until the client has closed the connection, and returns the code of
// its GOAWAY.
func (p *peer) awaitEnd() (code http2.ErrCode, told bool) {
	p.t.Helper()
	limit := time.After(patience)
	for {
		select {
		case f, ok := <-p.frames:
			if ok {
				p.pending = append(p.pending, f)
				continue
			}
			for _, f := range p.pending {
				if f.Type == http2.FrameGoAway {
					code, told = f.code, true
				}
			}
			return code, told
		case <-limit:
			p.t.Fatalf("the client did not close the connection; it sent %v", p.pending)
		}
	}
}
