package voicenote

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/domain"
)

// Meter tells how long the clips play that users send, without decoding them. The zero
// value is ready, and may be used concurrently.
//
// Ogg/Opus, AMR and WAV are measured. Of other containers, which are files that somebody
// sent on, the length is estimated by their size at a usual bit rate: one that was
// recorded at half of it plays twice as long.
type Meter struct{}

// bytesPerSecond are usual rates of recordings of speech, by MIME type.
var bytesPerSecond = map[string]int{"audio/mpeg": 16_000, "audio/mp3": 16_000}

const (
	// otherRate is that of AAC, alone or in MP4, as phones record it: 64 kbit/s.
	otherRate = 8_000
	// brokenRate is that of WhatsApp's own recordings, 16 kbit/s.
	brokenRate = 2_000
	// highestRate of sound without compression: two channels of 16 bit at 48 kHz.
	highestRate = 192_000
)

var errNoSound = errors.New("the clip holds no sound that can be read")

// Length implements app.ClipMeter. A clip that begins well and is damaged further on is
// measured, since engines understand what is left of it.
func (Meter) Length(clip domain.Audio) (time.Duration, error) {
	data := clip.Bytes()
	switch clip.Type() {
	case "audio/ogg", "audio/opus":
		return opusLength(data)
	case "audio/amr":
		return amrLength(data)
	case domain.MIMEWAV, "audio/x-wav":
		return wavLength(data)
	}
	rate, ok := bytesPerSecond[clip.Type()]
	if !ok {
		rate = otherRate
	}
	return atRate(len(data), rate), nil
}

func atRate(bytes, rate int) time.Duration {
	return time.Duration(bytes) * time.Second / time.Duration(rate)
}

// opusLength adds up what the packets hold.
func opusLength(data []byte) (time.Duration, error) {
	r, err := oggopus.NewReader(data)
	if err != nil {
		return 0, fmt.Errorf("measure the clip: %w", err)
	}
	samples := int64(0)
	for {
		p, err := r.Next()
		switch {
		case err == io.EOF && samples > 0:
			return opusTime(samples), nil
		case err != nil && samples == 0:
			return 0, fmt.Errorf("measure the clip: %w", errNoSound)
		case err != nil:
			return max(opusTime(samples), atRate(len(data), brokenRate)), nil
		}
		samples += int64(p.Samples)
	}
}

// opusTime: Opus counts 48,000 samples a second, whatever was recorded (RFC 7845).
func opusTime(samples int64) time.Duration { return time.Duration(samples) * time.Second / 48_000 }

const amrMagic = "#!AMR\n"

// amrFrames are the sizes of the frames of 20 ms by their mode, with the byte that names
// it (RFC 4867, section 5.3).
var amrFrames = [16]int{13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1}

func amrLength(data []byte) (time.Duration, error) {
	if len(data) <= len(amrMagic) || string(data[:len(amrMagic)]) != amrMagic {
		return 0, fmt.Errorf("measure the clip: %w", errNoSound)
	}
	frames := 0
	for at := len(amrMagic); at < len(data); frames++ {
		at += amrFrames[data[at]>>3&0xf]
	}
	return time.Duration(frames) * 20 * time.Millisecond, nil
}

// wavLength believes the head's rate, up to what speech can need.
func wavLength(data []byte) (time.Duration, error) {
	const rateAt = 28
	if len(data) < rateAt+4 || string(data[:4]) != "RIFF" {
		return 0, fmt.Errorf("measure the clip: %w", errNoSound)
	}
	rate := binary.LittleEndian.Uint32(data[rateAt:])
	if rate == 0 || string(data[12:16]) != "fmt " {
		rate = otherRate
	}
	return atRate(len(data), int(min(rate, highestRate))), nil
}
