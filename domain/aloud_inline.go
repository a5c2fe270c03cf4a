package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// line gives the words of one line: markup first, then what the words stand for.
func (n *Narrator) line(s string) string {
	return n.speak(n.unmark(s))
}

// unmark takes the markup, the pictures and the addresses out of a line.
func (n *Narrator) unmark(s string) string {
	b := make([]byte, 0, len(s))
	prev, picture := ' ', false
	for i := 0; i < len(s); {
		if !picture {
			if used := ordinary(s[i:]); used > 0 {
				b, prev = append(b, s[i:i+used]...), rune(s[i+used-1])
				i += used
				continue
			}
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		rest := s[i+size:]
		next, _ := utf8.DecodeRuneInString(rest)
		out, used := string(r), size
		switch {
		case hasScheme(s[i:]) && (r == 'h' || prev >= utf8.RuneSelf || !isWordRune(prev)):
			used = addressEnd(s[i:])
			n.later(s[i : i+used])
			if out = n.words.link; out != "" && isWordRune(prev) {
				out = " " + out
			}
			if strings.HasSuffix(s[:i], "<") && strings.HasPrefix(s[i+used:], ">") {
				used++
			}
		case r == '\\' && strings.ContainsRune("\\`*_{}[]()#+-.!~|>", next) && rest != "":
			out, used = string(next), size+1
		case r == '!' && next == '[':
			out = "" // a picture: its description is enough
		case r == '[':
			if said, width := n.link(s[i:], strings.HasSuffix(s[:i], "!")); width > 0 {
				out, used = said, width
			}
		case r == '`':
			out, used = n.inlineCode(s[i:])
		case r == '<':
			out, used = inlineTag(s[i:])
		case r == '&' && strings.HasPrefix(rest, "amp;"):
			out, used = "&", size+4
		case r == '&' && strings.HasPrefix(rest, "nbsp;"):
			out, used = " ", size+5
		case r == '*' && unicode.IsSpace(prev) && unicode.IsSpace(next):
			out = "×"
		case r == '*' && unicode.IsDigit(prev) && unicode.IsDigit(next):
			out = " × "
		case r == '*', r == '~' && !(unicode.IsDigit(next) && prev == ' '), r == '_' && !(isWordRune(prev) && isWordRune(next)):
			out = ""
		case r == '~':
			out = "≈"
		case r >= 0x2190 && r <= 0x21ff || r == '•' || r == '➡' || r == '·' && prev == ' ':
			out = ", "
		case isPicture(r) || picture && (r == 0x200d || r == 0xfe0f):
			out, picture = " ", true
			if r == 0x200d || r == 0xfe0f {
				out = ""
			}
			prev = ' '
			b = append(b, out...)
			i += used
			continue
		case picture && strings.ContainsRune(".,!?;:…", r):
			for len(b) > 0 && b[len(b)-1] == ' ' { // what the picture stood behind
				b = b[:len(b)-1]
			}
		case r == 0xfe0f || r == 0x20e3 || strings.ContainsRune("®©™†‡", r) || r >= 0x2500 && r <= 0x25ff:
			out = ""
		}
		picture = false
		b = append(b, out...)
		if last, _ := utf8.DecodeLastRuneInString(out); out != "" {
			prev = last
		}
		i += used
	}
	return string(b)
}

// ordinary tells how many bytes at the beginning of s mean nothing but themselves.
func ordinary(s string) int {
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c >= utf8.RuneSelf || strings.IndexByte("\\![`<&*~_", c) >= 0:
			return i
		case (c == 'h' || c == 'w') && hasScheme(s[i:]):
			return i
		}
	}
	return len(s)
}

// These bound how far the end of a link or of code is looked for, in bytes,
// so that a text of nothing but brackets costs no more than another.
const (
	longestLinkText = 300
	longestTarget   = linkLimit
	longestCode     = 300
)

