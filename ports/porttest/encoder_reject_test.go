package porttest_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"mime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// brokenEncoders names the rule that must catch each fault.
var brokenEncoders = map[string]string{
	"encodes in stereo":              "WAVBecomesAVoiceNote",
	"calls it by a short name":       "WAVBecomesAVoiceNote",
	"takes every WAV for 16 kHz":     "WAVBecomesAVoiceNote",
	"takes two channels for one":     "WAVBecomesAVoiceNote",
	"lies about the duration":        "WAVBecomesAVoiceNote",
	"makes it louder":                "WAVBecomesAVoiceNote",
	"lets high tones fold":           "WAVBecomesAVoiceNote",
	"takes all PCM for 24 kHz":       "PCMIsReadAtItsRate",
	"does not read MP3":              "MP3BecomesAVoiceNote",
	"cuts MP3 short":                 "MP3BecomesAVoiceNote",
	"drops the right channel":        "BothChannelsAreHeard",
	"hisses":                         "SilenceStaysSilence",
	"skips 44 bytes":                 "RemarksAreNotPlayed",
	"fails on a short clip":          "AnyLengthIsKept",
	"cuts to whole seconds":          "AnyLengthIsKept",
	"spends too much":                "BitRateIsThatOfSpeech",
	"spends too little":              "BitRateIsThatOfSpeech",
	"writes a voice note anew":       "OpusComesBackAsItIs",
	"encodes what is encoded":        "OpusComesBackAsItIs",
	"passes stereo on":               "StereoOpusIsEncodedAgain",
	"changes the clip":               "ClipIsNotChanged",
	"calls no clip unsupported":      "NothingIsInvalid",
	"encodes no samples":             "NothingIsInvalid",
	"takes any type":                 "UnknownTypeIsUnsupported",
	"calls broken clips invalid":     "CorruptClipIsUnsupported",
	"passes broken Opus on":          "CorruptClipIsUnsupported",
	"has no limit":                   "TooLongClipIsUnsupported",
	"does not look at its context":   "EndedContextIsAnError",
	"ignores its context":            "ContextEndsTheCall",
	"calls a timeout a cancelation":  "ContextEndsTheCall",
	"leaves its work behind":         "CancelFreesEverything",
	"shares one buffer":              "EncodeMayBeCalledConcurrently",
	"mixes up its callers":           "EncodeMayBeCalledConcurrently",
	"loses the kind of a failure":    "FailuresHaveTheirKind",
	"returns a clip with an error":   "FailuresHaveTheirKind",
	"retries by itself":              "FailuresHaveTheirKind",
	"writes the clip into its error": "UnknownTypeIsUnsupported",
}

func TestEncoderSuiteRejects(t *testing.T) {
	rejects(t, brokenEncoders, func(t *testing.T, fault string) { porttest.TestEncoder(t, tinyEncoders(fault)) })
}

// TestEncoderSuiteAccepts is the control, plain and in a bubble.
func TestEncoderSuiteAccepts(t *testing.T) { porttest.TestEncoder(t, tinyEncoders("")) }

func TestEncoderSuiteAcceptsInABubble(t *testing.T) {
	h := tinyEncoders("")
	h.Wrap = synctest.Test
	porttest.TestEncoder(t, h)
}

func tinyEncoders(fault string) porttest.EncoderHarness {
	with := func(e tinyEncoder) func(*testing.T) ports.EncoderPort {
		return func(*testing.T) ports.EncoderPort {
			e := e
			e.fault, e.state, e.buffer = fault, &tinyModelState{}, make([]byte, 64<<10)
			return &e
		}
	}
	clip := func(t *testing.T, mime string, data []byte) domain.Audio {
		a, err := domain.NewAudio(mime, data, 0)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	return porttest.EncoderHarness{
		New:     with(tinyEncoder{}),
		Samples: tinySamples,
		MP3: func(t *testing.T) []porttest.Tone {
			// A tiny MP3 is the number of milliseconds that a tone of 500 Hz lasts.
			return []porttest.Tone{{Clip: clip(t, domain.MIMEMP3, []byte("mp3:600")), Length: 600 * time.Millisecond, Hz: 500, Level: 5000}}
		},
		Opus: func(t *testing.T) domain.Audio { return clip(t, "audio/ogg", tinyNote(tinyTone(time.Second), 1, 3000)) },
		Stereo: func(t *testing.T) porttest.Tone {
			return porttest.Tone{Clip: clip(t, domain.MIMEOggOpus, tinyNote(tinyTone(time.Second), 2, 3000)), Length: time.Second, Hz: 500, Level: 5000}
		},
		Corrupt: func(t *testing.T) []domain.Audio {
			return []domain.Audio{clip(t, domain.MIMEOggOpus, tinyNote(nil, 1, 3000)[:40])}
		},
		Hang: with(tinyEncoder{hang: true}),
		Fail: map[ports.Kind]func(*testing.T) ports.EncoderPort{
			ports.KindTransient: with(tinyEncoder{fail: ports.KindTransient}),
			ports.KindUnknown:   with(tinyEncoder{fail: ports.KindUnknown}),
		},
		Calls: func(e ports.EncoderPort) int { return int(e.(*tinyEncoder).state.calls.Load()) },
	}
}

// tinySounds are the samples of tiny voice notes by number. A tiny voice note has a
// right head, its number, and filling up to the size it would have.
var tinySounds struct {
	sync.Mutex
	all [][]int16
}

const tinyHead = 28 + 19

func tinyNote(samples []int16, channels byte, bytesPerSecond int) []byte {
	tinySounds.Lock()
	defer tinySounds.Unlock()
	tinySounds.all = append(tinySounds.all, samples)
	b := append([]byte("OggS\x00\x02"), make([]byte, 20)...)
	b = append(append(b, 1, 19), "OpusHead\x01"...)
	b = append(append(b, channels), make([]byte, 9)...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(tinySounds.all)-1))
	return append(b, make([]byte, len(samples)*bytesPerSecond/48_000)...)
}

