package domain

import (
	"errors"
	"strings"
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

// ExtractReply takes a model's whole output and keeps what is meant for the
// user: without blocks of reasoning, without one pair of quotes or one code
// fence around everything, without outer white space.
func ExtractReply(output string) (Reply, error) {
	s := output
	for _, tag := range reasoningTags {
		s = cutBlocks(s, "<"+tag+">", "</"+tag+">")
	}
	s = strings.TrimSpace(s)
	s = unfence(s)
	s = unquote(s)
	if s == "" {
		return Reply{}, ErrEmptyReply
	}
	return Reply{Text: s}, nil
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
