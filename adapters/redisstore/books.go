package redisstore

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// figure is one number of an entry.
type figure struct {
	name string
	of   func(e *ports.Entry) int64
	set  func(e *ports.Entry, n int64)
}

// figures are those of an entry of the books, under the names they have in a day's
// hash: money in units of domain.Money, sound in milliseconds.
var figures = []figure{
	{"n", func(e *ports.Entry) int64 { return int64(e.Calls) }, func(e *ports.Entry, n int64) { e.Calls = int(n) }},
	{"d", func(e *ports.Entry) int64 { return int64(e.Doubtful) }, func(e *ports.Entry, n int64) { e.Doubtful = int(n) }},
	{"u", func(e *ports.Entry) int64 { return int64(e.Unpriced) }, func(e *ports.Entry, n int64) { e.Unpriced = int(n) }},
	{"c", func(e *ports.Entry) int64 { return int64(e.Cost) }, func(e *ports.Entry, n int64) { e.Cost = domain.Money(n) }},
	{"dc", func(e *ports.Entry) int64 { return int64(e.DoubtfulCost) }, func(e *ports.Entry, n int64) { e.DoubtfulCost = domain.Money(n) }},
	{"i", func(e *ports.Entry) int64 { return int64(e.InputTokens) }, func(e *ports.Entry, n int64) { e.InputTokens = int(n) }},
	{"o", func(e *ports.Entry) int64 { return int64(e.OutputTokens) }, func(e *ports.Entry, n int64) { e.OutputTokens = int(n) }},
	{"ch", func(e *ports.Entry) int64 { return int64(e.Characters) }, func(e *ports.Entry, n int64) { e.Characters = int(n) }},
	{"h", func(e *ports.Entry) int64 { return e.Heard.Milliseconds() }, func(e *ports.Entry, n int64) { e.Heard = time.Duration(n) * time.Millisecond }},
	{"sp", func(e *ports.Entry) int64 { return e.Spoken.Milliseconds() }, func(e *ports.Entry, n int64) { e.Spoken = time.Duration(n) * time.Millisecond }},
}

// fieldOf names a figure: "c|106|llm|openai".
func fieldOf(name string, e *ports.Entry) string {
	return strings.Join([]string{name, string(e.Number), e.Stage, e.Vendor}, "|")
}

// booked puts the fields of a day together to entries. Fields of a later release are
// passed over.
func booked(day string, fields map[string]int64) []ports.Entry {
	byName := map[[3]string]*ports.Entry{}
	for field, n := range fields {
		parts := strings.SplitN(field, "|", 4)
		i := slices.IndexFunc(figures, func(f figure) bool { return f.name == parts[0] })
		if len(parts) != 4 || i < 0 {
			continue
		}
		k := [3]string(parts[1:])
		if byName[k] == nil {
			byName[k] = &ports.Entry{Day: day, Number: domain.NumberID(k[0]), Expense: domain.Expense{Stage: k[1], Vendor: k[2]}}
		}
		figures[i].set(byName[k], n)
	}
	out := make([]ports.Entry, 0, len(byName))
	for _, e := range byName {
		out = append(out, *e)
	}
	slices.SortFunc(out, func(a, b ports.Entry) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Vendor, b.Vendor))
	})
	return out
}
