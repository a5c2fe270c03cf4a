package settings

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Bytes is a size. As text it is a whole number with its unit, "4MiB" or "512KB":
// B, KB, MB, GB, TB count in thousands and KiB, MiB, GiB, TiB in 1024s, in any
// case. A number without a unit is refused, because readers guess differently.
type Bytes int64

var errSize = errors.New(`a size carries its unit, such as "4MiB" or "512KB"`)

// units are in the order in which String tries them.
var units = []struct {
	name string
	size int64
}{
	{"TiB", 1 << 40},
	{"TB", 1e12},
	{"GiB", 1 << 30},
	{"GB", 1e9},
	{"MiB", 1 << 20},
	{"MB", 1e6},
	{"KiB", 1 << 10},
	{"KB", 1e3},
	{"B", 1},
}

// ParseBytes reads a size. Its error does not repeat the text.
func ParseBytes(s string) (Bytes, error) {
	s = strings.TrimSpace(s)
	digits := strings.TrimRightFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	unit := strings.TrimSpace(s[len(digits):])
	for _, u := range units {
		if !strings.EqualFold(u.name, unit) {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 63)
		if err != nil || int64(n) > math.MaxInt64/u.size {
			return 0, errors.New(`a size is a whole number with its unit, such as "4MiB"`)
		}
		return Bytes(int64(n) * u.size), nil
	}
	return 0, errSize
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *Bytes) UnmarshalText(text []byte) error {
	n, err := ParseBytes(string(text))
	if err != nil {
		return err
	}
	*b = n
	return nil
}

// String is the shortest exact form, which ParseBytes reads back.
func (b Bytes) String() string {
	for _, u := range units {
		if b != 0 && int64(b)%u.size == 0 {
			return strconv.FormatInt(int64(b)/u.size, 10) + u.name
		}
	}
	return "0B"
}

// MarshalText implements encoding.TextMarshaler.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }
