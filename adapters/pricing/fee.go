package pricing

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"whatsappnode/domain"
)

// fees are the prices of one page for messages that are sent.
type fees struct {
	Page  string `yaml:"page"`
	URL   string `yaml:"url"`
	Read  day    `yaml:"read"`
	Rates []rate `yaml:"rates"`
}

// rate is what a message of a category costs in some countries.
type rate struct {
	// Countries are calling codes, "34"; "*" is every other.
	Countries []string `yaml:"countries"`
	Category  string   `yaml:"category"`
	Price     dollars  `yaml:"price"`
	From      day      `yaml:"from"`
	Until     day      `yaml:"until"`
}

// feeKey names a category in a country.
type feeKey struct{ country, category string }

// maxCallingCode is the longest country calling code with an area that has rates of
// its own, as in North America.
const maxCallingCode = 6

// Fee returns what a message of a category to a phone number costs on a day, and
// whether it is known: by the longest calling code that the number begins with, else
// by "*". The number may be unknown, which leaves "*".
func (l *List) Fee(to domain.Phone, category string, at time.Time) (Amount, bool) {
	for n := min(len(to), maxCallingCode); n >= 0; n-- {
		country := string(to[:n])
		if n == 0 {
			country = "*"
		}
		for _, p := range l.fees[feeKey{country, category}] {
			if p.holds(at) {
				return p.Input, true
			}
		}
	}
	return 0, false
}

func (f fees) faults() (faults []error) {
	faults = block{Providers: []string{"-"}, Page: f.Page, URL: f.URL, Read: f.Read, Models: []entry{{}}}.faults()
	say := func(problem string) { faults = append(faults, fmt.Errorf("page %q: %s", f.Page, problem)) }
	if len(f.Rates) == 0 {
		say("rates is empty")
	}
	for _, r := range f.Rates {
		if len(r.Countries) == 0 || r.Category == "" || !r.Price.given {
			say("a rate needs countries, a category and a price")
		}
		for _, c := range r.Countries {
			if c != "*" && (c == "" || len(c) > maxCallingCode || strings.Trim(c, "0123456789") != "") {
				say("a country is its calling code, such as \"34\", or \"*\"")
			}
		}
	}
	return faults
}

// addFees files the rates of a page.
func (l *List) addFees(f fees) (faults []error) {
	for _, r := range f.Rates {
		p := Price{Input: r.Price.amount, From: r.From.Time, Until: r.Until.Time, Source: Source{Page: f.Page, URL: f.URL, Read: f.Read.Time}}
		for _, country := range r.Countries {
			k := feeKey{country, r.Category}
			if overlaps(l.fees[k], p) {
				faults = append(faults, fmt.Errorf("country %q, category %q: two prices hold at the same time", country, r.Category))
			}
			l.fees[k] = append(l.fees[k], p)
		}
	}
	return faults
}

// overlaps reports whether a price holds on a day on which one of the others does.
func overlaps(others []Price, p Price) bool {
	for _, other := range others {
		if (other.Until.IsZero() || !p.From.After(other.Until)) && (p.Until.IsZero() || !other.From.After(p.Until)) {
			return true
		}
	}
	return false
}

var errNoPrice = errors.New("it holds no price")
