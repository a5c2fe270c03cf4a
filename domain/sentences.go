package domain

import (
	"strings"
	"unicode/utf8"
)

// PieceEnd says at what a piece of an answer ends, so that the pause after it can be
// as long as a speaker's. The stronger end has the greater value.
type PieceEnd uint8

const (
	// EndOfWord is a cut for length alone: the voice goes on.
	EndOfWord PieceEnd = iota
	// EndOfClause is a comma, a semicolon, a colon, a dash or a trailing ellipsis.
	EndOfClause
	// EndOfSentence is a full stop, a question or exclamation mark of any script.
	EndOfSentence
	// EndOfLine is the end of a line that stands for itself: a paragraph, a heading, a
	// list item, a table, a code block, the whole answer.
	EndOfLine
)

// Piece is a part of an answer that can be spoken by itself.
type Piece struct {
	Text string // without outer white space, never empty
	End  PieceEnd
}

// PieceLimits say how long pieces are, in characters (code points). A zero takes the
// default's value, but for Clause.
type PieceLimits struct {
	// First is the least length of the first piece when it ends at a sentence.
	First int
	// FirstClause is the length from which the first piece may end at a clause. A
	// negative value means never.
	FirstClause int
	// Target is the least length of every later piece that ends at a sentence: shorter
	// sentences are spoken together, which sounds better and costs fewer requests.
	Target int
	// Clause is the length from which later pieces may end at a clause. Zero means
	// never, except where a sentence is longer than Max.
	Clause int
	// Max is the greatest length, at least 80. Only what is not read aloud as it stands
	// may be longer, since half of it is useless: a code block or a table (32 KiB), a
	// link or code in a line (2 KiB).
	Max int
}

// DefaultPieceLimits suit spoken answers: a first piece after some words, then one or
// two sentences at a time.
var DefaultPieceLimits = PieceLimits{First: 12, FirstClause: 40, Target: 80, Max: 240}

const (
	leastMax   = 80
	blockLimit = 32 << 10
	linkLimit  = 2 << 10
	// lookLimit bounds how far a decision looks ahead or back, in bytes: what it has not
	// seen by then does not change it, and a stream of nothing but dots stays cheap.
	lookLimit = 64
)

func (l PieceLimits) orDefault() PieceLimits {
	pick := func(v, d int) int {
		if v == 0 {
			return d
		}
		return v
	}
	d := DefaultPieceLimits
	l.First, l.FirstClause, l.Target = pick(l.First, d.First), pick(l.FirstClause, d.FirstClause), pick(l.Target, d.Target)
	l.Max = max(pick(l.Max, d.Max), leastMax)
	return l
}

// SentenceSplitter cuts an answer into pieces to speak while a model writes it. Text
// goes in as it arrives, in chunks of any size; which pieces come out does not depend
// on the chunks. The pieces are the whole answer in order: joined, they equal it up to
// white space. What it holds is less than Max characters and one chunk, or a block. It
// is for one goroutine.
type SentenceSplitter struct {
	limits  PieceLimits
	buf     []byte // the held text, from the current piece on
	at      place  // how far it is judged
	begin   place  // at as it was in front of the piece
	marks   [EndOfLine + 1]place
	yielded bool
}

// place is a position in the held text with what is known there.
type place struct {
	pos, runes    int // from the piece's start, in bytes and in code points
	end, endRunes int // the same for the end of what is no white space
	line          lineKind
	fresh         bool // nothing but white space since the line began
	breaks        int  // line ends since what is no white space
	fence         byte // the character that fences the code block, or 0
	opening       bool // on the line that opens the block, behind the fence itself
	code          bool // between single back ticks
	link          linkPart
}

type linkPart uint8

const (
	noLink     linkPart = iota
	linkText            // between brackets
	linkTarget          // between the parentheses behind them
)

// NewSentenceSplitter makes one for an answer, or several one after the other.
func NewSentenceSplitter(limits PieceLimits) *SentenceSplitter {
	s := &SentenceSplitter{limits: limits.orDefault()}
	s.reset()
	return s
}

func (s *SentenceSplitter) reset() {
	s.buf, s.yielded = nil, false
	s.at = place{fresh: true}
	s.begin, s.marks = s.at, [EndOfLine + 1]place{}
}

