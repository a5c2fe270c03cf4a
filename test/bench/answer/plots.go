package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"whatsappnode/test/bench/answer/script"
	"whatsappnode/test/bench/report"
)

// budget is what 10,000 turns in flight may take.
const budget = 400 << 20

// draw writes every picture that there are figures for.
func (r *results) draw(dir string) error {
	if dir == "" {
		return fmt.Errorf("a folder for the pictures is needed")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	charts := map[string]interface{ SVG() ([]byte, error) }{"turn.svg": r.turnChart()}
	for _, k := range []string{kind(false), kind(true)} {
		if chart, ok := r.loadChart(k); ok {
			charts["latency-"+k+".svg"] = chart
		}
	}
	if len(r.Memory) > 0 {
		charts["memory.svg"] = r.memoryChart()
	}
	for name, chart := range charts {
		svg, err := chart.SVG()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), svg, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// turnChart shows what a turn is made of, and what became of it.
func (r *results) turnChart() report.BarChart {
	c := report.BarChart{Title: "One turn, from the question to the finished voice note", Axis: "milliseconds"}
	for _, f := range r.Floors {
		for i, way := range []struct {
			name string
			took time.Duration
		}{{"one after the other", f.Sequential}, {"by the sentence", f.BySentence}, {"limit", f.Limit}} {
			c.Bars = append(c.Bars, report.Bar{
				Label: f.Kind + ", " + way.name, Gap: i == 0, Note: whole(way.took),
				Segments: segments(f.Floors, way.took),
			})
		}
		for _, t := range r.Closed {
			if t.Kind == f.Kind {
				c.Bars = append(c.Bars, report.Bar{
					Label:    fmt.Sprintf("%s, the bot, %s at once", f.Kind, thousands(t.Conversations)),
					Note:     fmt.Sprintf("%s (%+.0f ms)", whole(t.Took.P50), ms(t.above(t.Took.P50))),
					Segments: []report.Segment{{Name: "the bot, median (against by the sentence)", Value: ms(t.Took.P50)}},
				})
			}
		}
	}
	return c
}

// segments are the vendors' shares of a floor: what is left when the model has ended
// is spent on speech.
func segments(f script.Floors, took time.Duration) []report.Segment {
	return []report.Segment{
		{Name: "hearing", Value: ms(f.Hearing)},
		{Name: "to the first token", Value: ms(f.FirstToken)},
		{Name: "writing", Value: ms(f.Writing)},
		{Name: "speech that is left", Value: ms(took - f.Hearing - f.FirstToken - f.Writing)},
	}
}

// loadChart shows how long turns take by how many there are at once.
func (r *results) loadChart(kind string) (report.LineChart, bool) {
	c := report.LineChart{
		Title: "Time to the answer of a " + kind + " question", XAxis: "conversations at once", YAxis: "milliseconds",
		Series: []report.Series{{Name: "median"}, {Name: "p99"}, {Name: "p99.9"}},
	}
	for _, t := range r.Closed {
		if t.Kind != kind {
			continue
		}
		if len(c.X) == 0 {
			c.Marks = []report.Mark{
				{Name: "one after the other", Value: ms(t.Floors.Sequential)},
				{Name: "by the sentence", Value: ms(t.Floors.BySentence)},
				{Name: "limit", Value: ms(t.Floors.Limit)},
			}
		}
		c.X = append(c.X, thousands(t.Conversations))
		for i, q := range []time.Duration{t.Took.P50, t.Took.P99, t.Took.P999} {
			v := ms(q)
			if q == 0 {
				v = math.NaN() // too few turns for it
			}
			c.Series[i].Y = append(c.Series[i].Y, v)
		}
	}
	return c, len(c.X) > 0
}

func (r *results) memoryChart() report.BarChart {
	c := report.BarChart{
		Title: "Memory of the bot while all turns wait for the model", Axis: "MiB resident",
		Marks: []report.Mark{{Name: "budget", Value: mib(budget)}},
	}
	for _, m := range r.Memory {
		c.Bars = append(c.Bars, report.Bar{
			Label: thousands(m.InFlight) + " turns in flight", Note: fmt.Sprintf("%.0f MiB, %.1f KiB a turn", mib(m.During), m.each()/1024),
			Segments: []report.Segment{{Name: "before", Value: mib(m.Before)}, {Name: "the turns", Value: mib(m.During - m.Before)}},
		})
	}
	return c
}

func whole(d time.Duration) string { return thousands(int(math.Round(ms(d)))) + " ms" }

func thousands(n int) string {
	if n >= 1000 {
		return fmt.Sprintf("%d,%03d", n/1000, n%1000)
	}
	return strconv.Itoa(n)
}
