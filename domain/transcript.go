package domain

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// soundNotes are what engines write in brackets, asterisks or notes for a sound that
// is no speech, in the languages they do it in.
var soundNotes = []string{
	"music", "silence", "noise", "background noise", "static", "beep", "inaudible", "unintelligible", "indistinct", "no speech", "no audio", "blank audio",
	"applause", "laughter", "laughs", "laughing", "cough", "coughs", "coughing", "sigh", "sighs", "breathing", "sneeze", "sneezes", "wind", "click", "clicking",
	"música", "silencio", "silêncio", "ruido", "ruído", "aplausos", "risas", "risos", "musique", "bruit", "rires", "musik", "stille", "rauschen",
	"gelächter", "musica", "silenzio", "rumore", "risate", "музыка", "тишина", "шум", "音楽", "音乐", "無音", "음악", "موسيقى",
}

// closing are the marks that engines put around such a note.
var closing = map[rune]rune{'[': ']', '(': ')', '*': '*', '<': '>', '♪': '♪', '♫': '♫', '（': '）', '【': '】'}

// Words is the text without the sounds that an engine described in it, such as
// "[Music]", "(inaudible)" or "♪". It is empty for silence and noise: when no letter
// and no digit is left.
func (t Transcript) Words() string {
	s := t.Text
	var out strings.Builder
	for s != "" {
		at := strings.IndexFunc(s, func(r rune) bool { return closing[r] != 0 })
		if at < 0 {
			break
		}
		open, size := utf8.DecodeRuneInString(s[at:])
		rest := s[at+size:]
		inner, after, ok := strings.Cut(rest, string(closing[open]))
		if ok && isSoundNote(inner) {
			out.WriteString(s[:at])
			s = after
			continue
		}
		out.WriteString(s[:at+size])
		s = rest
	}
	out.WriteString(s)
	words := strings.TrimSpace(out.String())
	if !strings.ContainsFunc(words, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		return ""
	}
	return words
}

func isSoundNote(s string) bool {
	s = strings.ToLower(strings.Trim(strings.ReplaceAll(s, "_", " "), " .…!"))
	return s == "" || slices.Contains(soundNotes, s)
}
