package bot

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// write puts the report out, for machines or for people.
func (r report) write(out io.Writer, asJSON bool) error {
	var err error
	if asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		err = enc.Encode(r)
	} else {
		_, err = io.WriteString(out, r.text())
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// text is the report for people.
func (r report) text() string {
	var b strings.Builder
	r.table(&b)
	b.WriteString("\n" + r.verdict() + "\n")
	if sum := r.Spent.sum(); r.Spent.kind > costFree {
		fmt.Fprintf(&b, "This check cost about %s at list prices.\n", sum)
	}
	for _, t := range r.Turns {
		t.text(&b)
	}
	return b.String()
}

// table writes a line a finding and, below it, what to do.
func (r report) table(b *strings.Builder) {
	rows := [][]string{{"CHECK", "RESULT", "TIME", "COST", "DETAIL"}}
	for _, f := range r.Checks {
		took := "-"
		if f.Took > 0 {
			took = short(f.Took)
		}
		word := string(f.Result)
		if f.Result == resultFailed {
			word = "FAILED"
		}
		rows = append(rows, []string{strings.TrimSpace(f.Check + " " + f.Subject), word, took, f.Cost.String(), f.Detail})
	}
	width := make([]int, 4)
	for _, row := range rows {
		for i := range width {
			width[i] = max(width[i], utf8.RuneCountInString(row[i]))
		}
	}
	for n, row := range rows {
		for i, w := range width {
			b.WriteString(row[i] + strings.Repeat(" ", w-utf8.RuneCountInString(row[i])+2))
		}
		b.WriteString(row[4] + "\n")
		if n > 0 && r.Checks[n-1].ToDo != "" {
			b.WriteString(strings.Repeat(" ", width[0]+2) + "-> " + r.Checks[n-1].ToDo + "\n")
		}
	}
}

// verdict counts.
func (r report) verdict() string {
	counts := map[result]int{}
	for _, f := range r.Checks {
		counts[f.Result]++
	}
	var also []string
	if n := counts[resultWarning]; n > 0 {
		also = append(also, plural(n, "warning"))
	}
	if n := counts[resultSkipped]; n > 0 {
		also = append(also, fmt.Sprintf("%d not tried", n))
	}
	text := ""
	switch {
	case r.ExitCode == exitSettings:
		text = "The settings are wrong"
	case counts[resultFailed] > 0:
		text = fmt.Sprintf("%d of %s failed", counts[resultFailed], plural(len(r.Checks), "check"))
	default:
		text = "Everything that was tried works"
	}
	if len(also) > 0 {
		text += "; " + list(also)
	}
	return text + "."
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// sum words a sum.
func (c cost) sum() string {
	switch {
	case c.kind == costKnown:
		return c.amount.String()
	case c.kind == costUnknown && c.amount > 0:
		return c.amount.String() + " and what is unknown"
	case c.kind == costUnknown:
		return "an unknown sum"
	}
	return "nothing"
}

// text writes the estimate of a turn.
func (t turn) text(b *strings.Builder) {
	whose := ""
	if len(t.Agents) > 0 {
		whose = " of " + list(t.Agents)
	}
	fmt.Fprintf(b, "\nA typical turn%s (%s):\n", whose, turnWords)
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, p := range t.Parts {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", p.Doing, strings.TrimSpace(p.Provider+" "+p.Model), p.Cost, p.Source)
	}
	fmt.Fprintf(w, "  together\t\t%s\n", t.Together.sum())
	_ = w.Flush() // a strings.Builder takes everything
}
