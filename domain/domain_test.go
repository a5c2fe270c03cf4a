package domain_test

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
)

func TestExtractReply(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"plain":                      {" Hello there. \n", "Hello there."},
		"reasoning is left out":      {"<think>hm, a greeting</think>\nHello.", "Hello."},
		"an end tag alone":           {"hm, a greeting</think>Hello.", "Hello."},
		"several blocks":             {"<think>a</think>One. <reasoning>b</reasoning>Two.", "One. Two."},
		"a fence around everything":  {"```text\nHello.\n```", "Hello."},
		"fences within stay":         {"Do ```x``` and ```y```", "Do ```x``` and ```y```"},
		"quotes around everything":   {`"Hello."`, "Hello."},
		"quotes within stay":         {`"One" and "two"`, `"One" and "two"`},
		"less-than signs are no tag": {"3 < 5", "3 < 5"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := domain.ExtractReply(c.in)
			require.NoError(t, err)
			require.Equal(t, c.want, got.Text)
		})
	}
	for _, empty := range []string{"", "  \n", "<think>only thoughts</think>", "<think>without an end", `""`, "``` ```"} {
		_, err := domain.ExtractReply(empty)
		require.ErrorIs(t, err, domain.ErrEmptyReply, "%q", empty)
	}
}

func TestSplitTextKeepsEveryWordAndTheLimit(t *testing.T) {
	sentence := "The quick brown fox jumps over the lazy dog. "
	for name, s := range map[string]string{
		"sentences":    strings.Repeat(sentence, 300),
		"paragraphs":   strings.Repeat(strings.Repeat(sentence, 10)+"\n\n", 30),
		"emoji":        strings.Repeat("👍🏽 ", 3000),
		"one word":     strings.Repeat("x", 10000),
		"wide script":  strings.Repeat("今日は天気がいいです。", 1000),
		"short":        "Hello.",
		"invalid utf8": strings.Repeat("\xff\xfe ", 5000),
	} {
		t.Run(name, func(t *testing.T) {
			pieces := domain.SplitText(s, domain.MaxTextUnits)
			for _, p := range pieces {
				require.LessOrEqual(t, domain.TextUnits(p), domain.MaxTextUnits)
				require.Equal(t, strings.TrimSpace(p), p)
				require.NotEmpty(t, p)
			}
			squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
			require.Equal(t, squeeze(s), squeeze(strings.Join(pieces, "")))
		})
	}
	require.Empty(t, domain.SplitText(" \n ", 10))
}

func TestSplitTextPrefersNaturalBoundaries(t *testing.T) {
	require.Equal(t, []string{"One two.", "Three four."}, domain.SplitText("One two. Three four.", 14))
	require.Equal(t, []string{"One two", "Three four."}, domain.SplitText("One two\n\nThree four.", 14))
	require.Equal(t, []string{"aaaa bbbb", "cccc"}, domain.SplitText("aaaa bbbb cccc", 11))
	require.Equal(t, []string{"今日は。", "明日も。"}, domain.SplitText("今日は。明日も。", 6))
}

func TestConversationRemembersWithinItsLimits(t *testing.T) {
	conv, err := domain.NewConversation("c", "106", domain.Contact{UserID: "ES.1"})
	require.NoError(t, err)
	limit := domain.Memory{Messages: 4, Tokens: 1000}
	for _, turn := range []domain.TurnID{"1", "2", "3", "3"} {
		conv.Remember(limit,
			domain.Remark{Role: domain.RoleUser, Text: "question " + string(turn), Turn: turn},
			domain.Remark{Role: domain.RoleAssistant, Text: "answer " + string(turn), Turn: turn})
	}
	h := conv.History()
	require.Len(t, h, 4, "a turn is remembered once and the oldest is forgotten")
	require.Equal(t, "question 2", h[0].Text)
	require.Equal(t, "answer 3", h[3].Text)

	conv.Remember(domain.Memory{Messages: 3, Tokens: 1000})
	require.Equal(t, domain.RoleUser, conv.History()[0].Role, "an answer whose question is gone goes too")
	conv.Remember(domain.Memory{Messages: 100, Tokens: 6})
	require.Len(t, conv.History(), 2)
	conv.Remember(domain.Memory{})
	require.Empty(t, conv.History())
}

func TestServiceWindowFollowsMetasClock(t *testing.T) {
	conv, err := domain.NewConversation("c", "106", domain.Contact{UserID: "ES.1"})
	require.NoError(t, err)
	conv.Hear(text("wamid.1", "hi"))
	require.True(t, conv.WindowOpen(noon.Add(24*time.Hour-time.Second)))
	require.False(t, conv.WindowOpen(noon.Add(24*time.Hour)))

	moved := text("wamid.2", "")
	moved.SentAt = noon.Add(20 * time.Hour)
	moved.Content = domain.System{Event: "user_changed_number", NewPhone: "34600999888"}
	conv.Hear(moved)
	require.False(t, conv.WindowOpen(noon.Add(25*time.Hour)), "a system event is not the user speaking")
	require.Equal(t, domain.Phone("34600999888"), conv.Contact().Phone)
}

func TestMessageGuardsItself(t *testing.T) {
	good := text("wamid.1", "hi")
	require.NoError(t, good.Validate())
	for name, spoil := range map[string]func(*domain.Message){
		"no id":         func(m *domain.Message) { m.ID = "" },
		"no number":     func(m *domain.Message) { m.Number = "" },
		"no content":    func(m *domain.Message) { m.Content = nil },
		"no sender":     func(m *domain.Message) { m.From = domain.Contact{Name: "Ana"} },
		"negative hold": func(m *domain.Message) { m.Hold = -1 },
	} {
		m := good
		spoil(&m)
		require.Error(t, m.Validate(), name)
	}
}

func TestStartsTurn(t *testing.T) {
	for _, c := range []domain.Content{domain.Reaction{}, domain.System{}, domain.RequestWelcome{}, domain.Edit{}, domain.Revoke{}, nil} {
		require.False(t, domain.StartsTurn(c), "%T", c)
	}
	for _, c := range []domain.Content{
		domain.Text{},
		domain.Voice{},
		domain.Image{},
		domain.Video{},
		domain.Document{},
		domain.Sticker{},
		domain.Location{},
		domain.Contacts{},
		domain.ButtonReply{},
		domain.ListReply{},
		domain.FlowReply{},
		domain.Order{},
		domain.Unsupported{},
	} {
		require.True(t, domain.StartsTurn(c), "%T", c)
	}
}

func TestPartRefRoundTrip(t *testing.T) {
	ref := domain.PartRef{Conversation: "c1", Turn: "t1", Part: 2, Attempt: 3}
	got, ok := domain.ParsePartRef(ref.String())
	require.True(t, ok)
	require.Equal(t, ref, got)
	ref.Trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	got, ok = domain.ParsePartRef(ref.String())
	require.True(t, ok)
	require.Equal(t, ref, got)
	for _, foreign := range []string{"", "turn-42", "v1/c/t/0/1/" + ref.Trace + "/x", "v2/c/t/0/1", "v1/c/t/0", "v1//t/0/1", "v1/c/t/-1/1", "v1/c/t/x/1", "v1/c/t/0/1/2"} {
		_, ok := domain.ParsePartRef(foreign)
		require.False(t, ok, foreign)
	}
}

func TestOutboundGuardsItself(t *testing.T) {
	clip, err := domain.NewAudio(domain.MIMEOggOpus, []byte("OggS"), 0)
	require.NoError(t, err)
	to := domain.Contact{Phone: "34600111222"}
	for name, c := range map[string]struct {
		out  domain.Outbound
		good bool
	}{
		"text":          {domain.Outbound{Number: "1", To: to, Content: domain.OutboundText{Body: "hi"}}, true},
		"empty text":    {domain.Outbound{Number: "1", To: to, Content: domain.OutboundText{Body: " "}}, false},
		"long text":     {domain.Outbound{Number: "1", To: to, Content: domain.OutboundText{Body: strings.Repeat("x", 4097)}}, false},
		"longest text":  {domain.Outbound{Number: "1", To: to, Content: domain.OutboundText{Body: strings.Repeat("x", 4096)}}, true},
		"uploaded clip": {domain.Outbound{Number: "1", To: to, Content: domain.OutboundVoice{Media: "m"}}, true},
		"clip":          {domain.Outbound{Number: "1", To: to, Content: domain.OutboundVoice{Audio: clip}}, true},
		"both":          {domain.Outbound{Number: "1", To: to, Content: domain.OutboundVoice{Media: "m", Audio: clip}}, false},
		"neither":       {domain.Outbound{Number: "1", To: to, Content: domain.OutboundVoice{}}, false},
		"nobody":        {domain.Outbound{Number: "1", Content: domain.OutboundText{Body: "hi"}}, false},
		"no number":     {domain.Outbound{To: to, Content: domain.OutboundText{Body: "hi"}}, false},
		"nothing":       {domain.Outbound{Number: "1", To: to}, false},
	} {
		if c.good {
			require.NoError(t, c.out.Validate(), name)
		} else {
			require.Error(t, c.out.Validate(), name)
		}
	}
}

func TestConversationForgetsWhatIsOld(t *testing.T) {
	conv, err := domain.NewConversation("c", "n", domain.Contact{UserID: "u"})
	require.NoError(t, err)
	now := time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC)
	limit := domain.Memory{Messages: 100, Tokens: 1000, Age: 30 * 24 * time.Hour}
	for i, days := range []int{0, 10, 31, 35} {
		at, turn := now.AddDate(0, 0, days), domain.TurnID(rune('a'+i))
		conv.Remember(limit, domain.Remark{Role: domain.RoleUser, Text: "q", At: at, Turn: turn}, domain.Remark{Role: domain.RoleAssistant, Text: "a", At: at, Turn: turn})
	}
	history := conv.History()
	require.Len(t, history, 6)
	require.Equal(t, domain.TurnID("b"), history[0].Turn)
	limit.Age = 0
	conv.Remember(limit)
	require.Len(t, conv.History(), 6, "no age is no bound")
}

// TestScriptsWithoutSpacesAreCountedByTheCharacter: a look at the tables is spared where
// no such script can be.
func TestScriptsWithoutSpacesAreCountedByTheCharacter(t *testing.T) {
	for text, want := range map[string]int{"": 0, "a": 1, "four": 1, "fives": 2, "Größe": 2, "שלום": 1, "漢字": 2, "abc漢字": 3, "สวัสดี": 6, "ひらがなカ": 5, "한국": 2} {
		require.Equal(t, want, domain.EstimateTokens(text), text)
	}
	for _, script := range []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar} {
		for _, r := range script.R16 {
			for c := rune(r.Lo); c <= rune(r.Hi); c += rune(r.Stride) {
				require.Equal(t, 4, domain.EstimateTokens(strings.Repeat(string(c), 4)), "%U", c)
			}
		}
	}
}
