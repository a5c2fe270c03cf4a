package report

import (
	"math"
	"strings"
)

// Series is a line through one value for each place on the x axis; NaN leaves a place
// out.
type Series struct {
	Name string
	Y    []float64
}

// LineChart shows how values go with a load.
type LineChart struct {
	Title        string
	XAxis, YAxis string   // what the values are, with their unit
	X            []string // the places, evenly apart
	Series       []Series
	Marks        []Mark
}

// SVG draws the chart.
func (c LineChart) SVG() ([]byte, error) {
	const width, height, left, right, top, bottom = 860.0, 440.0, 80.0, 170.0, 84.0, 380.0
	most := 0.0
	var names []string
	for _, s := range c.Series {
		names = append(names, s.Name)
		for _, v := range s.Y {
			if !math.IsNaN(v) {
				most = max(most, v)
			}
		}
	}
	for _, m := range c.Marks {
		most = max(most, m.Value)
	}
	scale := ticks(most)
	y := func(v float64) float64 { return bottom - v/scale[len(scale)-1]*(bottom-top) }
	x := func(i int) float64 { return left + (float64(i)+0.5)*(width-left-right)/float64(len(c.X)) }

	p := newPicture(c.Title, width, height)
	p.legend(16, 52, names)
	for _, t := range scale {
		p.line("grid", left, y(t), width-right, y(t))
		p.label("small", "end", left-8, y(t)+4, figure(t))
	}
	for i, name := range c.X {
		p.label("small", "middle", x(i), bottom+20, name)
	}
	p.label("small", "middle", (left+width-right)/2, bottom+44, c.XAxis)
	p.label("small", "start", 16, top-12, c.YAxis)
	p.line("axis", left, bottom, width-right, bottom)
	for _, m := range c.Marks {
		p.line("mark", left, y(m.Value), width-right, y(m.Value))
		p.label("small", "start", width-right+8, y(m.Value)+4, m.Name)
	}
	for i, s := range c.Series {
		var points []string
		for j, v := range s.Y {
			if math.IsNaN(v) || j >= len(c.X) {
				continue
			}
			points = append(points, num(x(j))+","+num(y(v)))
			p.empty("circle", "class", class(i), "cx", num(x(j)), "cy", num(y(v)), "r", "3.5")
		}
		if len(points) > 1 {
			p.empty("polyline", "class", class(i)+" line", "points", strings.Join(points, " "))
		}
	}
	return p.end()
}
