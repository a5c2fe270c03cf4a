package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// These divide messages without a mark at their end: up to shortMessage words are a
// fragment unless they are an answer, a question needs wholeQuestion, and longMessage words
// say what they are about.
const (
	shortMessage  = 3
	wholeQuestion = 4
	longMessage   = 10
)

// SoundsUnfinished tells whether a chat message reads as if its writer goes on in the next
// one, so that it is better to wait a little before answering: people write "hi", "I have a
// question", "about my order", "when will it come?" as four messages.
//
// The mark at the end decides first, in any script: a full stop, a question mark, an emoji
// say that it is finished; a comma, a colon, a dash, an ellipsis, an open bracket or
// quotation mark that it is not. Without one the words decide, in English, Spanish,
// Portuguese, German, French and Italian; of other languages only how many there are. A
// message of which nothing is known is finished, and so is an empty one.
//
// It is a guess that costs a short wait or a second answer. The time taken is linear in the
// text's length.
func SoundsUnfinished(text string) bool {
	text = strings.TrimSpace(text)
	if text == "" || endsWithAddress(text) {
		return false
	}
	switch endOf(text) {
	case endFinished:
		return false
	case endOpen:
		return true
	}
	words := wordsOfMessage(text)
	if len(words) == 0 {
		return false
	}
	said := words
	for n := 1; n > 0 && len(said) > 0; {
		n = phraseAt(chatIndex.greetings, said)
		said = said[n:]
	}
	if len(said) == 0 {
		return true // a greeting and nothing else
	}
	news := said // behind "yes", "ok thanks"
	for n := 1; n > 0; {
		if n = phraseAt(chatIndex.answers, news); n == len(news) {
			return false
		}
		news = news[n:]
	}
	size := messageSize(said)
	if size < longMessage {
		topic := phraseAt(chatIndex.topics, news)
		if phraseAt(chatIndex.openers, news) > 0 || topic > 0 && topic < len(news) && !hasDigit(news[topic]) {
			return true
		}
	}
	question := len(said) >= wholeQuestion && asks(said[0], news[0])
	switch {
	case endsWithJoin(words, question), endsWithPhrase(chatIndex.leads, said):
		return true
	case size > shortMessage:
		return false
	}
	for _, w := range said {
		if hasDigit(w) {
			return false // a number, a date, an amount, an address, a code
		}
	}
	return !chatIndex.answers[said[len(said)-1]] // "on monday"
}

// endsWithJoin tells whether the last word of a message asks for another one, in the
// language that knows most of the others, since a join here is a noun or a verb there.
func endsWithJoin(words []string, question bool) bool {
	last := chatIndex.words[words[len(words)-1]]
	if last.joins == 0 || endsWithPhrase(chatIndex.ends, words) {
		return false
	}
	var votes [len(chat)]int
	most := 0
	for _, w := range words[:len(words)-1] {
		known := chatIndex.words[w].known
		for i := range votes {
			votes[i] += int(known >> i & 1)
			most = max(most, votes[i])
		}
	}
	var language languageSet
	for i, n := range votes {
		if n == most {
			language |= 1 << i
		}
	}
	return last.joins&language != 0 && !(question && last.loose&language != 0)
}

// asks tells whether one of two words begins a question.
func asks(a, b string) bool { return chatIndex.words[a].asks|chatIndex.words[b].asks != 0 }

// phraseAt gives the number of words of the longest phrase that a message begins with.
func phraseAt(phrases map[string]bool, words []string) int {
	for n := min(len(words), chatIndex.longest); n > 0; n-- {
		if phrases[strings.Join(words[:n], " ")] {
			return n
		}
	}
	return 0
}

func endsWithPhrase(phrases map[string]bool, words []string) bool {
	for n := min(len(words), chatIndex.longest); n > 0; n-- {
		if phrases[strings.Join(words[len(words)-n:], " ")] {
			return true
		}
	}
	return false
}

// wordsOfMessage gives the words in lower case, without the punctuation around them.
func wordsOfMessage(text string) []string {
	var words []string
	for field := range strings.FieldsSeq(strings.ToLower(strings.ReplaceAll(text, "’", "'"))) {
		word := strings.TrimFunc(field, func(r rune) bool {
			return !isWordRune(r) && !unicode.IsMark(r) && !strings.ContainsRune("&+€$£¥₹", r)
		})
		if rest, ok := strings.CutPrefix(field, word); ok && strings.HasPrefix(rest, "'") && chatIndex.words[word+"'"].known != 0 {
			word += "'" // "l'"
		}
		if word != "" {
			words = append(words, word)
		}
	}
	return words
}

