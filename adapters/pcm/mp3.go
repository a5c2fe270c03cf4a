package pcm

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/hajimehoshi/go-mp3"

	"whatsappnode/adapters/wav"
)

// readMP3 decodes a file to mono.
func readMP3(ctx context.Context, data []byte) (wav.PCM, error) {
	s, err := walkMP3(data)
	if err != nil {
		return wav.PCM{}, err
	}
	if len(s.frames) == 0 {
		return wav.PCM{}, ErrEmpty
	}
	h := s.frames[0].head
	p := wav.PCM{Rate: h.rate(), Channels: 1}
	n := len(s.frames) * h.samples()
	if time.Duration(n)*time.Second/time.Duration(p.Rate) > MaxLength {
		return wav.PCM{}, ErrTooLong
	}
	stream, err := s.decodable()
	if err != nil {
		return wav.PCM{}, err
	}
	if p.Samples, err = decodeMP3(ctx, stream, n); err != nil {
		return wav.PCM{}, err
	}
	s.skip = min(s.skip, n)
	p.Samples = p.Samples[s.skip:max(s.skip, n-s.drop)]
	return p, nil
}

// decodeMP3 decodes a stream of n samples. go-mp3 breaks with a panic on some
// streams whose frames are sound and whose sound is not.
func decodeMP3(ctx context.Context, stream []byte, n int) (out []int16, err error) {
	defer func() {
		if recover() != nil {
			out, err = nil, fmt.Errorf("%w: the decoder broke on a frame", errBrokenMP3)
		}
	}()
	// Without its other methods the reader is not walked to its end first.
	dec, err := mp3.NewDecoder(struct{ io.Reader }{bytes.NewReader(stream)})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBrokenMP3, err)
	}
	out = make([]int16, 0, n)
	buf := make([]byte, 1152*4) // of two channels, which are alike in mono
	for len(out) < n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		got, err := io.ReadFull(dec, buf[:min(len(buf), 4*(n-len(out)))])
		for b := buf[:got]; len(b) >= 4; b = b[4:] {
			left, right := int16(binary.LittleEndian.Uint16(b)), int16(binary.LittleEndian.Uint16(b[2:])) // #nosec G115 -- a sample, or the mean of two
			out = append(out, int16((int(left)+int(right))/2))                                            // #nosec G115 -- a sample, or the mean of two
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errBrokenMP3, err)
		}
	}
	return out, nil
}
