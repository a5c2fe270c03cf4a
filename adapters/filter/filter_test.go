package filter_test

import (
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/filter"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

func words(t testing.TB, name string) *filter.Words {
	t.Helper()
	lists, err := filter.LoadLists("")
	require.NoError(t, err)
	w, err := filter.NewWords(name, lists)
	require.NoError(t, err)
	return w
}

func TestContract(t *testing.T) {
	pii := func(*testing.T) ports.FilterPort { return filter.NewPII("") }
	for name, h := range map[string]porttest.FilterHarness{
		"phone": {New: pii, Hit: "Call me at +34 600 111 222 please", Bad: "600", Language: "en", Finds: "phone", Fine: "See you at 14:30 on 2026-11-22."},
		"email": {New: pii, Hit: "Write to ana@home.example", Bad: "ana@", Language: "es", Finds: "email", Fine: "An @ alone."},
		"card":  {New: pii, Hit: "It is 4111 1111 1111 1111", Bad: "4111", Language: "", Finds: "card", Fine: "It is 4111 1111 1111 1112 99999 9999 9999"},
		"iban":  {New: pii, Hit: "Pay to DE89 3704 0044 0532 0130 00", Bad: "0532", Language: "de", Finds: "iban", Fine: "AB12 is a seat."},
		"profanity": {
			New: func(t *testing.T) ports.FilterPort { return words(t, "profanity") },
			Hit: "this is bullshit", Bad: "bullshit", Language: "en-GB", Finds: "profanity", Fine: "Scunthorpe sells shitake and a cocktail.",
		},
		"bias": {
			New: func(t *testing.T) ports.FilterPort { return words(t, "bias") },
			Hit: "All immigrants are the same", Bad: "immigrants", Language: "en", Finds: "bias", Fine: "Immigrants are welcome.",
		},
	} {
		t.Run(name, func(t *testing.T) { porttest.TestFilter(t, h) })
	}
}

func TestPIIIsMasked(t *testing.T) {
	f := filter.NewPII("")
	for in, want := range map[string]string{
		"I'm Ana, +34600111222, a@b.example.":             "I'm Ana, [phone], [email].",
		"a@b.example and 600 111 222":                     "[email] and [phone]",
		"600 111 222 and a@b.example":                     "[phone] and [email]",
		"IBAN GB29NWBK60161331926819!":                    "IBAN [iban]!",
		"ES91 2100 0418 4502 0005 1332 and more":          "[iban] and more",
		"ES91 2100 0418 4502 0005 1333 has a wrong check": "ES91 2100 0418 4502 0005 1333 has a wrong check",
		"Card 5555555555554444, code 123":                 "Card [card], code 123",
		"wa.me/34600111222":                               "wa.me/[phone]",
	} {
		got, _ := f.Filter(in, "")
		require.Equal(t, want, got)
	}
}

func TestWhatIsTheBusinessOwnIsKept(t *testing.T) {
	f := filter.NewPII("Our number is +34 600 111 222, and our account ES91 2100 0418 4502 0005 1332.")
	got, found := f.Filter("Call 600 111 222 or 699 888 777, or pay to ES91 2100 0418 4502 0005 1332.", "en")
	require.Equal(t, "Call 600 111 222 or [phone], or pay to ES91 2100 0418 4502 0005 1332.", got)
	require.Equal(t, []string{"phone"}, found)
}

func TestWordsOfAList(t *testing.T) {
	f := words(t, "profanity")
	for _, c := range []struct{ language, in, want string }{
		{"en", "What the FUCK, f.u", "What the F***, f.u"},
		{"en", "fuuuuck, sh1t and a$$hole", "f******, s*** and a******"},
		{"en", "You son of a bitch", "You s** o* a* b****"},
		{"es", "eres un hijo de puta", "eres un h*** d* p***"},
		{"es", "fuck", "fuck"},
		{"de", "So eine Scheiße!", "So eine S******!"},
		{"zh", "你他妈的走开", "你＊＊＊走开"},
		{"", "merde and mierda", "m**** and m*****"},
		{"en", "class, assess, Dickens, 455 and 1000", "class, assess, Dickens, 455 and 1000"},
	} {
		got, _ := f.Filter(c.in, c.language)
		require.Equal(t, c.want, got, c.language)
	}
}

func TestOperatorsOwnLists(t *testing.T) {
	path := filepath.Join(t.TempDir(), "words.yaml")
	require.NoError(t, os.WriteFile(path, []byte("rivals:\n  any: [Acme Cycles, wheelmart*]\n  xx: [nothing]\n"), 0o600))
	lists, err := filter.LoadLists(path)
	require.NoError(t, err)
	require.Equal(t, []string{"rivals"}, lists.Names())
	f, err := filter.NewWords("rivals", lists)
	require.NoError(t, err)
	got, found := f.Filter("Go to ACME cycles or Wheelmarts.", "fr")
	require.Equal(t, "Go to A*** c***** or W*********.", got)
	require.Equal(t, []string{"rivals", "rivals"}, found)

	_, err = filter.NewWords("profanity", lists)
	require.ErrorContains(t, err, "profanity")
	for _, broken := range []string{"rivals: [a]", "Rivals:\n  en: [a]", "rivals:\n  en: ['***']", "{"} {
		_, err := filter.ParseLists([]byte(broken))
		require.Error(t, err, broken)
	}
	_, err = filter.LoadLists(path + "x")
	require.Error(t, err)
}

func FuzzFilters(f *testing.F) {
	for _, s := range []string{"Call +34 600 111 222", "DE89 3704 0044 0532 0130 00", "fuuuck you", "son of a bitch", "他妈的", "a@b.co 4111 1111 1111 1111", "[phone] s***"} {
		f.Add(s, "en")
	}
	all := []ports.FilterPort{filter.NewPII(""), filter.NewPII("call +34 600 111 222"), words(f, "profanity"), words(f, "bias")}
	f.Fuzz(func(t *testing.T, s, language string) {
		for _, each := range all {
			once, found := each.Filter(s, language)
			require.Equal(t, len(found) == 0, once == s, "a change has a name")
			require.False(t, utf8.ValidString(s) && !utf8.ValidString(once))
			twice, more := each.Filter(once, language)
			require.Equal(t, once, twice, "%q", s)
			require.Empty(t, more)
		}
	})
}
