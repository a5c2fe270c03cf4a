package h2client_test

import (
	"encoding/binary"
	"testing/synctest"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// What the peer says. Errors of writing are not looked at: a client that breaks the
// connection off may do so while the peer still writes.

// hello is the server's side of the beginning.
func (p *peer) hello(settings ...http2.Setting) {
	p.t.Helper()
	p.settings(settings...)
	p.await("SETTINGS", func(f frame) bool { return f.Type == http2.FrameSettings && !f.ack() })
	_ = p.framer.WriteSettingsAck()
}

// settings changes settings and waits until the client has acknowledged them.
func (p *peer) settings(settings ...http2.Setting) {
	p.t.Helper()
	_ = p.framer.WriteSettings(settings...)
	p.await("acknowledgement of SETTINGS", func(f frame) bool { return f.Type == http2.FrameSettings && f.ack() })
}

// encode is a header block of a status, where it is not empty, and pairs of name and value.
func (p *peer) encode(status string, pairs ...string) []byte {
	p.block.Reset()
	if status != "" {
		_ = p.encoder.WriteField(hpack.HeaderField{Name: ":status", Value: status})
	}
	for i := 0; i < len(pairs); i += 2 {
		_ = p.encoder.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	return append([]byte(nil), p.block.Bytes()...)
}

// headers sends a header block, in as many frames as it takes.
func (p *peer) headers(id uint32, end bool, status string, pairs ...string) {
	block := p.encode(status, pairs...)
	flags := http2.Flags(0)
	if end {
		flags = http2.FlagHeadersEndStream
	}
	kind := http2.FrameHeaders
	for {
		n := min(len(block), smallest)
		if n == len(block) {
			flags |= http2.FlagHeadersEndHeaders
		}
		p.frame(kind, flags, id, block[:n])
		block = block[n:]
		if len(block) == 0 {
			return
		}
		kind, flags = http2.FrameContinuation, 0
	}
}

func (p *peer) data(id uint32, end bool, data []byte) {
	for len(data) > smallest {
		_ = p.framer.WriteData(id, false, data[:smallest])
		data = data[smallest:]
	}
	_ = p.framer.WriteData(id, end, data)
}

// reply is a whole response.
func (p *peer) reply(id uint32, body string) {
	p.headers(id, false, "200")
	p.data(id, true, []byte(body))
}

func (p *peer) reset(id uint32, code http2.ErrCode) { _ = p.framer.WriteRSTStream(id, code) }
func (p *peer) update(id, n uint32)                 { _ = p.framer.WriteWindowUpdate(id, n) }

func (p *peer) goAway(last uint32, code http2.ErrCode) {
	_ = p.framer.WriteGoAway(last, code, nil)
}

// frame sends any frame, right or wrong.
func (p *peer) frame(kind http2.FrameType, flags http2.Flags, id uint32, payload []byte) {
	_, _ = p.conn.Write(rawFrame(kind, flags, id, payload))
}

func rawFrame(kind http2.FrameType, flags http2.Flags, id uint32, payload []byte) []byte {
	n := len(payload)
	raw := []byte{byte(n >> 16), byte(n >> 8), byte(n), byte(kind), byte(flags)}
	return append(binary.BigEndian.AppendUint32(raw, id), payload...)
}

// none fails when a frame that fits has come. Only in a bubble: there one can tell that
// the client has nothing left to do.
func (p *peer) none(what string, fits func(frame) bool) {
	p.t.Helper()
	synctest.Wait()
	for done := false; !done; {
		select {
		case f, ok := <-p.frames:
			if done = !ok; ok {
				p.pending = append(p.pending, f)
			}
		default:
			done = true
		}
		synctest.Wait() // the reader may have waited for room
	}
	for _, f := range p.pending {
		if fits(f) {
			p.t.Fatalf("%s: there was %v", what, f)
		}
	}
}

// silent fails when anything has come that no script waited for.
func (p *peer) silent() {
	p.t.Helper()
	p.none("nothing was to be sent", func(frame) bool { return true })
}
