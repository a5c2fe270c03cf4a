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

// page is one Ogg page; its slices point into the clip.
type page struct {
	flags    byte
	granule  int64
	serial   uint32
	sequence uint32
	lacing   []byte
	body     []byte
	ends     int // the lacing values up to the end of the last packet that ends here
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
		granule:  int64(binary.LittleEndian.Uint64(data[6:])), // #nosec G115 -- -1 stands for no position (RFC 3533)
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
	for p.ends = segments; p.ends > 0 && p.lacing[p.ends-1] == 255; {
		p.ends--
	}
	return p, data[size:], nil
}

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}
