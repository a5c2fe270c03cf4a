package domain_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
)

func TestAloud(t *testing.T) {
	for _, c := range []struct{ language, text, spoken, aside string }{
		{"en", "Hello, *world*! **Bold**, _soft_ and ~~gone~~ text.", "Hello, world! Bold, soft and gone text.", ""},
		{"en", "# Title\nSome text.", "Title. Some text.", ""},
		{"en", "See [our shop](https://a.example/x_y) now.", "See our shop now.", "our shop: https://a.example/x_y"},
		{"en", "It is at https://a.example/x_y?z=1. Bye", "It is at the link in the message. Bye", "https://a.example/x_y?z=1"},
		{"en", "Here <https://a.example/b> and [https://a.example/b](https://a.example/b)", "Here the link in the message and the link in the message", "https://a.example/b"},
		{"en", "[👉 *Open* it](https://a.example/b), `https://a.example/c`", "Open it, the link in the message", "👉 *Open* it: https://a.example/b\nhttps://a.example/c"},
		{"en", "![A cat](https://a.example/c.png) sleeps[1].", "A cat sleeps.", ""},
		{"en", "Write to john_doe@example.com, please.", "Write to the e-mail address in the message, please.", "john_doe@example.com"},
		{"en", "Visit example.com or open my_report.pdf.", "Visit example dot com or open my report dot pdf.", ""},
		{"en", "Visit example.com/shop today", "Visit the link in the message today", "example.com/shop"},
		{"en", "Run `npm install` then `a = b[0]`.", "Run npm install then the code in the message.", "a = b[0]"},
		{"en", "Like this:\n```go\nx := 1\n```\nDone.", "Like this: The code is in the message. Done.", "x := 1"},
		{"en", "| A | B |\n|---|---|\n| 1 | 2 |", "The table is in the message.", "A | B\n1 | 2"},
		{"en", "Buy:\n- apples\n- pears\n- [ ] one very long item with many words\n- figs", "Buy: apples, pears, one very long item with many words. figs.", ""},
		{"en", "1. Open it\n2. Close it", "1. Open it. 2. Close it.", ""},
		{"en", "- a\n- b\n- c\n- d\n- e\n- f\n- g\n- h", "a, b, c, d, e. And 3 more are in the message.", "- a\n- b\n- c\n- d\n- e\n- f\n- g\n- h"},
		{"en", "Great 😊👍🏽! It's done ✅", "Great! It's done", ""},
		{"en", "👨‍👩‍👧 🎉", "", ""},
		{"en", "---", "", ""},
		{"en", "A & B = C; 2 * 3; 4 × 5; #7, @some_one ~ 5 → 6", "A and B equals C; 2 times 3; 4 times 5; number 7, some one 5, 6", ""},
		{"en", "On 2026-11-22, 11/22/2026 and 22.11.2026.", "On November 22, 2026, November 22, 2026 and November 22, 2026.", ""},
		{"en-GB", "On 02/11/2026.", "On 2 November 2026.", ""},
		{"es", "El 22/11/2026 a las 17:30, a las 9:00 o a las 5 pm.", "El 22 de noviembre de 2026 a las 17 y 30, a las 9 horas o a las 5 de la tarde.", ""},
		{"de", "Am 22.11.2026 um 17:30 Uhr oder 8:00.", "Am 22. November 2026 um 17 Uhr 30 oder 8 Uhr.", ""},
		{"fr", "Le 01/02/2026 à 17h30, de 9h à 17:00.", "Le 1er février 2026 à 17 heures 30, de 9 heures à 17 heures.", ""},
		{"pt-BR", "Em 2026-11-22 às 17:30.", "Em 22 de novembro de 2026 às 17 e 30.", ""},
		{"it", "Il 22/11/2026 alle 17:30.", "Il 22 novembre 2026 alle 17 e 30.", ""},
		{"en", "At 17:30, 5pm, 5:30 p.m., 9:30 or 9:00-17:00.", "At 5:30 PM, 5 PM, 5:30 PM, 9:30 or 9:00 to 5 PM.", ""},
		{"en", "It opens at 5 p.m. on Mondays, 10 min. on foot.", "It opens at 5 PM on Mondays, 10 minutes on foot.", ""},
		{"en", "It is $5, EUR 12.50, £1.01, $1,234, $0.99 or 12,50 €.", "It is 5 dollars, 12 euros and 50 cents, 1 pound and 1 penny, 1234 dollars, 99 cents or 12 euros and 50 cents.", ""},
		{"en", "We made $5 million, -$1.", "We made 5 million dollars, minus 1 dollar.", ""},
		{"de", "Das kostet 12,50 €, 1.234 € oder 5 Millionen Euro.", "Das kostet 12 Euro 50, 1234 Euro oder 5 Millionen Euro.", ""},
		{"fr", "Cela coûte 1\u202f234,50\u00a0€ et 3 millions €.", "Cela coûte 1234 euros 50 et 3 millions d'euros.", ""},
		{"es", "Cuesta 12,50 € o US$5.", "Cuesta 12 euros con 50 o 5 dólares.", ""},
		{"pt-BR", "Custa R$ 10,50.", "Custa 10 reais e 50.", ""},
		{"it", "Costa € 3.", "Costa 3 euro.", ""},
		{"en", "15% of 80 km/h, -5°C, 1 kg and 2.5 kg", "15 percent of 80 kilometers per hour, minus 5 degrees Celsius, 1 kilogram and 2.5 kilograms", ""},
		{"de", "12,5 % bei 20°C", "12,5 Prozent bei 20 Grad", ""},
		{"en", "Call +49 30 1234567 or (555) 123-4567.", "Call plus 4 9, 3 0, 1 2 3 4 5 6 7 or 5 5 5, 1 2 3, 4 5 6 7.", ""},
		{"pt", "Ligue (11) 91234-5678.", "Ligue 1 1, 9 1 2 3 4, 5 6 7 8.", ""},
		{"en", "From 9:00 AM – 5:30 PM, 9:00 - 18:00, 3 - 2", "From 9 AM to 5:30 PM, 9:00 to 6 PM, 3 - 2", ""},
		{"de", "Ruf 030 1234567 an", "Ruf 0 3 0, 1 2 3 4 5 6 7 an", ""},
		{"en", "Track 1Z999AA10123456784, order AB-12345, id 550e8400-e29b-41d4-a716-446655440000.", "Track the code in the message, order A B, 1 2 3 4 5, id the code in the message.", "1Z999AA10123456784\n550e8400-e29b-41d4-a716-446655440000"},
		{"en", "Your code is 482913. COVID-19 and GPT-4 in 2026, 1500 people.", "Your code is 4 8 2 9 1 3. COVID-19 and GPT-4 in 2026, 1500 people.", ""},
		{"en", "Pages 9-12, 2024–2026, 3-1.", "Pages 9 to 12, 2024 to 2026, 3-1.", ""},
		{"en", "She said \"yes\" (really).", "She said \"yes\" (really).", ""},
		{"en", "and so, ", "and so,", ""},
		{"ja", "リンク https://a.example/b と 17:30 です。", "リンク と 17:30 です。", "https://a.example/b"},
		{"zh", "请看https://a.example/b。好", "请看。好", "https://a.example/b"},
		{"", "Plain 5 € text 😊.", "Plain 5 € text.", ""},
		{"en", "", "", ""},
	} {
		spoken, aside := domain.Aloud(c.text, c.language)
		if c.spoken != spoken || c.aside != aside {
			t.Errorf("%s %q:\n got %q\nwant %q\n got %q\nwant %q", c.language, c.text, spoken, c.spoken, aside, c.aside)
		}
	}
}

