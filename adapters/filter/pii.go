package filter

import (
	"strings"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// PII masks personal data by which a person is found or pays: telephone numbers, e-mail
// addresses, payment cards whose check digit is right (Luhn), and account numbers whose
// check digits are (IBAN, ISO 13616). Names and postal addresses are not found: that
// takes a model of its own. It implements ports.FilterPort.
type PII struct{ keep string }

var _ ports.FilterPort = (*PII)(nil)

// NewPII masks everything it finds but what stands in keep, as a business's own number
// does in its system prompt.
func NewPII(keep string) *PII { return &PII{keep: keep} }

const foundIBAN = "iban"

// Filter implements ports.FilterPort. A mask is the name in brackets, "[phone]".
func (p *PII) Filter(text, _ string) (string, []string) {
	text, found := p.maskIBANs(text)
	all := domain.FindContacts(text)
	if len(all) == 0 {
		return text, found
	}
	var out strings.Builder
	from := 0
	for _, f := range ordered(all) {
		if p.keep != "" && f.Known(p.keep) {
			continue
		}
		out.WriteString(text[from:f.From])
		out.WriteString(mask(string(f.Kind)))
		from = f.To
		found = append(found, string(f.Kind))
	}
	out.WriteString(text[from:])
	return out.String(), found
}

func mask(kind string) string { return "[" + kind + "]" }

// ordered sorts findings, which do not overlap, by their place: addresses come before
// numbers.
func ordered(all []domain.Finding) []domain.Finding {
	for i := 1; i < len(all); i++ {
		for j := i; j > 0 && all[j].From < all[j-1].From; j-- {
			all[j], all[j-1] = all[j-1], all[j]
		}
	}
	return all
}

// The lengths of an IBAN.
const (
	leastIBAN = 15
	mostIBAN  = 34
)

func (p *PII) maskIBANs(text string) (string, []string) {
	var out strings.Builder
	var found []string
	from := 0
	for i := 0; i+leastIBAN <= len(text); {
		if !upper(text[i]) || !upper(text[i+1]) || !decimal(text[i+2]) || !decimal(text[i+3]) || i > 0 && (upper(text[i-1]) || decimal(text[i-1])) {
			i++
			continue
		}
		size := ibanAt(text[i:])
		if size == 0 || p.keep != "" && strings.Contains(p.keep, text[i:i+size]) {
			i++
			continue
		}
		out.WriteString(text[from:i])
		out.WriteString(mask(foundIBAN))
		found = append(found, foundIBAN)
		i += size
		from = i
	}
	if found == nil {
		return text, nil
	}
	out.WriteString(text[from:])
	return out.String(), found
}

// ibanAt gives the length of the longest account number a text begins with, or 0.
func ibanAt(s string) int {
	best, n, rest := 0, 0, 0
	for i := 0; i < len(s) && n < mostIBAN; i++ {
		b := s[i]
		if b == ' ' && i > 0 && s[i-1] != ' ' {
			continue
		}
		value := 0
		switch {
		case decimal(b):
			value = int(b - '0')
		case upper(b):
			value = int(b-'A') + 10
		default:
			return best
		}
		n++
		if n <= 4 {
			continue
		}
		rest = shift(rest, value)
		ended := i+1 == len(s) || !decimal(s[i+1]) && !upper(s[i+1])
		if n >= leastIBAN && ended && append97(rest, s[:4]) == 1 {
			best = i + 1
		}
	}
	return best
}

// shift appends a value of one or two digits to a remainder of 97.
func shift(rest, value int) int {
	if value > 9 {
		return (rest*100 + value) % 97
	}
	return (rest*10 + value) % 97
}

func append97(rest int, head string) int {
	for i := range len(head) {
		if decimal(head[i]) {
			rest = shift(rest, int(head[i]-'0'))
		} else {
			rest = shift(rest, int(head[i]-'A')+10)
		}
	}
	return rest
}

func upper(b byte) bool   { return b >= 'A' && b <= 'Z' }
func decimal(b byte) bool { return b >= '0' && b <= '9' }