// link reads "[text](address)" and gives what is said for it and its width; the width
// is 0 when it is none. A footnote's number is not said.
func (n *Narrator) link(s string, picture bool) (said string, width int) {
	end := strings.IndexByte(s[:min(len(s), longestLinkText)], ']')
	if end < 0 {
		return "", 0
	}
	text := s[1:end]
	if !strings.HasPrefix(s[end+1:], "(") {
		if text != "" && strings.Trim(text, "0123456789^") == "" {
			return "", end + 1
		}
		return "", 0
	}
	part := s[end+2 : min(len(s), end+2+longestTarget)]
	closing := strings.IndexByte(part, ')')
	if closing < 0 {
		return "", 0
	}
	target, _, _ := strings.Cut(strings.TrimSpace(part[:closing]), " ")
	width = end + 2 + closing + 1
	target = strings.Trim(target, "<>")
	text = strings.Trim(text, "*_ ")
	switch {
	case picture:
		return n.unmark(text), width // no bracket closes inside, so this goes one level deep
	case strings.HasPrefix(target, "mailto:"), strings.HasPrefix(target, "tel:"):
		_, target, _ = strings.Cut(target, ":")
		if text == "" || strings.Contains(text, target) {
			return target, width // spoken as what it is
		}
	case text == "" || strings.Contains(text, "://") || strings.HasPrefix(text, "www.") || text == target:
		n.later(target)
		return n.words.link, width
	}
	n.later(text + ": " + target)
	return n.unmark(text), width
}

// inlineCode reads code between back ticks: a name is spoken, anything else goes aside.
func (n *Narrator) inlineCode(s string) (said string, width int) {
	ticks := len(s) - len(strings.TrimLeft(s, "`"))
	if ticks > 3 {
		return "", ticks
	}
	end := strings.Index(s[ticks:min(len(s), ticks+longestCode)], s[:ticks])
	if end < 0 {
		return "", ticks
	}
	body := strings.TrimSpace(s[ticks : ticks+end])
	width = ticks + end + ticks
	if strings.Contains(body, "://") {
		n.later(body)
		return n.words.link, width
	}
	if strings.IndexFunc(body, func(r rune) bool { return !isWordRune(r) && !strings.ContainsRune(" -_.,'@:/", r) }) < 0 {
		return strings.ReplaceAll(body, "_", " "), width
	}
	n.later(body)
	return n.words.code, width
}

// inlineTag drops HTML and gives the inside of "<https://...>".
func inlineTag(s string) (said string, width int) {
	if hasScheme(s[1:]) {
		return "", 1
	}
	end := strings.IndexByte(s[:min(len(s), 40)], '>')
	if end < 2 || !isWordRune(rune(s[1])) && s[1] != '/' {
		return "<", 1
	}
	if inside := s[1:end]; strings.Contains(inside, "@") {
		return inside, end + 1
	}
	return " ", end + 1
}

func hasScheme(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "www.")
}

// addressEnd tells how long an address is: to white space or what cannot be part of one.
func addressEnd(s string) int {
	end := strings.IndexFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("<>\"`“”„«»|*。，、）」", r)
	})
	if end < 0 {
		end = len(s)
	}
	for end > 0 && strings.IndexByte(".,;:!?'_", s[end-1]) >= 0 {
		end--
	}
	open, shut := strings.Count(s[:end], "("), strings.Count(s[:end], ")")
	for ; end > 0 && s[end-1] == ')' && shut > open; shut-- {
		end--
	}
	return max(end, 1)
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// isPicture tells emoji and the signs that are drawn like them.
func isPicture(r rune) bool {
	return r >= 0x1f000 && r <= 0x1faff || r >= 0x2600 && r <= 0x27bf || r >= 0x2b00 && r <= 0x2bff ||
		r >= 0x2300 && r <= 0x23ff || r >= 0xe0020 && r <= 0xe007f || r >= 0x2700 && r <= 0x27bf || r == 0x3030 || r == 0x303d
}
