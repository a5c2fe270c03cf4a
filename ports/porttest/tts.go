package porttest

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// TTSHarness makes voices for TestTTS. New and Duration are required; whatever
// else is nil or zero skips the cases that need it.
type TTSHarness struct {
	// New makes a voice. It registers what must be cleaned up with t.
	New func(t *testing.T) ports.TTSPort
	// Duration measures a clip by its bytes, not by what it claims, and fails t when
	// they are no sound file.
	Duration func(t *testing.T, clip domain.Audio) time.Duration
	// Formats are the formats the voice delivers beside Ogg/Opus.
	Formats []string
	// TooLong is longer than the longest text the voice takes.
	TooLong string
	// UnknownLanguage is a BCP 47 tag that the voice does not speak.
	UnknownLanguage string
	// Hang makes a voice that does not answer while the call lives.
	Hang func(t *testing.T) ports.TTSPort
	// Fail makes, by kind, voices whose next call fails with that kind.
	Fail map[ports.Kind]func(t *testing.T) ports.TTSPort
	// Calls tells how many requests of a voice reached the vendor.
	Calls func(voice ports.TTSPort) int
	// Wrap runs one case, for example synctest.Test; nil calls it plainly. Cases
	// that count goroutines are never wrapped.
	Wrap func(t *testing.T, run func(t *testing.T))
}

// TestTTS checks what ports.TTSPort promises.
func TestTTS(t *testing.T, h TTSHarness) {
	runVendorCases(t, h, h.Wrap, []vendorCase[TTSHarness]{
		{name: "DefaultIsMonoOggOpus", run: ttsDefault},
		{name: "FormatIsHonoured", run: ttsFormats},
		{name: "DurationIsTrue", run: ttsDuration},
		{name: "LongerTextTakesLonger", run: ttsLonger},
		{name: "EmptyTextIsInvalid", run: ttsEmpty},
		{name: "UnknownFormatIsUnsupported", run: ttsUnknownFormat},
		{name: "TooLongTextIsUnsupported", run: ttsTooLong},
		{name: "UnknownLanguageIsUnsupported", run: ttsLanguage},
		{name: "EndedContextIsAnError", run: ttsEnded},
		{name: "ContextEndsTheCall", run: ttsHang},
		{name: "CancelFreesEverything", run: ttsLeak, bare: true},
		{name: "SynthesizeMayBeCalledConcurrently", run: ttsConcurrent},
	})
	runKinds(t, h.Fail, h.Wrap, func(t *testing.T, voice ports.TTSPort, kind ports.Kind) {
		refusedSpeech(t, voice, t.Context(), vendorSecret, ports.TTSOptions{}, kind)
		if h.Calls != nil {
			if n := h.Calls(voice); n > 1 {
				t.Errorf("the vendor was asked %d times; retries are the decorators'", n)
			}
		}
	})
}

func synthesize(t *testing.T, limit time.Duration, voice ports.TTSPort, ctx context.Context, text string, opt ports.TTSOptions) (clip domain.Audio, err error) {
	t.Helper()
	comesBack(t, limit, func() { clip, err = voice.Synthesize(ctx, text, opt) })
	if err != nil && !clip.Empty() {
		t.Error("an error comes with a clip")
	}
	if err == nil && clip.Empty() {
		t.Error("a success comes without a clip")
	}
	return clip, err
}

// spoken speaks a text that must succeed, and looks at the bytes.
func spoken(t *testing.T, voice ports.TTSPort, text string, opt ports.TTSOptions) domain.Audio {
	t.Helper()
	clip, err := synthesize(t, patience, voice, t.Context(), text, opt)
	if err != nil {
		t.Fatalf("speaking failed: %v", err)
	}
	want := opt.Format
	if want == "" {
		want = domain.MIMEOggOpus
	}
	if base(clip.MIME()) != base(want) {
		t.Errorf("asked for %q and got %q", want, clip.MIME())
	}
	if fault := contradiction(clip); fault != "" {
		t.Error(fault)
	}
	return clip
}

func refusedSpeech(t *testing.T, voice ports.TTSPort, ctx context.Context, text string, opt ports.TTSOptions, want ports.Kind) {
	t.Helper()
	_, err := synthesize(t, patienceFor(want), voice, ctx, text, opt)
	if ctx.Err() != nil {
		checkEnded(t, err, want)
		return
	}
	checkKind(t, err, want)
}

