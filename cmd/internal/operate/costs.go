package operate

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Spender is what the books are read from.
type Spender interface {
	Spending(ctx context.Context, days []string) ([]ports.Entry, error)
}

// DefaultCostDays is how many days Costs shows when nobody says.
const DefaultCostDays = 7

// costsView is the answer of Costs as JSON shows it. Money is in US dollars.
type costsView struct {
	From string `json:"from"`
	To   string `json:"to"`
	// Zone is where the days begin.
	Zone    string      `json:"zone"`
	Entries []costView  `json:"entries"`
	Days    []totalView `json:"days"`
	Total   totalView   `json:"total"`
}

type costView struct {
	Day    string `json:"day"`
	Number string `json:"number"`
	Stage  string `json:"stage"`
	Vendor string `json:"vendor"`
	Calls  int    `json:"calls"`
	// Doubtful are calls that failed or were not waited for, and may be billed;
	// DoubtfulDollars is their part of Dollars.
	Doubtful        int     `json:"doubtful,omitempty"`
	DoubtfulDollars float64 `json:"doubtful_dollars,omitempty"`
	// Unpriced are calls whose price is not known; Dollars lacks them.
	Unpriced    int     `json:"unpriced,omitempty"`
	Dollars     float64 `json:"dollars"`
	TokensIn    int     `json:"tokens_in,omitempty"`
	TokensOut   int     `json:"tokens_out,omitempty"`
	HeardSecs   float64 `json:"heard_seconds,omitempty"`
	SpokenSecs  float64 `json:"spoken_seconds,omitempty"`
	SpokenChars int     `json:"spoken_characters,omitempty"`

	cost, doubt domain.Money
}

type totalView struct {
	Day      string  `json:"day,omitempty"`
	Dollars  float64 `json:"dollars"`
	Unpriced int     `json:"unpriced,omitempty"`

	cost domain.Money
}

// Costs writes what was spent in the last days, the one of now included, by day,
// number, stage and vendor: at list prices or those of the prices file, as far as they
// are known.
func Costs(ctx context.Context, books Spender, out io.Writer, now time.Time, days int, opt Options) error {
	if days < 1 || days > ports.MaxSpendingDays {
		return fmt.Errorf("costs: the number of days must be 1 to %d", ports.MaxSpendingDays)
	}
	names := make([]string, days)
	for i := range names {
		names[i] = now.AddDate(0, 0, i+1-days).Format(time.DateOnly)
	}
	entries, err := books.Spending(ctx, names)
	if err != nil {
		return fmt.Errorf("costs: %w", err)
	}
	v := costsOf(entries)
	v.From, v.To, v.Zone = names[0], names[days-1], now.Location().String()
	if opt.JSON {
		return document(out, v)
	}
	return writeCosts(out, v)
}

func costsOf(entries []ports.Entry) costsView {
	v := costsView{Entries: []costView{}, Days: []totalView{}}
	slices.SortStableFunc(entries, func(a, b ports.Entry) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Number, b.Number), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Vendor, b.Vendor))
	})
	for _, e := range entries {
		v.Entries = append(v.Entries, costView{
			Day: e.Day, Number: string(e.Number), Stage: e.Stage, Vendor: e.Vendor, Calls: e.Calls,
			Doubtful: e.Doubtful, DoubtfulDollars: e.DoubtfulCost.Dollars(), Unpriced: e.Unpriced, Dollars: e.Cost.Dollars(),
			TokensIn: e.InputTokens, TokensOut: e.OutputTokens, HeardSecs: e.Heard.Seconds(), SpokenSecs: e.Spoken.Seconds(),
			SpokenChars: e.Characters, cost: e.Cost, doubt: e.DoubtfulCost,
		})
		if n := len(v.Days); n == 0 || v.Days[n-1].Day != e.Day {
			v.Days = append(v.Days, totalView{Day: e.Day})
		}
		for _, t := range []*totalView{&v.Days[len(v.Days)-1], &v.Total} {
			t.cost, t.Unpriced = t.cost+e.Cost, t.Unpriced+e.Unpriced
			t.Dollars = t.cost.Dollars()
		}
	}
	return v
}

func writeCosts(out io.Writer, v costsView) error {
	if len(v.Entries) == 0 {
		return say(out, "Nothing was spent from %s to %s (%s).", v.From, v.To, v.Zone)
	}
	t := newTable(out, "DAY", "NUMBER", "STAGE", "VENDOR", "CALLS", "USED", "COST")
	for _, e := range v.Entries {
		t.row(e.Day, visible(e.Number), e.Stage, visible(e.Vendor), fmt.Sprint(e.Calls), e.used(), e.price())
	}
	for _, d := range v.Days {
		t.row(d.Day, "", "all", "", "", "", d.price())
	}
	t.row("total", "", "", "", "", "", v.Total.price())
	if err := t.end(); err != nil {
		return err
	}
	return say(out, "\nEstimates at list prices, or those of PRICES_FILE; days begin at midnight in %s.", v.Zone)
}

// used says what was consumed, in its units.
func (e costView) used() string {
	var parts []string
	add := func(n float64, format string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf(format, n))
		}
	}
	add(e.HeardSecs, "%.0f s heard")
	add(float64(e.TokensIn), "%.0f tokens in")
	add(float64(e.TokensOut), "%.0f tokens out")
	add(float64(e.SpokenChars), "%.0f characters spoken")
	return strings.Join(parts, ", ")
}

func (e costView) price() string {
	text := e.cost.String()
	if e.Doubtful > 0 {
		text += fmt.Sprintf(" (%s of it for %s that failed or came too late)", e.doubt, plural(e.Doubtful, "call", "calls"))
	}
	return text + unpriced(e.Unpriced)
}

func (t totalView) price() string { return t.cost.String() + unpriced(t.Unpriced) }

func unpriced(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" and %s of unknown price", plural(n, "call", "calls"))
}
