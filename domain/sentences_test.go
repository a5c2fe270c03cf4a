package domain_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
)

// every gives each sentence by itself.
var every = domain.PieceLimits{First: 1, FirstClause: -1, Target: 1, Max: 4000}

// pieces splits a text that arrives in chunks of some bytes; zero means at once.
func pieces(limits domain.PieceLimits, text string, chunk int) []domain.Piece {
	s := domain.NewSentenceSplitter(limits)
	var out []domain.Piece
	for chunk > 0 && len(text) > chunk {
		out = append(out, s.Feed(text[:chunk])...)
		text = text[chunk:]
	}
	out = append(out, s.Feed(text)...)
	return append(out, s.Flush()...)
}

func texts(all []domain.Piece) []string {
	var out []string
	for _, p := range all {
		out = append(out, p.Text)
	}
	return out
}

// TestSentencesEndWhereASpeakerEnds writes the expected cuts into the text, as "|".
func TestSentencesEndWhereASpeakerEnds(t *testing.T) {
	for _, marked := range []string{
		"Hello there.| How are you?| Fine!| Thanks",
		"Dr. Smith met Mrs. Jones.| They left.",
		"Use a tool, e.g. Excel, i.e. a table.| Done.",
		"Das kostet z.B. Geld bzw. Zeit.| Hier ist u.a. Haus Nr. 5 gemeint.| Hauptstr. 5 also.| Gut.",
		"Hay varios, p.ej. Madrid.| El Sr. García llegó.| Ud. Sabe.",
		"See No. 5 on p. 12.| No.| I can't.",
		"J. R. R. Tolkien wrote it.| Really.",
		"It costs 3.50 or 1,200.75 in total.| At 17:30.| On 22.11.2026.| Version 1.2.3 works.",
		"Go to https://example.com/a.b?c=d.e!x. |Then open www.example.com.| Write to john.doe@example.com.| Send report.pdf today.",
		"We sell apples, pears, etc.| The rest is gone.",
		"We sell apples, etc. and pears.| It opens at 5 p.m. on Mondays.| It closes at 9 p.m.| Come early.",
		"Wir sehen uns am 3. Mai um 8 Uhr.| Das ist der 2. Versuch.| Es kostet 5.| Die Karte bitte.",
		"It costs 5.| The next one is free.",
		"Wait... what?| Hmm…| Yes… no.| Well...| Good.",
		"\"Hello.\"| \"Stop!\" she said.| «Bonjour\u00a0!\u00a0»| Oui.| (See below.)| **Bold.**| End",
		"今天天气很好。|我们去公园吧！|你去吗？|他说：「好的。」|走吧",
		"好的!|我们走",
		"كيف حالك؟| أنا بخير.| شكرا",
		"یہ اچھا ہے۔| شکریہ۔| ہاں",
		"नमस्ते।| आप कैसे हैं?| ठीक॥| हाँ",
		"Բարեւ։| Այո։",
		"First paragraph\n\n|Second paragraph\n|Third line\nwith its rest",
		"Steps:\n|1. Open the app.\n|2. Tap No. 3. |Then wait\n|3. Done",
		"Fruit:\n|- apples\n|- pears and\n|* plums\n|• figs",
		"# Title\n|Text here.",
		"Here:\n|```go\nfmt.Println(\"a. B. c\")\n\nx := 1.\n```\n|That is it.",
		"Here: `a. B. c` is code.| Then [Read it. Now. Please.](https://a.example/x.y) ends.| So",
		"```a. B. c``` is code.| So",
		"Prices:\n|| A | B. C |\n|---|---|\n| 1. x | 2 |\n|That is all.",
		"What?!| No!!!| Yes?!| Ok",
		"Mt. Everest is 8,848 m high.| Fig. 3 shows it.| It is approx. 5 km.| Add 5 min. to it.",
		"Ph.D. students at U.S. universities.| Good.",
		"M. Dupont et Mme. Durand.| C'est le 3.| Merci.",
		"Il Sig. Rossi abita in via Roma 5.| Prego.",
		"one. two. three",
		"A new\n\n|paragraph in small letters",
		"They ended.| and went on.| Good",
	} {
		text, want := marked, []string(nil)
		if strings.Contains(marked, "|---|") {
			text = strings.Replace(strings.Replace(marked, "\n||", "\n|", 1), "|\n|That", "|\nThat", 1)
			want = []string{"Prices:", "| A | B. C |\n|---|---|\n| 1. x | 2 |", "That is all."}
		} else {
			text = strings.ReplaceAll(marked, "|", "")
			for p := range strings.SplitSeq(marked, "|") {
				want = append(want, strings.TrimSpace(p))
			}
		}
		for _, chunk := range []int{0, 1, 2, 3, 7} {
			require.Equal(t, want, texts(pieces(every, text, chunk)), "%q in chunks of %d", text, chunk)
		}
	}
}

