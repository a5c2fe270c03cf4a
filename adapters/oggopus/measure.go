package oggopus

import (
	"fmt"
	"math"
	"time"
)

const (
	// MaxBuckets is the finest waveform Measure draws.
	MaxBuckets = 4096
	// measureRate is enough for loudness: speech has little above 8 kHz.
	measureRate = 16_000
	// SilentLevel is the Loudness of a clip without a sound, in dB.
	SilentLevel = -96.0
	// gateLevel is the level in dB under which a stretch counts as a pause.
	gateLevel = -50.0
)

// Measurement is what a page shows of a voice note.
type Measurement struct {
	// Duration is what a player plays.
	Duration time.Duration
	// Bytes is the size of the file.
	Bytes int
	// Channels is 1, or 2 for a stereo file.
	Channels int
	// Peaks is the waveform: for each of equally long stretches the loudest sample,
	// 0 to 255 for full scale.
	Peaks []byte
}

// Measure measures a clip and draws a waveform of so many buckets, 0 to MaxBuckets.
// With none it decodes nothing and is fast; otherwise it takes some 3 ms for each
// second of sound. A clip that cannot be read errs with ErrCorrupt; one over
// MaxDecode, if it is to be decoded, with ErrTooLong.
func Measure(note []byte, buckets int) (Measurement, error) {
	m, err := measure(note, buckets)
	if err != nil {
		return Measurement{}, fmt.Errorf("measure voice note: %w", err)
	}
	return m, nil
}

func measure(note []byte, buckets int) (Measurement, error) {
	if buckets < 0 || buckets > MaxBuckets {
		return Measurement{}, fmt.Errorf("a waveform has 0 to %d buckets", MaxBuckets)
	}
	info, err := Inspect(note)
	if err != nil {
		return Measurement{}, err
	}
	m := Measurement{Duration: info.Duration, Bytes: len(note), Channels: info.Channels}
	if buckets == 0 {
		return m, nil
	}
	if toDuration(info.Samples) > MaxDecode {
		return Measurement{}, ErrTooLong
	}
	m.Peaks = make([]byte, buckets)
	total := max(1, int64(info.Duration)*measureRate/int64(time.Second))
	gain := info.gain()
	at := int64(0)
	for pcm, err := range PCM(note, measureRate) {
		if err != nil {
			return Measurement{}, err
		}
		for _, s := range pcm {
			b := &m.Peaks[min(at*int64(buckets)/total, int64(buckets)-1)]
			*b = max(*b, byte(min(255, math.Abs(float64(s))*gain*255/math.MaxInt16)))
			at++
		}
	}
	return m, nil
}

// Loudness is the level of a clip's sound in dB under full scale: the mean power of
// its stretches of 20 ms, pauses left out, with the head's output gain. It decodes
// the clip, which takes some 3 ms for each second of sound. Clips of one voice
// differ by a few dB; joining ones that differ by more is heard.
func Loudness(clip []byte) (float64, error) {
	info, err := Inspect(clip)
	if err == nil && toDuration(info.Samples) > MaxDecode {
		err = ErrTooLong
	}
	if err != nil {
		return 0, fmt.Errorf("measure loudness: %w", err)
	}
	const window = measureRate / 50
	var sum, power float64
	n, loud := 0, 0
	gain := info.gain()
	for pcm, err := range PCM(clip, measureRate) {
		if err != nil {
			return 0, fmt.Errorf("measure loudness: %w", err)
		}
		for _, s := range pcm {
			x := float64(s) * gain / (math.MaxInt16 + 1)
			power += x * x
			if n++; n == window {
				if decibel(power/window) > gateLevel {
					sum += power / window
					loud++
				}
				n, power = 0, 0
			}
		}
	}
	if loud == 0 {
		return SilentLevel, nil
	}
	return decibel(sum / float64(loud)), nil
}

// gain is the head's output gain as a factor of amplitude.
func (h Head) gain() float64 { return math.Pow(10, float64(h.Gain)/256/20) }

func decibel(power float64) float64 { return 10 * math.Log10(power) }
