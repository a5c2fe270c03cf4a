package oggopus

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrCorrupt is in the chain of every error that says the bytes are not a sound
// Ogg/Opus file.
var ErrCorrupt = errors.New("not a sound Ogg/Opus file")

// Header flags of a page (RFC 3533, section 6).
const (
	flagContinued = 1 << iota // the first packet began on an earlier page
	flagFirst
	flagLast
)

const (
	pageHeaderLen = 27
	maxSegments   = 255
	noGranule     = -1 // a page on which no packet ends
)

// crcTables hold remainders for polynomial 0x04c11db7, most significant bit first:
// table k that of a byte followed by k zero bytes, so that eight bytes can be taken
// in one step. It is not the reflected CRC-32 of hash/crc32, which cannot express it.
var crcTables = func() (tables [8][256]uint32) {
	for i := range 256 {
		r := uint32(i) << 24
		for k := range tables {
			for range 8 {
				if r&(1<<31) != 0 {
					r = r<<1 ^ 0x04c11db7
				} else {
					r <<= 1
				}
			}
			tables[k][i] = r
		}
	}
	return tables
}()

func crc(sum uint32, data []byte) uint32 {
	t := &crcTables
	for ; len(data) >= 8; data = data[8:] {
		sum ^= binary.BigEndian.Uint32(data)
		sum = t[7][sum>>24] ^ t[6][byte(sum>>16)] ^ t[5][byte(sum>>8)] ^ t[4][byte(sum)] ^
			t[3][data[4]] ^ t[2][data[5]] ^ t[1][data[6]] ^ t[0][data[7]]
	}
	for _, b := range data {
		sum = sum<<8 ^ t[0][byte(sum>>24)^b]
	}
	return sum
}

// pageCRC is the checksum of a page, taken with its checksum field as zero.
func pageCRC(page []byte) uint32 {
	sum := crc(0, page[:22])
	sum = crc(sum, []byte{0, 0, 0, 0})
	return crc(sum, page[26:])
}

// page is one Ogg page; its slices point into the clip.
type page struct {
	flags    byte
	granule  int64
	serial   uint32
	sequence uint32
	lacing   []byte
	body     []byte
}

// nextPage cuts one page off the front of data.
func nextPage(data []byte) (p page, rest []byte, err error) {
	if len(data) < pageHeaderLen {
		return page{}, nil, corrupt("the file ends inside a page header")
	}
	if string(data[:4]) != "OggS" {
		return page{}, nil, corrupt("a page does not begin with OggS")
	}
	if data[4] != 0 {
		return page{}, nil, corrupt("unknown Ogg version %d", data[4])
	}
	segments := int(data[26])
	if len(data) < pageHeaderLen+segments {
		return page{}, nil, corrupt("the file ends inside a page's lacing")
	}
	p = page{
		flags:    data[5],
		granule:  int64(binary.LittleEndian.Uint64(data[6:])),
		serial:   binary.LittleEndian.Uint32(data[14:]),
		sequence: binary.LittleEndian.Uint32(data[18:]),
		lacing:   data[pageHeaderLen : pageHeaderLen+segments],
	}
	size := pageHeaderLen + segments
	for _, n := range p.lacing {
		size += int(n)
	}
	if len(data) < size {
		return page{}, nil, corrupt("the file ends inside a page")
	}
	if pageCRC(data[:size]) != binary.LittleEndian.Uint32(data[22:]) {
		return page{}, nil, corrupt("the checksum of page %d is wrong", p.sequence)
	}
	p.body = data[pageHeaderLen+segments : size]
	return p, data[size:], nil
}

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}
