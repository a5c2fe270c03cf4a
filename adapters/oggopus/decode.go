package oggopus

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/pion/opus"
)

// MaxDecode is the longest clip DecodePCM decodes. A quarter of an hour at 16 kHz
// is 29 MB of samples.
const MaxDecode = 15 * time.Minute

// ErrTooLong says that a clip is longer than MaxDecode.
var ErrTooLong = fmt.Errorf("the clip is longer than %v", MaxDecode)

// DecodePCM decodes a clip into mono samples at the given rate: 8000, 12000,
// 16000, 24000 or 48000 Hz. Pre-skip and end trim are taken off. A clip the
// decoder cannot read errs with ErrCorrupt, one over MaxDecode with ErrTooLong.
func DecodePCM(data []byte, rate int) ([]int16, error) {
	length, err := Length(data)
	if err == nil && length > MaxDecode {
		err = ErrTooLong
	}
	if err != nil {
		return nil, fmt.Errorf("decode opus: %w", err)
	}
	out := make([]int16, 0, int64(length)*int64(rate)/int64(time.Second))
	for pcm, err := range PCM(data, rate) {
		if err != nil {
			return nil, err
		}
		out = append(out, pcm...)
	}
	return out, nil
}

// Length is how long a clip's packets play. Unlike Inspect it does not look at the
// granule positions, which some recorders get wrong, so it is good for clips that
// others made. It decodes nothing; its errors have ErrCorrupt in their chain.
func Length(data []byte) (time.Duration, error) {
	samples := int64(0)
	for p, err := range Packets(data) {
		if err != nil {
			return 0, err
		}
		samples += int64(p.Samples)
	}
	return toDuration(samples), nil
}

// PCM decodes a clip packet by packet, so that the caller can stop. A yielded
// slice is valid until the next one; the first error is the last element. It has
// no length limit of its own.
func PCM(data []byte, rate int) iter.Seq2[[]int16, error] {
	return func(yield func([]int16, error) bool) {
		err := decode(data, rate, func(pcm []int16) bool { return yield(pcm, nil) })
		if err != nil {
			yield(nil, fmt.Errorf("decode opus: %w", err))
		}
	}
}

func decode(data []byte, rate int, emit func([]int16) bool) error {
	r, err := NewReader(data)
	if err != nil {
		return err
	}
	var (
		dec   opus.Decoder
		cut   trimmer
		buf   = make([]int16, maxPacketSamples)
		known = -1 // the stream dec was made for
	)
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if p.Stream != known {
			known = p.Stream
			if dec, err = opus.NewDecoderWithOutput(rate, 1); err != nil {
				return fmt.Errorf("%d Hz: %w", rate, err)
			}
			cut = trimmer{rate: int64(rate), skip: int64(r.Head().PreSkip) * int64(rate) / ClockRate}
		}
		n, err := decodePacket(&dec, p.Data, buf)
		if err != nil {
			return err
		}
		end := int64(noGranule)
		if r.ended {
			end = r.page.granule
		}
		if pcm := cut.trim(buf[:n], p.Samples, end); len(pcm) > 0 && !emit(pcm) {
			return nil
		}
	}
}

// decodePacket calls the decoder, which panics on some malformed packets.
func decodePacket(dec *opus.Decoder, packet []byte, out []int16) (n int, err error) {
	defer func() {
		if recover() != nil {
			n, err = 0, corrupt("the decoder broke on a packet")
		}
	}()
	n, err = dec.DecodeToInt16(packet, out)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if n < 0 || n > len(out) {
		return 0, corrupt("the decoder returned an impossible length")
	}
	return n, nil
}

// trimmer takes pre-skip off the beginning of a stream and end trim off its end.
type trimmer struct {
	rate  int64
	skip  int64 // samples at rate that are still to be thrown away
	total int64 // at 48 kHz, up to the end of the last packet
}

// trim returns what is played of one decoded packet. On the stream's last page end
// is where playing stops; elsewhere it is noGranule.
func (t *trimmer) trim(pcm []int16, samples int, end int64) []int16 {
	t.total += int64(samples)
	if end != noGranule && end < t.total {
		late := (t.total - end) * t.rate / ClockRate
		pcm = pcm[:len(pcm)-int(min(late, int64(len(pcm))))]
	}
	n := min(t.skip, int64(len(pcm)))
	t.skip -= n
	return pcm[n:]
}
