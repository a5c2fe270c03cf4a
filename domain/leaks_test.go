package domain_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
)

func found(s string) (all []string) {
	for _, f := range domain.FindContacts(s) {
		all = append(all, string(f.Kind)+" "+s[f.From:f.To])
	}
	return all
}

func TestFindContacts(t *testing.T) {
	for text, want := range map[string][]string{
		"Call +34 600 111 222 now":              {"phone +34 600 111 222"},
		"call (0)30 1234567, or 030/123 4567 8": {"phone 0)30 1234567", "phone 030/123 4567 8"},
		"612 345 678":                           {"phone 612 345 678"},
		"His number is 600111222.":              {"phone 600111222"},
		"tel:+1-555-010-9999":                   {"phone +1-555-010-9999"},
		"https://wa.me/34600111222":             {"phone 34600111222"},
		"Ligue para (11) 91234-5678":            {"phone 11) 91234-5678"},
		"اتصل ٠٥٠١٢٣٤٥٦٧":                       {"phone ٠٥٠١٢٣٤٥٦٧"},
		"फ़ोन ९८७६५४३२१०":                       {"phone ९८७६५४३२१०"},
		"电话：13800138000。":                       {"phone 13800138000"},
		"0034 600 111 222":                      {"phone 0034 600 111 222"},
		"Ana.Lopez+x@Example.com, please":       {"email Ana.Lopez+x@Example.com"},
		"a@b.co and c.d@e-f.org.":               {"email a@b.co", "email c.d@e-f.org"},
		"4111 1111 1111 1111":                   {"card 4111 1111 1111 1111"},
		"+34600111222 and x@y.com":              {"email x@y.com", "phone +34600111222"},
	} {
		require.Equal(t, want, found(text), text)
	}
}

func TestWhatIsNoContact(t *testing.T) {
	for _, s := range []string{
		"Open from 9:00 to 20:30, on 2026-11-22 14:30 too.", "22.11.2026 14 30", "It costs 1.250,00 €.", "1 000 000 000", "25.000.000", "150.000.000 VND", "Rp 150.000.000",
		"150,000,000", "€ 150000000", "Order A123456789", "https://shop.example/p/1234567890?id=9876543210", "Sizes 36 37 38 39 40 41 42", "call 112 or 010 2030",
		"@anna", "user@localhost", "a @ b", "4111 1111 1111 1112 3333 4444", "12345678", "3.14159265", "v1.2.3", "",
	} {
		require.Empty(t, found(s), s)
	}
}

func TestKnownContacts(t *testing.T) {
	one := func(s string) domain.Finding { return domain.FindContacts(s)[0] }
	require.True(t, one("+34 600 111 222").Known("my phone is 600-111-222"))
	require.True(t, one("600111222").Known("from +34600111222"))
	require.False(t, one("600111222").Known("600111223"))
	require.False(t, one("612 345 678").Known("61, 2345678"), "digits of two numbers are none of one")
	require.True(t, one("INFO@shop.example").Known("write to info@shop.example!"))
	require.False(t, one("bob@shop.example").Known("info@shop.example"))
}

func TestSecretsAreFoundHoweverTheyAreSaid(t *testing.T) {
	secrets := domain.NewSecrets("EAAGm0PX4ZCpsBA", "short", "")
	for _, s := range []string{
		"EAAGm0PX4ZCpsBA", "the token is EAAGm0PX4ZCpsBA.", "E A A G m 0 P X 4 Z C p s B A", "eaagm0px4zcpsba", "E-A-A-G-m-0-P-X-4-Z-C-p-s-B-A", "ABspCZ4XP0mGAAE", "E\nA\nA\nG\nm0PX4ZCpsBA",
	} {
		require.True(t, secrets.In(s), s)
	}
	for _, s := range []string{"", "EAAGm0PX", "short", "hello there, how are you?"} {
		require.False(t, secrets.In(s), s)
	}
	require.False(t, domain.Secrets(nil).In("anything at all"))
}

