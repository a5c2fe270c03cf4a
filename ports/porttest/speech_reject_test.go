package porttest_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// brokenEars names the rule that must catch each fault.
var brokenEars = map[string]string{
	"hears nothing":                 "SpeechIsHeard",
	"changes the clip":              "ClipIsNotChanged",
	"calls silence an error":        "SilenceIsNoError",
	"invents words in silence":      "SilenceIsNoError",
	"calls no clip unsupported":     "ZeroClipIsInvalid",
	"hears words in corrupt clips":  "CorruptClipIsUnsupported",
	"takes any format":              "UnknownFormatIsUnsupported",
	"has no limit":                  "TooLongClipIsUnsupported",
	"does not look at its context":  "EndedContextIsAnError",
	"ignores its context":           "ContextEndsTheCall",
	"leaves its work behind":        "CancelFreesEverything",
	"mixes up its callers":          "TranscribeMayBeCalledConcurrently",
	"loses the kind of a failure":   "FailuresHaveTheirKind",
	"returns words with an error":   "FailuresHaveTheirKind",
	"retries by itself":             "FailuresHaveTheirKind",
	"is more than sure":             "SpeechIsHeard",
	"calls a timeout a cancelation": "ContextEndsTheCall",
}

func TestSTTSuiteRejects(t *testing.T) {
	rejects(t, brokenEars, func(t *testing.T, fault string) { porttest.TestSTT(t, tinyEars(fault)) })
}

// TestSTTSuiteAccepts is the control, plain and in a bubble.
func TestSTTSuiteAccepts(t *testing.T) { porttest.TestSTT(t, tinyEars("")) }

func TestSTTSuiteAcceptsInABubble(t *testing.T) {
	h := tinyEars("")
	h.Wrap = synctest.Test
	porttest.TestSTT(t, h)
}

