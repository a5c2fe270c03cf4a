package porttest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"testing"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// EncoderHarness makes encoders for TestEncoder. New and Samples are required;
// whatever else is nil skips the cases that need it. WAV and PCM clips are the
// suite's own.
type EncoderHarness struct {
	// New makes an encoder. It registers what must be cleaned up with t.
	New func(t *testing.T) ports.EncoderPort
	// Samples decodes a voice note to mono samples at 48 kHz by a decoder that is not
	// the encoder's own, and fails t when the bytes are no sound Ogg/Opus file.
	Samples func(t *testing.T, clip domain.Audio) []int16
	// MP3 are MP3 clips in which a tone sounds.
	MP3 func(t *testing.T) []Tone
	// Opus is a mono Ogg/Opus clip, and Stereo one of two channels in which a tone
	// sounds.
	Opus   func(t *testing.T) domain.Audio
	Stereo func(t *testing.T) Tone
	// Corrupt are clips of a right type whose bytes are broken, beside the suite's.
	Corrupt func(t *testing.T) []domain.Audio
	// Hang makes an encoder that does not come back while the call lives.
	Hang func(t *testing.T) ports.EncoderPort
	// Fail makes, by kind, encoders whose next call fails with that kind.
	Fail map[ports.Kind]func(t *testing.T) ports.EncoderPort
	// Calls tells how often an encoder's codec was started.
	Calls func(encoder ports.EncoderPort) int
	// Wrap runs one case, for example synctest.Test; nil calls it plainly. Cases
	// that count goroutines are never wrapped.
	Wrap func(t *testing.T, run func(t *testing.T))
}

// Tone is a clip in which a steady tone sounds.
type Tone struct {
	Clip   domain.Audio
	Length time.Duration
	Hz     float64
	// Level is the peak of the tone in samples, 32767 being the loudest.
	Level float64
}

// TestEncoder checks what ports.EncoderPort promises.
func TestEncoder(t *testing.T, h EncoderHarness) {
	runVendorCases(t, h, h.Wrap, []vendorCase[EncoderHarness]{
		{name: "WAVBecomesAVoiceNote", run: encoderWAV},
		{name: "PCMIsReadAtItsRate", run: encoderPCM},
		{name: "MP3BecomesAVoiceNote", run: encoderMP3},
		{name: "BothChannelsAreHeard", run: encoderChannels},
		{name: "SilenceStaysSilence", run: encoderSilence},
		{name: "RemarksAreNotPlayed", run: encoderRemarks},
		{name: "AnyLengthIsKept", run: encoderLengths},
		{name: "BitRateIsThatOfSpeech", run: encoderBitRate},
		{name: "OpusComesBackAsItIs", run: encoderOpus},
		{name: "StereoOpusIsEncodedAgain", run: encoderStereo},
		{name: "ClipIsNotChanged", run: encoderUnchanged},
		{name: "NothingIsInvalid", run: encoderNothing},
		{name: "UnknownTypeIsUnsupported", run: encoderUnknown},
		{name: "CorruptClipIsUnsupported", run: encoderCorrupt},
		{name: "TooLongClipIsUnsupported", run: encoderTooLong},
		{name: "EndedContextIsAnError", run: encoderEnded},
		{name: "ContextEndsTheCall", run: encoderHang},
		{name: "CancelFreesEverything", run: encoderLeak, bare: true},
		{name: "EncodeMayBeCalledConcurrently", run: encoderConcurrent},
	})
	runKinds(t, h.Fail, h.Wrap, func(t *testing.T, encoder ports.EncoderPort, kind ports.Kind) {
		refusedEncoding(t, encoder, t.Context(), toneWAV(t, 440, 16_000, 1, 200*time.Millisecond).Clip, kind)
		if h.Calls != nil {
			if n := h.Calls(encoder); n > 1 {
				t.Errorf("the codec was started %d times; retries are not the encoder's", n)
			}
		}
	})
}

func encode(t *testing.T, limit time.Duration, encoder ports.EncoderPort, ctx context.Context, clip domain.Audio) (note domain.Audio, err error) {
	t.Helper()
	comesBack(t, limit, func() { note, err = encoder.Encode(ctx, clip) })
	if err != nil && !note.Empty() {
		t.Error("an error comes with a clip")
	}
	if err == nil && note.Empty() {
		t.Error("a success comes without a clip")
	}
	return note, err
}

