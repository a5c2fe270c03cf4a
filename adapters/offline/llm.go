package offline

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"unicode"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.LLMPort = (*LLM)(nil)

const opLLM = "offline.llm"

// LLM stands in for a language model and says so in every answer. It repeats the
// user's own words, counts them, and remembers the previous remark, so that a
// person hears that speech, memory and voice all work. The same request always
// gets the same answer. It answers in English.
type LLM struct{}

// NewLLM makes the demo model. It needs nothing, so nothing can fail.
func NewLLM() *LLM { return &LLM{} }

// Generate implements ports.LLMPort. Each chunk is a word; a word counts as a token.
func (l *LLM) Generate(ctx context.Context, req ports.LLMRequest) iter.Seq2[ports.LLMChunk, error] {
	var used atomic.Bool
	return func(yield func(ports.LLMChunk, error) bool) {
		if used.Swap(true) {
			yield(ports.LLMChunk{}, &ports.Error{Op: opLLM, Kind: ports.KindInvalid, Err: errors.New("the sequence was used before")})
			return
		}
		if err := req.Validate(opLLM); err != nil {
			yield(ports.LLMChunk{}, err)
			return
		}
		if err := req.RefuseTools(opLLM); err != nil {
			yield(ports.LLMChunk{}, err)
			return
		}
		words, truncated := pieces(answer(req.Messages)), false
		if req.MaxTokens > 0 && len(words) > req.MaxTokens {
			words, truncated = words[:req.MaxTokens], true
		}
		for _, w := range words {
			if err := ports.FromContext(ctx, opLLM); err != nil {
				yield(ports.LLMChunk{}, err)
				return
			}
			if !yield(ports.LLMChunk{Text: w}, nil) {
				return
			}
		}
		if err := ports.FromContext(ctx, opLLM); err != nil {
			yield(ports.LLMChunk{}, err)
			return
		}
		yield(ports.LLMChunk{Done: true, Truncated: truncated, Usage: cost(req, len(words))}, nil)
	}
}

// answer is what the demo says to a conversation.
func answer(messages []ports.LLMMessage) string {
	last := messages[len(messages)-1]
	last.Text = domain.Unfence(domain.FenceMessage, last.Text)
	remarks := lines(last.Text)
	before := previous(messages[:len(messages)-1])
	var say []string
	if asks(remarks, greetings) {
		say = append(say, "Hello!")
	}
	say = append(say, "This is a demo without a language model.")
	if n := len(last.Media); n > 0 {
		say = append(say, fmt.Sprintf("You sent %s that I cannot look at.", count(n, "file")))
	}
	switch len(remarks) {
	case 0:
	case 1:
		say = append(say, "You said: "+stop(remarks[0]), "That is "+count(len(strings.Fields(remarks[0])), "word")+".")
	default:
		say = append(say, fmt.Sprintf("You said %d things:\n%s", len(remarks), stop(strings.Join(remarks, "\n"))),
			"That is "+count(len(strings.Fields(last.Text)), "word")+".")
	}
	switch {
	case asks(remarks, recalls) && before != "":
		say = append(say, "Before that you said: "+stop(before))
	case asks(remarks, recalls):
		say = append(say, "I remember nothing that you said before.")
	case strings.ContainsAny(last.Text, "?？؟") || asks(remarks, helps):
		say = append(say, "I cannot answer questions.", replacement)
	case len(messages) == 1:
		say = append(say, replacement)
	}
	return strings.Join(say, " ")
}

const replacement = "A setting puts a real model in my place."

// Phrases that the demo reacts to, in the words of normal.
var (
	greetings = []string{"hello", "hi", "hey", "good morning", "good afternoon", "good evening"}
	recalls   = []string{"what did i say", "what have i said", "what i said before", "do you remember", "repeat what i said"}
	helps     = []string{"help", "who are you", "what are you", "what can you do", "how does this work"}
)

// asks reports whether a remark holds one of the phrases as whole words.
func asks(remarks, phrases []string) bool {
	for _, r := range remarks {
		text := " " + normal(r) + " "
		for _, p := range phrases {
			if strings.Contains(text, " "+p+" ") {
				return true
			}
		}
	}
	return false
}

// normal brings text to lower-case words with single spaces.
func normal(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\''
	}), " ")
}

// previous is the user's last remark before the current turn.
func previous(history []ports.LLMMessage) string {
	for i := len(history) - 1; i >= 0; i-- {
		if text := strings.TrimSpace(domain.Unfence(domain.FenceMessage, history[i].Text)); history[i].Role == domain.RoleUser && text != "" {
			return text
		}
	}
	return ""
}

// lines are the remarks of one turn: people send several messages in a row.
func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// stop ends a text with a full stop unless it ends with a mark of its own.
func stop(text string) string {
	last := []rune(text)[len([]rune(text))-1]
	if unicode.IsPunct(last) && !strings.ContainsRune(`"'”’)`, last) {
		return text
	}
	return text + "."
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// pieces cuts text behind each run of white space; joined they are the text again.
func pieces(text string) []string {
	var out []string
	from, gap := 0, false
	for i, r := range text {
		if space := unicode.IsSpace(r); space {
			gap = true
		} else if gap {
			out = append(out, text[from:i])
			from, gap = i, false
		}
	}
	return append(out, text[from:])
}

func cost(req ports.LLMRequest, output int) *ports.LLMUsage {
	n := domain.EstimateTokens(req.System)
	for _, m := range req.Messages {
		n += domain.EstimateTokens(m.Text)
	}
	return &ports.LLMUsage{Input: n, Output: output}
}
