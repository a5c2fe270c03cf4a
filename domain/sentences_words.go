package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// abbreviation says what a full stop behind a word means.
type abbreviation uint8

const (
	noAbbreviation abbreviation = iota
	neverEnds                   // "Dr.", "z.B.", an initial: the sentence goes on
	beforeNumber                // "No. 5" goes on, "No. I can't" does not
	ordinal                     // "am 3. Mai" goes on, "It costs 3. The next" does not
	atTheEnd                    // "etc.", "p.m.": the next word's case decides
)

// abbreviations are the words, in lower case and without the last full stop, of the
// languages the bot has words in. A missing one costs a pause too many where a capital
// follows, one too much merges two sentences: only the second is never heard.
var abbreviations = func() map[string]abbreviation {
	m := map[string]abbreviation{}
	add := func(kind abbreviation, words string) {
		for w := range strings.FieldsSeq(words) {
			m[w] = kind
		}
	}
	add(neverEnds, "dr dra dres mr mrs ms mx prof profa sr sra srta sres rev hon gen col sgt capt lt gov sen rep st ste mt "+
		"hr hrn frl dipl ing mme mlle mm me sig sig.ra sig.na dott dott.ssa avv arch egr spett d dña ud uds vd ph.d m.sc b.sc "+
		"e.g i.e eg ie vs cf viz approx ca circa z.b d.h u.a u.u i.d.r o.ä s.o s.u bzw ggf evtl sog vgl inkl exkl zzgl max min mind "+
		"p.ej ej p.ex ex par.ex c.-à-d env av blvd ave exmo exma p.es es pag.es gent.mo tel fax")
	add(beforeNumber, "no nr núm num n nº n.º n.° pág págs pag pagg p pp art arts abs kap kapitel bd vol vols fig figs abb tab ch chap cap sec sect § zi ziff str hno apt eq ver")
	add(atTheEnd, "etc usw u.s.w ecc a.m p.m am pm inc ltd co corp jr bros s.a s.l s.r.l s.p.a gmbh bldg dept est ff jh jhd jan feb mar apr jun jul aug sep sept oct okt nov dec dez u.s u.k u.s.a ee.uu std")
	return m
}()

// germanBeforeOrdinal are words between which and a noun "3." is an ordinal.
var germanBeforeOrdinal = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq("am im zum vom beim der den dem des das ab bis seit jeder jede jedes jeden unser unsere mein meine dein deine") {
		m[w] = true
	}
	return m
}()

// abbreviationOf classifies the word in front of a full stop.
func abbreviationOf(word string) abbreviation {
	lower := strings.ToLower(word)
	if kind, ok := abbreviations[lower]; ok {
		return kind
	}
	runes := utf8.RuneCountInString(word)
	first, _ := utf8.DecodeRuneInString(word)
	switch {
	case word == "":
		return noAbbreviation
	case strings.Trim(word, "0123456789") == "":
		if runes <= 2 {
			return ordinal
		}
		return noAbbreviation
	case runes == 1 && (unicode.IsUpper(first) || unicode.IsLower(first)):
		return neverEnds
	case strings.HasSuffix(lower, "str"): // "Hauptstr. 5"
		return beforeNumber
	case isDotted(word):
		return neverEnds
	case runes <= 4 && onlyLetters(word) && first < 0x2000:
		return atTheEnd // short and unknown: a small letter behind it tells
	}
	return noAbbreviation
}

// isDotted tells words such as "u.k" and "J.R.R": one or two letters between the stops.
func isDotted(word string) bool {
	segments := 0
	for s := range strings.SplitSeq(word, ".") {
		if n := utf8.RuneCountInString(s); n == 0 || n > 2 || !onlyLetters(s) {
			return false
		}
		segments++
	}
	return segments > 1
}

func onlyLetters(word string) bool {
	return strings.IndexFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }) < 0
}

// isMonth knows months, also shortened, of the languages that write "3. Mai".
func isMonth(word string) bool {
	w := strings.ToLower(strings.TrimRight(word, ".,;:!?)"))
	for _, m := range []string{"januar", "jänner", "februar", "feber", "märz", "april", "mai", "juni", "juli", "august", "september", "oktober", "november", "dezember"} {
		if w == m || len(w) >= 3 && strings.HasPrefix(m, w) {
			return true
		}
	}
	return false
}

// clusterEdge gives the last position up to at where a text may be cut without taking
// a character apart as a reader sees it: an emoji with its joined parts, a letter with
// its marks, a flag (Unicode Standard Annex 29, in short). A run of marks that no
// writing needs is cut where it must be.
func clusterEdge(text []byte, at int) int {
	edge := at
	for range lookLimit {
		if edge <= 0 {
			return at
		}
		if breaksBefore(text, edge) {
			return edge
		}
		_, size := utf8.DecodeLastRune(text[:edge])
		edge -= size
	}
	return at
}

func breaksBefore(text []byte, at int) bool {
	next, _ := utf8.DecodeRune(text[at:])
	prev, _ := utf8.DecodeLastRune(text[:at])
	switch {
	case next == '\n':
		return prev != '\r'
	case unicode.In(next, unicode.Mn, unicode.Me, unicode.Mc), next == 0x200d, next == 0x200c,
		next >= 0x1f3fb && next <= 0x1f3ff, next >= 0xe0020 && next <= 0xe007f, next == 0x0e33, next == 0x0eb3:
		return false
	case prev == 0x200d:
		return false
	case isVirama(prev) && unicode.IsLetter(next): // a conjunct
		return false
	case isRegional(prev) && isRegional(next):
		before := 0
		for rest := text[:at]; ; before++ {
			r, size := utf8.DecodeLastRune(rest)
			if !isRegional(r) {
				break
			}
			rest = rest[:len(rest)-size]
		}
		return before%2 == 0
	case next >= 0x1160 && next <= 0x11ff: // a Hangul vowel or final consonant
		return !(prev >= 0x1100 && prev <= 0x11ff || prev >= 0xac00 && prev <= 0xd7a3)
	case prev >= 0x1100 && prev <= 0x115f:
		return !(next >= 0x1100 && next <= 0x115f || next >= 0xac00 && next <= 0xd7a3)
	}
	return true
}

func isRegional(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

func isVirama(r rune) bool {
	return strings.ContainsRune("\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u1039\u17d2", r)
}