func base(mime string) string {
	t, _, _ := strings.Cut(mime, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// contradiction says how a clip's bytes contradict its type. It looks at the head
// of the file only; the harness's Duration reads the whole.
func contradiction(clip domain.Audio) string {
	b := clip.Bytes()
	switch clip.Type() {
	case "audio/ogg":
		return oggFault(b)
	case domain.MIMEWAV:
		if len(b) < 44 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
			return "the clip is called WAV and is none"
		}
	case domain.MIMEMP3:
		id3 := bytes.HasPrefix(b, []byte("ID3"))
		if frame := len(b) > 1 && b[0] == 0xff && b[1]&0xe0 == 0xe0; !id3 && !frame {
			return "the clip is called MP3 and is none"
		}
	case domain.MIMEPCM:
		for _, magic := range []string{"RIFF", "OggS", "ID3"} {
			if bytes.HasPrefix(b, []byte(magic)) {
				return "the clip is called raw samples and is a file"
			}
		}
		if len(b)%2 != 0 {
			return "raw 16-bit samples have an odd number of bytes"
		}
	}
	return ""
}

// oggFault looks at the first page and for a second stream behind it.
func oggFault(b []byte) string {
	const header = 28 // a page header with one lacing value
	switch {
	case len(b) < header+19 || string(b[:4]) != "OggS":
		return "the clip is called Ogg and is none"
	case b[5]&2 == 0 || string(b[header:header+8]) != "OpusHead":
		return "the Ogg stream is not Opus"
	case b[header+9] != 1:
		return fmt.Sprintf("the stream has %d channels", b[header+9])
	case bytes.Contains(b[header+19:], []byte("OpusHead")):
		return "the file holds several streams"
	}
	return ""
}

func ttsDefault(t *testing.T, h TTSHarness) {
	clip := spoken(t, h.New(t), "Good morning.", ports.TTSOptions{})
	if h.Duration(t, clip) <= 0 {
		t.Error("the clip plays for no time")
	}
}

func ttsFormats(t *testing.T, h TTSHarness) {
	voice := h.New(t)
	for _, f := range append([]string{domain.MIMEOggOpus}, h.Formats...) {
		clip := spoken(t, voice, "Good morning.", ports.TTSOptions{Format: f, Language: "en"})
		if h.Duration(t, clip) <= 0 {
			t.Errorf("the %s clip plays for no time", f)
		}
	}
}

func ttsDuration(t *testing.T, h TTSHarness) {
	clip := spoken(t, h.New(t), "Your order leaves on Tuesday.", ports.TTSOptions{})
	claimed, measured := clip.Duration(), h.Duration(t, clip)
	if claimed != 0 && (claimed-measured).Abs() > 50*time.Millisecond {
		t.Errorf("the clip claims to last %v and lasts %v", claimed, measured)
	}
}

func ttsLonger(t *testing.T, h TTSHarness) {
	voice := h.New(t)
	short := h.Duration(t, spoken(t, voice, "Yes.", ports.TTSOptions{}))
	long := h.Duration(t, spoken(t, voice, "Yes, we have it in blue, in green and in a very friendly yellow.", ports.TTSOptions{}))
	if long <= short {
		t.Errorf("a long sentence takes %v, a word %v", long, short)
	}
}

func ttsEmpty(t *testing.T, h TTSHarness) {
	voice := h.New(t)
	for _, text := range []string{"", " \n\t "} {
		refusedSpeech(t, voice, t.Context(), text, ports.TTSOptions{}, ports.KindInvalid)
	}
	if h.Calls != nil && h.Calls(voice) != 0 {
		t.Error("an empty text reached the vendor")
	}
}

func ttsUnknownFormat(t *testing.T, h TTSHarness) {
	refusedSpeech(t, h.New(t), t.Context(), vendorSecret, ports.TTSOptions{Format: "audio/x-nonsense"}, ports.KindUnsupported)
}

func ttsTooLong(t *testing.T, h TTSHarness) {
	need(t, h.TooLong != "", "name a text that is too long")
	refusedSpeech(t, h.New(t), t.Context(), h.TooLong, ports.TTSOptions{}, ports.KindUnsupported)
}

func ttsLanguage(t *testing.T, h TTSHarness) {
	need(t, h.UnknownLanguage != "", "name an unknown language")
	refusedSpeech(t, h.New(t), t.Context(), vendorSecret, ports.TTSOptions{Language: h.UnknownLanguage}, ports.KindUnsupported)
}

func ttsEnded(t *testing.T, h TTSHarness) {
	for _, e := range ended {
		ctx, cancel := e.ctx(t.Context())
		refusedSpeech(t, h.New(t), ctx, vendorSecret, ports.TTSOptions{}, e.kind)
		cancel()
	}
}

func ttsHang(t *testing.T, h TTSHarness) {
	need(t, h.Hang != nil, "make a voice hang")
	for _, e := range endings {
		ctx, cancel := e.ctx(t.Context())
		refusedSpeech(t, h.Hang(t), ctx, vendorSecret, ports.TTSOptions{}, e.kind)
		cancel()
	}
}

func ttsLeak(t *testing.T, h TTSHarness) {
	need(t, h.Hang != nil, "make a voice hang")
	voice := h.Hang(t)
	checkLeak(t, func() {
		ctx, cancel := context.WithTimeout(t.Context(), shortly)
		defer cancel()
		refusedSpeech(t, voice, ctx, vendorSecret, ports.TTSOptions{}, ports.KindTimeout)
	})
}

// ttsConcurrent has texts of different lengths spoken at once. Whose clip lasts as
// long as another's text, or changes after it was handed over, shares something.
func ttsConcurrent(t *testing.T, h TTSHarness) {
	voice := h.New(t)
	const callers = 6
	clips, sums, errs := make([]domain.Audio, callers), make([]uint32, callers), make([]error, callers)
	atOnce(callers, func(i int) {
		text := "Hello." + strings.Repeat(" This sentence takes quite some time.", i)
		clips[i], errs[i] = synthesize(t, patience, voice, t.Context(), text, ports.TTSOptions{})
		sums[i] = crc32.ChecksumIEEE(clips[i].Bytes())
	})
	last := time.Duration(0)
	for i, clip := range clips {
		if errs[i] != nil {
			t.Errorf("call %d failed: %v", i, errs[i])
			continue
		}
		if sums[i] != crc32.ChecksumIEEE(clip.Bytes()) {
			t.Errorf("clip %d changed after it was handed over", i)
			continue
		}
		if fault := contradiction(clip); fault != "" {
			t.Errorf("clip %d: %s", i, fault)
			continue
		}
		d := h.Duration(t, clip)
		if d <= last {
			t.Errorf("clip %d lasts %v, but the shorter text's %v", i, d, last)
		}
		last = d
	}
}
