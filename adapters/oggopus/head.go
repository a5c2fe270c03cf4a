package oggopus

import (
	"encoding/binary"
	"strings"
)

// Head is the identification header of a stream (RFC 7845, section 5.1).
type Head struct {
	Channels int
	// PreSkip is how many samples a player throws away first.
	PreSkip int
	// InputRate is the rate of the original recording in Hz, or 0. It is a remark:
	// decoding does not depend on it.
	InputRate int
	// Gain is applied on playing, in dB as a Q7.8 number.
	Gain int16
}

// Tags is the comment header of a stream (RFC 7845, section 5.2).
type Tags struct {
	Vendor string
	// Comments are "NAME=value" pairs in UTF-8.
	Comments []string
}

// Get returns the value of the first comment of that name, in any letter case.
func (t Tags) Get(name string) (string, bool) {
	for _, c := range t.Comments {
		if k, v, ok := strings.Cut(c, "="); ok && strings.EqualFold(k, name) {
			return v, true
		}
	}
	return "", false
}

func parseHead(b []byte) (Head, error) {
	if len(b) < 19 || string(b[:8]) != "OpusHead" {
		return Head{}, corrupt("the stream is not Opus")
	}
	if b[8]>>4 != 0 {
		return Head{}, corrupt("unknown OpusHead version %d", b[8])
	}
	h := Head{
		Channels:  int(b[9]),
		PreSkip:   int(binary.LittleEndian.Uint16(b[10:])),
		InputRate: int(binary.LittleEndian.Uint32(b[12:])),
		Gain:      int16(binary.LittleEndian.Uint16(b[16:])), // #nosec G115 -- checked when the head was read, or bounded by the format
	}
	// Mapping family 0 is one Opus stream of one or two channels. The others hold
	// surround sound or several streams in one packet.
	if b[18] != 0 {
		return Head{}, corrupt("channel mapping family %d is not supported", b[18])
	}
	if h.Channels < 1 || h.Channels > 2 {
		return Head{}, corrupt("%d channels without a mapping", h.Channels)
	}
	return h, nil
}

func (h Head) append(b []byte) []byte {
	b = append(b, "OpusHead\x01"...)
	b = append(b, byte(h.Channels))                              // #nosec G115 -- checked when the head was read, or bounded by the format
	b = binary.LittleEndian.AppendUint16(b, uint16(h.PreSkip))   // #nosec G115 -- checked when the head was read, or bounded by the format
	b = binary.LittleEndian.AppendUint32(b, uint32(h.InputRate)) // #nosec G115 -- checked when the head was read, or bounded by the format
	b = binary.LittleEndian.AppendUint16(b, uint16(h.Gain))      // #nosec G115 -- checked when the head was read, or bounded by the format
	return append(b, 0)
}

func parseTags(b []byte) (Tags, error) {
	if len(b) < 8 || string(b[:8]) != "OpusTags" {
		return Tags{}, corrupt("the second packet is not OpusTags")
	}
	vendor, b, ok := cutString(b[8:])
	if !ok || len(b) < 4 {
		return Tags{}, corrupt("OpusTags is cut short")
	}
	n := binary.LittleEndian.Uint32(b)
	b = b[4:]
	t := Tags{Vendor: vendor}
	for range n {
		var c string
		if c, b, ok = cutString(b); !ok {
			return Tags{}, corrupt("OpusTags is cut short")
		}
		t.Comments = append(t.Comments, c)
	}
	return t, nil // whatever follows the comments is padding
}

func cutString(b []byte) (s string, rest []byte, ok bool) {
	if len(b) < 4 {
		return "", nil, false
	}
	n := binary.LittleEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-4) { // #nosec G115 -- checked when the head was read, or bounded by the format
		return "", nil, false
	}
	return string(b[4 : 4+n]), b[4+n:], true
}

func (t Tags) append(b []byte) []byte {
	b = append(b, "OpusTags"...)
	b = appendString(b, t.Vendor)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(t.Comments))) // #nosec G115 -- checked when the head was read, or bounded by the format
	for _, c := range t.Comments {
		b = appendString(b, c)
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...) // #nosec G115 -- checked when the head was read, or bounded by the format
}
