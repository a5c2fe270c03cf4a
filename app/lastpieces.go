package app

import (
	"unicode"
	"unicode/utf8"

	"whatsappnode/domain"
)

// When the writing ends, nothing is waited for any more but the longest of the last
// pieces. So what is left is cut once more, at clauses, into pieces of about the same
// length.

const (
	// lastLeast is the length in characters from which the rest is worth being cut, and
	// pieceLeast what a piece must have to sound like a person.
	lastLeast  = 48
	pieceLeast = 16
)

// everyClause takes the rest apart.
var everyClause = domain.PieceLimits{First: 1, FirstClause: 1, Target: 1, Clause: 1}

// lastPieces joins clauses to at most three pieces, so that the longest is as short as
// can be. Of equally good ways it takes the one with the fewest pieces.
func lastPieces(clauses []domain.Piece) []domain.Piece {
	best, shortest := []domain.Piece{joined(clauses)}, length(clauses)
	try := func(cuts ...int) {
		var pieces []domain.Piece
		longest, from := 0, 0
		for _, to := range append(cuts, len(clauses)) {
			n := length(clauses[from:to])
			if n < pieceLeast {
				return
			}
			longest = max(longest, n)
			pieces = append(pieces, joined(clauses[from:to]))
			from = to
		}
		if longest < shortest {
			best, shortest = pieces, longest
		}
	}
	for i := 1; i < len(clauses); i++ {
		try(i)
	}
	for i := 1; i < len(clauses); i++ {
		for j := i + 1; j < len(clauses); j++ {
			try(i, j)
		}
	}
	return best
}

func length(clauses []domain.Piece) int {
	n := 0
	for _, c := range clauses {
		n += utf8.RuneCountInString(c.Text) + 1
	}
	return n - 1
}

// joined makes one piece of clauses. Scripts that put no space after a comma get none.
func joined(clauses []domain.Piece) domain.Piece {
	out := clauses[0]
	for _, c := range clauses[1:] {
		if last, _ := utf8.DecodeLastRuneInString(out.Text); last < unicode.MaxLatin1 || !unicode.IsPunct(last) {
			out.Text += " "
		}
		out.Text, out.End = out.Text+c.Text, c.End
	}
	return out
}
