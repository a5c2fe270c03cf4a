package simulator

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// opusInfo is what one Ogg/Opus stream says about itself (RFC 7845).
type opusInfo struct {
	channels int
	preSkip  int64 // samples at 48 kHz
	granule  int64 // end position, samples at 48 kHz, pre-skip included
	chained  bool  // more than one logical stream in the file: players show the first only
}

func (i opusInfo) durationMS() int64 { return max(i.granule-i.preSkip, 0) / 48 }

var (
	errNotOgg  = errors.New("not an Ogg file")
	errNotOpus = errors.New("the Ogg stream is not Opus")
)

// parseOgg walks the pages of an Ogg file, verifies their checksums and reads the Opus head and the last granule position
// of the first stream.
func parseOgg(data []byte) (opusInfo, error) {
	var info opusInfo
	var serial uint32
	pages := 0
	for len(data) > 0 {
		page, rest, err := oggPage(data)
		if err != nil {
			return info, err
		}
		data = rest
		id := binary.LittleEndian.Uint32(page[14:])
		begins := page[5]&2 != 0
		switch {
		case pages == 0:
			if !begins {
				return info, errNotOgg
			}
			serial = id
			if info, err = opusHead(page[27+int(page[26]):]); err != nil {
				return info, err
			}
		case begins:
			info.chained = true
		case id == serial:
			if g := int64(binary.LittleEndian.Uint64(page[6:])); g > 0 { // -1: no packet ends on this page
				info.granule = g
			}
		}
		pages++
	}
	if pages < 3 { // head, tags, sound
		return info, fmt.Errorf("%w: it holds no sound", errNotOgg)
	}
	return info, nil
}

// oggPage cuts one page off and checks it.
func oggPage(data []byte) (page, rest []byte, err error) {
	if len(data) < 27 || !bytes.HasPrefix(data, []byte("OggS\x00")) || len(data) < 27+int(data[26]) {
		return nil, nil, errNotOgg
	}
	size := 27 + int(data[26])
	for _, lace := range data[27:size] {
		size += int(lace)
	}
	if len(data) < size {
		return nil, nil, fmt.Errorf("%w: the last page is cut off", errNotOgg)
	}
	page = data[:size]
	var zero [4]byte
	crc := oggCRC(0, page[:22])
	crc = oggCRC(crc, zero[:])
	crc = oggCRC(crc, page[26:])
	if crc != binary.LittleEndian.Uint32(page[22:]) {
		return nil, nil, fmt.Errorf("%w: wrong page checksum", errNotOgg)
	}
	return page, data[size:], nil
}

func opusHead(packet []byte) (opusInfo, error) {
	if len(packet) < 19 || !bytes.HasPrefix(packet, []byte("OpusHead")) {
		return opusInfo{}, errNotOpus
	}
	return opusInfo{channels: int(packet[9]), preSkip: int64(binary.LittleEndian.Uint16(packet[10:]))}, nil
}

var oggTable = func() (t [256]uint32) {
	for i := range t {
		r := uint32(i) << 24
		for range 8 {
			if r&0x80000000 != 0 {
				r = r<<1 ^ 0x04c11db7
			} else {
				r <<= 1
			}
		}
		t[i] = r
	}
	return t
}()

func oggCRC(crc uint32, data []byte) uint32 {
	for _, b := range data {
		crc = crc<<8 ^ oggTable[byte(crc>>24)^b]
	}
	return crc
}
