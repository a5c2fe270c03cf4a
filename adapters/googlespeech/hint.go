package googlespeech

import (
	"strings"
	"unicode/utf8"
)

// Limits of phrases (Google, "Quotas and limits", "Chirp 3 Transcription"): 100
// characters each, 1,000 of them with chirp_3, and the fewer the better.
const (
	maxPhrase  = 100
	maxPhrases = 500
)

// phrases splits a hint at commas, semicolons and line ends into the phrases that
// are to be likelier. A longer stretch is cut between words.
func phrases(hint string) []string {
	// A dollar sign would name a class of words ("$MONTH"), and an unknown class is an error.
	hint = strings.ReplaceAll(strings.ToValidUTF8(hint, " "), "$", " ")
	var out []string
	seen := map[string]bool{}
	for part := range strings.FieldsFuncSeq(hint, separates) {
		for _, phrase := range cutPhrase(strings.Fields(part)) {
			if len(out) == maxPhrases {
				return out
			}
			if key := strings.ToLower(phrase); !seen[key] {
				seen[key] = true
				out = append(out, phrase)
			}
		}
	}
	return out
}

func separates(r rune) bool { return strings.ContainsRune(",;\n\r，；、", r) }

// cutPhrase joins words to phrases of at most maxPhrase characters. A word that is
// longer by itself is left out.
func cutPhrase(words []string) []string {
	var (
		out    []string
		line   strings.Builder
		length int
	)
	flush := func() {
		if length > 0 {
			out = append(out, line.String())
		}
		line.Reset()
		length = 0
	}
	for _, w := range words {
		n := utf8.RuneCountInString(w)
		if n > maxPhrase {
			continue
		}
		if length > 0 && length+1+n > maxPhrase {
			flush()
		}
		if length > 0 {
			line.WriteByte(' ')
			length++
		}
		line.WriteString(w)
		length += n
	}
	flush()
	return out
}
