package pcm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

var (
	errNoMP3     = errors.New("there are no frames of MPEG-1 or MPEG-2 layer III")
	errBrokenMP3 = errors.New("the MP3 stream is broken")
)

// maxJunk is how many bytes of anything may stand before the first frame.
const maxJunk = 8 << 10

// mp3Frame is one frame; its slices point into the clip.
type mp3Frame struct {
	head mp3Header
	raw  []byte // the whole frame
	side []byte
	main []byte // sound of this frame and of those behind it
}

// begins is how many bytes before this frame's own main data its sound begins: it
// may use what earlier frames left free, the bit reservoir.
func (f mp3Frame) begins() int {
	if f.head.low() == 1 {
		return int(f.side[0])
	}
	return int(f.side[0])<<1 | int(f.side[1]>>7)
}

// needs is how many bytes of main data hold this frame's sound.
func (f mp3Frame) needs() int {
	at, step, granules, channels := 18, 59, 2, 2-f.head.channelsIndex()
	switch {
	case f.head.low() == 1 && channels == 1:
		at, step, granules = 9, 63, 1
	case f.head.low() == 1:
		at, step, granules = 10, 63, 1
	case channels == 2:
		at = 20
	}
	total := 0
	for i := range granules * channels {
		for bit := at + i*step; bit < at+i*step+12; bit++ {
			total += int(f.side[bit/8]>>(7-bit%8)&1) << (11 - (bit - at - i*step))
		}
	}
	return (total + 7) / 8
}

// mp3Stream is what walkMP3 finds.
type mp3Stream struct {
	frames []mp3Frame
	skip   int // samples at the beginning that the encoder put there
	drop   int // and at the end
}

// walkMP3 finds the frames of a file and takes out everything between them: tags,
// and the frame of remarks at the beginning that other decoders play as silence. A
// file that ends inside a frame, or whose remarks promise more frames, is broken.
func walkMP3(data []byte) (mp3Stream, error) {
	var (
		s        mp3Stream
		promised int
	)
	rest, err := skipJunk(data)
	if err != nil {
		return mp3Stream{}, err
	}
	for len(rest) > 0 {
		h, ok := parseMP3Header(rest)
		if !ok {
			if len(bytes.Trim(rest, "\x00")) == 0 && len(s.frames) > 0 {
				break // padding
			}
			return mp3Stream{}, fmt.Errorf("%w: something else stands between the frames", errBrokenMP3)
		}
		f, err := cutMP3Frame(h, rest)
		switch {
		case err != nil:
			return mp3Stream{}, err
		case len(s.frames) > 0 && !h.goesWith(s.frames[0].head):
			return mp3Stream{}, fmt.Errorf("%w: the sample rate changes", errBrokenMP3)
		}
		if r, is := readRemarks(f); is {
			// Files put one behind the other have several. Only the outer ends are cut.
			if len(s.frames) == 0 {
				s.skip = r.skip
			}
			promised, s.drop = promised+r.frames, r.drop
		} else {
			s.frames = append(s.frames, f)
		}
		if rest, err = skipTags(rest[len(f.raw):]); err != nil {
			return mp3Stream{}, err
		}
	}
	if len(s.frames) < promised {
		return mp3Stream{}, fmt.Errorf("%w: frames are missing at the end", errBrokenMP3)
	}
	return s, nil
}

func cutMP3Frame(h mp3Header, data []byte) (mp3Frame, error) {
	size, side := h.size(), 4+h.checksum()
	main := side + h.side()
	if size > len(data) || main > size {
		return mp3Frame{}, fmt.Errorf("%w: the file ends inside a frame", errBrokenMP3)
	}
	return mp3Frame{head: h, raw: data[:size], side: data[side:main], main: data[main:size]}, nil
}

// skipJunk goes to the first frame: a head that is followed by another, by a tag or
// by the end, because the bit pattern of a head alone turns up everywhere.
func skipJunk(data []byte) ([]byte, error) {
	rest, err := skipTags(data)
	if err != nil {
		return nil, err
	}
	for at := range min(len(rest), maxJunk) {
		h, ok := parseMP3Header(rest[at:])
		if !ok || at+h.size() > len(rest) {
			continue
		}
		behind, err := skipTags(rest[at+h.size():])
		if err != nil {
			continue
		}
		next, ok := parseMP3Header(behind)
		if len(behind) == 0 || ok && next.goesWith(h) {
			return rest[at:], nil
		}
	}
	return nil, errNoMP3
}

// skipTags takes ID3 (both versions) and APE tags off the front.
func skipTags(data []byte) ([]byte, error) {
	for {
		size := 0
		switch {
		case bytes.HasPrefix(data, []byte("ID3")) && len(data) >= 10:
			for _, b := range data[6:10] {
				size = size<<7 | int(b&0x7f)
			}
			size += 10
			if data[5]&0x10 != 0 {
				size += 10 // the footer repeats the header
			}
		case bytes.HasPrefix(data, []byte("TAG")):
			size = 128
		case bytes.HasPrefix(data, []byte("APETAGEX")) && len(data) >= 32:
			size = 32 + int(binary.LittleEndian.Uint32(data[12:]))
		default:
			return data, nil
		}
		if size > len(data) {
			return nil, fmt.Errorf("%w: the file ends inside a tag", errBrokenMP3)
		}
		data = data[size:]
	}
}

// remarks are what an encoder says about the whole file in a frame without sound.
type remarks struct {
	frames     int
	skip, drop int
}

// decoderDelay is by how many samples every decoder of layer III is late.
const decoderDelay = 529

// readRemarks recognises the frame of remarks that LAME and others write, "Xing" or
// "Info", with how many samples were added at both ends, and Fraunhofer's "VBRI".
func readRemarks(f mp3Frame) (r remarks, is bool) {
	if len(f.raw) >= 40 && string(f.raw[36:40]) == "VBRI" {
		return remarks{}, true
	}
	b := f.main
	if len(b) < 8 || string(b[:4]) != "Xing" && string(b[:4]) != "Info" {
		return remarks{}, false
	}
	flags := b[7]
	b = b[8:]
	for bit, size := range [...]int{4, 4, 100, 4} {
		if flags>>bit&1 == 0 {
			continue
		}
		if len(b) < size {
			return remarks{}, true
		}
		if bit == 0 {
			r.frames = int(binary.BigEndian.Uint32(b))
		}
		b = b[size:]
	}
	if len(b) < 24 || string(b[:4]) != "LAME" && string(b[:4]) != "Lavc" && string(b[:4]) != "Lavf" {
		return r, true
	}
	delay := int(b[21])<<4 | int(b[22]>>4)
	padding := int(b[22]&15)<<8 | int(b[23])
	if delay > 0 {
		r.skip, r.drop = delay+decoderDelay, max(0, padding-decoderDelay)
	}
	return r, true
}
