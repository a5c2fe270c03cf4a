package domain

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// earWords is what one language says for what is not read as it stands. An empty word
// means that nothing is said.
type earWords struct {
	tag                                 string // the base language, empty for all without words
	monthFirst                          bool   // 11/22/2026
	decimal                             string
	link, mail, code, table, program    string
	more                                string // with % for a number
	rest                                string // the same, of a list whose end is not known
	and, plus, minus, equals, times, to string
	dot, number, about                  string
	months                              []string
	money                               map[string]string // ISO code: one|many
	units                               map[string]string // sign: one|many
	magnitudes                          map[string]string // word after an amount: what joins it to the currency
}

func itoa(n int) string { return strconv.Itoa(n) }

// word is a token of a line, without the punctuation around it.
type word struct{ lead, core, trail string }

const (
	leadMarks  = "([{\"'“‘„«¿¡"
	trailMarks = ".,;:!?)]}\"'”’»…。，！？、"
)

func wordsIn(s string) []word {
	fields := strings.FieldsFunc(joinDigits(s), isBreakingSpace)
	out := make([]word, len(fields))
	for i, f := range fields {
		core := f
		if !isASCIIWord(f[0]) {
			core = strings.TrimLeft(f, leadMarks)
		}
		out[i].lead = f[:len(f)-len(core)]
		if strings.HasPrefix(core, "(") || strings.HasSuffix(out[i].lead, "(") && looksLikeAreaCode(core) {
			core = "(" + core
			out[i].lead = strings.TrimSuffix(out[i].lead, "(")
		}
		trimmed := core
		if core != "" && !isASCIIWord(core[len(core)-1]) {
			trimmed = strings.TrimRight(core, trailMarks)
		}
		if strings.HasPrefix(core, "(") && strings.HasPrefix(core[len(trimmed):], ")") {
			trimmed += ")"
		}
		out[i].core, out[i].trail = trimmed, core[len(trimmed):]
	}
	return out
}

// isASCIIWord tells the letters and digits of most words, which need no look at the marks.
func isASCIIWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// looksLikeAreaCode tells "555)" behind an opening parenthesis.
func looksLikeAreaCode(s string) bool {
	digits, rest, ok := strings.Cut(s, ")")
	return ok && len(digits) >= 2 && len(digits) <= 5 && isDigits(digits) && (rest == "" || isDigits(rest[:1]))
}