func tinySound(b []byte) (samples []int16, ok bool) {
	tinySounds.Lock()
	defer tinySounds.Unlock()
	if len(b) < tinyHead+4 || string(b[:4]) != "OggS" {
		return nil, false
	}
	n := binary.LittleEndian.Uint32(b[tinyHead:])
	if int(n) >= len(tinySounds.all) {
		return nil, false
	}
	return tinySounds.all[n], true
}

func tinySamples(t *testing.T, clip domain.Audio) []int16 {
	s, ok := tinySound(clip.Bytes())
	if !ok {
		t.Fatal("no voice note")
	}
	return s
}

func tinyTone(length time.Duration) []int16 {
	out := make([]int16, int64(length)*48/int64(time.Millisecond))
	for i := range out {
		out[i] = int16(5000 * math.Sin(2*math.Pi*500*float64(i)/48_000))
	}
	return out
}

// tinyEncoder is a correct encoder but for its fault. It resamples by repeating
// samples, which the suite's low tones survive.
type tinyEncoder struct {
	fault  string
	hang   bool
	fail   ports.Kind
	state  *tinyModelState
	buffer []byte
}

func (e *tinyEncoder) is(fault string) bool { return e.fault == fault }

func (e *tinyEncoder) Encode(ctx context.Context, clip domain.Audio) (domain.Audio, error) {
	var none domain.Audio
	refuse := func(kind ports.Kind) (domain.Audio, error) { return none, tinyError(kind, "as asked") }
	switch {
	case ctx.Err() != nil && !e.is("does not look at its context"):
		return none, ports.FromContext(ctx, "tiny")
	case clip.Empty() && e.is("calls no clip unsupported"):
		return refuse(ports.KindUnsupported)
	case clip.Empty():
		return refuse(ports.KindInvalid)
	}
	if clip.Type() == "audio/ogg" {
		if note, done := e.pass(clip); done {
			return note, nil
		}
	}
	samples, rate, err := e.read(clip)
	if err != nil {
		return none, err
	}
	e.state.calls.Add(1)
	if e.hang {
		return none, (&tinyEar{fault: e.fault}).wait(ctx)
	}
	if e.fail != "" {
		switch {
		case e.is("loses the kind of a failure"):
			return none, errors.New("it did not work")
		case e.is("returns a clip with an error"):
			return clip, tinyError(e.fail, "as asked")
		case e.is("retries by itself"):
			e.state.calls.Add(1)
		}
		return refuse(e.fail)
	}
	return e.write(samples, rate)
}

// pass hands on what is encoded already.
func (e *tinyEncoder) pass(clip domain.Audio) (domain.Audio, bool) {
	data := clip.Bytes()
	samples, sound := tinySound(data)
	if !sound && !e.is("passes broken Opus on") || sound && data[tinyHead-10] != 1 && !e.is("passes stereo on") {
		return domain.Audio{}, false
	}
	switch {
	case e.is("writes a voice note anew"):
		data = tinyNote(samples, 1, 3000)
	case e.is("encodes what is encoded"):
		e.state.calls.Add(1)
	}
	note, err := domain.NewAudio(domain.MIMEOggOpus, data, 0)
	return note, err == nil
}

