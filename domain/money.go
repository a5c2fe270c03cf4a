package domain

import (
	"errors"
	"strconv"
	"strings"
)

// Money is an amount in millionths of a millionth of a US dollar. The price of one
// token is a whole number of them, so that sums are exact. The range is above nine
// million dollars.
type Money int64

// Dollar is one US dollar.
const Dollar Money = 1e12

// String is for people: whole cents from one dollar on, else two significant digits,
// "$0.00012". What is too small for that is "<$0.0000001".
func (m Money) String() string {
	const least = Dollar / 1e7
	switch {
	case m < 0:
		return "-" + (-m).String()
	case m == 0:
		return "$0"
	case m < least:
		return "<$0.0000001"
	case m >= Dollar:
		return "$" + strconv.FormatFloat(m.Dollars(), 'f', 2, 64)
	}
	unit, digits := Dollar/10, 1 // of the first digit, and its place behind the point
	for m < unit {
		unit /= 10
		digits++
	}
	unit /= 10
	rounded := (m + unit/2) / unit * unit
	text := strconv.FormatFloat(rounded.Dollars(), 'f', digits+1, 64)
	return "$" + strings.TrimRight(strings.TrimRight(text, "0"), ".")
}

// Dollars is the amount for machines; it may be rounded in its sixteenth digit.
func (m Money) Dollars() float64 { return float64(m) / float64(Dollar) }

// moneyDecimals is how exactly amounts are written: a millionth of a dollar a million
// tokens is one unit of Money a token.
const moneyDecimals = 6

// ErrMoney says that a text is no amount.
var ErrMoney = errors.New("must be an amount in US dollars such as 2.50, with at most 6 decimals")

// ParseMoney reads an amount in dollars, "2.50". Exactly: a binary fraction would not
// add up. There is no sign, and less than a million dollars.
func ParseMoney(s string) (Money, error) {
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || len(whole) > 6 || len(fraction) > moneyDecimals || point && fraction == "" {
		return 0, ErrMoney
	}
	for _, c := range whole + fraction {
		if c < '0' || c > '9' {
			return 0, ErrMoney
		}
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", moneyDecimals-len(fraction)), 10, 64)
	if err != nil {
		return 0, ErrMoney
	}
	return Money(n) * (Dollar / 1e6), nil
}

// UnmarshalText implements encoding.TextUnmarshaler, for settings, where an amount is
// above zero.
func (m *Money) UnmarshalText(text []byte) error {
	n, err := ParseMoney(string(text))
	if err == nil && n == 0 {
		err = ErrMoney // a limit of nothing is a bot that is off
	}
	if err == nil {
		*m = n
	}
	return err
}
