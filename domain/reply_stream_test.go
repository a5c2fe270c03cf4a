package domain_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
)

// streamed feeds an output in chunks that end at the given places.
func streamed(output string, cuts ...int) (*domain.ReplyStream, string) {
	s := &domain.ReplyStream{}
	var given strings.Builder
	from := 0
	for _, at := range append(cuts, len(output)) {
		given.WriteString(s.Feed(output[from:at]))
		from = at
	}
	return s, given.String()
}

// everyCut feeds an output at once, in two parts, and in chunks of some bytes.
func everyCut(output string, visit func(s *domain.ReplyStream, given string)) {
	visit(streamed(output))
	for at := range len(output) {
		visit(streamed(output, at))
	}
	for _, chunk := range []int{1, 2, 3, 4, 7, 20} {
		var cuts []int
		for at := chunk; at < len(output); at += chunk {
			cuts = append(cuts, at)
		}
		visit(streamed(output, cuts...))
	}
}

func trimEnd(s string) string { return strings.TrimRightFunc(s, unicode.IsSpace) }

func TestReplyStream(t *testing.T) {
	const void = "(void)"
	for name, c := range map[string]struct{ output, given, language string }{
		"plain":                                 {"Hello there.", "Hello there.", ""},
		"white space in front":                  {" \n\u00a0\u3000Hello.\n", "Hello.\n", ""},
		"nothing":                               {"", "", ""},
		"white space only":                      {" \n\t", "", ""},
		"a mark":                                {"<lang>ES_mx</lang> Hola.", "Hola.", "es-MX"},
		"a mark later":                          {"Hola. <lang>es</lang>Bien.", "Hola. Bien.", "es"},
		"the first mark that names one":         {"<lang>Spanish, as asked</lang><lang>es</lang><lang>en</lang>Hola.", "Hola.", "es"},
		"a mark of the greatest length":         {"<lang>" + strings.Repeat("x", 40) + "</lang>Hola.", "Hola.", ""},
		"a mark without its end":                {"Hola. <lang>es Hola", "Hola. ", ""},
		"a mark whose end is half there":        {"Hola. <lang>es</lan", "Hola. ", ""},
		"reasoning":                             {"<think>hm <lang>fr</lang> 3 < 4</think>\n<lang>es</lang>Hola.", "Hola.", "es"},
		"two blocks":                            {"<think>a</think>One. <reasoning>b</reasoning>Two.", "One. Two.", ""},
		"a block without an end":                {"One. <analysis>b", "One. ", ""},
		"an open tag within its own block":      {"<think>a<think>b</think>One.", "One.", ""},
		"a block of a later sort in a block":    {"<think>a<reasoning>b</think>One.", "One.", ""},
		"an end tag with nothing given":         {"</think> One.", "One.", ""},
		"a language named in what was left out": {"<lang>en</lang></think><lang>es</lang>Hola.", "Hola.", "es"},
		"no tags":                               {"3 < 5 <b>x</b> <thinker> <langs> </lang> <<think", "3 < 5 <b>x</b> <thinker> <langs> </lang> <", ""},
		"half a tag at the end":                 {"Hello </reason", "Hello ", ""},
		"code within":                           {"`x` is ```y```", "`x` is ```y```", ""},
		"two back ticks":                        {"``x``", "``x``", ""},
		"one back tick":                         {"`", "", ""},
		"invalid bytes":                         {"\xe3\x80Hello\xff", "\xe3\x80Hello\xff", ""},

		"an end tag behind text":         {"hm, a greeting</think>Hello.", void, ""},
		"an end tag of another sort":     {"Hello. <think>a</think> b</analysis>Two.", void, ""},
		"a fence":                        {"<lang>es</lang>```text\nHola.\n```", void, ""},
		"a quotation mark":               {"<think>a</think> \"Hola.\"", void, ""},
		"a mark with a line's end":       {"<lang>es\nHola.", void, ""},
		"a mark in a mark":               {"<lang>es Hola. <lang>en</lang>Hello.", void, ""},
		"a mark that is too long":        {"<lang>" + strings.Repeat("x", 41) + "</lang>Hola.", void, ""},
		"a mark around a block":          {"<lang>e<think>x</think>s</lang>Hola.", void, ""},
		"a tag made whole":               {"One. <thi<think>a</think>nk> two", void, ""},
		"a mark made whole":              {"One. <la<lang>es</lang>ng> two", void, ""},
		"a fence made whole":             {"``<think>a</think>`One.```", void, ""},
		"white space made whole":         {"\xe3<think>a</think>\x80\x80One.", void, ""},
		"a block of an earlier sort":     {"<analysis>a<think>b</analysis>One.", void, ""},
		"an earlier sort's end in there": {"<analysis>a</think>b</analysis>One.", void, ""},
	} {
		t.Run(name, func(t *testing.T) {
			everyCut(c.output, func(s *domain.ReplyStream, given string) {
				require.Equal(t, c.output, s.Output())
				require.Equal(t, c.given == void, s.Void())
				if s.Void() {
					require.Empty(t, s.Feed("More. "))
					require.Equal(t, c.output+"More. ", s.Output())
					return
				}
				require.Equal(t, c.given, given)
				require.Equal(t, c.language, s.Language())
				agrees(t, s, given)
			})
		})
	}
}

