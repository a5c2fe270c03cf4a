package porttest

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// STTHarness makes ears for TestSTT. New and Spoken are required; whatever else is
// nil skips the cases that need it.
type STTHarness struct {
	// New makes an ear. It registers what must be cleaned up with t.
	New func(t *testing.T) ports.STTPort
	// Spoken are clips in which a word is said that is in no other, at least two.
	Spoken func(t *testing.T) []Spoken
	// Silence is a clip in which nothing is said.
	Silence func(t *testing.T) domain.Audio
	// Corrupt are clips of a right type whose bytes are broken.
	Corrupt func(t *testing.T) []domain.Audio
	// TooLong is a clip that is longer than the engine takes.
	TooLong func(t *testing.T) domain.Audio
	// Hang makes an ear that does not answer while the call lives.
	Hang func(t *testing.T) ports.STTPort
	// Fail makes, by kind, ears whose next call fails with that kind.
	Fail map[ports.Kind]func(t *testing.T) ports.STTPort
	// Calls tells how many requests of an ear reached the vendor.
	Calls func(ear ports.STTPort) int
	// Wrap runs one case, for example synctest.Test; nil calls it plainly. Cases
	// that count goroutines are never wrapped.
	Wrap func(t *testing.T, run func(t *testing.T))
}

// Spoken is a clip and a word that is said in it, in lower case.
type Spoken struct {
	Clip domain.Audio
	Word string
}

// TestSTT checks what ports.STTPort promises.
func TestSTT(t *testing.T, h STTHarness) {
	runVendorCases(t, h, h.Wrap, []vendorCase[STTHarness]{
		{name: "SpeechIsHeard", run: sttHeard},
		{name: "ClipIsNotChanged", run: sttUnchanged},
		{name: "SilenceIsNoError", run: sttSilence},
		{name: "ZeroClipIsInvalid", run: sttZero},
		{name: "CorruptClipIsUnsupported", run: sttCorrupt},
		{name: "UnknownFormatIsUnsupported", run: sttUnknown},
		{name: "TooLongClipIsUnsupported", run: sttTooLong},
		{name: "EndedContextIsAnError", run: sttEnded},
		{name: "ContextEndsTheCall", run: sttHang},
		{name: "CancelFreesEverything", run: sttLeak, bare: true},
		{name: "TranscribeMayBeCalledConcurrently", run: sttConcurrent},
	})
	runKinds(t, h.Fail, h.Wrap, func(t *testing.T, ear ports.STTPort, kind ports.Kind) {
		refusedHearing(t, ear, t.Context(), h.Spoken(t)[0].Clip, kind)
		if h.Calls != nil {
			if n := h.Calls(ear); n > 1 {
				t.Errorf("the vendor was asked %d times; retries are the decorators'", n)
			}
		}
	})
}

var inEnglish = ports.STTOptions{Languages: []string{"en"}}

// transcribe calls the ear and checks what holds for every transcript.
func transcribe(t *testing.T, limit time.Duration, ear ports.STTPort, ctx context.Context, clip domain.Audio) (tr domain.Transcript, err error) {
	t.Helper()
	comesBack(t, limit, func() { tr, err = ear.Transcribe(ctx, clip, inEnglish) })
	if err != nil && tr != (domain.Transcript{}) {
		t.Error("an error comes with a transcript")
	}
	if tr.Confidence < 0 || tr.Confidence > 1 {
		t.Errorf("the confidence is %v", tr.Confidence)
	}
	return tr, err
}

func refusedHearing(t *testing.T, ear ports.STTPort, ctx context.Context, clip domain.Audio, want ports.Kind) {
	t.Helper()
	_, err := transcribe(t, patienceFor(want), ear, ctx, clip)
	if ctx.Err() != nil {
		checkEnded(t, err, want)
		return
	}
	checkKind(t, err, want)
}

