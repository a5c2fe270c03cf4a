package domain

import (
	"strings"
	"unicode"
)

// Narrator does what Aloud does for an answer that comes in pieces, as SentenceSplitter
// gives them, and remembers from one piece to the next what a listener has heard: a list
// that arrives in several pieces is one list, and what is written down once is not written
// again. It is for one answer and one goroutine.
type Narrator struct {
	words *earWords
	seen  map[string]bool // what was put aside
	list  openList

	spoken strings.Builder // of the piece at hand
	aside  []string
}

// NewNarrator makes one for an answer in a language, a BCP 47 tag.
func NewNarrator(language string) *Narrator {
	return &Narrator{words: earWordsOf(language), seen: map[string]bool{}}
}

// Say gives the words for the next piece and what a listener needs in writing of it, a
// line each. Either may be empty. What an earlier piece put aside is not put aside again.
// Lines that are equal remain within tables and program code, and where items of a long
// list that were cut go on with the same words.
//
// Where a list reaches over pieces, the items that were spoken are counted together. When
// they become too many, no more are spoken, the listener is told so once, and the whole
// list is put aside: what there is of it at that moment, and the rest as it comes. How many
// items that will be is said only when the list ends in the same piece.
//
// A piece is taken to begin a line, unless its words show that it goes on with one. Where
// the splitter cuts items in two, SayPiece knows better.
func (n *Narrator) Say(piece string) (spoken, aside string) { return n.tell(piece, perhapsCut) }

// SayPiece is Say for a piece of which it is known how it ends, and so whether the next
// one begins a line.
func (n *Narrator) SayPiece(p Piece) (spoken, aside string) {
	if p.End == EndOfLine {
		return n.tell(p.Text, wholeLines)
	}
	return n.tell(p.Text, cutLine)
}

// pieceReach says how far a text goes.
type pieceReach uint8

const (
	perhapsCut pieceReach = iota // its last line may go on in the next one
	cutLine                      // it does
	wholeLines                   // it does not
	wholeText                    // there is no next one
)

func (n *Narrator) tell(text string, reach pieceReach) (spoken, aside string) {
	n.spoken.Reset()
	n.aside = nil
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	n.blocks(lines, n.goOn(lines), reach)
	n.list.reach = reach
	spoken = tidy(n.spoken.String())
	if strings.IndexFunc(spoken, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) < 0 {
		spoken = ""
	}
	return spoken, strings.Join(n.aside, "\n")
}