// Feed takes the next chunk and gives the pieces that are complete with it.
func (s *SentenceSplitter) Feed(text string) []Piece {
	s.buf = append(s.buf, text...)
	return s.scan(false)
}

// Flush ends the answer: it gives everything that is left, and the splitter is as new,
// with the limits it has.
func (s *SentenceSplitter) Flush() []Piece {
	out := s.scan(true)
	if rest := strings.TrimSpace(string(s.buf)); rest != "" {
		out = append(out, Piece{Text: rest, End: EndOfLine})
	}
	s.reset()
	return out
}

// Held is how many characters wait in the splitter.
func (s *SentenceSplitter) Held() int {
	return utf8.RuneCountInString(strings.TrimSpace(string(s.buf)))
}

// SetLimits changes the limits from the piece on that is being held. A caller that
// sees the end come, or whose voices stand idle, asks for clauses from here on; called
// before Flush it decides into how many pieces the rest falls. It gives the pieces that
// are complete by the new limits.
func (s *SentenceSplitter) SetLimits(limits PieceLimits) []Piece {
	s.limits = limits.orDefault()
	s.at, s.marks = s.begin, [EndOfLine + 1]place{}
	return s.scan(false)
}

// Take gives what is held up to its last sentence, else up to its last clause, where
// that is at least so many characters, although the limits would wait for more. It is
// for a caller with a voice that has nothing to do; what stays is judged with the next
// chunk. False means there is no such part.
func (s *SentenceSplitter) Take(least int) (Piece, bool) {
	for _, kind := range []PieceEnd{s.lastSentence(), EndOfClause} {
		if m := s.marks[kind]; m.runes >= max(least, 1) {
			return s.emit(kind, m), true
		}
	}
	return Piece{}, false
}

// lastSentence tells which of the two strong ends comes later in the piece.
func (s *SentenceSplitter) lastSentence() PieceEnd {
	if s.marks[EndOfLine].pos >= s.marks[EndOfSentence].pos {
		return EndOfLine
	}
	return EndOfSentence
}

// emit cuts the piece off at a mark; judging goes on right behind it.
func (s *SentenceSplitter) emit(kind PieceEnd, m place) Piece {
	p := Piece{Text: strings.TrimSpace(string(s.buf[:m.pos])), End: kind}
	s.buf = s.buf[m.pos:]
	m.pos, m.runes, m.end, m.endRunes = 0, 0, 0, 0
	s.at, s.begin, s.marks = m, m, [EndOfLine + 1]place{}
	s.yielded = true
	return p
}

// mark notes an end in the piece, and cuts there when the piece is long enough.
func (s *SentenceSplitter) mark(kind PieceEnd, m place) (Piece, bool) {
	if m.runes == 0 {
		return Piece{}, false
	}
	s.marks[kind] = m
	sentence, clause := s.limits.First, s.limits.FirstClause
	if s.yielded {
		sentence, clause = s.limits.Target, s.limits.Clause
	}
	switch {
	case kind >= EndOfSentence && m.runes >= sentence, kind == EndOfClause && clause > 0 && m.runes >= clause:
		return s.emit(kind, m), true
	}
	return Piece{}, false
}

// cut ends a piece that would become longer than it may: at its last sentence, else at
// a clause that leaves it a fair length, else between words, else between characters as
// a reader sees them. It reports false when the piece is one link that may be longer.
func (s *SentenceSplitter) cut() (Piece, bool) {
	if kind := s.lastSentence(); s.marks[kind].runes > 0 {
		return s.emit(kind, s.marks[kind]), true
	}
	if m := s.marks[EndOfClause]; m.runes >= s.limits.Max/3 {
		return s.emit(EndOfClause, m), true
	}
	for _, kind := range []PieceEnd{EndOfWord, EndOfClause} {
		if m := s.marks[kind]; m.runes > 0 {
			return s.emit(kind, m), true
		}
	}
	if s.at.pos < linkLimit && (s.at.code || s.at.link != noLink || startsLink(s.buf)) {
		return Piece{}, false
	}
	m := s.at
	m.pos = clusterEdge(s.buf, m.pos)
	m.code, m.link = false, noLink
	return s.emit(EndOfWord, m), true
}
