package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Secrets are values that must never be said, in a form in which they are found again.
type Secrets []string

// leastSecret is the length in letters and digits below which a value is a word that
// may well be said.
const leastSecret = 8

// NewSecrets takes values of which each is long enough to be one.
func NewSecrets(values ...string) Secrets {
	var out Secrets
	for _, v := range values {
		if plain := squeeze(v); len(plain) >= leastSecret {
			out = append(out, plain, reversed(plain))
		}
	}
	return out
}

// In reports whether a text says one of the secrets: as it is, spelled with anything
// between its letters, in another case, or backwards.
func (s Secrets) In(text string) bool {
	if len(s) == 0 || len(text) < leastSecret {
		return false
	}
	plain := squeeze(text)
	for _, secret := range s {
		if strings.Contains(plain, secret) {
			return true
		}
	}
	return false
}

// squeeze leaves the letters and digits of ASCII, in lower case.
func squeeze(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		b := s[i]
		if b >= 'A' && b <= 'Z' {
			b += 'a' - 'A'
		}
		if alnum(b) {
			out = append(out, b)
		}
	}
	return string(out)
}

func reversed(s string) string {
	out := make([]byte, len(s))
	for i := range len(s) {
		out[len(s)-1-i] = s[i]
	}
	return string(out)
}

// keyBeginnings are how keys and tokens of services begin that a bot may hold.
var keyBeginnings = []string{"sk-", "sk_live_", "rk_live_", "EAA", "AIza", "ghp_", "gho_", "github_pat_", "xoxb-", "xoxp-", "AKIA", "ASIA", "ya29.", "glpat-", "SG.", "eyJ", "hf_", "whsec_"}

const (
	leastKey   = 20 // characters of a key that begins like one
	leastNoise = 32 // of one that does not
)

// FindKey gives the first piece of a text that looks like a key, a token or a private
// key, or "". What stands in the address of a web page does not.
func FindKey(text string) string {
	if at := strings.Index(text, "-----BEGIN "); at >= 0 {
		return text[at:min(len(text), at+40)]
	}
	for from := 0; from < len(text); {
		to := from
		for to < len(text) && (alnum(text[to]) || strings.IndexByte("_-+/=.:?&%#~", text[to]) >= 0) {
			to++
		}
		if to-from >= leastKey {
			if token := strings.Trim(text[from:to], ".:-?"); keyLike(token) {
				return token
			}
		}
		from = to + 1
	}
	return ""
}

func keyLike(token string) bool {
	if len(token) < leastKey || strings.Contains(token, "://") {
		return false
	}
	if _, value, ok := strings.Cut(token, "="); ok && keyLike(value) {
		return true // name=value
	}
	for _, b := range keyBeginnings {
		if rest, ok := strings.CutPrefix(token, b); ok && len(rest) >= leastKey-6 && strings.ContainsAny(rest, "0123456789") {
			return true
		}
	}
	if len(token) < leastNoise || strings.ContainsAny(token, "/.:?&%#~") {
		return false
	}
	upper, lower, digits, hex, turns := 0, 0, 0, 0, 0
	last := 0
	for i := range len(token) {
		class := 0
		switch b := token[i]; {
		case b >= '0' && b <= '9':
			digits++
			class = 1
		case b >= 'a' && b <= 'z':
			lower++
			class = 2
		case b >= 'A' && b <= 'Z':
			upper++
			class = 3
		}
		if strings.IndexByte("0123456789abcdef", token[i]) >= 0 {
			hex++
		}
		if class != last {
			turns++
		}
		last = class
	}
	return hex == len(token) && min(digits, lower) >= 6 || upper > 3 && lower > 3 && digits > 2 && turns > 9
}

// Quotes finds a text again in what somebody says, by runs of words that no one says
// by chance. The zero value finds nothing. It may be used concurrently.
type Quotes struct {
	run  int
	seen map[uint64]bool
}

// leastQuote is the number of words below which a text is too common to be found.
const leastQuote = 8

// NewQuotes looks for runs of so many words of a text. Of a shorter text it looks for
// all of it; a character of a script that is written without spaces is half a word.
func NewQuotes(text string, run int) Quotes {
	words, wide := quoteWords(text)
	if wide*2 > len(words) {
		run *= 2
	}
	q := Quotes{run: min(run, len(words)), seen: map[uint64]bool{}}
	if len(words) < leastQuote {
		return Quotes{}
	}
	q.each(words, func(h uint64) bool { q.seen[h] = true; return true })
	return q
}

// In reports whether a text quotes.
func (q Quotes) In(text string) bool { return AnyIn([]Quotes{q}, text) }

// AnyIn reports whether a text quotes one of several, and reads it once for all.
func AnyIn(all []Quotes, text string) bool {
	if len(all) == 0 {
		return false
	}
	words, _ := quoteWords(text)
	for _, q := range all {
		if q.run == 0 || len(words) < q.run {
			continue
		}
		found := false
		q.each(words, func(h uint64) bool {
			found = q.seen[h]
			return !found
		})
		if found {
			return true
		}
	}
	return false
}

// each visits a rolling hash of every run.
func (q Quotes) each(words []uint64, visit func(uint64) bool) {
	const base = 0x9e3779b97f4a7c15
	power, sum := uint64(1), uint64(0)
	for range q.run {
		power *= base
	}
	for i, w := range words {
		sum = sum*base + w
		if i >= q.run {
			sum -= words[i-q.run] * power
		}
		if i >= q.run-1 && !visit(sum) {
			return
		}
	}
}

// quoteWords are hashes of the words of a text, whatever stands between them.
func quoteWords(text string) (words []uint64, wide int) {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	words = make([]uint64, 0, len(text)/5+1)
	sum := uint64(offset)
	end := func() {
		if sum != offset {
			words = append(words, sum)
			sum = offset
		}
	}
	for _, r := range text {
		if r < utf8.RuneSelf { // almost every character of most languages, and the tables are slow
			switch lower := r | 0x20; {
			case lower >= 'a' && lower <= 'z':
				sum = (sum ^ uint64(lower)) * prime // #nosec G115 -- a letter
			case r >= '0' && r <= '9':
				sum = (sum ^ uint64(r)) * prime // #nosec G115 -- a digit
			case r != '\'':
				end()
			}
			continue
		}
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
			end()
			wide++
			words = append(words, (offset^uint64(r))*prime) // #nosec G115 -- a hash
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r):
			sum = (sum ^ uint64(unicode.ToLower(r))) * prime // #nosec G115 -- a hash
		case r == '’':
		default:
			end()
		}
	}
	end()
	return words, wide
}
