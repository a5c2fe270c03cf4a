package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A fence stands around words that are data for a model, not orders to it: what a
// user wrote or said, what a tool answered. Nothing inside can end it, since every
// beginning of a fence inside is made harmless first.

// FenceKind names what is fenced.
type FenceKind string

// The kinds of fenced text.
const (
	FenceMessage FenceKind = "message" // of the user: written, heard, or shared
	FenceResult  FenceKind = "result"  // of a tool
)

// fenceKinds are those whose beginnings are made harmless inside every fence.
var fenceKinds = []FenceKind{FenceMessage, FenceResult}

func (k FenceKind) open() string { return "<" + string(k) + ">\n" }
func (k FenceKind) end() string  { return "\n</" + string(k) + ">" }

// Fence puts text into a fence. The text should be clean, see CleanText.
func Fence(kind FenceKind, text string) string {
	return kind.open() + disarm(text) + kind.end()
}

// Unfence gives the text in a fence that is all of s, and s itself when it is none.
// Engines that only repeat what they were told use it.
func Unfence(kind FenceKind, s string) string {
	inner, ok := strings.CutPrefix(s, kind.open())
	if !ok {
		return s
	}
	if inner, ok = strings.CutSuffix(inner, kind.end()); !ok {
		return s
	}
	return inner
}

// WithoutFences takes the marks of fences out of a text, as from an answer whose model
// repeats them.
func WithoutFences(s string) string {
	if !strings.Contains(s, "<") {
		return s
	}
	for _, k := range fenceKinds {
		for _, mark := range []string{"<" + string(k) + ">", "</" + string(k) + ">"} {
			s = strings.ReplaceAll(s, mark, "")
		}
	}
	return s
}

// maxFenceMark is how many characters behind a bracket are looked at, spaces too.
const maxFenceMark = 64

// brackets are what a model may read as the beginning of a tag.
const brackets = "<＜﹤‹〈⟨《«"

// disarm replaces the bracket in front of whatever reads like the beginning or the end
// of a fence: in any case, with spaces, in letters of another alphabet that look the same.
func disarm(text string) string {
	at := strings.IndexAny(text, brackets)
	if at < 0 {
		return text
	}
	var out strings.Builder
	for at >= 0 {
		_, size := utf8.DecodeRuneInString(text[at:])
		out.WriteString(text[:at])
		if fenceName(text[at+size:]) {
			out.WriteByte('(')
		} else {
			out.WriteString(text[at : at+size])
		}
		text = text[at+size:]
		at = strings.IndexAny(text, brackets)
	}
	out.WriteString(text)
	return out.String()
}

// fenceName reports whether a text reads like the name of a fence, perhaps of its end.
func fenceName(s string) bool {
	var read [8]rune
	n, looked := 0, 0
	for _, r := range s {
		if looked++; looked > maxFenceMark {
			break
		}
		r = lookalike(r)
		switch {
		case unicode.IsSpace(r), r == '/', r == '\\', strings.ContainsRune(brackets, r), hidden(r):
			continue
		}
		read[n] = r
		if n++; n == len(read) {
			break
		}
	}
	for _, k := range fenceKinds {
		if strings.HasPrefix(string(read[:n]), string(k)) {
			return true
		}
	}
	return false
}

// lookalike gives the lower-case Latin letter that a letter looks like.
func lookalike(r rune) rune {
	if r >= 0xff01 && r <= 0xff5e {
		r -= 0xfee0 // full width
	}
	r = unicode.ToLower(r)
	switch r {
	case 'е', 'ё', 'é', 'è', 'ê', 'ë', 'ε':
		return 'e'
	case 'ѕ', 'ś', 'š':
		return 's'
	case 'а', 'á', 'à', 'â', 'ä', 'α':
		return 'a'
	case 'ɡ', 'ğ', 'ģ':
		return 'g'
	case 'м', 'ṃ':
		return 'm'
	case 'г', 'ŕ':
		return 'r'
	case 'υ', 'ü', 'ú', 'ս':
		return 'u'
	case 'ӏ', 'ı', 'і', 'ł', '|':
		return 'l'
	case 'т', 'τ':
		return 't'
	}
	return r
}
