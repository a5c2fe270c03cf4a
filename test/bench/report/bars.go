package report

// Segment is a part of a bar.
type Segment struct {
	Name  string
	Value float64
}

// Bar lies in a chart, with its parts end to end.
type Bar struct {
	Label    string
	Segments []Segment
	Note     string // behind its end
	Gap      bool   // some room above it, where another group begins
}

// BarChart compares sums. Segments of one name have one colour.
type BarChart struct {
	Title string
	Axis  string // what the values are, with their unit
	Bars  []Bar
	Marks []Mark
}

// SVG draws the chart.
func (c BarChart) SVG() ([]byte, error) {
	const width, left, right, top, bar, pitch, gap = 900.0, 230.0, 190.0, 84.0, 20.0, 30.0, 18.0
	most, height := 0.0, top
	var names []string
	colour := map[string]int{}
	for i, b := range c.Bars {
		sum := 0.0
		for _, s := range b.Segments {
			sum += s.Value
			if _, known := colour[s.Name]; !known {
				colour[s.Name] = len(names)
				names = append(names, s.Name)
			}
		}
		most = max(most, sum)
		height += pitch
		if b.Gap && i > 0 {
			height += gap
		}
	}
	for _, m := range c.Marks {
		most = max(most, m.Value)
	}
	scale := ticks(most)
	bottom := height
	x := func(v float64) float64 { return left + v/scale[len(scale)-1]*(width-left-right) }

	p := newPicture(c.Title, width, bottom+52)
	p.legend(16, 52, names)
	for _, t := range scale {
		p.line("grid", x(t), top-8, x(t), bottom)
		p.label("small", "middle", x(t), bottom+18, figure(t))
	}
	p.label("small", "middle", x(scale[len(scale)-1]/2), bottom+40, c.Axis)
	y := top
	for i, b := range c.Bars {
		if b.Gap && i > 0 {
			y += gap
		}
		p.label("", "end", left-10, y+bar-5, b.Label)
		at := 0.0
		for _, s := range b.Segments {
			p.rect(class(colour[s.Name]), x(at), y, x(at+s.Value)-x(at), bar)
			at += s.Value
		}
		p.label("", "start", x(at)+8, y+bar-5, b.Note)
		y += pitch
	}
	p.line("axis", left, top-8, left, bottom)
	for _, m := range c.Marks {
		p.line("mark", x(m.Value), top-8, x(m.Value), bottom)
		p.label("small", "start", x(m.Value)+6, top-2, m.Name)
	}
	return p.end()
}
