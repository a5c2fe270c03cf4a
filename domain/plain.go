package domain

import (
	"strings"
	"unicode"
)

// unaccented are the letters that people leave the accent off when they type in a hurry.
var unaccented = func() map[rune]rune {
	out := map[rune]rune{}
	for base, accented := range map[rune]string{
		'a': "áàâãäå", 'c': "ç", 'e': "éèêë", 'i': "íìîï", 'n': "ñ", 'o': "óòôõö", 'u': "úùûü", 'y': "ýÿ",
	} {
		for _, r := range accented {
			out[r] = base
		}
	}
	return out
}()

// Plain reduces a text to what counts when it is compared with a word or a phrase: in
// lower case, without accents, with one space between words and nothing but letters and
// digits in them.
func Plain(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(s) {
		if base, ok := unaccented[r]; ok {
			r = base
		}
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		b.WriteRune(r)
	}
	return b.String()
}
