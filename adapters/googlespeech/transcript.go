package googlespeech

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"whatsappnode/domain"
)

// part is one result: a stretch of the clip and its words.
type part struct {
	text       string
	language   string  // as Google writes it, or empty
	confidence float64 // 0 is not given
}

// transcript joins the parts. The language is the one most was said in, and the
// confidence the mean of those that are given, both weighted by length. Where
// Google names no language and only one was asked for, it is that one.
func transcript(parts []part, asked []string) domain.Transcript {
	var (
		text      strings.Builder
		last      rune
		spoken    = map[string]int{}
		sum       float64
		weighed   int
		out       domain.Transcript
		mostWords int
	)
	for _, p := range parts {
		words := strings.TrimSpace(p.text)
		if words == "" {
			continue
		}
		first, _ := utf8.DecodeRuneInString(words)
		if text.Len() > 0 && !(unspaced(last) && unspaced(first)) {
			text.WriteByte(' ')
		}
		text.WriteString(words)
		last, _ = utf8.DecodeLastRuneInString(words)

		n := utf8.RuneCountInString(words)
		if p.confidence > 0 && !math.IsInf(p.confidence, 1) {
			sum += math.Min(p.confidence, 1) * float64(n)
			weighed += n
		}
		if tag := standardTag(p.language); tag != "" {
			spoken[tag] += n
			if spoken[tag] > mostWords {
				out.Language, mostWords = tag, spoken[tag]
			}
		}
	}
	if text.Len() == 0 {
		return domain.Transcript{}
	}
	out.Text = text.String()
	if weighed > 0 {
		out.Confidence = sum / float64(weighed)
	}
	if out.Language == "" && len(asked) == 1 {
		out.Language = standardTag(asked[0])
	}
	return out
}

// unspaced reports whether a character belongs to a script that is written without
// spaces between sentences.
func unspaced(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) ||
		r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xffef // their punctuation
}