func tinyEars(fault string) porttest.STTHarness {
	with := func(e tinyEar) func(*testing.T) ports.STTPort {
		return func(*testing.T) ports.STTPort {
			e := e
			e.fault, e.state = fault, &tinyModelState{}
			return &e
		}
	}
	clip := func(t *testing.T, text string) domain.Audio {
		a, err := domain.NewAudio("audio/x-tiny", []byte(text), 0)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	return porttest.STTHarness{
		New: with(tinyEar{}),
		Spoken: func(t *testing.T) []porttest.Spoken {
			return []porttest.Spoken{
				{Clip: clip(t, "sound:an umbrella"), Word: "umbrella"}, {Clip: clip(t, "sound:a teapot"), Word: "teapot"}, {Clip: clip(t, "sound:a ladder"), Word: "ladder"},
			}
		},
		Silence: func(t *testing.T) domain.Audio { return clip(t, "sound:") },
		Corrupt: func(t *testing.T) []domain.Audio { return []domain.Audio{clip(t, "noise"), clip(t, "x")} },
		TooLong: func(t *testing.T) domain.Audio { return clip(t, "sound:"+strings.Repeat("on and ", 50)) },
		Hang:    with(tinyEar{hang: true}),
		Fail: map[ports.Kind]func(*testing.T) ports.STTPort{
			ports.KindDenied:    with(tinyEar{fail: ports.KindDenied}),
			ports.KindTransient: with(tinyEar{fail: ports.KindTransient}),
		},
		Calls: func(e ports.STTPort) int { return int(e.(*tinyEar).state.calls.Load()) },
	}
}

// tinyEar is a correct ear but for its fault. Its clips are text.
type tinyEar struct {
	fault string
	hang  bool
	fail  ports.Kind
	state *tinyModelState
}

func (e *tinyEar) is(fault string) bool { return e.fault == fault }

func (e *tinyEar) Transcribe(ctx context.Context, clip domain.Audio, _ ports.STTOptions) (domain.Transcript, error) {
	var none domain.Transcript
	words, sound := strings.CutPrefix(string(clip.Bytes()), "sound:")
	switch {
	case ctx.Err() != nil && !e.is("does not look at its context"):
		return none, ports.FromContext(ctx, "tiny")
	case clip.Empty():
		if e.is("calls no clip unsupported") {
			return none, tinyError(ports.KindUnsupported, "no clip")
		}
		return none, tinyError(ports.KindInvalid, "no clip")
	case clip.Type() != "audio/x-tiny" && !e.is("takes any format"):
		return none, tinyError(ports.KindUnsupported, "format")
	case !sound && clip.Type() == "audio/x-tiny" && !e.is("hears words in corrupt clips"):
		return none, tinyError(ports.KindUnsupported, "corrupt")
	case len(words) > 100 && !e.is("has no limit"):
		return none, tinyError(ports.KindUnsupported, "too long")
	}
	e.state.calls.Add(1)
	if e.hang {
		return none, e.wait(ctx)
	}
	if e.fail != "" {
		return e.failure()
	}
	switch {
	case e.is("hears nothing"):
		words = ""
	case e.is("changes the clip"):
		copy(clip.Bytes(), "SOUND")
	case words == "" && e.is("calls silence an error"):
		return none, tinyError(ports.KindUnknown, "silence")
	case words == "" && e.is("invents words in silence"):
		words = "thank you for watching"
	case e.is("is more than sure"):
		return domain.Transcript{Text: words, Confidence: 1.1}, nil
	case e.is("mixes up its callers"):
		words = e.share(words)
	}
	return domain.Transcript{Text: words}, nil
}

func (e *tinyEar) failure() (domain.Transcript, error) {
	switch {
	case e.is("loses the kind of a failure"):
		return domain.Transcript{}, errors.New("it did not work")
	case e.is("returns words with an error"):
		return domain.Transcript{Text: "half of it"}, tinyError(e.fail, "as asked")
	case e.is("retries by itself"):
		e.state.calls.Add(1)
	}
	return domain.Transcript{}, tinyError(e.fail, "as asked")
}

func (e *tinyEar) wait(ctx context.Context) error {
	if e.is("ignores its context") && !ignored.Swap(true) {
		select {}
	}
	if e.is("leaves its work behind") {
		go func() { select {} }()
	}
	<-ctx.Done()
	if e.is("calls a timeout a cancelation") {
		return &ports.Error{Op: "tiny", Kind: ports.KindCanceled, Err: ctx.Err()}
	}
	return ports.FromContext(ctx, "tiny")
}

func (e *tinyEar) share(words string) string {
	e.state.mu.Lock()
	e.state.shared = words
	e.state.mu.Unlock()
	time.Sleep(10 * time.Millisecond)
	e.state.mu.Lock()
	defer e.state.mu.Unlock()
	return e.state.shared
}

// brokenVoices names the rule that must catch each fault.
var brokenVoices = map[string]string{
	"speaks in stereo":             "DefaultIsMonoOggOpus",
	"chains two streams":           "DefaultIsMonoOggOpus",
	"plays for no time":            "DefaultIsMonoOggOpus",
	"calls WAV Ogg":                "DefaultIsMonoOggOpus",
	"answers in another format":    "FormatIsHonoured",
	"lies about the duration":      "DurationIsTrue",
	"speaks the first word only":   "LongerTextTakesLonger",
	"speaks an empty text":         "EmptyTextIsInvalid",
	"takes any format":             "UnknownFormatIsUnsupported",
	"has no limit":                 "TooLongTextIsUnsupported",
	"speaks any language":          "UnknownLanguageIsUnsupported",
	"does not look at its context": "EndedContextIsAnError",
	"ignores its context":          "ContextEndsTheCall",
	"leaves its work behind":       "CancelFreesEverything",
	"shares one buffer":            "SynthesizeMayBeCalledConcurrently",
	"mixes up its callers":         "SynthesizeMayBeCalledConcurrently",
	"loses the kind of a failure":  "FailuresHaveTheirKind",
	"writes the text in an error":  "FailuresHaveTheirKind",
	"retries by itself":            "FailuresHaveTheirKind",
}

func TestTTSSuiteRejects(t *testing.T) {
	rejects(t, brokenVoices, func(t *testing.T, fault string) { porttest.TestTTS(t, tinyVoices(fault)) })
}

// TestTTSSuiteAccepts is the control, plain and in a bubble.
func TestTTSSuiteAccepts(t *testing.T) { porttest.TestTTS(t, tinyVoices("")) }

func TestTTSSuiteAcceptsInABubble(t *testing.T) {
	h := tinyVoices("")
	h.Wrap = synctest.Test
	porttest.TestTTS(t, h)
}

func tinyVoices(fault string) porttest.TTSHarness {
	with := func(v tinyVoice) func(*testing.T) ports.TTSPort {
		return func(*testing.T) ports.TTSPort {
			v := v
			v.fault, v.state, v.buffer = fault, &tinyModelState{}, make([]byte, 4096)
			return &v
		}
	}
	return porttest.TTSHarness{
		New:             with(tinyVoice{}),
		Duration:        tinyDuration,
		Formats:         []string{domain.MIMEWAV},
		TooLong:         strings.Repeat("on and on ", 100),
		UnknownLanguage: "tlh",
		Hang:            with(tinyVoice{hang: true}),
		Fail: map[ports.Kind]func(*testing.T) ports.TTSPort{
			ports.KindDenied:  with(tinyVoice{fail: ports.KindDenied}),
			ports.KindTimeout: with(tinyVoice{fail: ports.KindTimeout}),
		},
		Calls: func(v ports.TTSPort) int { return int(v.(*tinyVoice).state.calls.Load()) },
	}
}

// tinyDuration reads the number behind a tiny clip's head, in milliseconds.
func tinyDuration(_ *testing.T, clip domain.Audio) time.Duration {
	b := clip.Bytes()
	return time.Duration(binary.LittleEndian.Uint32(b[len(b)-4:])) * time.Millisecond
}

// tinyVoice is a correct voice but for its fault. Its clips have a right head, and
// instead of sound the number of milliseconds they would last.
type tinyVoice struct {
	fault  string
	hang   bool
	fail   ports.Kind
	state  *tinyModelState
	buffer []byte
}

func (v *tinyVoice) is(fault string) bool { return v.fault == fault }

func (v *tinyVoice) Synthesize(ctx context.Context, text string, opt ports.TTSOptions) (domain.Audio, error) {
	refuse := func(kind ports.Kind) (domain.Audio, error) { return domain.Audio{}, tinyError(kind, "as asked") }
	format := opt.Format
	if format == "" {
		format = domain.MIMEOggOpus
	}
	switch {
	case ctx.Err() != nil && !v.is("does not look at its context"):
		return domain.Audio{}, ports.FromContext(ctx, "tiny")
	case strings.TrimSpace(text) == "" && !v.is("speaks an empty text"):
		return refuse(ports.KindInvalid)
	case len(text) > 500 && !v.is("has no limit"):
		return refuse(ports.KindUnsupported)
	case opt.Language == "tlh" && !v.is("speaks any language"):
		return refuse(ports.KindUnsupported)
	case format != domain.MIMEOggOpus && format != domain.MIMEWAV && !v.is("takes any format"):
		return refuse(ports.KindUnsupported)
	}
	v.state.calls.Add(1)
	if v.hang {
		return domain.Audio{}, (&tinyEar{fault: v.fault}).wait(ctx)
	}
	if v.fail != "" {
		switch {
		case v.is("loses the kind of a failure"):
			return domain.Audio{}, errors.New("it did not work")
		case v.is("writes the text in an error"):
			return domain.Audio{}, tinyError(v.fail, "cannot say "+text)
		case v.is("retries by itself"):
			v.state.calls.Add(1)
		}
		if v.fail == ports.KindTimeout {
			return domain.Audio{}, ports.FromContext(expired(), "tiny")
		}
		return refuse(v.fail)
	}
	return v.clip(text, format)
}

func (v *tinyVoice) clip(text, format string) (domain.Audio, error) {
	switch {
	case v.is("mixes up its callers"):
		text = (&tinyEar{state: v.state}).share(text)
	case v.is("speaks the first word only"):
		text = "Yes."
	case v.is("plays for no time"):
		text = ""
	case v.is("answers in another format"):
		format = domain.MIMEOggOpus
	}
	channels := byte(1)
	if v.is("speaks in stereo") {
		channels = 2
	}
	head := append([]byte("OggS\x00\x02"), make([]byte, 20)...)
	head = append(head, 1, 19)
	head = append(head, "OpusHead\x01"...)
	head = append(head, channels)
	head = append(head, make([]byte, 9)...)
	if v.is("chains two streams") {
		head = append(head, head...)
	}
	if format == domain.MIMEWAV || v.is("calls WAV Ogg") {
		head = append([]byte("RIFF\x00\x00\x00\x00WAVE"), make([]byte, 60)...)
	}
	length := time.Duration(len(text)) * 60 * time.Millisecond
	data := binary.LittleEndian.AppendUint32(head, uint32(length.Milliseconds()))
	if v.is("shares one buffer") {
		v.state.mu.Lock()
		data = v.buffer[:copy(v.buffer, data)]
		v.state.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
	} else {
		data = bytes.Clone(data)
	}
	if v.is("lies about the duration") {
		length += time.Second
	}
	return domain.NewAudio(format, data, length)
}

// expired is a context whose deadline passed.
func expired() context.Context {
	ctx, cancel := context.WithDeadline(context.Background(), time.Unix(0, 0))
	cancel()
	return ctx
}
