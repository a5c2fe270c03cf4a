//go:build libopus

package libopus

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/hraban/opus"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/pcm"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.EncoderPort = (*Encoder)(nil)

const (
	op = "libopus.encode"
	// frames is how many frames a second has: 20 ms each, as WhatsApp records.
	frames = 50
	// maxPacket is the longest packet of one frame (RFC 6716, section 3.4).
	maxPacket = 1276
	// complexity is the highest. At the lowest bit rates it is heard, and a minute of
	// speech still takes well under a second.
	complexity = 10
)

// Encoder encodes with libopus. The same clip always yields the same bytes.
type Encoder struct {
	inner *pcm.Encoder
	kinds map[int]*kind // by rate
}

// kind is what encoders of one rate have in common.
type kind struct {
	rate  int
	bits  int       // per second
	ahead int       // samples that come out late
	idle  sync.Pool // of *opus.Encoder, which may be used by one goroutine at a time
}

// New makes an encoder for each rate that Opus takes, to see that they work.
func New(cfg Config) (*Encoder, error) {
	if cfg.BitRate == 0 {
		cfg.BitRate = pcm.BitRate
	}
	if cfg.BitRate < pcm.MinBitRate || cfg.BitRate > pcm.MaxBitRate {
		return nil, fmt.Errorf("libopus: a bit rate of %d is outside %d to %d", cfg.BitRate, pcm.MinBitRate, pcm.MaxBitRate)
	}
	e := &Encoder{kinds: map[int]*kind{}}
	for _, rate := range []int{8000, 12_000, 16_000, 24_000, 48_000} {
		k := &kind{rate: rate, bits: cfg.BitRate}
		var err error
		if k.ahead, err = lookahead(rate); err != nil {
			return nil, err
		}
		enc, err := k.make()
		if err != nil {
			return nil, err
		}
		k.idle.Put(enc)
		e.kinds[rate] = k
	}
	e.inner = pcm.NewEncoder(op, cfg.Parallel, e.encode)
	return e, nil
}

// Encode implements ports.EncoderPort. A call without a deadline ends after two
// minutes.
func (e *Encoder) Encode(ctx context.Context, clip domain.Audio) (domain.Audio, error) {
	return e.inner.Encode(ctx, clip)
}

// make makes an encoder for speech at a variable bit rate that keeps to its mean,
// the library's default.
func (k *kind) make() (*opus.Encoder, error) {
	enc, err := opus.NewEncoder(k.rate, 1, opus.AppVoIP)
	if err == nil {
		err = enc.SetBitrate(k.bits)
	}
	if err == nil {
		err = enc.SetComplexity(complexity)
	}
	if err != nil {
		return nil, fmt.Errorf("libopus: an encoder for %d Hz: %w", k.rate, err)
	}
	return enc, nil
}

// take gives an encoder in its first state.
func (k *kind) take() (*opus.Encoder, error) {
	enc, ok := k.idle.Get().(*opus.Encoder)
	if !ok {
		return k.make()
	}
	if err := enc.Reset(); err != nil {
		return nil, fmt.Errorf("libopus: reset: %w", err)
	}
	return enc, nil
}

func (e *Encoder) encode(ctx context.Context, sound pcm.Sound) ([]byte, error) {
	data, err := e.kinds[sound.Rate].encode(ctx, sound.Samples)
	if ended := ports.FromContext(ctx, op); ended != nil {
		return nil, ended
	}
	if err != nil {
		return nil, &ports.Error{Op: op, Kind: ports.KindUnknown, Err: err}
	}
	return data, nil
}

// encode feeds the samples and then silence, until everything is out that the
// encoder holds back. A player throws away what is late at the beginning (the
// pre-skip) and what is silence at the end (the end trim).
func (k *kind) encode(ctx context.Context, samples []int16) ([]byte, error) {
	enc, err := k.take()
	if err != nil {
		return nil, err
	}
	defer k.idle.Put(enc)
	clock := oggopus.ClockRate / k.rate
	var buf bytes.Buffer
	w, err := oggopus.NewWriter(&buf, oggopus.Options{Serial: 1, PreSkip: k.ahead * clock, InputRate: k.rate})
	if err != nil {
		return nil, err
	}
	frame, packet := make([]int16, k.rate/frames), make([]byte, maxPacket)
	end := len(samples) + k.ahead
	for at := 0; at < end; at += len(frame) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		clear(frame)
		copy(frame, samples[min(at, len(samples)):])
		n, err := enc.Encode(frame, packet)
		if err != nil {
			return nil, fmt.Errorf("libopus: %w", err)
		}
		if err := w.WritePacket(packet[:n]); err != nil {
			return nil, err
		}
	}
	if err := w.Close(int(w.Samples()) - end*clock); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
