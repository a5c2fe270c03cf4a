package domain

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// longList is how many items of a list are still listened to; of a longer one so many
// are spoken as shortList says.
const (
	longList  = 7
	shortList = 5
)

// openList is a list that the next piece may go on with.
type openList struct {
	items []string   // its lines until it turned out to be long, at most longList
	last  string     // the newest item, as far as it came
	long  bool       // what comes is only put aside
	reach pieceReach // of the piece before
}

// items says the items of a list with pauses between them. Of a long one it says the
// first ones and that or how many more there are, and puts the whole aside.
func (n *Narrator) items(lines []string, i int, reach pieceReach) int {
	var items []string
	for ; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		if line != "" && !isItem(line) {
			break
		}
		if line != "" {
			items = append(items, line)
		}
	}
	l, before, said := &n.list, len(n.list.items), items
	ended := reach == wholeText || i < len(lines)
	l.last = items[len(items)-1]
	switch {
	case n.words.more == "":
	case l.long:
		n.write(items)
		return i
	case before+len(items) > longList:
		said = items[:min(max(0, shortList-before), len(items))]
		if whole := slices.Concat(l.items, items); reach == wholeText {
			n.later(strings.Join(whole, "\n"))
		} else {
			n.write(whole)
		}
		l.items, l.long = nil, true
	default:
		l.items = append(l.items, items...)
	}
	for k, item := range said {
		pause := "."
		if bullet, rest := cutItem(item); bullet {
			item = rest
			if k < len(said)-1 && len(strings.Fields(item)) < 6 {
				pause = ","
			}
		}
		n.say(n.line(item), pause)
	}
	switch {
	case !l.long:
	case ended:
		n.say(strings.Replace(n.words.more, "%", itoa(len(items)-len(said)), 1), ".")
	default:
		n.say(n.words.rest, ".")
	}
	return i
}

// write puts lines aside.
func (n *Narrator) write(lines []string) {
	for _, line := range lines {
		n.later(line)
	}
}

// goOn takes the end of an item whose beginning was in the piece before, and gives the
// number of the first line behind it.
func (n *Narrator) goOn(lines []string) int {
	l := &n.list
	first := strings.TrimSpace(lines[0])
	if l.last == "" || first == "" || isItem(first) || !l.goesOn(first, lines[1:]) {
		return 0
	}
	l.last += " " + first
	if l.long {
		n.aside = append(n.aside, first) // another item may end with the same words
		return 1
	}
	if k := len(l.items) - 1; k >= 0 {
		l.items[k] += " " + first
	}
	pause := "."
	if len(lines) == 1 {
		pause = ""
	}
	n.say(n.line(first), pause)
	return 1
}

// goesOn tells whether a piece's first line, which is no item, belongs to the newest item.
// Where nobody knows whether that was cut, it does when it shows: in a sentence that goes
// on, or when the next line is the list's next item. A paragraph behind a list must not be
// taken for an item, since of a long list it would not be spoken.
func (l *openList) goesOn(first string, rest []string) bool {
	if l.reach != perhapsCut {
		return l.reach == cutLine
	}
	if end, _ := utf8.DecodeLastRuneInString(l.last); startsLower(first) && !isStop(end) {
		return true
	}
	if len(rest) == 0 || !isItem(strings.TrimSpace(rest[0])) || strings.HasSuffix(first, ":") {
		return false
	}
	next := strings.TrimSpace(rest[0])
	return itemNumber(next) == itemNumber(l.last)+1 || itemNumber(next) == 0 && next[0] == l.last[0]
}

// itemNumber is the number of an item, 0 where it has a bullet.
func itemNumber(item string) int {
	marker := itemMarker([]byte(item))
	if marker < 2 || !isDigits(item[:marker-1]) {
		return 0
	}
	return number(item[:marker-1])
}

func isItem(line string) bool {
	marker := itemMarker([]byte(line))
	return marker > 0 && marker < len(line) && (line[marker] == ' ' || line[marker] == '\t')
}

// cutItem takes the bullet off a list item. A number stays, since it is spoken.
func cutItem(line string) (bullet bool, rest string) {
	marker := itemMarker([]byte(line))
	if line[0] >= '0' && line[0] <= '9' {
		return false, line
	}
	rest = strings.TrimSpace(line[marker:])
	for _, box := range []string{"[ ]", "[x]", "[X]"} {
		rest = strings.TrimPrefix(rest, box)
	}
	return true, strings.TrimSpace(rest)
}
