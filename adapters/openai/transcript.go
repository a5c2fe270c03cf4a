package openai

import (
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"unicode"

	"whatsappnode/domain"
)

// transcription is an answer of the ear. Numbers that differ between servers are
// not looked at: vLLM sends the duration as a text.
type transcription struct {
	Text      *string `json:"text"`
	Language  string  `json:"language"`
	Languages []struct {
		Code string `json:"code"`
	} `json:"languages"`
	Segments []segment `json:"segments"`
}

// segment is a stretch of speech. What is nil the server does not tell.
type segment struct {
	Text     string   `json:"text"`
	Start    float64  `json:"start"` // seconds
	End      float64  `json:"end"`
	LogProb  *float64 `json:"avg_logprob"`
	NoSpeech *float64 `json:"no_speech_prob"`
}

// understand reads an answer that came with a status of success.
func (s *STT) understand(data []byte) (transcription, error) {
	if saysFailure(data) { // whisper.cpp says so of a clip it cannot read
		return transcription{}, readFailure(data).fault(opSTT, 0, nil)
	}
	if s.form == TranscriptText {
		text := strings.ToValidUTF8(string(data), "")
		return transcription{Text: &text}, nil
	}
	var t transcription
	if json.Unmarshal(data, &t) != nil || t.Text == nil {
		return transcription{}, transient(opSTT, "the answer is no transcript")
	}
	return t, nil
}

const (
	// noSpeech is Whisper's own threshold for silence.
	noSpeech = 0.6
	// unsure is a little above Whisper's own -1.0: servers drop what is below that
	// themselves, and what they let through in silence lies closely above.
	unsure = -0.7
)

// invented reports whether a segment is one of those that Whisper makes up where
// nobody speaks: it says so itself and is unsure of the words.
func (g segment) invented() bool {
	return g.NoSpeech != nil && *g.NoSpeech > noSpeech && g.LogProb != nil && *g.LogProb < unsure
}

// remark is a note on sounds, which whisper.cpp writes for silence and noise:
// [BLANK_AUDIO], (music), *coughs*, ♪.
var remark = regexp.MustCompile(`\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|♪[^♪]*♪`)

// heard is what was said, empty when nobody spoke: when the model calls every
// segment silence, or when nothing but remarks on sounds is left.
func (t transcription) heard(allowed []string) domain.Transcript {
	spoken := make([]segment, 0, len(t.Segments))
	for _, g := range t.Segments {
		if !g.invented() {
			spoken = append(spoken, g)
		}
	}
	text := *t.Text
	if len(spoken) < len(t.Segments) {
		text = t.without(spoken)
	}
	text = strings.TrimSpace(text)
	if !strings.ContainsFunc(remark.ReplaceAllString(text, ""), wordy) {
		return domain.Transcript{}
	}
	return domain.Transcript{Text: text, Language: t.language(allowed), Confidence: confidence(spoken)}
}

func wordy(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// without joins the segments that are left. Most servers begin a segment with the
// space that belongs before it; where they do not, the whole text shows it.
func (t transcription) without(spoken []segment) string {
	all, left := make([]string, len(t.Segments)), make([]string, len(spoken))
	for i, g := range t.Segments {
		all[i] = g.Text
	}
	for i, g := range spoken {
		left[i] = g.Text
	}
	if strings.TrimSpace(strings.Join(all, "")) == strings.TrimSpace(*t.Text) {
		return strings.Join(left, "")
	}
	return strings.Join(left, " ")
}

// confidence is the mean probability of a word, weighted by the segments' lengths;
// 0 when a segment does not tell.
func confidence(spoken []segment) float64 {
	sum, weight := 0.0, 0.0
	for _, g := range spoken {
		if g.LogProb == nil || *g.LogProb >= 0 { // 0 is what servers send that do not know
			return 0
		}
		w := max(g.End-g.Start, 0.1)
		sum, weight = sum+w*(*g.LogProb), weight+w
	}
	if weight == 0 {
		return 0
	}
	return math.Exp(sum / weight)
}

// language is the tag of what was spoken. A language that is allowed is named the
// way it was allowed ("pt-BR" for "portuguese"); without detection the only allowed
// one is assumed.
func (t transcription) language(allowed []string) string {
	detected := tagOf(t.Language)
	for _, l := range t.Languages {
		if detected == "" {
			detected = tagOf(l.Code)
		}
	}
	if detected == "" && len(allowed) == 1 {
		return allowed[0]
	}
	for _, tag := range allowed {
		if detected != "" && primary(tag) == primary(detected) {
			return tag
		}
	}
	return detected
}
