package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// FoundKind is what a Finding is.
type FoundKind string

// The kinds of findings.
const (
	FoundEmail FoundKind = "email"
	FoundPhone FoundKind = "phone"
	FoundCard  FoundKind = "card" // a payment card, its check digit right
)

// Finding is a place in a text that leads to a person. Text[From:To] is what was found.
type Finding struct {
	Kind     FoundKind
	From, To int
	// Key is what stays the same however it is written: the digits, or the address in
	// lower case.
	Key string
}

// FindContacts finds e-mail addresses, telephone numbers and card numbers in a text, in
// their order. A telephone number has a plus sign, or at least nine digits that are
// neither a date, nor a price, nor part of a word or an address of the web.
func FindContacts(s string) []Finding {
	var out []Finding
	if strings.Contains(s, "@") {
		out = emails(s)
	}
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r != '+' && digit(r) < 0 {
			i += size
			continue
		}
		n := readNumber(s[i:])
		if f, ok := n.finding(s, i); ok && !overlaps(out, f) {
			out = append(out, f)
		}
		i += max(size, n.size)
	}
	return out
}

func overlaps(all []Finding, f Finding) bool {
	for _, o := range all {
		if f.From < o.To && o.From < f.To {
			return true
		}
	}
	return false
}

// Known reports whether a finding stands in a text, however it is written there. Of a
// number the last eight digits decide, since the code of the country may be left out.
func (f Finding) Known(text string) bool {
	if f.Kind == FoundEmail {
		return strings.Contains(strings.ToLower(text), f.Key)
	}
	key := f.Key[max(0, len(f.Key)-8):]
	var all strings.Builder
	for _, r := range text {
		if d := digit(r); d >= 0 {
			all.WriteByte(byte('0' + d)) // #nosec G115 -- a digit
		} else if !separates(r) {
			all.WriteByte(' ')
		}
	}
	return strings.Contains(all.String(), key)
}

func emails(s string) []Finding {
	var out []Finding
	behind := 0 // the address before
	for at := strings.IndexByte(s, '@'); at >= 0; {
		from, to := at, at+1
		for from > behind && (alnum(s[from-1]) || strings.IndexByte("._%+-", s[from-1]) >= 0) {
			from--
		}
		for to < len(s) && (alnum(s[to]) || s[to] == '.' || s[to] == '-') {
			to++
		}
		host := strings.TrimRight(s[at+1:to], ".-")
		to = at + 1 + len(host)
		dot := strings.LastIndexByte(host, '.')
		if from < at && dot > 0 && len(host)-dot > 2 {
			behind = to
			out = append(out, Finding{Kind: FoundEmail, From: from, To: to, Key: strings.ToLower(s[from:to])})
		}
		next := strings.IndexByte(s[at+1:], '@')
		if next < 0 {
			break
		}
		at += 1 + next
	}
	return out
}

func alnum(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// digitRun is a run of digits with what separates them.
type digitRun struct {
	plus   bool
	digits []byte
	groups []int // how many digits each group has
	marks  []rune
	size   int // bytes up to behind the last digit
}

// maxNumber is more digits than any number has that leads to a person.
const maxNumber = 24

func readNumber(s string) digitRun {
	var n digitRun
	gap, group := 0, 0
	var mark rune
	for i, r := range s {
		d := digit(r)
		switch {
		case i == 0 && r == '+':
			n.plus = true
			continue
		case d >= 0:
			if gap > 0 && len(n.digits) > 0 {
				n.groups, n.marks, group = append(n.groups, group), append(n.marks, mark), 0
			}
			gap = 0
			group++
			n.digits = append(n.digits, byte('0'+d)) // #nosec G115 -- a digit
			n.size = i + utf8.RuneLen(r)
			if len(n.digits) > maxNumber {
				n.groups = append(n.groups, group)
				return n
			}
			continue
		case !separates(r) || gap >= 3:
			n.groups = append(n.groups, group)
			return n
		}
		gap++
		mark = r
	}
	n.groups = append(n.groups, group)
	return n
}

// finding decides what a number at a place of a text is.
func (n digitRun) finding(s string, at int) (Finding, bool) {
	f := Finding{Kind: FoundPhone, From: at, To: at + n.size, Key: string(n.digits)}
	digits := len(n.digits)
	if digits >= 13 && digits <= 19 && luhn(n.digits) && !n.plus && n.digits[0] >= '2' && n.digits[0] <= '6' {
		f.Kind = FoundCard
		return f, stands(s, at)
	}
	switch {
	case !stands(s, at) || digits > 15:
		return f, false
	case n.plus || strings.HasPrefix(f.Key, "00"):
		return f, digits >= 8
	}
	return f, digits >= 9 && !n.date() && !n.decimal() && !n.thousands() && !n.listed() && !priced(s, at, f.To)
}

// stands reports whether a number stands by itself, or behind what says that it is one.
func stands(s string, at int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:at])
	if at == 0 || unicode.IsSpace(before) || strings.ContainsRune("([{\"'“”„«»‘’:,;>*_~|", before) || before > unicode.MaxLatin1 && unicode.IsPunct(before) {
		return true
	}
	return strings.HasSuffix(strings.ToLower(s[:at]), "wa.me/") || unicode.In(before, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai)
}

