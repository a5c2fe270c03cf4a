package porttest

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"
	"time"

	"whatsappnode/domain"
)

const (
	// noteRate is the rate at which voice notes are decoded, in Hz.
	noteRate = 48_000
	// wavHeader is the length of the header that wavFile writes.
	wavHeader = 44
	// toneLevel is the peak of the suite's tones.
	toneLevel = 9000
)

func newClip(t *testing.T, mime string, data []byte) domain.Audio {
	t.Helper()
	clip, err := domain.NewAudio(mime, data, 0)
	if err != nil {
		t.Fatal(err)
	}
	return clip
}

// wavFile writes samples, those of several channels interleaved, with the plain
// header.
func wavFile(samples []int16, rate, channels int) []byte {
	size := 2 * len(samples)
	b := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(wavHeader-8+size))
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00"...)
	b = binary.LittleEndian.AppendUint16(b, uint16(channels))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(2*channels*rate))
	b = binary.LittleEndian.AppendUint16(b, uint16(2*channels))
	b = append(b, "\x10\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	for _, s := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}

// toneWAV makes a WAV clip with the same tone in every channel.
func toneWAV(t *testing.T, hz float64, rate, channels int, length time.Duration) Tone {
	t.Helper()
	n := int(math.Round(length.Seconds() * float64(rate)))
	samples := make([]int16, 0, n*channels)
	for i := range n {
		for range channels {
			samples = append(samples, int16(toneLevel*math.Sin(2*math.Pi*hz*float64(i)/float64(rate))))
		}
	}
	return Tone{Clip: newClip(t, domain.MIMEWAV, wavFile(samples, rate, channels)), Length: length, Hz: hz, Level: toneLevel}
}

// babble resembles speech: a gliding tone with overtones, in syllables with hisses
// between.
func babble(rate, seconds int) []int16 {
	out := make([]int16, rate*seconds)
	phase, noise := 0.0, uint32(1)
	for i := range out {
		at := float64(i) / float64(rate)
		phase += 2 * math.Pi * (140 + 40*math.Sin(2*math.Pi*0.7*at)) / float64(rate)
		sum := 0.0
		for k := 1.0; k <= 12; k++ {
			sum += math.Sin(k*phase) / k
		}
		noise = noise*1664525 + 1013904223
		hiss := float64(noise>>8)/(1<<23) - 1
		syllable := math.Pow(math.Sin(2*math.Pi*2.2*at), 2)
		out[i] = int16(7000*sum*syllable + 1500*hiss*(1-syllable))
	}
	return out
}

// toneFault says how samples differ from a tone of a given peak. It looks at their
// middle: at both ends a codec rings.
func toneFault(samples []int16, hz, level float64) string {
	edge := len(samples) / 5
	middle := samples[edge : len(samples)-edge]
	if len(middle) == 0 {
		return "there is no sound"
	}
	var re, im, power float64
	for i, s := range middle {
		sin, cos := math.Sincos(2 * math.Pi * hz * float64(i) / noteRate)
		re, im = re+float64(s)*cos, im+float64(s)*sin
		power += float64(s) * float64(s)
	}
	power /= float64(len(middle))
	if db := 10 * math.Log10(max(power, 1e-9)/(level*level/2)); math.Abs(db) > 1 {
		return fmt.Sprintf("the sound is %+.1f dB louder than it was", db)
	}
	tone := 2 * (re*re + im*im) / float64(len(middle)) / float64(len(middle))
	if tone < 0.9*power {
		return fmt.Sprintf("only %.0f %% of the sound is the tone of %.0f Hz", 100*tone/power, hz)
	}
	return ""
}

// checkSilence allows for the last bits of a codec's noise.
func checkSilence(t *testing.T, samples []int16) {
	t.Helper()
	for i, s := range samples {
		if s > 16 || s < -16 {
			t.Errorf("silence sounds: sample %d is %d", i, s)
			return
		}
	}
}
