package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/test/bench/report"
)

// element is what the tests look at in a picture.
type element struct {
	name  string
	attrs map[string]string
	text  string
}

// parse fails unless the picture is well-formed and lies within its view.
func parse(t *testing.T, svg []byte, err error) []element {
	t.Helper()
	require.NoError(t, err)
	var out []element
	dec := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			e := element{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			out = append(out, e)
		case xml.CharData:
			if len(out) > 0 && strings.TrimSpace(string(token)) != "" {
				out[len(out)-1].text = string(token)
			}
		}
	}
	require.NotEmpty(t, out)
	require.Equal(t, "svg", out[0].name)
	for _, e := range out[1:] {
		for _, a := range []string{"x", "x1", "x2", "cx"} {
			within(t, e, a, out[0].attrs["width"])
		}
		for _, a := range []string{"y", "y1", "y2", "cy"} {
			within(t, e, a, out[0].attrs["height"])
		}
	}
	return out
}

func within(t *testing.T, e element, attr, limit string) {
	t.Helper()
	if e.attrs[attr] == "" {
		return
	}
	v, err := strconv.ParseFloat(e.attrs[attr], 64)
	require.NoError(t, err)
	most, err := strconv.ParseFloat(limit, 64)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, v, 0.0, "%+v", e)
	assert.LessOrEqual(t, v, most, "%+v", e)
}

func texts(all []element) []string {
	var out []string
	for _, e := range all {
		if e.name == "text" {
			out = append(out, e.text)
		}
	}
	return out
}

// widths and starts are those of the bars' parts of one class, without the legend's
// squares.
func widths(t *testing.T, all []element, class string) []float64 {
	t.Helper()
	return parts(t, all, class, "width")
}

func starts(t *testing.T, all []element, class string) []float64 {
	t.Helper()
	return parts(t, all, class, "x")
}

func parts(t *testing.T, all []element, class, attr string) []float64 {
	t.Helper()
	var out []float64
	for _, e := range all {
		if e.name == "rect" && e.attrs["class"] == class && e.attrs["height"] != "11" {
			v, err := strconv.ParseFloat(e.attrs[attr], 64)
			require.NoError(t, err)
			out = append(out, v)
		}
	}
	return out
}

func TestBars(t *testing.T) {
	svg, err := report.BarChart{
		Title: `Turn & "note" <fast>`, Axis: "ms",
		Bars: []report.Bar{
			{Label: "one", Segments: []report.Segment{{"a", 1000}, {"b", 3000}, {"c", 500}}, Note: "4,000"},
			{Label: "two", Segments: []report.Segment{{"b", 1500}}, Note: "1,500", Gap: true},
		},
		Marks: []report.Mark{{"limit", 2000}},
	}.SVG()
	all := parse(t, svg, err)
	assert.Subset(t, texts(all), []string{`Turn & "note" <fast>`, "ms", "one", "two", "a", "b", "4,000", "1,500", "limit", "0", "1,000"})
	a, b := widths(t, all, "c0"), widths(t, all, "c1")
	require.Len(t, a, 1)
	require.Len(t, b, 2)
	assert.InDelta(t, 3*a[0], b[0], 0.3, "lengths are in proportion")
	assert.InDelta(t, b[0]/2, b[1], 0.2)
	assert.InDelta(t, starts(t, all, "c0")[0]+a[0], starts(t, all, "c1")[0], 0.2, "end to end")
	assert.InDelta(t, starts(t, all, "c1")[0]+b[0], starts(t, all, "c2")[0], 0.2)
	assert.InDelta(t, starts(t, all, "c0")[0], starts(t, all, "c1")[1], 0.01)
	assert.Contains(t, string(svg), "prefers-color-scheme:dark")
}

func TestLines(t *testing.T) {
	svg, err := report.LineChart{
		Title: "t", XAxis: "users", YAxis: "ms", X: []string{"1", "100", "1,000"},
		Series: []report.Series{{"p50", []float64{100, 200, 400}}, {"p99", []float64{math.NaN(), 300, 900}}, {"p99.9", []float64{math.NaN(), math.NaN(), math.NaN()}}},
		Marks:  []report.Mark{{"floor", 150}},
	}.SVG()
	all := parse(t, svg, err)
	assert.Subset(t, texts(all), []string{"t", "users", "ms", "1", "100", "1,000", "p50", "p99", "p99.9", "floor"})
	circles, lines := map[string]int{}, map[string]int{}
	for _, e := range all {
		circles[e.attrs["class"]] += map[bool]int{true: 1}[e.name == "circle"]
		if e.name == "polyline" {
			lines[e.attrs["class"]] = len(strings.Fields(e.attrs["points"]))
		}
	}
	assert.Equal(t, 3, circles["c0"])
	assert.Equal(t, 2, circles["c1"])
	assert.Zero(t, circles["c2"])
	assert.Equal(t, map[string]int{"c0 line": 3, "c1 line": 2}, lines)
}

// TestEmptyCharts: a run that measured little still draws.
func TestEmptyCharts(t *testing.T) {
	svg, err := report.BarChart{Title: "t"}.SVG()
	parse(t, svg, err)
	svg, err = report.LineChart{Title: "t"}.SVG()
	parse(t, svg, err)
	svg, err = report.BarChart{Bars: []report.Bar{{Label: "zero", Segments: []report.Segment{{"a", 0}}}}}.SVG()
	parse(t, svg, err)
}

// TestScales: whatever the size of the figures, there are some round marks on the axis
// and the largest figure is within.
func TestScales(t *testing.T) {
	for _, v := range []float64{0.004, 0.5, 1, 7, 9.99, 12, 400, 650, 999, 1001, 5170, 123456} {
		svg, err := report.BarChart{Bars: []report.Bar{{Label: "x", Segments: []report.Segment{{"a", v}}}}}.SVG()
		all := parse(t, svg, err)
		n := 0
		for _, e := range all {
			if e.attrs["class"] == "grid" {
				n++
			}
		}
		assert.GreaterOrEqual(t, n, 3, v)
		assert.LessOrEqual(t, n, 8, v)
	}
}