// date knows 2026-11-22 and 22.11.2026, perhaps with a time behind.
func (n digitRun) date() bool {
	if len(n.groups) < 3 {
		return false
	}
	year := func(i int) bool {
		from := 0
		for _, g := range n.groups[:i] {
			from += g
		}
		y := string(n.digits[from : from+n.groups[i]])
		return len(y) == 4 && (y[:2] == "19" || y[:2] == "20")
	}
	return year(0) && n.groups[1] <= 2 && n.groups[2] <= 2 || n.groups[0] <= 2 && n.groups[1] <= 2 && year(2)
}

// thousands knows 1 000 000 000: groups of three behind a shorter one.
func (n digitRun) thousands() bool {
	for i, g := range n.groups {
		if i == 0 && g > 2 || i > 0 && g != 3 {
			return false
		}
	}
	return len(n.groups) > 1
}

// decimal knows 3.14159265.
func (n digitRun) decimal() bool { return len(n.groups) == 2 && n.marks[0] == '.' }

// listed knows several short numbers in a row, such as sizes or times.
func (n digitRun) listed() bool {
	longest := 0
	for _, g := range n.groups {
		longest = max(longest, g)
	}
	return longest < 3 && len(n.groups) > 5
}

// currencies stand behind, or in front of, an amount of money.
var currencies = []string{"eur", "usd", "gbp", "vnd", "idr", "rp", "đ", "cop", "clp", "krw", "won", "yen", "jpy", "inr", "rs", "peso", "dollar", "dólar", "dong", "đồng", "rupiah", "rupee", "ngn", "naira", "irr", "toman", "円", "원", "元"}

func priced(s string, from, to int) bool {
	before := strings.ToLower(strings.TrimRightFunc(s[max(0, from-16):from], unicode.IsSpace))
	after := strings.ToLower(strings.TrimLeftFunc(s[to:min(len(s), to+16)], unicode.IsSpace))
	b, _ := utf8.DecodeLastRuneInString(before)
	a, _ := utf8.DecodeRuneInString(after)
	if unicode.Is(unicode.Sc, a) || unicode.Is(unicode.Sc, b) || a == '%' {
		return true
	}
	for _, c := range currencies {
		if strings.HasPrefix(after, c) || strings.HasSuffix(strings.TrimRight(before, "."), c) {
			return true
		}
	}
	return false
}

func separates(r rune) bool { return strings.ContainsRune(" \u00a0\u2009\u202f-‐‑–.()/", r) }

// digit is the value of a decimal digit of the scripts that write numbers of their own,
// or -1.
func digit(r rune) int {
	if r >= '0' && r <= '9' {
		return int(r - '0')
	}
	if r < 0x660 {
		return -1
	}
	for _, zero := range []rune{0x660, 0x6f0, 0x966, 0x9e6, 0xe50, 0xff10} {
		if r >= zero && r <= zero+9 {
			return int(r - zero)
		}
	}
	return -1
}

// luhn checks the check digit of a card (ISO/IEC 7812-1).
func luhn(digits []byte) bool {
	sum := 0
	for i := range digits {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0 && sum > 0
}