// TestWhatWasSpokenCanBeSpokenAgain: plain words stay as they are.
func TestPlainWordsStayAsTheyAre(t *testing.T) {
	for language, text := range map[string]string{
		"en": "Dr. Smith isn't in, e.g. on Sundays; call us: we're happy to help!",
		"es": "¿Cómo estás? ¡Muy bien! El Sr. García llega mañana, ¿verdad?",
		"de": "Schöne Grüße: Wir öffnen um zehn, z.B. am Montag – außer an Feiertagen.",
		"fr": "« Bonjour », dit-il ; c'est l'été, n'est-ce pas ?",
		"ar": "مرحبا، كيف حالك؟ أنا بخير.",
		"hi": "नमस्ते। आप कैसे हैं?",
		"th": "สวัสดีครับ วันนี้เป็นอย่างไรบ้าง",
		"fa": "می\u200cخواهم بروم.",
		"ja": "こんにちは。元気ですか？",
	} {
		spoken, aside := domain.Aloud(text, language)
		require.Equal(t, text, spoken)
		require.Empty(t, aside)
	}
}

func FuzzAloud(f *testing.F) {
	for _, s := range []string{
		"# A\n- b\n1. c\n| d | e |\n```\nf\n```\n> g\n[h](i) ![j](k) `l` <m> **n** _o_ ~p~ \\*", "+49 (30) 123 $5 5€ EUR 5 million 12:30 5pm 9h30 1/2/2026 2026-01-02 5% -3 km",
		"a@b.c www.x.y https://z 1Z999 AB-123 code 1234 x_y #1 @z & = + 1-2", "\xff😊\u200d\ufe0f[[[[((((````<<<<****", "€", "-$", "( 555) 1", "0.0.0", "|\n||\n- \n1. ",
	} {
		for _, language := range []string{"en", "de", "fr", "xx"} {
			f.Add(s, language)
		}
	}
	f.Fuzz(func(t *testing.T, text, language string) {
		spoken, aside := domain.Aloud(text, language)
		require.True(t, utf8.ValidString(spoken))
		require.Equal(t, strings.TrimSpace(spoken), spoken)
		require.NotContains(t, spoken, "\n")
		require.NotContains(t, spoken, "http://")
		require.LessOrEqual(t, len(spoken), 64*len(text)+100)
		require.LessOrEqual(t, len(aside), 3*len(text)+100)
	})
}

// BenchmarkAloud reads a piece of usual length, and hostile texts whose cost must grow
// no faster than they do.
func BenchmarkAloud(b *testing.B) {
	for name, text := range map[string]string{
		"words":    "We are open today until eight, and the kitchen takes orders to seven. If you come after six, please use the side door, close to the bakery.",
		"piece":    "We are open on 2026-11-22 from 9:00 to 17:30, see [our page](https://a.example/x) or call +49 30 1234567.",
		"brackets": strings.Repeat("[", 20000), "ticks": strings.Repeat("` ", 10000), "angles": strings.Repeat("<a", 10000),
		"commas": strings.Repeat(" ,", 10000), "digits": strings.Repeat("12 ", 7000), "lists": strings.Repeat("- a\n\n", 4000),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				domain.Aloud(text, "en")
			}
		})
	}
}