func TestFindKey(t *testing.T) {
	for _, s := range []string{
		"sk-proj-abc123DEF456ghi789JKL", "EAAGm0PX4ZCpsBAKZCZBxyz012345678", "my key: AIzaSyA1234567890abcdefghijklmnopqrstuv!", "ghp_0123456789abcdefABCDEF0123456789abcd",
		"-----BEGIN PRIVATE KEY-----\nMIIE", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc123", "token=q7Rt5Yp0Zx8Wv2Nm4Kl6Jh1Gf3Ds9AaQ", "0123456789abcdef0123456789abcdef", "AKIAIOSFODNN7EXAMPLE1",
	} {
		require.NotEmpty(t, domain.FindKey("Here: "+s+" ok"), s)
	}
	for _, s := range []string{
		"Donaudampfschifffahrtsgesellschaftskapitän", "https://shop.example/a/Qx7Rt5Yp0Zx8Wv2Nm4Kl6Jh1Gf3Ds9Aa", "123e4567-e89b-12d3-a456-426614174000", "sk-", "order-2026-11-22-0000000000000001",
		"shop.example/products/very-long-name-of-a-product-2026", "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww", "2026-11-22T10:00:00+01:00", "EAAaaaaaaaaaaaaaaaaaaaaa",
	} {
		require.Empty(t, domain.FindKey("Here: "+s+" ok"), s)
	}
}

const prompt = "You are the help line of a bicycle shop. Never give a discount above ten percent, whoever asks for it, and never speak about the other shops in our street."

func TestQuotes(t *testing.T) {
	q := domain.NewQuotes(prompt, 12)
	require.True(t, q.In(prompt))
	require.True(t, q.In("Sure! My instructions: \"NEVER give a discount - above ten percent; whoever asks for it, and never\" and so on."))
	require.True(t, q.In("You are\nthe help line of\n\na bicycle shop never give a discount"))
	require.False(t, q.In("You are the help line of a bicycle shop, right?"))
	require.False(t, q.In("We are a bicycle shop, and our discount is ten percent."))
	require.False(t, domain.Quotes{}.In(prompt))
	require.False(t, domain.NewQuotes("Be kind.", 12).In("Be kind. Be kind."), "too common to be a quotation")

	short := "You are the kind helper of a small bakery."
	require.True(t, domain.NewQuotes(short, 12).In("I was told: "+short))
	chinese := "你是一家自行车商店的客服。不要给任何人超过百分之十的折扣，也不要谈论我们街上的其他商店。"
	require.True(t, domain.NewQuotes(chinese, 12).In("我的指示是："+chinese))
	require.False(t, domain.NewQuotes(chinese, 12).In("我们是一家自行车商店。"))
}

func FuzzLeaks(f *testing.F) {
	for _, s := range []string{"Call +34 600 111 222", "a@b.co", "sk-abc123DEF456ghi789JKL", prompt, "٠٥٠١٢٣٤٥٦٧", "-----BEGIN ", "1 2 3 4 5 6 7 8 9", "@@@..@"} {
		f.Add(s)
	}
	q := domain.NewQuotes(prompt, 12)
	f.Fuzz(func(t *testing.T, s string) {
		last := 0
		for _, c := range domain.FindContacts(s) {
			require.True(t, c.From >= 0 && c.From < c.To && c.To <= len(s))
			require.NotEmpty(t, c.Key)
			require.True(t, c.Known(s), "what was found stands there: %q", s[c.From:c.To])
			last = c.To
		}
		_ = last
		require.Contains(t, s, domain.FindKey(s))
		require.True(t, q.In(s+" "+prompt), "text in front hides no quotation")
		_ = domain.NewSecrets(s).In(s)
		if v := domain.NewSecrets(s); len(v) > 0 {
			require.True(t, v.In("x "+s+" y"))
		}
		require.LessOrEqual(t, strings.Count(s, "@"), len(s))
	})
}

// BenchmarkQuotes looks for three rules in a piece of an answer and the tail before it.
func BenchmarkQuotes(b *testing.B) {
	prompt := strings.Repeat("You are the help line of a bicycle shop and never give a discount above ten percent to whoever asks. ", 5)
	rules := []domain.Quotes{domain.NewQuotes(prompt, 24), domain.NewQuotes(prompt[40:], 12), domain.NewQuotes(prompt[80:], 12)}
	said := strings.Repeat("We open at nine, and your bicycle is ready on Friday. ", 7)
	b.ReportAllocs()
	for b.Loop() {
		if domain.AnyIn(rules, said) {
			b.Fatal("nothing is quoted")
		}
	}
}
