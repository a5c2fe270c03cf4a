package pcm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"mime"
	"strconv"
	"time"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
)

// MaxLength is the longest clip that is decoded. Ten minutes at 48 kHz are 58 MB
// of samples, and at 24 kbit/s far more than a voice note is meant for.
const MaxLength = 10 * time.Minute

// ErrTooLong says that a clip is longer than MaxLength, ErrEmpty that it holds no
// samples. Every other error of Decode says that the clip is of a form that is not
// read, or broken.
var (
	ErrTooLong = fmt.Errorf("the clip is longer than %v", MaxLength)
	ErrEmpty   = errors.New("the clip holds no samples")
)

// Sound is mono sound at a rate that Opus takes: 8000, 12000, 16000, 24000 or
// 48000 Hz.
type Sound struct {
	Rate    int
	Samples []int16
}

// Duration is how long the sound plays.
func (s Sound) Duration() time.Duration {
	return time.Duration(len(s.Samples)) * time.Second / time.Duration(s.Rate)
}

// Form is the way in which a clip is coded, told by its MIME type.
type Form int

// The forms.
const (
	Unknown Form = iota
	WAV
	PCM
	MP3
	OggOpus
)

// FormOf tells a clip's form by its MIME type, under the names that vendors use.
func FormOf(clip domain.Audio) Form {
	switch clip.Type() {
	case domain.MIMEWAV, "audio/x-wav", "audio/wave", "audio/vnd.wave":
		return WAV
	case domain.MIMEPCM, "audio/pcm":
		return PCM
	case domain.MIMEMP3, "audio/mp3":
		return MP3
	case "audio/ogg", "audio/opus", "application/ogg":
		return OggOpus
	}
	return Unknown
}

// Decode brings a clip to mono samples. Two channels are averaged. A rate that Opus
// does not take becomes the next higher one, so that nothing audible is lost. It
// returns ctx's own error when ctx ends.
func Decode(ctx context.Context, clip domain.Audio) (Sound, error) {
	p, err := read(ctx, clip)
	if err != nil {
		return Sound{}, err
	}
	if p.Duration() > MaxLength {
		return Sound{}, ErrTooLong
	}
	sound := Sound{Rate: opusRate(p.Rate)}
	if sound.Samples, err = resample(ctx, p.Mono(), p.Rate, sound.Rate); err != nil {
		return Sound{}, err
	}
	if len(sound.Samples) == 0 {
		return Sound{}, ErrEmpty
	}
	return sound, nil
}

func read(ctx context.Context, clip domain.Audio) (wav.PCM, error) {
	switch FormOf(clip) {
	case WAV:
		return wav.Decode(clip.Bytes())
	case PCM:
		return readPCM(clip)
	case MP3:
		return readMP3(ctx, clip.Bytes())
	case OggOpus:
		return readOgg(ctx, clip.Bytes())
	}
	return wav.PCM{}, errors.New("the clip is neither WAV, PCM, MP3 nor Ogg/Opus")
}

// readPCM reads raw samples. Their rate must be told; their channels may be, as in
// "audio/l16; rate=24000; channels=2", and are one otherwise.
func readPCM(clip domain.Audio) (wav.PCM, error) {
	const maxRate = 192_000
	_, params, err := mime.ParseMediaType(clip.MIME())
	if err != nil {
		return wav.PCM{}, errors.New("the type of the raw samples cannot be read")
	}
	p := wav.PCM{Channels: 1}
	if p.Rate, err = strconv.Atoi(params["rate"]); err != nil || p.Rate < 1 || p.Rate > maxRate {
		return wav.PCM{}, errors.New("the type of the raw samples lacks a rate")
	}
	if c, told := params["channels"]; told {
		if p.Channels, err = strconv.Atoi(c); err != nil || p.Channels < 1 || p.Channels > 2 {
			return wav.PCM{}, errors.New("the raw samples have neither one nor two channels")
		}
	}
	b := clip.Bytes()
	if len(b)%(2*p.Channels) != 0 {
		return wav.PCM{}, errors.New("the raw samples end inside a sample")
	}
	p.Samples = make([]int16, len(b)/2)
	for i := range p.Samples {
		p.Samples[i] = int16(binary.LittleEndian.Uint16(b[2*i:])) // #nosec G115 -- a sample, of which all bits count
	}
	return p, nil
}

// readOgg decodes at the clock of Opus, whose decoder mixes two channels itself.
func readOgg(ctx context.Context, data []byte) (wav.PCM, error) {
	length, err := oggopus.Length(data)
	if err != nil {
		return wav.PCM{}, err
	}
	if length > MaxLength {
		return wav.PCM{}, ErrTooLong
	}
	p := wav.PCM{Rate: oggopus.ClockRate, Channels: 1}
	for samples, err := range oggopus.PCM(data, p.Rate) {
		if ctx.Err() != nil {
			return wav.PCM{}, ctx.Err()
		}
		if err != nil {
			return wav.PCM{}, err
		}
		p.Samples = append(p.Samples, samples...)
	}
	return p, nil
}

// opusRate is the lowest rate of Opus that holds everything the given one does.
func opusRate(rate int) int {
	for _, r := range []int{8000, 12_000, 16_000, 24_000} {
		if rate <= r {
			return r
		}
	}
	return 48_000
}

// resample works in pieces of about a second, so that ctx can end a long clip.
func resample(ctx context.Context, in []int16, from, to int) ([]int16, error) {
	if from == to {
		return in, ctx.Err()
	}
	r := wav.NewResampler(from, to)
	n := r.Len(len(in))
	if int64(n) > math.MaxInt32 {
		return nil, ErrTooLong
	}
	out := make([]int16, n)
	for at := 0; at < n; at += to {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r.Fill(out[at:min(at+to, n)], in, at)
	}
	return out, ctx.Err()
}