func sttHeard(t *testing.T, h STTHarness) {
	ear := h.New(t)
	for _, s := range h.Spoken(t) {
		tr, err := transcribe(t, patience, ear, t.Context(), s.Clip)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.ToLower(tr.Text), s.Word) {
			t.Errorf("heard %q, which lacks %q", tr.Text, s.Word)
		}
	}
}

func sttUnchanged(t *testing.T, h STTHarness) {
	clip := h.Spoken(t)[0].Clip
	before := bytes.Clone(clip.Bytes())
	if _, err := transcribe(t, patience, h.New(t), t.Context(), clip); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, clip.Bytes()) {
		t.Error("the clip's bytes were changed")
	}
}

func sttSilence(t *testing.T, h STTHarness) {
	need(t, h.Silence != nil, "make silence")
	tr, err := transcribe(t, patience, h.New(t), t.Context(), h.Silence(t))
	if err != nil {
		t.Fatalf("silence is an error: %v", err)
	}
	if strings.TrimSpace(tr.Text) != "" {
		t.Errorf("in silence %q was heard", tr.Text)
	}
}

func sttZero(t *testing.T, h STTHarness) {
	refusedHearing(t, h.New(t), t.Context(), domain.Audio{}, ports.KindInvalid)
}

func sttCorrupt(t *testing.T, h STTHarness) {
	need(t, h.Corrupt != nil, "make corrupt clips")
	ear := h.New(t)
	for _, clip := range h.Corrupt(t) {
		refusedHearing(t, ear, t.Context(), clip, ports.KindUnsupported)
	}
}

func sttUnknown(t *testing.T, h STTHarness) {
	clip, err := domain.NewAudio("application/x-nonsense", []byte(vendorSecret), 0)
	if err != nil {
		t.Fatal(err)
	}
	refusedHearing(t, h.New(t), t.Context(), clip, ports.KindUnsupported)
}

func sttTooLong(t *testing.T, h STTHarness) {
	need(t, h.TooLong != nil, "make a clip that is too long")
	refusedHearing(t, h.New(t), t.Context(), h.TooLong(t), ports.KindUnsupported)
}

func sttEnded(t *testing.T, h STTHarness) {
	for _, e := range ended {
		ctx, cancel := e.ctx(t.Context())
		refusedHearing(t, h.New(t), ctx, h.Spoken(t)[0].Clip, e.kind)
		cancel()
	}
}

func sttHang(t *testing.T, h STTHarness) {
	need(t, h.Hang != nil, "make an ear hang")
	clip := h.Spoken(t)[0].Clip
	for _, e := range endings {
		ctx, cancel := e.ctx(t.Context())
		refusedHearing(t, h.Hang(t), ctx, clip, e.kind)
		cancel()
	}
}

func sttLeak(t *testing.T, h STTHarness) {
	need(t, h.Hang != nil, "make an ear hang")
	ear, clip := h.Hang(t), h.Spoken(t)[0].Clip
	checkLeak(t, func() {
		ctx, cancel := context.WithTimeout(t.Context(), shortly)
		defer cancel()
		refusedHearing(t, ear, ctx, clip, ports.KindTimeout)
	})
}

func sttConcurrent(t *testing.T, h STTHarness) {
	ear, spoken := h.New(t), h.Spoken(t)
	callers := 2 * len(spoken)
	texts, errs := make([]string, callers), make([]error, callers)
	atOnce(callers, func(i int) {
		tr, err := transcribe(t, patience, ear, t.Context(), spoken[i%len(spoken)].Clip)
		texts[i], errs[i] = strings.ToLower(tr.Text), err
	})
	for i := range callers {
		if errs[i] != nil {
			t.Errorf("call %d failed: %v", i, errs[i])
			continue
		}
		for j, s := range spoken {
			if strings.Contains(texts[i], s.Word) != (j == i%len(spoken)) {
				t.Errorf("call %d heard %q; its word is %q", i, texts[i], spoken[i%len(spoken)].Word)
			}
		}
	}
}
