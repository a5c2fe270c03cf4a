package domain

import (
	"errors"
	"strings"
	"unicode"
)

// ErrEmptyReply says that a model's output holds nothing to say.
var ErrEmptyReply = errors.New("the model's output holds no reply")

// Reply is what the bot says in one turn.
type Reply struct {
	Text string
	// Language is the BCP 47 tag the text is written in, or empty.
	Language string
}

// reasoningTags are the blocks in which open models think aloud before they
// answer. What is inside is not meant for the user.
var reasoningTags = []string{"think", "thinking", "reasoning", "analysis"}

// LanguageMark is how a model says which language its answer is in: in front of it
// stands, for Spanish, "<lang>es</lang>".
func LanguageMark(language string) string { return markOpen + language + markEnd }

const (
	markOpen = "<lang>"
	markEnd  = "</lang>"
	maxMark  = 40 // a tag, or a language's name in its place
)

// ExtractReply takes a model's whole output and keeps what is meant for the
// user: without blocks of reasoning, without one pair of quotes or one code
// fence around everything, without outer white space. A language mark is taken
// out, and the first one that names a language is the reply's.
func ExtractReply(output string) (Reply, error) {
	s := output
	for _, tag := range reasoningTags {
		s = cutBlocks(s, "<"+tag+">", "</"+tag+">")
	}
	s, language := cutMarks(s)
	s = strings.TrimSpace(s)
	s = unfence(s)
	s = unquote(s)
	if s == "" {
		return Reply{}, ErrEmptyReply
	}
	return Reply{Text: s, Language: language}, nil
}

// cutMarks takes every language mark out of a text. One whose end the model forgot
// goes as far as its tag does.
func cutMarks(s string) (text, language string) {
	for {
		at := strings.Index(s, markOpen)
		if at < 0 {
			return s, language
		}
		rest := s[at+len(markOpen):]
		named, after, closed := strings.Cut(rest, markEnd)
		if !closed || len(named) > maxMark || strings.ContainsAny(named, "<\n") { // the end found is that of another
			end := strings.IndexFunc(rest, unicode.IsSpace)
			if end < 0 {
				end = len(rest)
			}
			named, after = rest[:end], rest[end:]
			if _, ok := CleanLanguage(named); !ok {
				named, after = "", rest
			}
		}
		if clean, ok := CleanLanguage(named); ok && language == "" {
			language = clean
		}
		s = s[:at] + after
	}
}

// cutBlocks removes each open..end block. A block that never ends is removed to
// the end of the text: half a thought is still not an answer. A stray end tag
// removes what stands before it, since some templates open the block themselves.
func cutBlocks(s, open, end string) string {
	for {
		i := strings.Index(s, open)
		j := strings.Index(s, end)
		switch {
		case i < 0 && j < 0:
			return s
		case j < 0:
			return s[:i]
		case i < 0 || j < i:
			s = s[j+len(end):]
		default:
			s = s[:i] + s[j+len(end):]
		}
	}
}

func unfence(s string) string {
	if !strings.HasPrefix(s, "```") || !strings.HasSuffix(s, "```") || len(s) < 7 {
		return s
	}
	inner := s[3 : len(s)-3]
	if strings.Contains(inner, "```") {
		return s // several fences: they are part of the answer
	}
	if first, rest, ok := strings.Cut(inner, "\n"); ok && !strings.ContainsAny(first, " \t") {
		inner = rest // the language name after the fence
	}
	return strings.TrimSpace(inner)
}

func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' || strings.Count(s, `"`) != 2 {
		return s
	}
	return strings.TrimSpace(s[1 : len(s)-1])
}

// WholeSentences cuts what a limit left half said at the end of a text. A text whose
// last sentence began in its first half is left as it is: half a sentence says more
// than nothing.
func WholeSentences(s string) string {
	cut, prev := 0, rune(0)
	for i, r := range s {
		switch {
		case unicode.IsSpace(r) && isSentenceEnd(prev):
			cut = i
		case isWideSentenceEnd(r):
			cut = i + len(string(r))
		}
		prev = r
	}
	if isSentenceEnd(prev) || cut < len(s)/2 {
		return s
	}
	return strings.TrimSpace(s[:cut])
}
