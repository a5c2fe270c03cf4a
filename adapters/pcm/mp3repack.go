package pcm

import (
	"encoding/binary"
	"fmt"
)

// decodable writes the stream again so that go-mp3 decodes it right.
func (s mp3Stream) decodable() ([]byte, error) {
	for _, f := range s.frames {
		if f.head.size() != f.head.decoderSize() {
			return s.repack()
		}
	}
	var out []byte
	held := 0 // bytes of earlier main data that the decoder holds
	for _, f := range s.frames {
		out = append(out, f.raw...)
		if f.begins() > held {
			// The frames with its beginning were cut off. All zeros are silence.
			from := len(out) - len(f.main) - len(f.side)
			clear(out[from : from+len(f.side)])
			held = 0
		} else {
			held = f.begins()
		}
		held += len(f.main)
	}
	return out, nil
}

// repack puts the sound of MPEG-2 frames into frames of the highest bit rate
// without padding, whose size go-mp3 knows, and moves it back towards the earlier
// frames as far as the format allows.
func (s mp3Stream) repack() ([]byte, error) {
	const reach = 255 // how far back a frame's sound may begin
	heads := make([]mp3Header, len(s.frames))
	var in, out []byte // main data
	old, own, begins := 0, 0, make([]int, len(s.frames))
	sides := make([][]byte, len(s.frames))
	for i, f := range s.frames {
		in = append(in, f.main...)
		h := f.head&^(15<<12|1<<9) | topIndex<<12 | 1<<16 // no padding, no checksum
		heads[i], sides[i] = h, make([]byte, len(f.side))
		room := own + h.size() - 4 - h.side()
		from := old - f.begins()
		if from >= 0 { // otherwise it stays silent, as above
			to := from + f.needs()
			if to > len(in) {
				return nil, fmt.Errorf("%w: a frame needs more than there is", errBrokenMP3)
			}
			if late := own - reach - len(out); late > 0 {
				out = append(out, make([]byte, late)...)
			}
			copy(sides[i], f.side)
			begins[i] = own - len(out)
			out = append(out, in[from:to]...)
			if len(out) > room {
				return nil, fmt.Errorf("%w: the bit rate is too high for its sample rate", errBrokenMP3)
			}
		}
		old, own = len(in), room
	}
	out = append(out, make([]byte, own-len(out))...)
	var stream []byte
	for i, h := range heads {
		main := h.size() - 4 - h.side()
		sides[i][0] = byte(begins[i]) // #nosec G115 -- at most reach, 255
		stream = binary.BigEndian.AppendUint32(stream, uint32(h))
		stream = append(append(stream, sides[i]...), out[:main]...)
		out = out[main:]
	}
	return stream, nil
}
