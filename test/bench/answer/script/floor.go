package script

import (
	"strings"
	"time"
)

// Floors are the times that the vendors alone make a turn take, from the question to
// the finished note, if the bot, the network and the messenger took none.
type Floors struct {
	// Hearing is the part that a spoken question adds to each of the others.
	Hearing time.Duration `json:"hearing_ns"`
	// FirstToken and Writing are the model's share, the same in each of the others.
	FirstToken time.Duration `json:"first_token_ns"`
	Writing    time.Duration `json:"writing_ns"`
	// Sequential is one vendor after the other, each with the whole answer.
	Sequential time.Duration `json:"sequential_ns"`
	// BySentence is when every sentence is spoken as soon as its last token is there,
	// all of them side by side.
	BySentence time.Duration `json:"by_sentence_ns"`
	// Limit is the last token and then the shortest thing the voice can be asked:
	// less is only possible without the last word.
	Limit time.Duration `json:"limit_ns"`
}

// Floors computes the times for a text, asked for aloud or in writing.
func (r Rates) Floors(text string, aloud bool) (Floors, error) {
	tokens, err := r.Stream(text)
	if err != nil {
		return Floors{}, err
	}
	f := Floors{FirstToken: r.FirstToken, Writing: r.writing()}
	if aloud {
		f.Hearing = r.Hearing
	}
	end := tokens[len(tokens)-1].At
	f.Sequential = f.Hearing + end + r.Speaking(text)
	f.Limit = f.Hearing + end + r.Speech
	for i, sentence := range Sentences(text) {
		done := writtenAt(tokens, Sentences(text)[:i+1]) + r.Speaking(sentence)
		f.BySentence = max(f.BySentence, f.Hearing+done)
	}
	return f, nil
}

// writtenAt is when the last of some sentences, which begin the answer, is complete.
func writtenAt(tokens []Token, sentences []string) time.Duration {
	need, have := len(strings.Join(sentences, " ")), 0
	for _, t := range tokens {
		if have += len(t.Text); have >= need {
			return t.At
		}
	}
	return tokens[len(tokens)-1].At
}
