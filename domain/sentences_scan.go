package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// scan judges the held text as far as that can be done for good, and gives the pieces
// that are complete.
func (s *SentenceSplitter) scan(final bool) []Piece {
	var out []Piece
	for s.at.pos < len(s.buf) {
		p, cut, wait := s.step(final)
		if cut {
			out = append(out, p)
		}
		if wait {
			break
		}
	}
	return out
}

// step judges one character, or one mark with what belongs to it. It asks to wait when
// the decision needs text that is still to come.
func (s *SentenceSplitter) step(final bool) (p Piece, cut, wait bool) {
	a := &s.at
	r, size, ok := s.peek(a.pos, final)
	if !ok {
		return p, false, true
	}
	if isBreakingSpace(r) {
		s.space(r, size)
		return p, false, false
	}
	if a.fresh {
		return s.lineStart(final)
	}
	block := a.fence != 0 || a.line == lineCode || a.line == lineTable
	if a.pos > a.end && a.end > 0 && !block && !a.code && a.link == noLink && !staysWithWord(r) {
		m := *a
		m.pos, m.runes = a.end, a.endRunes
		s.mark(EndOfWord, m)
	}
	if block {
		if a.fence == '`' && a.opening && r == '`' && a.pos > 0 && s.buf[a.pos-1] != '`' {
			a.fence, a.line, a.code = 0, lineText, true // a fence and its end on one line are code in the line
			return p, false, false
		}
		if a.pos+size > blockLimit {
			m := *a
			m.pos = clusterEdge(s.buf, m.pos)
			return s.emit(EndOfWord, m), true, false
		}
		s.advance(a.pos + size)
		return p, false, false
	}
	if a.runes+1 > s.limits.Max {
		if p, cut = s.cut(); cut {
			return p, true, false
		}
	}
	end, kind, found := a.pos+size, EndOfWord, false
	switch {
	case r < utf8.RuneSelf && isWordRune(r): // most of a text
	case r == '`' && a.link == noLink:
		a.code = !a.code
	case a.code:
	case a.link == linkTarget:
		if r == ')' {
			a.link = noLink
		}
	case a.link == linkText:
		if r == ']' {
			next, _, known := s.peek(end, final)
			if !known && !final {
				return p, false, true
			}
			if a.link = noLink; known && next == '(' {
				a.link = linkTarget
			}
		}
	case r == '[':
		a.link = linkText
	case isStop(r):
		v := s.judgeStop(a.pos, final)
		if v.wait {
			return p, false, true
		}
		end, kind, found = v.end, v.kind, v.found
	case isClauseMark(r):
		v := s.judgeClause(r, end, final)
		if v.wait {
			return p, false, true
		}
		end, kind, found = v.end, v.kind, v.found
	}
	return s.reach(end, kind, found)
}

// reach moves on to the end of a mark and notes it.
func (s *SentenceSplitter) reach(end int, kind PieceEnd, found bool) (p Piece, cut, wait bool) {
	runes := s.at.runes + utf8.RuneCount(s.buf[s.at.pos:end])
	if runes > s.limits.Max && runes > s.at.runes+1 { // one character alone was looked at before
		if p, cut = s.cut(); cut {
			return p, true, false
		}
	}
	s.advance(end)
	if found {
		p, cut = s.mark(kind, s.at)
	}
	return p, cut, false
}

func (s *SentenceSplitter) advance(to int) {
	a := &s.at
	a.runes += utf8.RuneCount(s.buf[a.pos:to])
	a.pos = to
	a.end, a.endRunes = to, a.runes
}

// space passes one white space; in front of a piece it is dropped.
func (s *SentenceSplitter) space(r rune, size int) {
	a := &s.at
	if r == '\n' || r == '\u2028' || r == '\u2029' {
		a.fresh, a.opening, a.code, a.link = true, false, false, noLink
		a.breaks++
	}
	if a.end == 0 {
		s.buf = s.buf[size:]
		s.begin = *a
		return
	}
	a.pos += size
	a.runes++
}