func refusedEncoding(t *testing.T, encoder ports.EncoderPort, ctx context.Context, clip domain.Audio, want ports.Kind) {
	t.Helper()
	_, err := encode(t, patienceFor(want), encoder, ctx, clip)
	if ctx.Err() != nil {
		checkEnded(t, err, want)
		return
	}
	checkKind(t, err, want)
}

// encoded encodes a clip that must succeed, and returns its samples after looking
// at everything that holds for every voice note.
func encoded(t *testing.T, h EncoderHarness, encoder ports.EncoderPort, clip domain.Audio, length time.Duration) []int16 {
	t.Helper()
	note, err := encode(t, patience, encoder, t.Context(), clip)
	if err != nil {
		t.Fatalf("%s: %v", clip.MIME(), err)
	}
	samples := h.Samples(t, note)
	if fault := noteFault(note, samples, length); fault != "" {
		t.Errorf("%s: %s", clip.MIME(), fault)
	}
	return samples
}

func noteFault(note domain.Audio, samples []int16, length time.Duration) string {
	if note.MIME() != domain.MIMEOggOpus {
		return fmt.Sprintf("the voice note is called %q", note.MIME())
	}
	if fault := oggFault(note.Bytes()); fault != "" {
		return fault
	}
	measured := time.Duration(len(samples)) * time.Second / noteRate
	if (measured - length).Abs() > 100*time.Millisecond {
		return fmt.Sprintf("a clip of %v became a voice note of %v", length, measured)
	}
	if claimed := note.Duration(); claimed != 0 && (claimed-measured).Abs() > 50*time.Millisecond {
		return fmt.Sprintf("the voice note claims to last %v and lasts %v", claimed, measured)
	}
	return ""
}

// sounds encodes a tone and demands that it, and nothing else, is heard as loud as
// it was.
func sounds(t *testing.T, h EncoderHarness, encoder ports.EncoderPort, tone Tone) {
	t.Helper()
	samples := encoded(t, h, encoder, tone.Clip, tone.Length)
	if fault := toneFault(samples, tone.Hz, tone.Level); fault != "" {
		t.Errorf("%s of %v: %s", tone.Clip.MIME(), tone.Length, fault)
	}
}

func encoderWAV(t *testing.T, h EncoderHarness) {
	encoder := h.New(t)
	for _, rate := range []int{8000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000} {
		for channels := 1; channels <= 2; channels++ {
			sounds(t, h, encoder, toneWAV(t, 440, rate, channels, 500*time.Millisecond))
		}
	}
}

func encoderPCM(t *testing.T, h EncoderHarness) {
	encoder := h.New(t)
	for _, rate := range []int{8000, 24_000, 44_100} {
		for _, mime := range []string{"audio/l16; rate=%d", "audio/L16;codec=pcm;rate=%d", "audio/l16; rate=%d; channels=2"} {
			tone := toneWAV(t, 440, rate, 1, 500*time.Millisecond)
			if bytes.HasSuffix([]byte(mime), []byte("2")) {
				tone = toneWAV(t, 440, rate, 2, 500*time.Millisecond)
			}
			tone.Clip = newClip(t, fmt.Sprintf(mime, rate), tone.Clip.Bytes()[wavHeader:])
			sounds(t, h, encoder, tone)
		}
	}
}

func encoderMP3(t *testing.T, h EncoderHarness) {
	need(t, h.MP3 != nil, "make MP3 clips")
	encoder := h.New(t)
	for _, tone := range h.MP3(t) {
		sounds(t, h, encoder, tone)
	}
}

// encoderChannels plays a tone in one channel only. Mixed, it is half as loud.
func encoderChannels(t *testing.T, h EncoderHarness) {
	encoder := h.New(t)
	for side := range 2 {
		tone := toneWAV(t, 440, 16_000, 2, 500*time.Millisecond)
		data := bytes.Clone(tone.Clip.Bytes())
		for at := wavHeader + 2*side; at < len(data); at += 4 {
			data[at], data[at+1] = 0, 0
		}
		tone.Clip, tone.Level = newClip(t, domain.MIMEWAV, data), tone.Level/2
		sounds(t, h, encoder, tone)
	}
}

