package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// CleanText takes out of a text what a person cannot see in it: characters that carry
// orders to a model past its reader, or a message past ours. What is invisible and still
// part of how a language or an emoji is written stays:
//
//   - ZERO WIDTH NON-JOINER and JOINER between letters of scripts that are joined
//     (Arabic and those of India and their relatives), and the joiner between emoji;
//   - the variation selectors 15 and 16, once, behind a character that has an emoji form;
//   - the tags of the three flags that are made of tags: England, Scotland, Wales;
//   - ZERO WIDTH SPACE between letters of scripts that are written without spaces;
//   - LEFT-TO-RIGHT and RIGHT-TO-LEFT MARK, one at a time, in a text with letters that
//     are written from right to left;
//   - the variation selectors of Mongolian behind its letters.
//
// All other default-ignorable characters (Unicode, DerivedCoreProperties), the controls
// that change the direction of text, control characters but for line feed and tab, and
// bytes that are no UTF-8 go. A carriage return becomes a line feed, or nothing in front
// of one. Cleaning twice changes nothing. The time is linear; a clean text is not copied.
func CleanText(s string) string {
	if suspicious(s) < 0 {
		return s
	}
	var c cleaner
	c.out.Grow(len(s))
	c.run(s)
	return c.out.String()
}

// suspicious finds the first byte worth a closer look, or -1.
func suspicious(s string) int {
	for i := 0; i < len(s); i++ {
		b := s[i]
		if b >= ' ' && b < 0x7f || b == '\n' || b == '\t' {
			continue
		}
		if b < utf8.RuneSelf {
			return i
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || hidden(r) {
			return i
		}
		i += size - 1
	}
	return -1
}

// hidden tells characters that show nothing by themselves.
func hidden(r rune) bool {
	switch {
	case r < ' ':
		return r != '\n' && r != '\t'
	case r < 0x7f:
		return false
	case r < 0xa0, r == 0xad, r == 0x34f, r == 0x61c, r == 0x115f, r == 0x1160, r == 0x17b4, r == 0x17b5:
		return true
	case r >= 0x180b && r <= 0x180f, r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2060 && r <= 0x206f:
		return true
	case r == 0x3164, r >= 0xfe00 && r <= 0xfe0f, r == 0xfeff, r == 0xffa0, r >= 0xfff0 && r <= 0xfffb:
		return true
	case r >= 0x1bca0 && r <= 0x1bca3, r >= 0x1d173 && r <= 0x1d17a, r >= 0xe0000 && r <= 0xe0fff:
		return true
	}
	return false
}

type cleaner struct {
	out  strings.Builder
	prev rune // the last one that stayed
}

func (c *cleaner) run(s string) {
	rtl := strings.IndexFunc(s, func(r rune) bool { return unicode.In(r, rightToLeft...) }) >= 0
	c.prev = 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		rest := s[i+size:]
		switch {
		case r == utf8.RuneError && size == 1:
		case r == '\r':
			if !strings.HasPrefix(rest, "\n") {
				c.keep('\n')
			}
		case r == 0x1f3f4:
			c.keep(r)
			if flag := taggedFlag(rest); flag != "" {
				c.out.WriteString(flag)
				size += len(flag)
			}
		case !hidden(r) || c.belongs(r, rest, rtl):
			c.keep(r)
		}
		i += size
	}
}

func (c *cleaner) keep(r rune) {
	c.out.WriteRune(r)
	c.prev = r
}

const (
	zeroWidthSpace     = 0x200b
	zeroWidthNonJoiner = 0x200c
	zeroWidthJoiner    = 0x200d
	leftToRightMark    = 0x200e
	rightToLeftMark    = 0x200f
	keycap             = 0x20e3
)

// belongs reports whether an invisible character is needed where it stands.
func (c *cleaner) belongs(r rune, rest string, rtl bool) bool {
	next, _ := utf8.DecodeRuneInString(rest)
	switch {
	case r == zeroWidthNonJoiner:
		return unicode.In(c.prev, joined...) && unicode.In(next, joined...)
	case r == zeroWidthJoiner:
		emoji := (isEmoji(c.prev) || c.prev == 0xfe0f) && isEmoji(next)
		return emoji || unicode.In(c.prev, joined...)
	case r == zeroWidthSpace:
		return unicode.In(c.prev, unspaced...) && unicode.In(next, unspaced...)
	case r == leftToRightMark, r == rightToLeftMark:
		return rtl && !hidden(c.prev)
	case r == 0xfe0e, r == 0xfe0f:
		return isEmoji(c.prev) || strings.ContainsRune("#*0123456789", c.prev) && next == keycap
	case r >= 0x180b && r <= 0x180f:
		return unicode.Is(unicode.Mongolian, c.prev) && !hidden(c.prev)
	}
	return false
}

// flags are the tags behind WAVING BLACK FLAG that make a flag (Unicode, UTS 51).
var flags = func() (all []string) {
	for _, name := range []string{"gbeng", "gbsct", "gbwls"} {
		var b strings.Builder
		for _, letter := range name {
			b.WriteRune(0xe0000 + letter)
		}
		b.WriteRune(0xe007f)
		all = append(all, b.String())
	}
	return all
}()

func taggedFlag(s string) string {
	for _, f := range flags {
		if strings.HasPrefix(s, f) {
			return f
		}
	}
	return ""
}

// joined are the scripts in which a joiner changes what is written, rightToLeft those
// in which a mark of direction does, unspaced those without spaces between words.
var (
	joined = []*unicode.RangeTable{
		unicode.Arabic, unicode.Syriac, unicode.Nko, unicode.Mongolian, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati,
		unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar, unicode.Tibetan,
	}
	rightToLeft = []*unicode.RangeTable{unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko}
	unspaced    = []*unicode.RangeTable{unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan}
)

// isEmoji knows the blocks in which characters with an emoji form stand.
func isEmoji(r rune) bool {
	switch {
	case r >= 0x1f000 && r <= 0x1faff, r >= 0x2190 && r <= 0x21ff, r >= 0x2300 && r <= 0x23ff, r >= 0x2460 && r <= 0x24ff:
		return true
	case r >= 0x25a0 && r <= 0x27bf, r >= 0x2900 && r <= 0x297f, r >= 0x2b00 && r <= 0x2bff:
		return true
	}
	switch r {
	case 0xa9, 0xae, 0x203c, 0x2049, 0x2122, 0x2139, 0x3030, 0x303d, 0x3297, 0x3299:
		return true
	}
	return false
}
