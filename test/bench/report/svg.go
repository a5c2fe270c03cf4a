package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Mark is a line across a chart, for a figure that others are compared with.
type Mark struct {
	Name  string
	Value float64
}

// colours has the light and the dark one of each class. They differ in brightness too,
// so that they are told apart without colours.
var colours = [][2]string{
	{"#1b6ca8", "#6cb6ff"}, {"#d9822b", "#f0a85c"}, {"#2e8b57", "#6fd08c"}, {"#a23b72", "#e18bb8"}, {"#6b6b6b", "#a0a0a0"}, {"#8a6d00", "#e3c65b"},
}

// style makes a picture readable on a light and on a dark page.
func style() string {
	var light, dark strings.Builder
	for i, c := range colours {
		fmt.Fprintf(&light, ".c%d{fill:%s;stroke:%s}", i, c[0], c[0])
		fmt.Fprintf(&dark, ".c%d{fill:%s;stroke:%s}", i, c[1], c[1])
	}
	return "text{font:13px system-ui,sans-serif;fill:#1f2328;stroke:none}.title{font-size:16px;font-weight:600}.small{font-size:12px;fill:#57606a}" +
		".bg{fill:#fff}.grid{stroke:#d8dee4;stroke-width:1}.axis{stroke:#57606a;stroke-width:1}.mark{stroke:#57606a;stroke-width:1.5;stroke-dasharray:5 4}" +
		".line{fill:none;stroke-width:2}" + light.String() + ".line{fill:none}" +
		"@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9da7b1}.bg{fill:#0d1117}.grid{stroke:#30363d}.axis,.mark{stroke:#9da7b1}" + dark.String() + ".line{fill:none}}"
}

// picture is an SVG document under way.
type picture struct {
	out           bytes.Buffer
	xml           *xml.Encoder
	width, height float64
	err           error
}

func newPicture(title string, width, height float64) *picture {
	p := &picture{width: width, height: height}
	p.xml = xml.NewEncoder(&p.out)
	size := "0 0 " + num(width) + " " + num(height)
	p.open("svg", "xmlns", "http://www.w3.org/2000/svg", "viewBox", size, "width", num(width), "height", num(height), "role", "img", "aria-label", title)
	p.text("style", style())
	p.rect("bg", 0, 0, width, height)
	p.label("title", "start", 16, 26, title)
	return p
}

// end closes the document.
func (p *picture) end() ([]byte, error) {
	p.close("svg")
	if p.err == nil {
		p.err = p.xml.Close()
	}
	return append(p.out.Bytes(), '\n'), p.err
}

func (p *picture) token(t xml.Token) {
	if p.err == nil {
		p.err = p.xml.EncodeToken(t)
	}
}

// open begins an element with pairs of names and values.
func (p *picture) open(name string, pairs ...string) {
	start := xml.StartElement{Name: xml.Name{Local: name}}
	for i := 0; i+1 < len(pairs); i += 2 {
		start.Attr = append(start.Attr, xml.Attr{Name: xml.Name{Local: pairs[i]}, Value: pairs[i+1]})
	}
	if name != "style" && name != "text" {
		p.token(xml.CharData("\n"))
	}
	p.token(start)
}

func (p *picture) close(name string) { p.token(xml.EndElement{Name: xml.Name{Local: name}}) }

func (p *picture) text(name, content string, pairs ...string) {
	p.open(name, pairs...)
	p.token(xml.CharData(content))
	p.close(name)
}

func (p *picture) empty(name string, pairs ...string) {
	p.open(name, pairs...)
	p.close(name)
}

func (p *picture) rect(class string, x, y, w, h float64) {
	p.empty("rect", "class", class, "x", num(x), "y", num(y), "width", num(max(w, 0)), "height", num(h))
}

func (p *picture) line(class string, x1, y1, x2, y2 float64) {
	p.empty("line", "class", class, "x1", num(x1), "y1", num(y1), "x2", num(x2), "y2", num(y2))
}

func (p *picture) label(class, anchor string, x, y float64, words string) {
	p.token(xml.CharData("\n"))
	p.text("text", words, "class", class, "text-anchor", anchor, "x", num(x), "y", num(y))
}

// legend writes names beside squares of their classes, from left to right.
func (p *picture) legend(x, y float64, names []string) {
	for i, name := range names {
		p.rect(class(i), x, y-10, 11, 11)
		p.label("", "start", x+17, y, name)
		x += 17 + 7.2*float64(len([]rune(name))) + 22
	}
}

func class(i int) string { return "c" + strconv.Itoa(i%len(colours)) }

func num(f float64) string { return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) }

// ticks are round numbers from zero to at least most, some five of them.
func ticks(most float64) []float64 {
	if most <= 0 || math.IsNaN(most) || math.IsInf(most, 0) {
		most = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(most)))
	for _, part := range []float64{0.2, 0.5, 1, 2} {
		if most/(step*part) <= 6 {
			step *= part
			break
		}
	}
	var out []float64
	for i := 0; ; i++ {
		out = append(out, float64(i)*step)
		if float64(i)*step >= most {
			return out
		}
	}
}

// figure writes a number with thousands apart.
func figure(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	whole, rest, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		return whole + "." + rest
	}
	return whole
}
