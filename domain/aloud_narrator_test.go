package domain_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
)

// TestNarrator gives pieces one after the other. A piece that ends with "\n" ends a line,
// one that ends with "~" does not, and of others nobody knows.
func TestNarrator(t *testing.T) {
	type said struct{ piece, spoken, aside string }
	for name, pieces := range map[string][]said{
		"a list item by item": {
			{"Fruit:", "Fruit:", ""},
			{"- a", "a.", ""},
			{"- b", "b.", ""},
			{"- c", "c.", ""},
			{"- d", "d.", ""},
			{"- e", "e.", ""},
			{"- f", "f.", ""},
			{"- g", "g.", ""},
			{"- h", "The rest is in the message.", "- a\n- b\n- c\n- d\n- e\n- f\n- g\n- h"},
			{"- i", "", "- i"},
			{"- j\n\nWhich one?", "Which one?", "- j"},
			{"- k", "k.", ""},
		},
		"seven items are listened to": {
			{"- a\n- b\n- c\n- d", "a, b, c, d.", ""}, {"- e\n- f\n- g", "e, f, g.", ""}, {"And so on.", "And so on.", ""},
		},
		"two lists are counted apart": {
			{"- a\n- b\n- c\n- d", "a, b, c, d.", ""}, {"Then:", "Then:", ""}, {"- e\n- f\n- g\n- h", "e, f, g, h.", ""}, {"---", "", ""}, {"- i\n- j\n- k\n- l", "i, j, k, l.", ""},
		},
		"the number is said when it is known": {
			{"- a\n- b\n- c", "a, b, c.", ""},
			{"- d\n- e\n- f\n- g\n- h\nWell.", "d, e. And 3 more are in the message. Well.", "- a\n- b\n- c\n- d\n- e\n- f\n- g\n- h"},
		},
		"a list that is too long at once": {
			{"1. a\n2. b\n3. c\n4. d\n5. e\n6. f\n7. g\n8. h", "1. a. 2. b. 3. c. 4. d. 5. e. The rest is in the message.", "1. a\n2. b\n3. c\n4. d\n5. e\n6. f\n7. g\n8. h"},
			{"9. i", "", "9. i"},
		},
		"more was said than a long list has": {
			{"- a\n- b\n- c\n- d\n- e\n- f", "a, b, c, d, e, f.", ""},
			{"- g\n- h\n", "The rest is in the message.", "- a\n- b\n- c\n- d\n- e\n- f\n- g\n- h"},
		},
		"an item that is cut": {
			{"- a\n- b\n- c\n- d is this.~", "a, b, c, d is this.", ""},
			{"It is good.\n- e\n- f\n", "It is good. e, f.", ""},
			{"- g\n- h is that,~", "The rest is in the message.", "- a\n- b\n- c\n- d is this. It is good.\n- e\n- f\n- g\n- h is that,"},
			{"Which is bad.~", "", "Which is bad."},
			{"Very.\n- i\n", "", "Very.\n- i"},
			{"Which one?\n", "Which one?", ""},
		},
		"an item that seems to be cut": {
			{"1. a\n2. b\n3. c\n4. d\n5. e\n6. f\n7. g\n8. h is a word that", "1. a. 2. b. 3. c. 4. d. 5. e. The rest is in the message.", "1. a\n2. b\n3. c\n4. d\n5. e\n6. f\n7. g\n8. h is a word that"},
			{"goes on. So.", "", "goes on. So."},
			{"9. i", "", "9. i"},
			{"Again.\n10. j", "", "Again.\n10. j"},
			{"Then this.\n1. k", "Then this. 1. k.", ""},
		},
		"an item with a bullet that seems to be cut": {
			{"- a\n- b\n- c\n- d", "a, b, c, d.", ""},
			{"It is so.\n- e\n- f\n- g", "It is so. e, f, g.", ""},
			{"Again.\n- h", "Again. The rest is in the message.", "- a\n- b\n- c\n- d It is so.\n- e\n- f\n- g Again.\n- h"},
			{"Others:\n- i", "Others: i.", ""},
		},
		"what stands behind a list is spoken": {
			{"- a\n- b\n- c\n- d\n- e\n- f\n- g\n- h", "a, b, c, d, e. The rest is in the message.", "- a\n- b\n- c\n- d\n- e\n- f\n- g\n- h"},
			{"Which one do you like?", "Which one do you like?", ""},
		},
		"what is written once is not written again": {
			{"At https://a.example/b or [here](https://a.example/c).", "At the link in the message or here.", "https://a.example/b\nhere: https://a.example/c"},
			{"So [here](https://a.example/c), x@a.example and https://a.example/b.", "So here, the e-mail address in the message and the link in the message.", "x@a.example"},
			{"x@a.example", "the e-mail address in the message", ""},
		},
		"a line that ends a piece may go on": {{"Well", "Well", ""}, {"then. Yes\nNo", "then. Yes. No", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			n := domain.NewNarrator("en-US")
			for _, p := range pieces {
				var spoken, aside string
				switch text := strings.TrimRight(p.piece, "\n~"); p.piece[len(text):] {
				case "\n":
					spoken, aside = n.SayPiece(domain.Piece{Text: text, End: domain.EndOfLine})
				case "~":
					spoken, aside = n.SayPiece(domain.Piece{Text: text, End: domain.EndOfSentence})
				default:
					spoken, aside = n.Say(text)
				}
				require.Equal(t, p.spoken, strings.TrimSuffix(spoken, ".")+strings.Repeat(".", b2i(strings.HasSuffix(p.spoken, "."))), "%q", p.piece)
				require.Equal(t, p.aside, aside, "%q", p.piece)
			}
		})
	}
}

