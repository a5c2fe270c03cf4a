// Package script is what the vendors of the benchmark say and when: the text of an
// answer, its tokens, how long each vendor takes, and what times follow from that.
package script

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Question is what every user asks, in writing or aloud.
const Question = "How late are you open today, and is there a table for four?"

// Text is the usual answer: 480 characters in seven sentences, the last of 70.
const Text = "We are open today until eight, and the kitchen takes orders to seven. " +
	"If you come after six, please use the side door, close to the bakery. " +
	"A table for four is free at half past five, or at seven, if you like. " +
	"The set menu has soup, fish or pasta, and a small dessert of the day. " +
	"Parking is easy, since the garage in our street is free after five. " +
	"Dogs are welcome on the terrace, and we bring water for them. " +
	"Just tell me the time, and I will gladly book the table for you, then."

// Rates are how long the vendors take. The messenger takes no time.
type Rates struct {
	// FirstToken is from the question to the model's first token.
	FirstToken time.Duration `json:"first_token_ns"`
	// Tokens make up the answer, and come at PerSecond: the last one comes
	// Tokens/PerSecond after FirstToken, and the end of the answer with it.
	Tokens    int     `json:"tokens"`
	PerSecond float64 `json:"tokens_per_second"`
	// Speech and PerChar are what one clip takes: at the least, and for each character.
	Speech  time.Duration `json:"speech_ns"`
	PerChar time.Duration `json:"speech_per_char_ns"`
	// Hearing is how long a voice message takes to be transcribed.
	Hearing time.Duration `json:"hearing_ns"`
}

// Usual are the rates of a fast vendor.
func Usual() Rates {
	return Rates{
		FirstToken: 400 * time.Millisecond, Tokens: 120, PerSecond: 60,
		Speech: 250 * time.Millisecond, PerChar: 4 * time.Millisecond, Hearing: 600 * time.Millisecond,
	}
}

// Validate lists what cannot be.
func (r Rates) Validate() error {
	if r.Tokens < 1 || r.PerSecond <= 0 {
		return errors.New("an answer needs tokens, and a rate at which they come")
	}
	if min(r.FirstToken, r.Speech, r.PerChar, r.Hearing) < 0 {
		return errors.New("no vendor answers before it was asked")
	}
	return nil
}

// Token is a piece of the answer and when it comes, counted from the question.
type Token struct {
	Text string
	At   time.Duration
}

// Stream cuts a text into the tokens of the rates. The tokens come at even distances
// from FirstToken to the end of the stream, both included.
func (r Rates) Stream(text string) ([]Token, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	pieces := cut(text)
	for len(pieces) < r.Tokens {
		i := longest(pieces)
		runes := []rune(pieces[i])
		if len(runes) < 2 {
			return nil, fmt.Errorf("a text of %d characters has no %d tokens", utf8.RuneCountInString(text), r.Tokens)
		}
		half := len(runes) / 2
		pieces = append(pieces[:i], append([]string{string(runes[:half]), string(runes[half:])}, pieces[i+1:]...)...)
	}
	for len(pieces) > r.Tokens { // the last ones are written together
		n := len(pieces)
		pieces = append(pieces[:n-2], pieces[n-2]+pieces[n-1])
	}
	out := make([]Token, len(pieces))
	for i, p := range pieces {
		out[i] = Token{Text: p, At: r.FirstToken}
		if len(pieces) > 1 {
			out[i].At += r.writing() * time.Duration(i) / time.Duration(len(pieces)-1)
		}
	}
	out[len(out)-1].At = r.FirstToken + r.writing()
	return out, nil
}

// writing is how long the model writes, first token to last.
func (r Rates) writing() time.Duration {
	return time.Duration(float64(r.Tokens) / r.PerSecond * float64(time.Second))
}

// Speaking is how long the voice takes for a text.
func (r Rates) Speaking(text string) time.Duration {
	return r.Speech + time.Duration(utf8.RuneCountInString(text))*r.PerChar
}

// cut makes tokens as models do: a word with the space before it, and each mark by
// itself.
func cut(text string) []string {
	var out []string
	inWord := false
	for _, r := range text {
		letter := unicode.IsLetter(r) || unicode.IsDigit(r)
		if n := len(out); n > 0 && letter && (inWord || out[n-1] == " ") {
			out[n-1] += string(r)
		} else {
			out = append(out, string(r))
		}
		inWord = letter
	}
	return out
}

func longest(pieces []string) int {
	at := 0
	for i, p := range pieces {
		if utf8.RuneCountInString(p) > utf8.RuneCountInString(pieces[at]) {
			at = i
		}
	}
	return at
}

// Sentences cuts at the marks that end one, before white space. The text of a
// benchmark is plain enough for that.
func Sentences(text string) []string {
	var out []string
	from := 0
	for i := range len(text) {
		if strings.ContainsRune(".!?", rune(text[i])) && (i+1 == len(text) || text[i+1] == ' ') {
			out = append(out, strings.TrimSpace(text[from:i+1]))
			from = i + 1
		}
	}
	if rest := strings.TrimSpace(text[from:]); rest != "" {
		out = append(out, rest)
	}
	return out
}