func TestPiecesComeAsSoonAsTheyAreComplete(t *testing.T) {
	s := domain.NewSentenceSplitter(every)
	require.Empty(t, s.Feed("Hello there."))
	require.Equal(t, []domain.Piece{{Text: "Hello there.", End: domain.EndOfSentence}}, s.Feed(" "))
	require.Empty(t, s.Feed("It weighs approx. "), "the next word decides")
	require.Empty(t, s.Feed("5 kg"))
	require.Equal(t, []domain.Piece{{Text: "It weighs approx. 5 kg.", End: domain.EndOfLine}}, s.Feed(".\n"))
	require.Empty(t, s.Feed("好。"))
	require.Equal(t, []string{"好。"}, texts(s.Feed("是")))
	require.Equal(t, []domain.Piece{{Text: "是", End: domain.EndOfLine}}, s.Flush())
	require.Empty(t, s.Flush())
	require.Equal(t, []string{"Again."}, texts(s.Feed("Again. ")), "it can be used again")
}

func TestTheFirstPieceIsShortAndLaterOnesAreLonger(t *testing.T) {
	got := pieces(domain.PieceLimits{First: 10, FirstClause: 20, Target: 40, Max: 100},
		"Hi. Of course I can help you, since we are open. Yes. We are. It is so, and will be for a long time to come. Bye.", 4)
	require.Equal(t, []domain.Piece{
		{Text: "Hi. Of course I can help you,", End: domain.EndOfClause},
		{Text: "since we are open. Yes. We are. It is so, and will be for a long time to come.", End: domain.EndOfSentence},
		{Text: "Bye.", End: domain.EndOfLine},
	}, got)
	require.Equal(t, "Of course.", pieces(domain.PieceLimits{First: 10}, "Of course. I can.", 0)[0].Text)
}

func TestALongSentenceIsCutWhereItHurtsLeast(t *testing.T) {
	limits := domain.PieceLimits{First: 20, FirstClause: -1, Target: 60, Max: 80}
	words := strings.Repeat("Words and ", 20)
	require.Equal(t, []string{"This is it.", strings.TrimSpace(words[:80]), strings.TrimSpace(words[80:160])},
		texts(pieces(limits, "This is it. "+words, 5))[:3], "at the sentence, then between words")
	got := pieces(limits, "Some clause that has a fair length, "+words, 5)[0]
	require.Equal(t, domain.Piece{Text: "Some clause that has a fair length,", End: domain.EndOfClause}, got)
	got = pieces(limits, "Well, "+words, 5)[0]
	require.Equal(t, domain.EndOfWord, got.End, "too little to stand alone")

	family := "\U0001f468\u200d\U0001f469\u200d\U0001f467\U0001f3fd"
	for _, p := range pieces(limits, strings.Repeat(family, 40), 0) {
		require.Zero(t, len(p.Text)%len(family), "%q", p.Text)
	}
	for _, p := range pieces(limits, "x"+strings.Repeat("\U0001f1e9\U0001f1ea", 100), 0) {
		require.Zero(t, len(strings.TrimPrefix(p.Text, "x"))%8)
	}
	for _, p := range pieces(limits, strings.Repeat("e\u0301", 200), 0) {
		require.True(t, strings.HasPrefix(p.Text, "e"))
	}
	link := "https://example.com/" + strings.Repeat("path/", 100)
	require.Equal(t, []string{"Look at", link, "for more."}, texts(pieces(limits, "Look at "+link+" for more.", 9)), "half a link is of no use")
	link = "[" + strings.Repeat("read this. Now ", 20) + "](https://example.com/a)"
	require.Contains(t, texts(pieces(limits, "Or "+link+" for more.", 9)), link)
	for _, p := range pieces(limits, "["+strings.Repeat("never closed ", 1000), 9) {
		require.LessOrEqual(t, len(p.Text), 2<<10+8)
	}
}

func TestTheCallerCanAskForLess(t *testing.T) {
	s := domain.NewSentenceSplitter(domain.PieceLimits{First: 50, FirstClause: -1, Target: 200, Max: 300})
	require.Empty(t, s.Feed("We are open. On Sundays we are not, sad"))
	require.Equal(t, 39, s.Held())
	_, ok := s.Take(40)
	require.False(t, ok)
	p, ok := s.Take(5)
	require.True(t, ok)
	require.Equal(t, domain.Piece{Text: "We are open.", End: domain.EndOfSentence}, p)
	p, ok = s.Take(5)
	require.False(t, ok, "%q: what is behind it is judged with the next chunk", p.Text)
	require.Empty(t, s.Feed("ly. So "))
	p, ok = s.Take(5)
	require.True(t, ok)
	require.Equal(t, "On Sundays we are not, sadly.", p.Text)
	require.Empty(t, s.Feed("come on Monday, or on Tuesday, or call"))
	require.Equal(t, []string{"So come on Monday,", "or on Tuesday,"}, texts(s.SetLimits(domain.PieceLimits{First: 1, Target: 10, Clause: 10})))
	require.Equal(t, []string{"or call"}, texts(s.Flush()))
}