// agrees checks a stream against what ExtractReply makes of the whole output.
func agrees(t require.TestingT, s *domain.ReplyStream, given string) {
	reply, err := domain.ExtractReply(s.Output())
	require.True(t, strings.HasPrefix(reply.Text, trimEnd(given)), "%q gave %q of %q", s.Output(), given, reply.Text)
	if s.Language() != "" && err == nil {
		require.Equal(t, reply.Language, s.Language())
	}
	missing := reply.Text[len(trimEnd(given)):]
	require.Less(t, len(strings.TrimSpace(missing)), 60, "%q gave %q of %q", s.Output(), given, reply.Text)
	if !strings.ContainsAny(missing, "<`") && !strings.Contains(s.Output(), "<lang>") {
		require.Empty(t, strings.ToValidUTF8(missing, ""), "only what may become a tag is held")
	}
}

func TestReplyStreamGivesTextAtOnce(t *testing.T) {
	s := &domain.ReplyStream{}
	for _, c := range []struct{ chunk, text string }{
		{" ", ""},
		{"<la", ""},
		{"ng>es</lang", ""},
		{">", ""},
		{" \n", ""},
		{"Ho", "Ho"},
		{"la. <", "la. "},
		{"3", "<3"},
		{" a <thi", " a "},
		{"n", ""},
		{" b", "<thin b"},
		{"<think>so", ""},
		{" it</th", ""},
		{"ink> c", " c"},
		{"<think>d</think>e<think>", "e"},
	} {
		require.Equal(t, c.text, s.Feed(c.chunk), "%q", c.chunk)
	}
	require.Equal(t, "es", s.Language())
	require.False(t, s.Void())

	require.Empty(t, s.Feed("</think> f </think>"), "with the text that the same chunk takes back")
	require.True(t, s.Void())
}

func FuzzReplyStream(f *testing.F) {
	for _, s := range []string{
		"<think>a</think><lang>es</lang> Hola. 3 < 5", "</think>a</reasoning>", "<analysis><think></analysis></think>", "<thi<think>x</think>nk>y</think>z",
		"<lang>es Hola <lang>en</lang>", "``<lang>e</lang>`x```", "\"a\"", " \u3000\xe3\x80<lang>x</lang>\x80a", "<lang></lang></lang><lang>\n", "<<<lang>", "```x```",
	} {
		f.Add(s, uint16(3), uint8(4))
	}
	tags := strings.NewReplacer("A", "<think>", "B", "</think>", "C", "<reasoning>", "D", "</reasoning>", "E", "<lang>", "F", "</lang>", "G", "es", "H", "<analysis>", "I", "</analysis>")
	f.Fuzz(func(t *testing.T, output string, at uint16, chunk uint8) {
		for _, output := range []string{output, tags.Replace(output)} {
			whole, given := streamed(output)
			var cuts []int
			for cut := int(at) % (len(output) + 1); cut < len(output); cut += 1 + int(chunk)%16 {
				cuts = append(cuts, cut)
			}
			parts, joined := streamed(output, cuts...)
			require.Equal(t, output, parts.Output())
			require.Equal(t, whole.Void(), parts.Void(), "%q", output)
			if whole.Void() {
				continue
			}
			require.Equal(t, given, joined, "%q: the chunks decide nothing", output)
			require.Equal(t, whole.Language(), parts.Language())
			agrees(t, whole, given)
		}
	})
}

// BenchmarkReplyStream feeds outputs four characters at a time; one operation is a chunk.
func BenchmarkReplyStream(b *testing.B) {
	for name, output := range map[string]string{
		"answer":    "<lang>en</lang>" + strings.Repeat("We are open from 9 to 5, on weekdays. ", 1000),
		"reasoning": "<think>" + strings.Repeat("The user asks when we are open. ", 1000) + "</think>",
		"angles":    strings.Repeat("<", 40000), "half tags": strings.Repeat("</reasonin", 4000), "marks": strings.Repeat("<lang>es</lang>a ", 2500),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			s, at := &domain.ReplyStream{}, 0
			for b.Loop() {
				if at+4 > len(output) {
					s, at = &domain.ReplyStream{}, 0
				}
				s.Feed(output[at : at+4])
				at += 4
			}
			if s.Void() {
				b.Fatal("nothing was measured")
			}
		})
	}
}
