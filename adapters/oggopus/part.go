package oggopus

import "github.com/pion/opus"

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
	packets []Packet
	kept    []Packet // those of packets that go into the note
}

// read takes a clip apart. Whatever Check refuses is refused, and stereo packets in
// a stream that calls itself mono. The part's memory is used again.
func (p *part) read(clip []byte) (err error) {
	if len(clip) > MaxVoiceNote {
		return ErrTooLarge
	}
	p.packets = p.packets[:0]
	p.info, err = inspect(clip, func(packet Packet) error {
		p.packets = append(p.packets, packet)
		return mono(packet.Data)
	})
	p.kept = p.packets
	if err != nil {
		return err
	}
	return p.info.playable()
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
	for n := len(p.kept) - 1; n > 0 && tail >= int64(p.kept[n].Samples); n-- {
		tail -= int64(p.kept[n].Samples)
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
	for lead >= preRoll+int64(p.kept[0].Samples) {
		lead -= int64(p.kept[0].Samples)
		p.kept = p.kept[1:]
	}
	n, rest := 0, lead
	for rest >= int64(p.kept[n].Samples) {
		rest -= int64(p.kept[n].Samples)
		n++
	}
	if n > 0 && !quiet(p.kept[:n]) {
		p.kept = p.kept[n:]
		return rest
	}
	return lead
}

// quiet reports whether packets at the beginning of a stream hold no audible sound.
func quiet(packets []Packet) bool {
	dec, err := opus.NewDecoderWithOutput(quietRate, 1)
	if err != nil {
		return false
	}
	pcm := make([]int16, maxPacketSamples*quietRate/ClockRate)
	for _, p := range packets {
		n, err := decodePacket(&dec, p.Data, pcm)
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
