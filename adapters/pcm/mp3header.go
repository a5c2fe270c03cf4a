package pcm

import "encoding/binary"

// mp3Header is the head of one frame of MPEG-1 or MPEG-2 layer III audio (ISO/IEC
// 11172-3, section 2.4.1.3, and 13818-3). MPEG-2 is MPEG-1 at half the rates, with
// frames of half as many samples.
type mp3Header uint32

// kilobits are the bit rates by version (MPEG-1, MPEG-2) and index. Index 0 is the
// "free" format, whose frames do not tell their size.
var kilobits = [2][15]int{
	{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
	{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
}

// topIndex is the index of the highest bit rate.
const topIndex = 14

// parseMP3Header reads a frame's head. Everything it refuses is no layer III frame,
// or one that the decoder cannot read: MPEG 2.5 and the free format.
func parseMP3Header(b []byte) (h mp3Header, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	h = mp3Header(binary.BigEndian.Uint32(b))
	version, layer := h>>19&3, h>>17&3
	ok = h>>21 == 0x7ff && version >= 2 && layer == 1 &&
		h.index() > 0 && h.index() <= topIndex && h>>10&3 < 3 && h&3 != 2
	return h, ok
}

func (h mp3Header) index() int { return int(h >> 12 & 15) }

// low is 1 for MPEG-2 and 0 for MPEG-1.
func (h mp3Header) low() int { return int(1 - h>>19&1) }

func (h mp3Header) rate() int {
	return [...]int{44_100, 48_000, 32_000}[h>>10&3] >> h.low()
}

// samples is how many samples a frame holds for each channel.
func (h mp3Header) samples() int { return 1152 >> h.low() }

// size is the length of the whole frame in bytes.
func (h mp3Header) size() int {
	return 144*1000*kilobits[h.low()][h.index()]/(h.rate()<<h.low()) + int(h>>9&1)
}

// decoderSize is what go-mp3 takes for the size. In MPEG-2 it halves the padding
// byte away, which shifts everything behind the frame.
func (h mp3Header) decoderSize() int {
	return (144*1000*kilobits[h.low()][h.index()]/h.rate() + int(h>>9&1)) >> h.low()
}

func (h mp3Header) mono() bool { return h>>6&3 == 3 }

// checksum is the length of the checksum behind the head.
func (h mp3Header) checksum() int {
	if h>>16&1 == 0 {
		return 2
	}
	return 0
}

// side is the length of the side information, which says how to read the frame.
func (h mp3Header) side() int {
	return [2][2]int{{32, 17}, {17, 9}}[h.low()][h.channelsIndex()]
}

func (h mp3Header) channelsIndex() int {
	if h.mono() {
		return 1
	}
	return 0
}

// goesWith reports whether a frame may follow another: one stream has one version
// and one rate, and may change everything else.
func (h mp3Header) goesWith(other mp3Header) bool {
	const versionAndRate = 3<<19 | 3<<10
	return (h^other)&versionAndRate == 0
}