// messageSize counts words. Of scripts that put no white space between words it guesses
// the number from that of the letters.
func messageSize(words []string) int {
	size := 0
	for _, w := range words {
		ideographs, syllables := 0, 0
		for _, r := range w {
			switch {
			case r < 0x0e00:
			case isIdeographic(r):
				ideographs++
			case unicode.In(r, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
				syllables++
			}
		}
		size += max(1, (ideographs+1)/2, (syllables+3)/4)
	}
	return size
}

func hasDigit(s string) bool { return strings.IndexFunc(s, unicode.IsNumber) >= 0 }

// endsWithAddress tells whether a message ends with a link, the name of a site or an e-mail
// address, whose last character is no punctuation.
func endsWithAddress(text string) bool {
	last := text[strings.LastIndexFunc(text, unicode.IsSpace)+1:]
	field := strings.TrimRight(strings.TrimLeft(last, "(<[\"'"), ")>]\"'")
	if hasScheme(field) && !strings.ContainsRune(",;:([{<", rune(field[len(field)-1])) {
		return true
	}
	dot := strings.LastIndexByte(field, '.')
	if dot < 2 || len(field)-dot < 3 || !onlyLetters(field[dot+1:]) {
		return false
	}
	name, _ := utf8.DecodeLastRuneInString(field[:dot])
	return isWordRune(name)
}

// emoticons are faces made of punctuation.
var emoticons = []string{":)", ":-)", ";)", ";-)", ":(", ":-(", ":'(", ":D", ":-D", ":P", ":p", ":-P", "=)", "(:", "<3", "^^", "^_^", "-_-", ":/", ":-/", ":*"}

type messageEnd uint8

const (
	endUnknown messageEnd = iota
	endFinished
	endOpen
)

// endOf judges a message by the marks at its end.
func endOf(text string) messageEnd {
	for _, face := range emoticons {
		if strings.HasSuffix(text, face) {
			return endFinished
		}
	}
	dots := 0
	for rest := text; rest != "" && len(text)-len(rest) < lookLimit; {
		r, size := utf8.DecodeLastRuneInString(rest)
		before := rest[:len(rest)-size]
		switch {
		case r == ';' && strings.ContainsFunc(text, isGreek):
			return endFinished // a question mark
		case isPause(r) && dots == 0, isOpening(r, before):
			return endOpen
		case r == '.' || r == '。' || r == '．' || r == '｡':
			dots++
		case r == '…' || r == '⋯' || r == '‥':
			dots += 3
		case isFullStop(r):
			return endFinished
		case isPicture(r) || r == 0xfe0f || r == 0x20e3:
			if dots == 0 {
				return endFinished
			}
			return endOfDots(dots)
		case unicode.IsSpace(r) && dots > 0:
			return endOfDots(dots)
		case isClosing(r), unicode.IsSpace(r), strings.ContainsRune("~～〜*_`", r):
		default:
			return endOfDots(dots)
		}
		rest = before
	}
	return endOfDots(dots)
}

func endOfDots(dots int) messageEnd {
	switch dots {
	case 0:
		return endUnknown
	case 1:
		return endFinished
	}
	return endOpen
}

// isFullStop tells what ends a sentence in any script.
func isFullStop(r rune) bool {
	return isStop(r) || unicode.Is(unicode.STerm, r) || strings.ContainsRune("\u037e།༎๚๛׃", r)
}

// isPause tells commas, colons, semicolons and dashes of any script.
func isPause(r rune) bool {
	return (unicode.Is(unicode.Terminal_Punctuation, r) || unicode.Is(unicode.Dash, r)) && !isFullStop(r) && r != '〜'
}

func isGreek(r rune) bool { return unicode.Is(unicode.Greek, r) }

// isOpening tells open brackets and quotation marks. Some marks open in one language and
// close in another: they open when nothing but white space is in front of them.
func isOpening(r rune, before string) bool {
	prev, _ := utf8.DecodeLastRuneInString(before)
	spaced := before == "" || unicode.IsSpace(prev)
	switch {
	case r == '¿' || r == '¡' || unicode.Is(unicode.Ps, r) && r != '„' && r != '‚':
		return true
	case r == '»' || r == '”':
		return spaced && !strings.ContainsAny(before, "«“„\"")
	}
	return spaced && (r == '"' || r == '\'' || r == '„' || r == '‚' || unicode.In(r, unicode.Pi, unicode.Pf))
}

func isClosing(r rune) bool {
	return r == '"' || r == '\'' || unicode.In(r, unicode.Pe, unicode.Pf, unicode.Pi)
}
