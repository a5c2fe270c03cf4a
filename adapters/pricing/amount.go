package pricing

import (
	"errors"
	"strconv"
	"strings"
)

// Amount is money in millionths of a millionth of a US dollar. The price of one token
// is a whole number of them, so that sums are exact. The range is above nine million
// dollars.
type Amount int64

// Dollar is one US dollar.
const Dollar Amount = 1e12

// String is for people: whole cents from one dollar on, else two significant digits,
// "$0.00012". What is too small for that is "<$0.0000001".
func (a Amount) String() string {
	const least = Dollar / 1e7
	switch {
	case a < 0:
		return "-" + (-a).String()
	case a == 0:
		return "$0"
	case a < least:
		return "<$0.0000001"
	case a >= Dollar:
		return "$" + strconv.FormatFloat(a.Dollars(), 'f', 2, 64)
	}
	unit, digits := Dollar/10, 1 // of the first digit, and its place behind the point
	for a < unit {
		unit /= 10
		digits++
	}
	unit /= 10
	rounded := (a + unit/2) / unit * unit
	text := strconv.FormatFloat(rounded.Dollars(), 'f', digits+1, 64)
	return "$" + strings.TrimRight(strings.TrimRight(text, "0"), ".")
}

// Dollars is the amount for machines; it may be rounded in its sixteenth digit.
func (a Amount) Dollars() float64 { return float64(a) / float64(Dollar) }

// decimalPlaces is how exactly prices are written: a millionth of a dollar a million
// tokens is one unit of Amount a token.
const decimalPlaces = 6

var errDecimal = errors.New("must be an amount in US dollars such as 2.50, with at most 6 decimals")

// parseDollars reads a price. Exactly: a binary fraction would not add up.
func parseDollars(s string) (Amount, error) {
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || len(whole) > 6 || len(fraction) > decimalPlaces || point && fraction == "" {
		return 0, errDecimal
	}
	for _, c := range whole + fraction {
		if c < '0' || c > '9' {
			return 0, errDecimal
		}
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", decimalPlaces-len(fraction)), 10, 64)
	if err != nil {
		return 0, errDecimal
	}
	return Amount(n) * (Dollar / 1e6), nil
}