// squeezed is a text without its white space.
func squeezed(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// scraps are what answers are made of, in an order no answer has.
var scraps = []string{
	"Hello", "Dr.", "e.g.", "5", "3.50", "No.", "am", "3.", "Mai", "etc.", "p.m.", ".", "!", "?", "...", "…", ",", ";", " – ", "-", " ", " ", " ", "\n", "\n\n", "\t", "\u00a0",
	"\"", "«", "\u00a0»", "(", ")", "[", "](", "`", "```", "```go\n", "\n```\n", "~~~", "\n| a | b |\n", "|", "- ", "1. ", "# ", "**", "_", "https://a.example/b.c?d", "x@y.example",
	"。", "！", "「", "」", "今天", "؟", "।", "नमस्ते", "\u0301", "\u200d", "👩\u200d👧", "🇩🇪", "한국어", "\u1100\u1161", "J.", "wordwordwordwordwordword", "and so on", "\r\n", "<b>", "$5", "12,50 €", "17:30", "+49 30 1234567", "AB-12345",
}

func TestAnyAnswerComesOutWhole(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 4000 {
		var b strings.Builder
		for range 1 + random.IntN(120) {
			b.WriteString(scraps[random.IntN(len(scraps))])
		}
		text := b.String()
		limits := domain.PieceLimits{First: 1 + random.IntN(30), FirstClause: random.IntN(60), Target: 1 + random.IntN(100), Clause: random.IntN(60), Max: 80 + random.IntN(40)}
		whole := pieces(limits, text, 0)
		require.Equal(t, squeezed(text), squeezed(strings.Join(texts(whole), "")))
		for _, chunk := range []int{1, 3, 10} {
			require.Equal(t, whole, pieces(limits, text, chunk), "%q in chunks of %d", text, chunk)
		}
		for _, p := range whole {
			if !strings.ContainsAny(text, "`~[|") && !strings.Contains(p.Text, "http") {
				require.LessOrEqual(t, utf8.RuneCountInString(p.Text), limits.Max, "%q", p.Text)
			}
			for _, language := range []string{"en", "de", "fr", "xx"} {
				spoken, _ := domain.Aloud(p.Text, language)
				require.NotContains(t, spoken, "http")
			}
		}
	}
}

func FuzzSentences(f *testing.F) {
	for _, s := range []string{
		"Hello. Dr. X, e.g. 5. Mai\n\n- a\n1. b\n```go\nx. y\n```\n| a | b |\n`c. d` [e. f](g) «h\u00a0!\u00a0» ok", "今天。我们！\u0301\u200d", "\xff\xfe. \x80",
		strings.Repeat("ab. ", 60), strings.Repeat("a", 300), strings.Repeat(".", 300), strings.Repeat("e\u0301", 200), "~~~\n`x``\n",
	} {
		f.Add(s, uint8(3), uint8(40), uint8(0), uint8(90))
	}
	f.Fuzz(func(t *testing.T, text string, chunk, target, clause, most uint8) {
		limits := domain.PieceLimits{First: int(target) / 4, FirstClause: int(target) / 2, Target: int(target), Clause: int(clause), Max: int(most)}
		whole := pieces(limits, text, 0)
		joined := ""
		for _, p := range whole {
			require.NotEmpty(t, p.Text)
			require.Equal(t, strings.TrimSpace(p.Text), p.Text)
			if !strings.ContainsAny(text, "`~|[") && !strings.Contains(text, "http") && !strings.Contains(text, "www.") {
				require.LessOrEqual(t, utf8.RuneCountInString(p.Text), max(int(most), 80)+160*b2i(most == 0))
			}
			joined += p.Text
		}
		if utf8.ValidString(text) {
			require.Equal(t, squeezed(text), squeezed(joined))
		} else {
			require.Equal(t, len(squeezed(text)), len(squeezed(joined)))
		}
		require.Equal(t, whole, pieces(limits, text, int(chunk%9)+1), "the chunks decide nothing")
	})
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// BenchmarkSentences feeds an answer token by token.
func BenchmarkSentences(b *testing.B) {
	text := strings.Repeat("We are open from 9 to 5, e.g. on Monday. Dr. Smith is in on Tuesdays. ", 20)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		pieces(domain.PieceLimits{}, text, 4)
	}
}