// TestEveryLanguageSaysThatAListGoesOn: and a language without words is spoken to the end.
func TestEveryLanguageSaysThatAListGoesOn(t *testing.T) {
	const list = "- a\n- b\n- c\n- d\n- e\n- f\n- g\n- h"
	for language, want := range map[string]string{
		"en": "The rest is in the message.", "es": "El resto está en el mensaje.", "de": "Der Rest steht in der Nachricht.",
		"fr": "La suite est dans le message.", "pt-BR": "O resto está na mensagem.", "it": "Il resto è nel messaggio.",
	} {
		spoken, aside := domain.NewNarrator(language).Say(list)
		require.Equal(t, "a, b, c, d, e. "+want, spoken)
		require.Equal(t, list, aside)
	}
	spoken, aside := domain.NewNarrator("xx").Say(list)
	require.Equal(t, "a, b, c, d, e, f, g, h.", spoken)
	require.Empty(t, aside)
}

// TestAListInPiecesIsHeardAsOne compares answers that are split with the same seen whole.
func TestAListInPiecesIsHeardAsOne(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	sentence := func() string {
		words := strings.Repeat("word ", random.IntN(20))
		return fmt.Sprintf("Say %s%c%c.", words, 'a'+random.IntN(26), 'a'+random.IntN(26))
	}
	letters := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return r
			}
			return -1
		}, s)
	}
	for range 3000 {
		count, numbered := 1+random.IntN(15), random.IntN(2) == 0
		text := "Here you go:"
		for i := range count {
			text += "\n"
			if marker := "- "; numbered {
				text += fmt.Sprintf("%d. ", i+1)
			} else {
				text += marker
			}
			text += fmt.Sprintf("Item %c.", 'A'+i)
			for range random.IntN(4) {
				text += " " + sentence()
			}
		}
		text += "\n\nWhich one would you like?"
		limits := domain.PieceLimits{First: 1 + random.IntN(30), FirstClause: random.IntN(60), Target: 1 + random.IntN(100), Clause: random.IntN(60), Max: 80 + random.IntN(200)}
		n := domain.NewNarrator("en")
		var spoken, aside []string
		for _, p := range pieces(limits, text, 0) {
			s, a := n.SayPiece(p)
			spoken = append(spoken, s)
			if a != "" {
				aside = append(aside, a)
			}
		}
		heard := strings.Join(spoken, " ")
		wholeSpoken, wholeAside := domain.Aloud(text, "en")
		require.Equal(t, squeezed(wholeAside), squeezed(strings.Join(aside, "\n")), "%q", text)
		require.Contains(t, heard, "Which one would you like?", "%q", text)
		if count <= 7 {
			require.Equal(t, letters(wholeSpoken), letters(heard), "%q", text)
			continue
		}
		require.Equal(t, 1, strings.Count(heard, "in the message."), "%q", heard)
		require.Contains(t, heard, "Item E")
		require.NotContains(t, heard, "Item H")
		require.NotContains(t, heard[strings.Index(heard, "in the message."):], "Say")
	}
}

func FuzzNarrator(f *testing.F) {
	for _, s := range []string{
		"List:\n- a\n- b. c\n1. d\n- e\n- f\n* g\n- h\n- a\n- i. b\n\nEnd", "1. https://a.example\n2. https://a.example\n3. [x](y)\nx@y.zz\n4. x@y.zz", "- \n- \n-\n- -\n\n-", strings.Repeat("- a\n", 9) + "b\n" + strings.Repeat("- a\n", 9), "```\na\na\n```\n|a|\n|a|",
	} {
		f.Add(s, uint8(10), uint8(0), "en")
		f.Add(s, uint8(1), uint8(20), "xx")
	}
	f.Fuzz(func(t *testing.T, text string, target, clause uint8, language string) {
		limits := domain.PieceLimits{First: int(target), Target: int(target), Clause: int(clause)}
		known, guessing := domain.NewNarrator(language), domain.NewNarrator(language)
		for _, say := range []func(domain.Piece) (string, string){
			known.SayPiece,
			func(p domain.Piece) (string, string) { return guessing.Say(p.Text) },
		} {
			lines := map[string]bool{}
			for _, p := range pieces(limits, text, 0) {
				spoken, aside := say(p)
				require.True(t, utf8.ValidString(spoken))
				require.Equal(t, strings.TrimSpace(spoken), spoken)
				require.NotContains(t, spoken, "\n")
				if aside == "" || strings.ContainsAny(text, "`~|\r") {
					continue
				}
				for line := range strings.SplitSeq(aside, "\n") {
					if !strings.HasPrefix(line, "- ") && !strings.Contains(line, "://") && !strings.Contains(line, "@") {
						continue // perhaps the end of an item
					}
					require.False(t, lines[line], "%q is written again", line)
					lines[line] = true
				}
			}
		}
	})
}
