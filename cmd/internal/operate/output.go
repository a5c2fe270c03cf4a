package operate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Options say how a command answers.
type Options struct {
	// JSON writes one JSON document instead of text.
	JSON bool
	// Words shows texts, names, phone numbers and user ids in full.
	Words bool
	// Limit bounds lists; DefaultLimit when zero.
	Limit int
	// Yes confirms what cannot be undone.
	Yes bool
}

// DefaultLimit bounds a list.
const DefaultLimit = 50

// ErrNotConfirmed says that a command would remove something and was not told to.
var ErrNotConfirmed = errors.New("nothing was removed; repeat the command with --yes to remove it for good")

func (o Options) limit() int {
	if o.Limit <= 0 {
		return DefaultLimit
	}
	return o.Limit
}

func (o Options) person(c domain.Contact) personView {
	if o.Words {
		return personView{User: string(c.UserID), Phone: string(c.Phone), Name: c.Name}
	}
	return personView{User: mask(string(c.UserID)), Phone: mask(string(c.Phone))}
}

// personView is how a person is shown.
type personView struct {
	User  string `json:"user,omitempty"`
	Phone string `json:"phone,omitempty"`
	Name  string `json:"name,omitempty"`
}

func (p personView) String() string {
	return strings.Join(strings.Fields(visible(p.User)+" "+visible(p.Phone)+" "+visible(p.Name)), " ")
}

// mask keeps the last two characters, enough to tell two people of a list apart.
func mask(id string) string {
	if len(id) <= 4 {
		return strings.Repeat("*", len(id))
	}
	return "***" + id[len(id)-2:]
}

// wamid shows a message id. The first half of one is the person's phone number in
// base64; the end is random.
func (o Options) wamid(id domain.MessageID) string {
	if o.Words || id == "" {
		return string(id)
	}
	return "***" + string(id[max(len(id)/2, len(id)-8):])
}

// text returns what may be shown of something somebody said.
func (o Options) text(s string) string {
	if !o.Words {
		return ""
	}
	return s
}

// visible replaces everything that a terminal would obey: controls, and marks that
// turn the direction of what follows.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r) && r != '\u200d':
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}

// document writes v as indented JSON.
func document(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

// table writes rows in aligned columns and returns the first error of any.
type table struct {
	w   *tabwriter.Writer
	err error
}

func newTable(out io.Writer, head ...string) *table {
	t := &table{w: tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	t.row(head...)
	return t
}

func (t *table) row(cells ...string) {
	if t.err == nil {
		_, t.err = fmt.Fprintln(t.w, strings.Join(cells, "\t"))
	}
}

func (t *table) end() error {
	if t.err == nil {
		t.err = t.w.Flush()
	}
	if t.err != nil {
		return fmt.Errorf("write the answer: %w", t.err)
	}
	return nil
}

// say writes one line.
func say(out io.Writer, format string, args ...any) error {
	if _, err := fmt.Fprintf(out, format+"\n", args...); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// plural counts things.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// explain puts an error in words for a person; what names the object that was not
// found.
func explain(err error, what string) error {
	if ports.KindOf(err) == ports.KindNotFound {
		return fmt.Errorf("%s: %w", what, err)
	}
	return err
}
