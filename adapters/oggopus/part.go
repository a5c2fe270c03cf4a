package oggopus

import (
	"slices"
	"sync"

	"github.com/pion/opus"
)

const (
	// preRoll is what a decoder needs to recover what it forgot: 80 ms (RFC 7845,
	// section 4.6).
	preRoll = ClockRate * 80 / 1000
	// quietPeak is the loudest sample, of 32,767, that may sound in a pause.
	quietPeak = 328
	quietRate = 16_000
)

// part is one clip on its way into a joined note.
type part struct {
	info    Info
	packets []piece
	kept    []piece // those of packets that go into the note
}

// parts lends the memory of parts: a list of packets is a third of a note's size.
var parts = sync.Pool{New: func() any { return &part{packets: make([]piece, 0, 1024)} }}

func lendPart() *part { return parts.Get().(*part) }

// giveBack keeps the memory, and nothing of the clip.
func (p *part) giveBack() {
	clear(p.packets[:cap(p.packets)])
	*p = part{packets: p.packets[:0]}
	parts.Put(p)
}

// piece is a packet of a part; data may point into the clip.
type piece struct {
	data    []byte
	samples int
}

// read takes a clip apart. Whatever Check refuses is refused, and stereo packets in
// a stream that calls itself mono. The part's memory is used again.
func (p *part) read(clip []byte) (err error) {
	// Packets of 20 ms at 24 kbit/s are some 60 bytes large.
	packets := slices.Grow(p.packets[:0], min(len(clip)/50, 1024))
	p.info, err = examine(clip, func(data []byte, samples int) error {
		packets = append(packets, piece{data, samples})
		return mono(data)
	})
	p.packets, p.kept = packets, packets
	return err
}

// mono reports an error for a packet that holds two channels: the third bit of its
// table of contents byte (RFC 6716, section 3.1).
func mono(packet []byte) error {
	if packet[0]&4 != 0 {
		return ErrNotMono
	}
	return nil
}

// trimEnd drops the packets that would not be played at all and returns how many
// samples of the last one left would not.
func (p *part) trimEnd() (tail int64) {
	tail = p.info.EndTrim
	for n := len(p.kept) - 1; n > 0 && tail >= int64(p.kept[n].samples); n-- {
		tail -= int64(p.kept[n].samples)
		p.kept = p.kept[:n]
	}
	return tail
}

// trimStart prepares a part that does not come first. What its own file would skip
// is heard in the joined one, because a stream can skip at its beginning only.
// Mostly that is the encoder's look-ahead, 6.5 ms of nothing, and it counts as a
// bit of the pause. A longer one is kept, for the decoder's sake, only where it is
// quiet. It returns how many samples of the skipped ones will be heard.
func (p *part) trimStart() (lead int64) {
	lead = int64(p.info.PreSkip)
	for lead >= preRoll+int64(p.kept[0].samples) {
		lead -= int64(p.kept[0].samples)
		p.kept = p.kept[1:]
	}
	n, rest := 0, lead
	for rest >= int64(p.kept[n].samples) {
		rest -= int64(p.kept[n].samples)
		n++
	}
	if n > 0 && !quiet(p.kept[:n]) {
		p.kept = p.kept[n:]
		return rest
	}
	return lead
}

// quiet reports whether packets at the beginning of a stream hold no audible sound.
func quiet(packets []piece) bool {
	dec, err := opus.NewDecoderWithOutput(quietRate, 1)
	if err != nil {
		return false
	}
	pcm := make([]int16, maxPacketSamples*quietRate/ClockRate)
	for _, p := range packets {
		n, err := decodePacket(&dec, p.data, pcm)
		if err != nil {
			return false
		}
		for _, s := range pcm[:n] {
			if s > quietPeak || s < -quietPeak {
				return false
			}
		}
	}
	return true
}