// read turns a clip into mono samples and their rate.
func (e *tinyEncoder) read(clip domain.Audio) ([]int16, int, error) {
	broken := tinyError(ports.KindUnsupported, "broken")
	if e.is("calls broken clips invalid") {
		broken = tinyError(ports.KindInvalid, "broken")
	}
	b, rate, channels := clip.Bytes(), 0, 1
	switch clip.Type() {
	case domain.MIMEMP3:
		ms, err := strconv.Atoi(strings.TrimPrefix(string(b), "mp3:"))
		switch {
		case err != nil || e.is("does not read MP3"):
			return nil, 0, broken
		case e.is("cuts MP3 short"):
			ms -= 200
		}
		return tinyTone(time.Duration(ms) * time.Millisecond), 48_000, nil
	case "audio/ogg":
		samples, ok := tinySound(b)
		if !ok {
			return nil, 0, broken
		}
		return samples, 48_000, nil
	case domain.MIMEPCM:
		_, params, err := mime.ParseMediaType(clip.MIME())
		if rate, _ = strconv.Atoi(params["rate"]); err != nil || rate <= 0 || len(b)%2 != 0 || params["channels"] > "2" {
			return nil, 0, broken
		}
		if params["channels"] == "2" {
			channels = 2
		}
		if e.is("takes all PCM for 24 kHz") {
			rate = 24_000
		}
	case domain.MIMEWAV:
		at := bytes.Index(b, []byte("data"))
		if at < 0 || len(b) < at+8 || b[20] != 1 || int(binary.LittleEndian.Uint32(b[at+4:])) > len(b)-at-8 {
			return nil, 0, broken
		}
		if e.is("skips 44 bytes") {
			at = 36
		}
		if e.is("changes the clip") && len(b) > at+8 {
			b[at+8]++
		}
		rate, channels = int(binary.LittleEndian.Uint32(b[24:])), int(b[22])
		b = b[at+8:]
		switch {
		case e.is("takes every WAV for 16 kHz"):
			rate = 16_000
		case e.is("takes two channels for one"):
			channels = 1
		}
	default:
		switch {
		case e.is("takes any type"):
			return tinyTone(time.Second), 48_000, nil
		case e.is("writes the clip into its error"):
			return nil, 0, tinyError(ports.KindUnsupported, "cannot encode "+string(b))
		}
		return nil, 0, tinyError(ports.KindUnsupported, "type")
	}
	if len(b)/2/channels/rate > 600 && !e.is("has no limit") {
		return nil, 0, tinyError(ports.KindUnsupported, "too long")
	}
	samples := e.mix(b, channels)
	switch {
	case len(samples) == 0 && e.is("encodes no samples"):
		return make([]int16, 100), rate, nil
	case len(samples) == 0:
		return nil, 0, tinyError(ports.KindInvalid, "no samples")
	case len(samples) < 100 && e.is("fails on a short clip"):
		return nil, 0, tinyError(ports.KindUnknown, "too short")
	}
	return samples, rate, nil
}

func (e *tinyEncoder) mix(b []byte, channels int) []int16 {
	both := channels == 2 && !e.is("drops the right channel")
	out := make([]int16, len(b)/2/channels)
	for i := range out {
		left := int(int16(binary.LittleEndian.Uint16(b[2*channels*i:])))
		right := left
		if both {
			right = int(int16(binary.LittleEndian.Uint16(b[4*i+2:])))
		}
		out[i] = int16((left + right) / 2)
	}
	return out
}

func (e *tinyEncoder) write(in []int16, rate int) (domain.Audio, error) {
	out := make([]int16, len(in)*48_000/rate)
	for i := range out {
		out[i] = in[i*rate/48_000]
	}
	mime, channels, spent := domain.MIMEOggOpus, byte(1), 3000
	length := time.Duration(len(out)) * time.Second / 48_000
	switch {
	case e.is("makes it louder"):
		for i := range out {
			out[i] = int16(float64(out[i]) * 1.15)
		}
	case e.is("hisses"):
		for i := range out {
			out[i] += int16(i * 7919 % 41)
		}
	case e.is("lets high tones fold"):
		for i := range out {
			out[i] = int16(0.9*float64(out[i]) + 3500*math.Sin(2*math.Pi*3100*float64(i)/48_000))
		}
	}
	switch {
	case e.is("encodes in stereo"):
		channels = 2
	case e.is("calls it by a short name"):
		mime = "audio/ogg"
	case e.is("lies about the duration"):
		length += time.Second
	case e.is("cuts to whole seconds") && len(out) > 48_000:
		out = out[:len(out)/48_000*48_000]
		length = time.Second
	case e.is("spends too much"):
		spent = 8000
	case e.is("spends too little"):
		spent = 750
	}
	data := tinyNote(out, channels, spent)
	switch {
	case e.is("mixes up its callers"):
		data = []byte((&tinyEar{state: e.state}).share(string(data)))
	case e.is("shares one buffer"):
		e.state.mu.Lock()
		data = e.buffer[:copy(e.buffer, data)]
		e.state.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
	}
	return domain.NewAudio(mime, data, length)
}