func encoderSilence(t *testing.T, h EncoderHarness) {
	encoder := h.New(t)
	for _, rate := range []int{16_000, 44_100} {
		clip := newClip(t, domain.MIMEWAV, wavFile(make([]int16, rate), rate, 1))
		checkSilence(t, encoded(t, h, encoder, clip, time.Second))
	}
}

// encoderRemarks puts a chunk of remarks before silence. Whoever takes every file's
// samples to begin at byte 44 plays it.
func encoderRemarks(t *testing.T, h EncoderHarness) {
	data := wavFile(make([]int16, 8000), 16_000, 1)
	remarks := bytes.Repeat([]byte{0x00, 0x60, 0x00, 0xa0}, 400)
	chunk := binary.LittleEndian.AppendUint32([]byte("LIST"), uint32(len(remarks)))
	const format = 36 // the header without the head of the data chunk
	data = slices.Concat(data[:format], chunk, remarks, data[format:])
	binary.LittleEndian.PutUint32(data[4:], uint32(len(data)-8))
	checkSilence(t, encoded(t, h, h.New(t), newClip(t, domain.MIMEWAV, data), 500*time.Millisecond))
}

// encoderLengths goes around what a packet, a page and a decoder's look-ahead hold.
func encoderLengths(t *testing.T, h EncoderHarness) {
	encoder := h.New(t)
	for _, n := range []int{1, 2, 150, 479, 480, 481, 23_500, 24_000, 24_019, 24_480, 48_300} {
		tone := toneWAV(t, 440, 24_000, 1, time.Duration(n)*time.Second/24_000)
		encoded(t, h, encoder, tone.Clip, tone.Length)
	}
}

func encoderBitRate(t *testing.T, h EncoderHarness) {
	const seconds = 4
	encoder := h.New(t)
	for _, rate := range []int{16_000, 24_000, 48_000} {
		clip := newClip(t, domain.MIMEWAV, wavFile(babble(rate, seconds), rate, 1))
		note, err := encode(t, patience, encoder, t.Context(), clip)
		if err != nil {
			t.Fatal(err)
		}
		if kbit := float64(len(note.Bytes())) * 8 / seconds / 1000; kbit < 20 || kbit > 28 {
			t.Errorf("at %d Hz the voice note takes %.1f kbit/s", rate, kbit)
		}
	}
}

func encoderOpus(t *testing.T, h EncoderHarness) {
	need(t, h.Opus != nil, "make Ogg/Opus clips")
	clip := h.Opus(t)
	encoder := h.New(t)
	note, err := encode(t, patience, encoder, t.Context(), clip)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(note.Bytes(), clip.Bytes()) {
		t.Error("a voice note did not come back as it was")
	}
	samples := h.Samples(t, note)
	if fault := noteFault(note, samples, time.Duration(len(samples))*time.Second/noteRate); fault != "" {
		t.Error(fault)
	}
	if h.Calls != nil && h.Calls(encoder) != 0 {
		t.Error("the codec was started for what is encoded already")
	}
}

func encoderStereo(t *testing.T, h EncoderHarness) {
	need(t, h.Stereo != nil, "make Ogg/Opus clips of two channels")
	sounds(t, h, h.New(t), h.Stereo(t))
}

func encoderUnchanged(t *testing.T, h EncoderHarness) {
	for _, channels := range []int{1, 2} {
		clip := toneWAV(t, 440, 44_100, channels, 200*time.Millisecond).Clip
		before := bytes.Clone(clip.Bytes())
		if _, err := encode(t, patience, h.New(t), t.Context(), clip); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(before, clip.Bytes()) {
			t.Error("the clip's bytes were changed")
		}
	}
}

func encoderNothing(t *testing.T, h EncoderHarness) {
	encoder := h.New(t)
	refusedEncoding(t, encoder, t.Context(), domain.Audio{}, ports.KindInvalid)
	refusedEncoding(t, encoder, t.Context(), newClip(t, domain.MIMEWAV, wavFile(nil, 16_000, 1)), ports.KindInvalid)
	if h.Calls != nil && h.Calls(encoder) != 0 {
		t.Error("the codec was started for nothing")
	}
}

func encoderUnknown(t *testing.T, h EncoderHarness) {
	encoder := h.New(t)
	for _, mime := range []string{"application/x-nonsense", "audio/flac", "text/plain"} {
		refusedEncoding(t, encoder, t.Context(), newClip(t, mime, []byte(vendorSecret)), ports.KindUnsupported)
	}
}

