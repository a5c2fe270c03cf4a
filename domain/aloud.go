package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Aloud turns an answer that was written for the eye into words for the ear. Markup,
// emoji and symbols go; links, addresses, long codes, tables and program code are
// named instead of read; dates, times, amounts of money, percentages, measures and
// telephone numbers become words in the language, a BCP 47 tag. English, Spanish,
// German, French, Portuguese and Italian have words; in other languages nothing is
// expanded and what cannot be read is left out. Plain integers are left to the engine.
//
// The aside holds what a listener needs in writing, a line each: addresses, codes,
// tables, code, the items of a list that is too long. It is empty when there is none.
//
// The text is a whole answer; one that comes in pieces is for a Narrator. Spoken is empty
// when nothing can be said. The time taken is linear in the text's length.
func Aloud(text, language string) (spoken, aside string) {
	return NewNarrator(language).tell(text, wholeText)
}

// later puts something into the message that follows, once.
func (n *Narrator) later(s string) {
	if s = strings.TrimSpace(s); s != "" && !n.seen[s] {
		n.seen[s] = true
		n.aside = append(n.aside, s)
	}
}

// say adds a line. A line that ends without punctuation gets the given one, so that the
// voice pauses where the eye sees a new line.
func (n *Narrator) say(line, pause string) {
	line = strings.TrimSpace(line)
	if line == "" {
		return
	}
	if n.spoken.Len() > 0 {
		n.spoken.WriteByte(' ')
	}
	n.spoken.WriteString(line)
	last, _ := utf8.DecodeLastRuneInString(strings.TrimRight(line, "\"'”’»)"))
	if pause != "" && !isStop(last) && !isClauseMark(last) {
		n.spoken.WriteString(pause)
	}
}

// blocks walks over the lines of a text from one on.
func (n *Narrator) blocks(lines []string, i int, reach pieceReach) {
	for i < len(lines) {
		line := strings.TrimSpace(lines[i])
		if line != "" && !isItem(line) {
			n.list = openList{}
		}
		switch {
		case line == "" || isRule(line):
			i++
		case fenceOf(line) != "":
			i = n.code(lines, i, fenceOf(line))
		case strings.HasPrefix(line, "|") && strings.Count(line, "|") > 1:
			i = n.table(lines, i)
		case isItem(line):
			i = n.items(lines, i, reach)
		default:
			heading := strings.HasPrefix(line, "#")
			pause := "."
			if i == len(lines)-1 && !heading {
				pause = "" // perhaps the sentence goes on in the next piece
			}
			n.say(n.line(unquoted(line)), pause)
			i++
		}
	}
}

// code puts a fenced block aside and says so.
func (n *Narrator) code(lines []string, i int, fence string) int {
	var body []string
	for i++; i < len(lines) && !strings.HasPrefix(strings.TrimSpace(lines[i]), fence); i++ {
		body = append(body, lines[i])
	}
	n.later(strings.Trim(strings.Join(body, "\n"), "\n"))
	n.say(n.words.program, ".")
	return i + 1
}

// table puts a table aside, without the line that only draws, and says so.
func (n *Narrator) table(lines []string, i int) int {
	var rows []string
	for ; i < len(lines) && strings.HasPrefix(strings.TrimSpace(lines[i]), "|"); i++ {
		row := strings.TrimSpace(lines[i])
		if strings.Trim(row, "|-: ") == "" {
			continue
		}
		cells := strings.Split(strings.Trim(row, "|"), "|")
		for k, cell := range cells {
			cells[k] = strings.TrimSpace(cell)
		}
		rows = append(rows, strings.Join(cells, " | "))
	}
	n.later(strings.Join(rows, "\n"))
	n.say(n.words.table, ".")
	return i
}

// isRule tells lines that only draw: "---", "***", "===".
func isRule(line string) bool {
	return len(line) > 2 && strings.Trim(line, "-*_= ") == ""
}

// fenceOf gives the fence a line opens, or nothing. A fence that closes on the line is
// code in the line.
func fenceOf(line string) string {
	for _, f := range []string{"```", "~~~"} {
		if rest, ok := strings.CutPrefix(line, f); ok && (f != "```" || !strings.Contains(strings.TrimLeft(rest, "`"), "`")) {
			return f
		}
	}
	return ""
}

// unquoted takes the marks of headings and quotations off a line's start.
func unquoted(line string) string {
	for strings.HasPrefix(line, ">") {
		line = strings.TrimSpace(line[1:])
	}
	if rest := strings.TrimLeft(line, "#"); rest != line && (rest == "" || rest[0] == ' ') {
		line = strings.TrimRight(rest, "# ")
	}
	return line
}

// tidy sets white space and punctuation right that lost their neighbours.
func tidy(s string) string {
	var b strings.Builder
	prev := ' '
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			if prev != ' ' {
				prev = ' '
				b.WriteByte(' ')
			}
			continue
		case unicode.IsControl(r) || r == utf8.RuneError:
			continue
		}
		prev = r
		b.WriteRune(r)
	}
	out := b.String()
	for _, mark := range []string{",", "."} {
		out = strings.ReplaceAll(out, " "+mark+" ", mark+" ")
	}
	for _, pair := range []string{"()", "( )", "[]", "\"\"", "“”"} {
		out = strings.ReplaceAll(out, pair, "")
	}
	out = strings.TrimLeft(strings.TrimSpace(out), ",;:.-–—!?)»… ")
	for _, dash := range []string{" -", " –", " —"} {
		if rest, ok := strings.CutSuffix(out, dash); ok {
			out = rest + ","
		}
	}
	return strings.Join(strings.Fields(out), " ")
}
