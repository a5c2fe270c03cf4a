package oggopus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Vendor is the vendor string of every file this package writes.
const Vendor = "whatsapp-node"

const (
	// DefaultPreSkip is the look-ahead of libopus at 48 kHz.
	DefaultPreSkip = 312
	// pageSamples is the length of a page: about a second, so that a player can
	// seek and the pages cost little.
	pageSamples = ClockRate
	// maxPageBody is what one page can hold.
	maxPageBody = maxSegments * 255
	// headerRoom is the longest page header.
	headerRoom = pageHeaderLen + maxSegments
	// usualPage has room for the body of a page of a second of speech, at 24 kbit/s.
	usualPage = 4096
	// maxComments bounds the tags to what fits on one page.
	maxComments = 60_000
)

// Options describe the stream a Writer writes. The zero value is usable.
type Options struct {
	// Serial tells streams apart inside one file. A file with one stream may use
	// any value; a fixed one makes the output reproducible.
	Serial uint32
	// PreSkip is how many samples at the beginning are not played, 0 to 65,535.
	PreSkip int
	// InputRate is the rate of the recording in Hz, a remark for people.
	InputRate int
	// Gain is applied on playing, in dB as a Q7.8 number.
	Gain int16
	// Comments are "NAME=value" pairs in UTF-8, together at most 60,000 bytes.
	Comments []string
}

// Writer writes one logical mono stream.
type Writer struct {
	w        io.Writer
	serial   uint32
	sequence uint32
	preSkip  int64
	lacing   []byte
	// page is the page that is being filled: room for the longest header, then the body,
	// so that the body need not be moved when the header is known.
	page    []byte
	samples int64 // up to the end of the last packet taken
	flushed int64 // up to the end of the last page written
	err     error
}

// NewWriter writes the headers and returns a writer for the audio. Close must be
// called, or the file lacks its last page.
func NewWriter(w io.Writer, opt Options) (*Writer, error) {
	if opt.PreSkip < 0 || opt.PreSkip > 0xffff || opt.InputRate < 0 || int64(opt.InputRate) > 0xffff_ffff {
		return nil, errors.New("ogg writer: pre-skip or input rate is out of range")
	}
	tags := Tags{Vendor: Vendor, Comments: opt.Comments}.append(nil)
	if len(tags) > maxComments {
		return nil, fmt.Errorf("ogg writer: comments are longer than %d bytes", maxComments)
	}
	ow := &Writer{
		w: w, serial: opt.Serial, preSkip: int64(opt.PreSkip),
		lacing: make([]byte, 0, maxSegments), page: make([]byte, headerRoom, headerRoom+usualPage),
	}
	ow.take(Head{Channels: 1, PreSkip: opt.PreSkip, InputRate: opt.InputRate, Gain: opt.Gain}.append(nil))
	ow.flush(flagFirst, 0)
	ow.take(tags)
	ow.flush(0, 0)
	return ow, ow.err
}

// WritePacket appends one Opus packet. It errs with ErrCorrupt when the packet's
// framing is broken, and the stream is then as it was before.
func (w *Writer) WritePacket(packet []byte) error {
	if w.err != nil {
		return w.err
	}
	n, err := PacketSamples(packet)
	if err != nil {
		return fmt.Errorf("ogg writer: %w", err)
	}
	if len(packet) >= maxPageBody {
		return fmt.Errorf("ogg writer: %w", corrupt("an Opus packet is larger than a page"))
	}
	full := len(w.lacing)+len(packet)/255+1 > maxSegments
	if len(w.lacing) > 0 && (full || w.samples-w.flushed+int64(n) > pageSamples) {
		w.flush(0, w.samples)
	}
	w.take(packet)
	w.samples += int64(n)
	return w.err
}

// Samples is the length of all packets written, pre-skip included.
func (w *Writer) Samples() int64 { return w.samples }

// Close writes the last page; the last trim samples are then not played. The
// trim must leave something to play and must not reach into an earlier page. The
// underlying writer is left open.
func (w *Writer) Close(trim int) error {
	if w.err != nil {
		return w.err
	}
	end := w.samples - int64(trim)
	switch {
	case len(w.lacing) == 0 || end <= w.preSkip:
		return fmt.Errorf("ogg writer: %w", ErrSilentFile)
	case trim < 0 || end < w.flushed:
		return errors.New("ogg writer: end trim is out of range")
	}
	w.flush(flagLast, end)
	if w.err != nil {
		return w.err
	}
	w.err = errors.New("ogg writer: closed")
	return nil
}

// take puts a packet on the page that is being filled.
func (w *Writer) take(packet []byte) {
	for n := len(packet); ; n -= 255 {
		if n < 255 {
			w.lacing = append(w.lacing, byte(n)) // #nosec G115 -- at most 255 by the way a page is filled; positions are positive
			break
		}
		w.lacing = append(w.lacing, 255)
	}
	w.page = append(w.page, packet...)
}

func (w *Writer) flush(flags byte, granule int64) {
	page := w.page[maxSegments-len(w.lacing):]
	b := append(page[:0], "OggS\x00"...)
	b = append(b, flags)
	b = binary.LittleEndian.AppendUint64(b, uint64(granule)) // #nosec G115 -- at most 255 by the way a page is filled; positions are positive
	b = binary.LittleEndian.AppendUint32(b, w.serial)
	b = binary.LittleEndian.AppendUint32(b, w.sequence)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = append(b, byte(len(w.lacing))) // #nosec G115 -- at most 255 by the way a page is filled; positions are positive
	copy(page[len(b):], w.lacing)
	binary.LittleEndian.PutUint32(page[22:], pageCRC(page))
	if w.err == nil {
		if _, err := w.w.Write(page); err != nil {
			w.err = fmt.Errorf("ogg writer: %w", err)
		}
	}
	w.lacing, w.page = w.lacing[:0], w.page[:headerRoom]
	w.sequence++
	w.flushed = granule
}

// Encode writes packets as a whole file.
func Encode(packets iter.Seq[[]byte], opt Options) ([]byte, error) {
	var buf sliceWriter
	w, err := NewWriter(&buf, opt)
	if err != nil {
		return nil, err
	}
	for p := range packets {
		if err := w.WritePacket(p); err != nil {
			return nil, err
		}
	}
	if err := w.Close(0); err != nil {
		return nil, err
	}
	return buf, nil
}

type sliceWriter []byte

func (s *sliceWriter) Write(p []byte) (int, error) {
	*s = append(*s, p...)
	return len(p), nil
}