func encoderCorrupt(t *testing.T, h EncoderHarness) {
	whole := toneWAV(t, 440, 16_000, 1, 200*time.Millisecond).Clip.Bytes()
	float := bytes.Clone(whole)
	float[20] = 3                        // 32-bit floating point
	secret := []byte(vendorSecret + ".") // an odd number of bytes
	clips := []domain.Audio{
		newClip(t, domain.MIMEWAV, whole[:len(whole)/2]), newClip(t, domain.MIMEWAV, whole[:30]), newClip(t, domain.MIMEWAV, float),
		newClip(t, domain.MIMEWAV, secret), newClip(t, domain.MIMEMP3, secret), newClip(t, domain.MIMEOggOpus, secret),
		newClip(t, domain.MIMEPCM, secret), newClip(t, "audio/l16; rate=0", secret), newClip(t, "audio/l16; rate=8000", secret),
		newClip(t, "audio/l16; rate=8000; channels=9", secret),
	}
	if h.Corrupt != nil {
		clips = append(clips, h.Corrupt(t)...)
	}
	encoder := h.New(t)
	for _, clip := range clips {
		t.Logf("%s, %d bytes", clip.MIME(), len(clip.Bytes()))
		refusedEncoding(t, encoder, t.Context(), clip, ports.KindUnsupported)
	}
}

func encoderTooLong(t *testing.T, h EncoderHarness) {
	const rate = 8000
	clip := newClip(t, domain.MIMEWAV, wavFile(make([]int16, 601*rate), rate, 1))
	refusedEncoding(t, h.New(t), t.Context(), clip, ports.KindUnsupported)
}

func encoderEnded(t *testing.T, h EncoderHarness) {
	clip := toneWAV(t, 440, 44_100, 1, 200*time.Millisecond).Clip
	for _, e := range ended {
		ctx, cancel := e.ctx(t.Context())
		refusedEncoding(t, h.New(t), ctx, clip, e.kind)
		cancel()
	}
}

func encoderHang(t *testing.T, h EncoderHarness) {
	need(t, h.Hang != nil, "make an encoder hang")
	clip := toneWAV(t, 440, 16_000, 1, 200*time.Millisecond).Clip
	for _, e := range endings {
		ctx, cancel := e.ctx(t.Context())
		refusedEncoding(t, h.Hang(t), ctx, clip, e.kind)
		cancel()
	}
}

func encoderLeak(t *testing.T, h EncoderHarness) {
	need(t, h.Hang != nil, "make an encoder hang")
	encoder, clip := h.Hang(t), toneWAV(t, 440, 16_000, 1, 200*time.Millisecond).Clip
	checkLeak(t, func() {
		ctx, cancel := context.WithTimeout(t.Context(), shortly)
		defer cancel()
		refusedEncoding(t, encoder, ctx, clip, ports.KindTimeout)
	})
}

// encoderConcurrent has tones of different pitch and length encoded at once. Whose
// voice note holds another's tone, or changes after it was handed over, shares
// something.
func encoderConcurrent(t *testing.T, h EncoderHarness) {
	const callers = 6
	encoder := h.New(t)
	tones, notes, sums, errs := make([]Tone, callers), make([]domain.Audio, callers), make([]uint32, callers), make([]error, callers)
	for i := range tones {
		tones[i] = toneWAV(t, 300*math.Pow(1.3, float64(i)), []int{16_000, 22_050, 24_000}[i%3], 1, time.Duration(200+150*i)*time.Millisecond)
	}
	atOnce(callers, func(i int) {
		notes[i], errs[i] = encode(t, patience, encoder, t.Context(), tones[i].Clip)
		sums[i] = crc32.ChecksumIEEE(notes[i].Bytes())
	})
	for i, note := range notes {
		if errs[i] != nil {
			t.Errorf("call %d failed: %v", i, errs[i])
			continue
		}
		if sums[i] != crc32.ChecksumIEEE(note.Bytes()) {
			t.Errorf("voice note %d changed after it was handed over", i)
			continue
		}
		samples := h.Samples(t, note)
		if fault := noteFault(note, samples, tones[i].Length); fault != "" {
			t.Errorf("voice note %d: %s", i, fault)
		} else if fault := toneFault(samples, tones[i].Hz, tones[i].Level); fault != "" {
			t.Errorf("voice note %d: %s", i, fault)
		}
	}
}
