// Package wav reads and writes 16-bit PCM in RIFF/WAVE files, and brings samples
// to another rate. Files are walked chunk by chunk: encoders put remarks before
// the samples, which a reader that skips 44 bytes would play as a click.
package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// ErrFormat is in the chain of every error about a file's content.
var ErrFormat = errors.New("not a 16-bit PCM WAV file")

// maxRate bounds the sample rate to what audio hardware uses.
const maxRate = 192_000

// PCM is sound as samples; those of several channels are interleaved.
type PCM struct {
	Rate     int // Hz
	Channels int
	Samples  []int16
}

// Duration is how long the sound plays.
func (p PCM) Duration() time.Duration {
	if p.Rate == 0 || p.Channels == 0 {
		return 0
	}
	return time.Duration(len(p.Samples)/p.Channels) * time.Second / time.Duration(p.Rate)
}

// Mono averages the channels into one.
func (p PCM) Mono() []int16 {
	if p.Channels <= 1 {
		return p.Samples
	}
	out := make([]int16, len(p.Samples)/p.Channels)
	for i := range out {
		sum := 0
		for _, s := range p.Samples[i*p.Channels : (i+1)*p.Channels] {
			sum += int(s)
		}
		out[i] = int16(sum / p.Channels) // #nosec G115 -- a sample, a rate or a size that the format holds
	}
	return out
}

// Decode reads a file of one or two channels. A data chunk of unknown length, as
// written by a program that streams (a length of 0 in the last chunk, or one near
// 2 or 4 GiB), reaches to the end of the file; any other chunk that does not fit
// is an error.
func Decode(data []byte) (PCM, error) {
	if len(data) < 12 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WAVE" {
		return PCM{}, fmt.Errorf("%w: no RIFF/WAVE header", ErrFormat)
	}
	var p PCM
	for rest := data[12:]; ; {
		if len(rest) < 8 {
			return PCM{}, fmt.Errorf("%w: no data chunk", ErrFormat)
		}
		id, size := string(rest[:4]), uint64(binary.LittleEndian.Uint32(rest[4:]))
		body := rest[8:]
		if id == "data" {
			if p.Rate == 0 {
				return PCM{}, fmt.Errorf("%w: samples before their format", ErrFormat)
			}
			return p.fill(body, size)
		}
		if size > uint64(len(body)) {
			return PCM{}, fmt.Errorf("%w: a chunk is cut short", ErrFormat)
		}
		if id == "fmt " {
			if err := p.format(body[:size]); err != nil {
				return PCM{}, err
			}
		}
		rest = body[min(size+size%2, uint64(len(body))):] // chunks are padded to even lengths
	}
}

// format reads the fmt chunk: plain PCM, or the extensible form with PCM inside.
func (p *PCM) format(b []byte) error {
	const plain, extensible = 1, 0xfffe
	if len(b) < 16 {
		return fmt.Errorf("%w: the format chunk is cut short", ErrFormat)
	}
	tag := binary.LittleEndian.Uint16(b)
	if tag == extensible && len(b) >= 26 {
		tag = binary.LittleEndian.Uint16(b[24:])
	}
	channels := int(binary.LittleEndian.Uint16(b[2:]))
	rate := binary.LittleEndian.Uint32(b[4:])
	bits := binary.LittleEndian.Uint16(b[14:])
	switch {
	case tag != plain || bits != 16:
		return fmt.Errorf("%w: format %d with %d bits", ErrFormat, tag, bits)
	case channels < 1 || channels > 2:
		return fmt.Errorf("%w: %d channels", ErrFormat, channels)
	case rate == 0 || rate > maxRate:
		return fmt.Errorf("%w: %d Hz", ErrFormat, rate)
	}
	p.Rate, p.Channels = int(rate), channels
	return nil
}

func (p PCM) fill(b []byte, size uint64) (PCM, error) {
	const streamed = 0x7ff0_0000 // nobody means a clip of 2 GiB
	switch {
	case size == 0 && len(b) > 0, size >= streamed && size > uint64(len(b)):
	case size > uint64(len(b)):
		return PCM{}, fmt.Errorf("%w: the samples are cut short", ErrFormat)
	default:
		b = b[:size]
	}
	frame := 2 * p.Channels
	b = b[:len(b)/frame*frame]
	p.Samples = make([]int16, len(b)/2)
	for i := range p.Samples {
		p.Samples[i] = int16(binary.LittleEndian.Uint16(b[2*i:])) // #nosec G115 -- a sample, a rate or a size that the format holds
	}
	return p, nil
}

// Encode writes mono samples as a file with the plain 44-byte header. Samples must
// be fewer than 2^30 and the rate at most 192 kHz; the caller made them.
func Encode(samples []int16, rate int) []byte {
	size := uint32(2 * len(samples)) // #nosec G115 -- a sample, a rate or a size that the format holds
	b := make([]byte, 0, 44+2*len(samples))
	b = append(b, "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, 36+size)
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, 1)              // PCM
	b = binary.LittleEndian.AppendUint16(b, 1)              // mono
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))   // #nosec G115 -- a sample, a rate or a size that the format holds
	b = binary.LittleEndian.AppendUint32(b, uint32(2*rate)) // #nosec G115 -- a sample, a rate or a size that the format holds
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, size)
	return Bytes(b, samples)
}

// Bytes appends samples to b as signed 16-bit little-endian.
func Bytes(b []byte, samples []int16) []byte {
	for _, s := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(s)) // #nosec G115 -- a sample, a rate or a size that the format holds
	}
	return b
}