// lineStart looks at how a line begins: whether it ends the piece before it, and where
// its own words start.
func (s *SentenceSplitter) lineStart(final bool) (p Piece, cut, wait bool) {
	a := &s.at
	rest := s.buf[a.pos:]
	if a.fence != 0 {
		closing, known := isFence(rest, a.fence, final)
		switch {
		case !known:
			return p, false, true
		case closing:
			a.fence = 0
			a.fresh = false
			s.advance(a.pos + 3)
		default:
			a.fresh = false
		}
		return p, false, false
	}
	kind, marker, known := kindOfLine(rest, final)
	if !known {
		return p, false, true
	}
	if a.end > 0 {
		m := *a
		m.pos, m.runes, m.fresh, m.breaks = a.end, a.endRunes, false, 0
		m.code, m.link = false, noLink
		if a.line == lineCode || kind == lineCode || (a.line == lineTable) != (kind == lineTable) {
			return s.emit(EndOfLine, m), true, false
		}
		first, _ := utf8.DecodeRune(rest)
		goesOn := a.breaks == 1 && a.line == lineText && kind == lineText && unicode.IsLower(first)
		if kind != lineTable && !goesOn {
			if p, cut = s.mark(EndOfLine, m); cut {
				return p, true, false
			}
		}
	}
	if kind != lineCode && kind != lineTable && a.runes+marker > s.limits.Max {
		if p, cut = s.cut(); cut {
			return p, true, false
		}
	}
	a.fresh, a.breaks, a.line = false, 0, kind
	if kind == lineCode {
		a.fence, a.opening = rest[0], true
	}
	if marker > 0 {
		s.advance(a.pos + marker)
	}
	return p, false, false
}

// peek decodes the character at a position; false when it has not arrived as a whole.
func (s *SentenceSplitter) peek(at int, final bool) (rune, int, bool) {
	if at >= len(s.buf) || (!final && !utf8.FullRune(s.buf[at:])) {
		return 0, 0, false
	}
	r, size := utf8.DecodeRune(s.buf[at:])
	return r, size, true
}

type lineKind uint8

const (
	lineText lineKind = iota
	lineItem
	lineHeading
	lineTable
	lineCode
)

// kindOfLine tells what a line is by its first characters, and how many bytes its
// marker has. It reports false when too little of the line has arrived.
func kindOfLine(rest []byte, final bool) (kind lineKind, marker int, known bool) {
	if rest[0] == '`' || rest[0] == '~' {
		fence, known := isFence(rest, rest[0], final)
		if fence {
			return lineCode, 3, true
		}
		return lineText, 0, known
	}
	switch rest[0] {
	case '|':
		return lineTable, 0, true
	case '#':
		return lineHeading, 0, true
	}
	n := itemMarker(rest)
	if n < 0 || n > 0 && n == len(rest) && !final {
		return lineText, 0, final
	}
	if n == 0 || n < len(rest) && rest[n] != ' ' && rest[n] != '\t' {
		return lineText, 0, true
	}
	return lineItem, n, true
}

// itemMarker gives the length of what may mark a list item ("-", "•", "12.", "3)"), 0
// where there is none, -1 where more must be seen.
func itemMarker(rest []byte) int {
	for _, m := range []string{"-", "*", "+", "•", "–"} {
		head := string(rest[:min(len(rest), len(m))])
		if head == m {
			return len(m)
		}
		if strings.HasPrefix(m, head) {
			return -1
		}
	}
	n := 0
	for n < len(rest) && n < 3 && rest[n] >= '0' && rest[n] <= '9' {
		n++
	}
	switch {
	case n == 0:
		return 0
	case n == len(rest):
		return -1
	case rest[n] == '.' || rest[n] == ')':
		return n + 1
	}
	return 0
}

// isFence tells whether a line begins with a fence of this character.
func isFence(rest []byte, mark byte, final bool) (fence, known bool) {
	for i := range 3 {
		if i == len(rest) {
			return false, final
		}
		if rest[i] != mark {
			return false, true
		}
	}
	return true, true
}
