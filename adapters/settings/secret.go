package settings

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const redacted = "[redacted]"

// Secret is a text that no formatting, marshalling or logging shows; only Reveal
// gives it away. Two places are out of reach of its methods: unexported struct
// fields, which package fmt reads directly, and keys of a map in JSON.
type Secret string

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer.
func (Secret) String() string { return redacted }

// GoString implements fmt.GoStringer, the %#v form.
func (Secret) GoString() string { return redacted }

// Format implements fmt.Formatter and so covers every verb, %x and %d too.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText implements encoding.TextMarshaler.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON implements json.Marshaler.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// Secrets is a comma-separated list, such as an old and a new app secret while
// one replaces the other. Spaces around an item and empty items do not count.
type Secrets []Secret

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Secrets) UnmarshalText(text []byte) error {
	*s = nil
	for _, item := range split(string(text)) {
		*s = append(*s, Secret(item))
	}
	return nil
}

// List is a comma-separated list. Spaces around an item and empty items do not
// count.
type List []string

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *List) UnmarshalText(text []byte) error {
	*l = split(string(text))
	return nil
}

func split(s string) []string {
	var out []string
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}
