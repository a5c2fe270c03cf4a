package pcm

import (
	"context"
	"errors"
	"runtime"
	"time"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

const (
	// BitRate is what encoders spend, in bits per second. At 24 kbit/s speech sounds
	// as it was, and the 512 KB up to which a voice note has a play button last for
	// 170 s.
	BitRate = 24_000
	// MinBitRate is where speech begins to sound like a telephone; MaxBitRate is where
	// nothing is gained any more.
	MinBitRate, MaxBitRate = 12_000, 64_000
	// timeout ends a call whose context has no deadline. The slowest codec here takes
	// eight seconds for MaxLength; the rest is for waiting.
	timeout = 2 * time.Minute
	// tolerance is by how much an encoded clip may be longer or shorter than the
	// sound.
	tolerance = 50 * time.Millisecond
)

// Codec turns sound into an Ogg/Opus file. It must end soon after ctx; its errors
// are *ports.Error.
type Codec func(ctx context.Context, sound Sound) ([]byte, error)

// Encoder implements ports.EncoderPort but for the codec: it reads clips, passes on
// what is a voice note already, bounds how many clips are worked on at once, and
// checks what the codec made.
type Encoder struct {
	op    string
	codec Codec
	slots chan struct{}
}

// NewEncoder makes an encoder whose errors bear op. At most parallel clips are
// worked on at once, as many as there are CPUs when it is zero; further calls wait.
func NewEncoder(op string, parallel int, codec Codec) *Encoder {
	if parallel <= 0 {
		parallel = runtime.NumCPU()
	}
	return &Encoder{op: op, codec: codec, slots: make(chan struct{}, parallel)}
}

// Encode implements ports.EncoderPort.
func (e *Encoder) Encode(ctx context.Context, clip domain.Audio) (domain.Audio, error) {
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	if clip.Empty() {
		return e.fail(ctx, ports.KindInvalid, errors.New("there is no clip"))
	}
	if FormOf(clip) == OggOpus {
		switch info, err := oggopus.Examine(clip.Bytes()); {
		case err == nil:
			return e.pass(ctx, clip, info.Duration)
		case errors.Is(err, oggopus.ErrSilentFile):
			return e.fail(ctx, ports.KindInvalid, ErrEmpty)
		case !errors.Is(err, oggopus.ErrNotMono) && !errors.Is(err, oggopus.ErrChained):
			return e.fail(ctx, ports.KindUnsupported, err)
		}
	}
	if ctx.Err() != nil {
		return domain.Audio{}, ports.FromContext(ctx, e.op)
	}
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return domain.Audio{}, ports.FromContext(ctx, e.op)
	}
	sound, err := Decode(ctx, clip)
	switch {
	case errors.Is(err, ErrEmpty):
		return e.fail(ctx, ports.KindInvalid, err)
	case err != nil:
		return e.fail(ctx, ports.KindUnsupported, err)
	}
	data, err := e.codec(ctx, sound)
	if err != nil {
		return domain.Audio{}, err
	}
	return e.finish(ctx, data, sound.Duration())
}

// pass returns a voice note's own bytes under its own name and true length.
func (e *Encoder) pass(ctx context.Context, clip domain.Audio, length time.Duration) (domain.Audio, error) {
	if length > MaxLength {
		return e.fail(ctx, ports.KindUnsupported, ErrTooLong)
	}
	return e.audio(ctx, clip.Bytes(), length)
}

// finish checks what the codec made: a program that dies early may leave a sound
// file that is too short.
func (e *Encoder) finish(ctx context.Context, data []byte, want time.Duration) (domain.Audio, error) {
	info, err := oggopus.Examine(data)
	if err == nil && (info.Duration-want).Abs() > tolerance {
		err = errors.New("the encoded clip is not as long as the sound")
	}
	if err != nil {
		return e.fail(ctx, ports.KindUnknown, err)
	}
	return e.audio(ctx, data, info.Duration)
}

func (e *Encoder) audio(ctx context.Context, data []byte, length time.Duration) (domain.Audio, error) {
	clip, err := domain.NewAudio(domain.MIMEOggOpus, data, length)
	if err != nil {
		return e.fail(ctx, ports.KindUnknown, err)
	}
	if ctx.Err() != nil {
		return domain.Audio{}, ports.FromContext(ctx, e.op)
	}
	return clip, nil
}

// fail makes an error of a kind, unless ctx ended: then that is the reason.
func (e *Encoder) fail(ctx context.Context, kind ports.Kind, err error) (domain.Audio, error) {
	if ended := ports.FromContext(ctx, e.op); ended != nil {
		return domain.Audio{}, ended
	}
	return domain.Audio{}, &ports.Error{Op: e.op, Kind: kind, Err: err}
}
