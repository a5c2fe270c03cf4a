package oggopus

import "time"

// ClockRate is the sample rate in which Opus in Ogg counts time, whatever rate
// was recorded.
const ClockRate = 48_000

// maxPacketSamples is the longest packet: 120 ms (RFC 6716, section 3.2.5).
const maxPacketSamples = 5760

// maxFrame is the longest frame in bytes (RFC 6716, section 3.4, R2).
const maxFrame = 1275

// SilencePacket is a complete mono packet of 20 ms of silence, in CELT mode.
func SilencePacket() []byte { return []byte{0xf8, 0xff, 0xfe} }

// silkSilence is 20 ms of silence in SILK mode, as an encoder writes it first.
func silkSilence() []byte { return []byte{0x48, 0x0b, 0xe4, 0xc1, 0x36, 0xec, 0xc5, 0x80} }

// silenceBefore is the packet of silence to put before a packet so that a decoder
// begins the latter afresh. A decoder forgets only what belongs to a mode that it
// enters from another (RFC 6716, section 4.5.2), so silence in CELT mode goes before
// a SILK or hybrid packet and silence in SILK mode before a CELT one. CELT
// silence before CELT would be worse than nothing: a frame's loudness is coded as
// a difference, and a clip that begins at full voice would fade in, a tenth of a second
// or more.
func silenceBefore(packet []byte) []byte {
	if celt(packet) {
		return silkSilence()
	}
	return SilencePacket()
}

// celt reports whether a packet is in CELT mode.
func celt(packet []byte) bool { return packet[0]>>3 >= 16 }

// SilenceSamples is the length of a packet of silence.
const SilenceSamples = 960

// PacketDuration is how long one Opus packet plays. The table of contents byte
// alone does not tell for packets of many frames, so the packet is needed.
func PacketDuration(packet []byte) (time.Duration, error) {
	n, err := PacketSamples(packet)
	return toDuration(int64(n)), err
}

// PacketSamples is the length of one Opus packet at 48 kHz. It checks the packet's
// whole framing (RFC 6716, section 3.4) and errs with ErrCorrupt.
func PacketSamples(packet []byte) (int, error) {
	if len(packet) == 0 {
		return 0, corrupt("an Opus packet is empty")
	}
	frames, err := countFrames(packet)
	if err != nil {
		return 0, err
	}
	n := frames * frameSamples(packet[0])
	if n > maxPacketSamples {
		return 0, corrupt("an Opus packet is longer than 120 ms")
	}
	return n, nil
}

// frameSamples reads the frame length out of a table of contents byte.
func frameSamples(toc byte) int { return int(frameLengths[toc>>3]) }

// frameLengths are the lengths of a frame at 48 kHz by configuration (RFC 6716, section
// 3.1).
var frameLengths = [32]uint16{
	480, 960, 1920, 2880, 480, 960, 1920, 2880, 480, 960, 1920, 2880, // SILK
	480, 960, 480, 960, // hybrid
	120, 240, 480, 960, 120, 240, 480, 960, 120, 240, 480, 960, 120, 240, 480, 960, // CELT
}

// countFrames checks that the frames fill the packet exactly and counts them.
func countFrames(packet []byte) (int, error) {
	body := packet[1:]
	switch packet[0] & 3 {
	case 0:
		return 1, checkFrame(len(body))
	case 1:
		if len(body)%2 != 0 {
			return 0, corrupt("a packet of two equal frames has an odd length")
		}
		return 2, checkFrame(len(body) / 2)
	case 2:
		first, rest, ok := frameLength(body)
		if !ok || first > len(rest) {
			return 0, corrupt("a packet of two frames is too short")
		}
		return 2, checkFrame(len(rest) - first)
	default:
		return countMany(body)
	}
}

// countMany reads a packet of code 3: a count byte, perhaps padding, then frames
// of equal or of stated lengths.
func countMany(body []byte) (int, error) {
	if len(body) == 0 {
		return 0, corrupt("a packet of many frames has no count")
	}
	flags, frames := body[0], int(body[0]&0x3f)
	body = body[1:]
	if frames == 0 {
		return 0, corrupt("a packet has no frames")
	}
	if flags&0x40 != 0 {
		var ok bool
		if body, ok = cutPadding(body); !ok {
			return 0, corrupt("a packet is shorter than its padding")
		}
	}
	if flags&0x80 == 0 {
		if len(body)%frames != 0 {
			return 0, corrupt("a packet cannot be divided into its frames")
		}
		return frames, checkFrame(len(body) / frames)
	}
	total := 0
	for range frames - 1 {
		n, rest, ok := frameLength(body)
		if !ok || n > maxFrame {
			return 0, corrupt("a packet is shorter than its frame lengths")
		}
		total, body = total+n, rest
	}
	if total > len(body) {
		return 0, corrupt("a packet is shorter than its frames")
	}
	return frames, checkFrame(len(body) - total)
}

// cutPadding removes the padding that follows a count byte.
func cutPadding(body []byte) ([]byte, bool) {
	padding := 0
	for {
		if len(body) == 0 {
			return nil, false
		}
		n := int(body[0])
		body = body[1:]
		if n < 255 {
			padding += n
			break
		}
		padding += 254
	}
	if padding > len(body) {
		return nil, false
	}
	return body[:len(body)-padding], true
}

// frameLength reads a frame length of one or two bytes.
func frameLength(b []byte) (n int, rest []byte, ok bool) {
	switch {
	case len(b) > 0 && b[0] < 252:
		return int(b[0]), b[1:], true
	case len(b) > 1:
		return int(b[1])*4 + int(b[0]), b[2:], true
	}
	return 0, nil, false
}

func checkFrame(length int) error {
	if length > maxFrame {
		return corrupt("an Opus frame is longer than %d bytes", maxFrame)
	}
	return nil
}

func toDuration(samples int64) time.Duration {
	return time.Duration(samples) * time.Second / ClockRate
}
