package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// verdict is what a mark of punctuation means: where what belongs to it ends, whether
// the piece may end there, and as what.
type verdict struct {
	end   int
	kind  PieceEnd
	found bool
	wait  bool // the text that decides has not arrived
}

const (
	narrowStops = ".!?…"
	// wideStops end a sentence whatever follows: CJK, Arabic and Urdu, Devanagari,
	// Armenian, Ethiopic, Khmer, Myanmar.
	wideStops   = "。．！？｡؟۔।॥։።፧។៕။"
	clauseMarks = ",;:—–-、，；：､،؛፣"
	closers     = "\"'”’»›)]}）］」』】〉》*_~"
	quotes      = "\"'”’»›)]」』"
)

func isStop(r rune) bool       { return strings.ContainsRune(narrowStops+wideStops, r) }
func isClauseMark(r rune) bool { return strings.ContainsRune(clauseMarks, r) }

// isBreakingSpace leaves out the spaces that keep two words together.
func isBreakingSpace(r rune) bool {
	return unicode.IsSpace(r) && r != '\u00a0' && r != '\u202f'
}

// staysWithWord tells what must not begin a piece although white space is in front of
// it, as in "12,50 €" and in French "Vraiment ?".
func staysWithWord(r rune) bool { return strings.ContainsRune("!?;:»%€)]", r) }

// judgeStop decides about the full stop, question mark or the like at a position.
func (s *SentenceSplitter) judgeStop(at int, final bool) verdict {
	i, dots, wide, emphatic, quoted := at, 0, false, false, false
	for {
		r, size, ok := s.peek(i, final)
		if !ok {
			if final {
				return verdict{end: i, kind: EndOfSentence, found: true}
			}
			return verdict{wait: true}
		}
		switch {
		case r == '\u00a0' || r == '\u202f': // French puts one between the mark and the quotes
			next, width, ok := s.peek(i+size, final)
			if !ok && !final {
				return verdict{wait: true}
			}
			if next == '»' {
				i, quoted = i+size+width, true
				continue
			}
		case isStop(r):
			switch {
			case r == '.':
				dots++
			case r == '…':
				dots += 3
			case r == '!' || r == '?':
				emphatic = true
			default:
				wide = true
			}
			i += size
			if i-at < lookLimit {
				continue
			}
			return verdict{end: i}
		case strings.ContainsRune(closers, r):
			quoted = quoted || strings.ContainsRune(quotes, r)
			i += size
			if i-at < lookLimit {
				continue
			}
			return verdict{end: i}
		}
		if wide || (emphatic && isIdeographic(r)) {
			v := verdict{end: i, kind: EndOfSentence, found: true}
			if r == '\n' {
				v.kind = EndOfLine
			}
			return v
		}
		if !isBreakingSpace(r) && r != '\u00a0' && r != '\u202f' {
			return verdict{end: i}
		}
		break
	}
	v := verdict{end: i, kind: EndOfSentence, found: true}
	if s.buf[i] == '\n' {
		v.kind = EndOfLine
	}
	next := s.nextWord(i, final)
	switch {
	case emphatic && !quoted:
	case emphatic || quoted || dots > 1:
		if !next.known {
			return verdict{wait: true}
		}
		if next.lower() {
			v.kind = EndOfClause
		}
	default:
		return s.judgePoint(at, v, next)
	}
	return v
}

// judgePoint decides about a single full stop in front of white space.
func (s *SentenceSplitter) judgePoint(at int, v verdict, next following) verdict {
	word, before := lastWords(s.buf[max(0, at-lookLimit):at])
	kind := abbreviationOf(word)
	if kind == noAbbreviation {
		return v
	}
	no := verdict{end: v.end}
	if kind == neverEnds {
		return no
	}
	if !next.known {
		return verdict{wait: true}
	}
	switch {
	case next.none: // the text's end, or a line's
		return v
	case next.lower():
		return no
	}
	switch kind {
	case beforeNumber:
		if next.digit() {
			return no
		}
	case ordinal:
		if !next.whole {
			return verdict{wait: true}
		}
		if isMonth(next.word) || germanBeforeOrdinal[strings.ToLower(before)] {
			return no
		}
	case atTheEnd:
		if next.digit() {
			return no
		}
	}
	return v
}

// judgeClause decides about a comma and its like: white space must follow, or nothing
// where the script writes none. A hyphen counts with white space on both sides only.
func (s *SentenceSplitter) judgeClause(r rune, end int, final bool) verdict {
	if r >= 0x3000 { // full width
		return verdict{end: end, kind: EndOfClause, found: true}
	}
	next, size, ok := s.peek(end, final)
	if !ok && !final {
		return verdict{wait: true}
	}
	if ok && strings.ContainsRune(quotes, next) {
		end += size
		if next, _, ok = s.peek(end, final); !ok && !final {
			return verdict{wait: true}
		}
	}
	spaced := s.at.pos > s.at.end
	if ok && !isBreakingSpace(next) || !spaced && (r == '-' || r == '–') {
		return verdict{end: end}
	}
	return verdict{end: end, kind: EndOfClause, found: true}
}

// following is the word behind a stop, as far as it has arrived.
type following struct {
	known bool // its first character is there, or there is none
	none  bool
	whole bool
	word  string
}

func (f following) first() rune { r, _ := utf8.DecodeRuneInString(f.word); return r }
func (f following) lower() bool { return unicode.IsLower(f.first()) }
func (f following) digit() bool { return unicode.IsDigit(f.first()) }

// nextWord looks at the word behind white space. A line's end counts as none.
func (s *SentenceSplitter) nextWord(at int, final bool) following {
	start := at
	for ; ; at++ { // white space may be wide, but then its later bytes decode to no letter
		r, size, ok := s.peek(at, final)
		if !ok {
			return following{known: final, none: final}
		}
		if r == '\n' || at-start > lookLimit {
			return following{known: true, none: true, whole: true}
		}
		if !unicode.IsSpace(r) {
			break
		}
		at += size - 1
	}
	end := at
	for end-at < lookLimit {
		r, size, ok := s.peek(end, final)
		if !ok {
			return following{known: end > at, whole: final, word: string(s.buf[at:end])}
		}
		if unicode.IsSpace(r) {
			break
		}
		end += size
	}
	return following{known: true, whole: true, word: string(s.buf[at:end])}
}

// lastWords gives the word that a text ends with, without what opens it, and the one
// before it.
func lastWords(text []byte) (last, before string) {
	fields := strings.FieldsFunc(string(text), unicode.IsSpace)
	n := len(fields)
	if n == 0 || !utf8.Valid(text) && n == 1 {
		return "", ""
	}
	last = strings.TrimLeft(fields[n-1], "\"'“‘„«‹([{*_¿¡—–")
	if n > 1 {
		before = fields[n-2]
	}
	return last, before
}

// startsLink tells whether a piece begins with an address.
func startsLink(text []byte) bool {
	head := strings.TrimLeft(string(text[:min(len(text), lookLimit)]), "([<*\"'_")
	return strings.HasPrefix(head, "http://") || strings.HasPrefix(head, "https://") || strings.HasPrefix(head, "www.")
}

// isIdeographic tells scripts that put no white space between words.
func isIdeographic(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}
