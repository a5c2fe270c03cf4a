package oggopus

import (
	"io"
	"iter"
)

// Packet is one audio packet of a clip.
type Packet struct {
	// Data is the Opus packet. It may point into the clip and must not be changed.
	Data []byte
	// Samples is how long it plays.
	Samples int
	// Stream counts the logical streams of a chained file, from 0.
	Stream int
	// Granule is the stream's position at the end of the page, on the last packet
	// that ends on a page, and -1 on the others.
	Granule int64
	// Last says that the stream says it ends with this packet.
	Last bool
}

// Reader walks over the audio packets of a clip. It follows chained streams (one
// after the other) and refuses multiplexed ones (side by side).
type Reader struct {
	rest   []byte
	stream int // of the packets being read; -1 before the first
	head   Head
	tags   Tags
	serial uint32
	next   uint32 // expected page sequence number
	ended  bool   // the current stream's last page was read

	page   page
	lacing int // segments of the page that were used
	used   int // bytes of the page's body that were used
	inPage bool
}

// NewReader opens a clip and reads the headers of its first stream. Its errors,
// and those of Next, have ErrCorrupt in their chain.
func NewReader(data []byte) (*Reader, error) {
	r := new(Reader)
	if err := r.start(data); err != nil {
		return nil, err
	}
	return r, nil
}

// start reads the headers of a clip's first stream.
func (r *Reader) start(data []byte) error {
	*r = Reader{rest: data, stream: -1}
	if len(data) == 0 {
		return corrupt("the file is empty")
	}
	p, err := r.readPage()
	if err != nil {
		return err
	}
	return r.open(p)
}

// Head is the identification header of the stream being read.
func (r *Reader) Head() Head { return r.head }

// Tags is the comment header of the stream being read.
func (r *Reader) Tags() Tags { return r.tags }

// Serial is the serial number of the stream being read.
func (r *Reader) Serial() uint32 { return r.serial }

// Next returns the next audio packet, and io.EOF after the last one. After an
// error it must not be called again.
func (r *Reader) Next() (Packet, error) {
	var p Packet
	if err := r.advance(&p); err != nil {
		return Packet{}, err
	}
	return p, nil
}

// advance is Next into the caller's memory.
func (r *Reader) advance(out *Packet) error {
	for !r.inPage { // a page may be empty
		if err := r.turn(); err != nil {
			return err
		}
	}
	data, _, err := r.packet()
	if err != nil {
		return err
	}
	n, err := PacketSamples(data)
	if err != nil {
		return err
	}
	out.Data, out.Samples, out.Stream, out.Granule, out.Last = data, n, r.stream, noGranule, false
	if r.lacing >= r.page.ends { // no other packet ends on the page
		out.Granule = r.page.granule
		out.Last = r.ended && !r.inPage
		if out.Granule < 0 {
			return corrupt("a page on which a packet ends has no granule position")
		}
	}
	return nil
}

// turn goes on to the next page, over the headers of a stream that begins.
func (r *Reader) turn() error {
	if len(r.rest) == 0 {
		return io.EOF
	}
	p, err := r.readPage()
	switch {
	case err != nil:
		return err
	case p.flags&flagFirst != 0:
		return r.open(p)
	}
	return r.enter(p, false)
}

// Packets iterates over the audio packets of a clip. The first error is the last
// element.
func Packets(data []byte) iter.Seq2[Packet, error] {
	return func(yield func(Packet, error) bool) {
		r, err := NewReader(data)
		if err != nil {
			yield(Packet{}, err)
			return
		}
		for {
			p, err := r.Next()
			if err == io.EOF || !yield(p, err) || err != nil {
				return
			}
		}
	}
}

func (r *Reader) readPage() (page, error) {
	p, rest, err := nextPage(r.rest)
	r.rest = rest
	return p, err
}

// open begins a logical stream at its first page and reads both headers.
func (r *Reader) open(p page) error {
	if p.flags&flagFirst == 0 {
		return corrupt("the first page does not begin a stream")
	}
	r.stream++
	r.serial, r.next, r.ended = p.serial, p.sequence, false
	if err := r.enter(p, true); err != nil {
		return err
	}
	head, complete, err := r.packet()
	if err != nil {
		return err
	}
	if !complete || r.inPage {
		return corrupt("OpusHead does not stand alone on its page")
	}
	if r.head, err = parseHead(head); err != nil {
		return err
	}
	if p, err = r.readPage(); err != nil {
		return err
	}
	if err := r.enter(p, false); err != nil {
		return err
	}
	tags, complete, err := r.packet()
	if err != nil {
		return err
	}
	if !complete || r.inPage {
		return corrupt("OpusTags does not end its page")
	}
	r.tags, err = parseTags(tags)
	return err
}

// enter checks that a page continues the stream and makes it the current one.
func (r *Reader) enter(p page, first bool) error {
	switch {
	case p.serial != r.serial:
		return corrupt("pages of several streams are mixed")
	case !first && p.flags&flagFirst != 0:
		return corrupt("a stream begins inside another")
	case r.ended:
		return corrupt("a page follows the last one of its stream")
	case p.sequence != r.next:
		return corrupt("page %d is missing", r.next)
	case p.flags&flagContinued != 0:
		// packet takes continuing pages itself, so here the beginning is missing.
		return corrupt("the beginning of a packet is missing")
	}
	r.next++
	r.use(p)
	return nil
}

func (r *Reader) use(p page) {
	r.page, r.lacing, r.used, r.inPage = p, 0, 0, len(p.lacing) > 0
	r.ended = p.flags&flagLast != 0
}

// packet takes the next packet of the current page, fetching further pages when
// it continues there. It is not complete when the page holds nothing.
func (r *Reader) packet() (data []byte, complete bool, err error) {
	if !r.inPage {
		return nil, false, nil
	}
	data, complete = r.segment()
	for !complete {
		// Copy: the halves of the packet do not lie side by side in the clip.
		data = data[:len(data):len(data)]
		p, err := r.readPage()
		if err != nil {
			return nil, false, err
		}
		if p.serial != r.serial || p.sequence != r.next || p.flags&flagContinued == 0 || r.ended || len(p.lacing) == 0 {
			return nil, false, corrupt("the end of a packet is missing")
		}
		r.next++
		r.use(p)
		var more []byte
		more, complete = r.segment()
		data = append(data, more...)
	}
	return data, true, nil
}

// segment takes lacing values of the current page up to the end of a packet or
// of the page.
func (r *Reader) segment() (data []byte, complete bool) {
	lacing := r.page.lacing
	from, to, i := r.used, r.used, r.lacing
	for i < len(lacing) && !complete {
		to += int(lacing[i])
		complete = lacing[i] < 255
		i++
	}
	r.lacing, r.used, r.inPage = i, to, i < len(lacing)
	return r.page.body[from:to], complete
}