// joinDigits makes "1 234" of digits that a narrow or no-break space groups one word,
// and an ordinary space of any other such space.
func joinDigits(s string) string {
	if !strings.ContainsRune(s, '\u00a0') && !strings.ContainsRune(s, '\u202f') {
		return s
	}
	var b strings.Builder
	runes := []rune(s)
	for i, r := range runes {
		if r != '\u00a0' && r != '\u202f' {
			b.WriteRune(r)
			continue
		}
		if i == 0 || i == len(runes)-1 || !unicode.IsDigit(runes[i-1]) || !unicode.IsDigit(runes[i+1]) {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// reading is what one or more words turn into.
type reading struct {
	said string
	used int // words; 0: not of this sort
}

// speak reads a line word by word. Each sort of thing looks at a bounded number of
// words, so the whole is linear.
func (n *Narrator) speak(s string) string {
	words := wordsIn(s)
	sorts := [...]func([]word, int) reading{n.mailbox, n.phone, n.date, n.clock, n.amount, n.measure, n.span, n.identifier, n.dotted, n.sign}
	var b strings.Builder
	for i := 0; i < len(words); {
		r := reading{}
		for _, sort := range sorts {
			if r = sort(words, i); r.used > 0 {
				break
			}
		}
		if r.used == 0 {
			r = reading{said: words[i].core, used: 1}
		} else {
			words[i+r.used-1].trail = withoutPoint(words, i+r.used-1)
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(words[i].lead + r.said + words[i+r.used-1].trail)
		i += r.used
	}
	return b.String()
}

// withoutPoint takes the point of an abbreviation that became a word off what follows
// it, as in "5 p.m., then" and "5 min. on foot".
func withoutPoint(words []word, at int) string {
	w := words[at]
	rest, ok := strings.CutPrefix(w.trail, ".")
	switch {
	case !ok || strings.HasPrefix(rest, "."):
		return w.trail
	case rest != "" && strings.Contains(w.core, "."):
		return rest
	case rest == "" && at+1 < len(words) && words[at+1].lead == "" && startsLower(words[at+1].core):
		return ""
	}
	return w.trail
}

func startsLower(s string) bool { r, _ := utf8.DecodeRuneInString(s); return unicode.IsLower(r) }

// mailbox is an e-mail address.
func (n *Narrator) mailbox(words []word, i int) reading {
	core := strings.TrimPrefix(words[i].core, "mailto:")
	name, host, ok := strings.Cut(core, "@")
	if !ok || name == "" || !strings.Contains(host, ".") || strings.Contains(host, "@") {
		return reading{}
	}
	n.later(core)
	return reading{n.words.mail, 1}
}

// phone is a telephone number with its country code, or in the North American form; it
// is spoken digit by digit, with a pause where it is written in groups.
func (n *Narrator) phone(words []word, i int) reading {
	const mostWords, mostDigits = 8, 17
	first := words[i].core
	if first == "" || !strings.ContainsAny(first[:1], "+(0") && !strings.ContainsAny(first, "-.") && len(first) != 3 && first != "1" {
		return reading{} // most words, at no cost
	}
	var groups []string
	total, used := 0, 0
	for used < mostWords && i+used < len(words) {
		w := words[i+used]
		if len(w.core) > 4*mostDigits {
			break
		}
		if used > 0 && (w.lead != "" || words[i+used-1].trail != "") {
			break
		}
		parts := strings.FieldsFunc(w.core, func(r rune) bool { return strings.ContainsRune("+-()/.", r) })
		if strings.Trim(w.core, "0123456789+-()/.") != "" || len(parts) == 0 || used > 0 && strings.Contains(w.core, "+") {
			break
		}
		for _, p := range parts {
			total += len(p)
			groups = append(groups, p)
		}
		used++
	}
	shape := ""
	for _, g := range groups {
		shape += itoa(len(g)) + " "
	}
	international := first[0] == '+' && total >= 7
	national := first[0] == '0' && len(groups) > 1 && !strings.Contains(words[i].core, ".") && !isDate(first)
	area := first[0] == '(' && total >= 9
	american := area || shape == "3 3 4 " || shape == "1 3 3 4 "
	if total > mostDigits || !(international || american || national && total >= 8) {
		return reading{}
	}
	for k, g := range groups {
		groups[k] = strings.Join(strings.Split(g, ""), " ")
	}
	said := strings.Join(groups, ", ")
	if first[0] == '+' && n.words.plus != "" {
		said = n.words.plus + " " + said
	}
	return reading{said, used}
}

// span is a range of plain numbers: "9-12".
func (n *Narrator) span(words []word, i int) reading {
	from, to, ok := strings.Cut(strings.ReplaceAll(words[i].core, "–", "-"), "-")
	if !ok || n.words.to == "" || !isDigits(from) || !isDigits(to) || len(from) > 4 || len(to) > 4 || number(from) >= number(to) {
		return reading{}
	}
	return reading{from + " " + n.words.to + " " + to, 1}
}

// spelled is the greatest number of characters that are spelled out; a longer code is
// put aside, because nobody can write down what goes on and on.
const spelled = 8

// identifier is an order number, a tracking number, a key: letters and digits mixed as
// no word has them, or more digits than a number that is spoken.
func (n *Narrator) identifier(words []word, i int) reading {
	core := words[i].core
	var digits, letters, upper, other, turns int
	last := rune(0)
	for _, r := range core {
		switch {
		case r >= '0' && r <= '9':
			digits++
			if last == 'a' {
				turns++
			}
			last = '0'
		case r < 0x80 && unicode.IsLetter(r):
			letters++
			if unicode.IsUpper(r) {
				upper++
			}
			if last == '0' {
				turns++
			}
			last = 'a'
		case r == '-' || r == '_' || r == '#':
		default:
			other++
		}
	}
	size := digits + letters
	mixed := letters > 0 && (digits >= 3 && upper == letters || digits >= 2 && turns >= 3)
	secret := letters == 0 && digits >= 4 && i > 0 && digits == len(core) && saysCode(words[max(0, i-3):i])
	if other > 0 || !secret && (size < 6 || !mixed && !(letters == 0 && digits > 10)) {
		return reading{}
	}
	if size > spelled {
		n.later(core)
		return reading{n.words.code, 1}
	}
	var b strings.Builder
	for _, r := range core {
		switch {
		case !isWordRune(r):
			b.WriteByte(',')
		case b.Len() > 0:
			b.WriteByte(' ')
			fallthrough
		default:
			b.WriteRune(r)
		}
	}
	return reading{strings.TrimLeft(b.String(), ", "), 1}
}

// saysCode tells whether words announce digits that are to be typed.
func saysCode(words []word) bool {
	for _, w := range words {
		switch strings.ToLower(w.core) {
		case "code", "pin", "otp", "código", "codigo", "codice", "kod", "passcode", "zugangscode":
			return true
		}
	}
	return false
}

// dotted is the name of a site or a file.
func (n *Narrator) dotted(words []word, i int) reading {
	core := words[i].core
	at := strings.LastIndexByte(core, '.')
	if at < 1 || n.words.dot == "" {
		return reading{}
	}
	end := core[at+1:]
	host, path, slash := strings.Cut(core, "/")
	if slash && path != "" && strings.Contains(host, ".") && onlyLetters(host[strings.LastIndexByte(host, '.')+1:]) && len(host)-strings.LastIndexByte(host, '.') > 2 {
		n.later(core)
		return reading{n.words.link, 1}
	}
	if len(end) < 2 || len(end) > 5 || !isLowerASCII(end) && end != "mp3" && end != "mp4" || isDotted(core) || strings.Contains(core, "..") || unicode.IsUpper(rune(end[0])) {
		return reading{}
	}
	if strings.IndexFunc(core, func(r rune) bool { return !isWordRune(r) && !strings.ContainsRune(".-_", r) }) >= 0 || !strings.ContainsFunc(core[:at], unicode.IsLetter) {
		return reading{}
	}
	said := strings.NewReplacer(".", " "+n.words.dot+" ", "_", " ", "-", " ").Replace(core)
	return reading{said, 1}
}

// sign is a symbol that stands for a word, alone or in front of one.
func (n *Narrator) sign(words []word, i int) reading {
	core := words[i].core
	w := n.words
	switch core {
	case "&":
		return reading{w.and, 1}
	case "+":
		return reading{w.plus, 1}
	case "=":
		return reading{w.equals, 1}
	case "×", "x":
		if i > 0 && i+1 < len(words) && isDigits(words[i-1].core) && isDigits(words[i+1].core) {
			return reading{w.times, 1}
		}
	case "-", "–", "—":
		if i > 0 && i+1 < len(words) && w.to != "" && strings.ContainsAny(core, "-–") && endsTime(words[:i]) && isDigits(words[i+1].core[:min(1, len(words[i+1].core))]) {
			return reading{w.to, 1}
		}
	case "|", "/", "\\", "^", "<", ">", "#", "{", "}":
		return reading{"", 1}
	}
	switch {
	case strings.HasPrefix(core, "#") && isDigits(core[1:]):
		return reading{strings.TrimSpace(w.number + " " + core[1:]), 1}
	case strings.HasPrefix(core, "#"), strings.HasPrefix(core, "@"):
		return reading{strings.ReplaceAll(core[1:], "_", " "), 1}
	case strings.HasPrefix(core, "≈"):
		return reading{strings.TrimSpace(w.about + " " + strings.TrimPrefix(core, "≈")), 1}
	case strings.Contains(core, "_"):
		return reading{strings.TrimSpace(strings.ReplaceAll(core, "_", " ")), 1}
	case strings.Contains(core, "&") && w.and != "" && len(core) > 3:
		return reading{strings.ReplaceAll(core, "&", " "+w.and+" "), 1}
	}
	return reading{}
}

// endsTime tells whether words end with a time, so that a dash behind it means a span.
func endsTime(words []word) bool {
	w := words[len(words)-1]
	if strings.Trim(w.trail, ".") != "" {
		return false
	}
	switch strings.ToLower(strings.ReplaceAll(w.core, ".", "")) {
	case "am", "pm", "uhr":
		return len(words) > 1 && strings.ContainsAny(words[len(words)-2].core, digits)
	}
	return strings.Contains(w.core, ":") && isDigits(w.core[len(w.core)-1:])
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, digits) == "" }

func isLowerASCII(s string) bool { return s != "" && strings.Trim(s, letters) == "" }

// number reads a short run of digits.
func number(s string) int {
	n := 0
	for _, c := range s[:min(len(s), 9)] {
		n = n*10 + int(c-'0')
	}
	return n
}
