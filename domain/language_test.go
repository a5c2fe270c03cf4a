package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
)

func TestCleanLanguage(t *testing.T) {
	for in, want := range map[string]string{
		"es": "es", "ES": "es", "es-mx": "es-MX", "ES_mx": "es-MX", " pt-BR ": "pt-BR", "zh-hant-hk": "zh-Hant-HK", "cmn-hans-cn": "cmn-Hans-CN",
		"es-419": "es-419", "fil": "fil", "de-1996": "de-1996", "en-x-gb": "en-x-gb",
		"": "", "english": "", "auto": "", "e": "", "es-": "", "-es": "", "es--MX": "", "es MX": "", "e1": "", "ñandú": "", "es-toolongpart": "",
		"und": "", "mul": "", "zxx": "", "und-Latn": "",
	} {
		got, ok := domain.CleanLanguage(in)
		require.Equal(t, want, got, "%q", in)
		require.Equal(t, want != "", ok, "%q", in)
	}
}

func TestNearestLanguage(t *testing.T) {
	for _, c := range []struct {
		list domain.Languages
		tag  string
		want string
	}{
		{domain.Languages{"en", "es"}, "es", "es"},
		{domain.Languages{"en", "es"}, "es-MX", "es"},
		{domain.Languages{"es-ES", "es", "es-MX"}, "es-mx", "es-MX"},
		{domain.Languages{"es-ES", "es"}, "es-MX", "es"},
		{domain.Languages{"en", "es-ES", "es-MX"}, "es", "es-ES"},
		{domain.Languages{"en-US", "es"}, "en-GB", "en-US"},
		{domain.Languages{"zh", "zh-Hant"}, "zh-Hant-HK", "zh-Hant"},
		{domain.Languages{"zh"}, "cmn-Hans-CN", "zh"},
		{domain.Languages{"cmn-Hans-CN"}, "zh", "cmn-Hans-CN"},
		{domain.Languages{"he"}, "iw", "he"},
		{domain.Languages{"en", "es"}, "fr", ""},
		{domain.Languages{"en", "es"}, "est", ""},
		{domain.Languages{"en", "es"}, "english", ""},
		{domain.Languages{"nonsense!", "es"}, "es", "es"},
		{nil, "es", ""},
	} {
		got, ok := c.list.Nearest(c.tag)
		require.Equal(t, c.want, got, "%v %s", c.list, c.tag)
		require.Equal(t, c.want != "", ok)
	}
}

func TestAllowedLanguages(t *testing.T) {
	for _, c := range []struct {
		list domain.Languages
		tag  string
		want string
	}{
		{domain.Languages{"es"}, "es-MX", "es-MX"},    // covered: the detected one tells more
		{domain.Languages{"es-MX"}, "es", "es-MX"},    // an engine that knows no regions
		{domain.Languages{"en-US"}, "en-GB", "en-US"}, // engines are poor at regions
		{domain.Languages{"zh"}, "cmn-CN", "cmn-CN"},  // the same language by another code
		{domain.Languages{"es", "en"}, "fr", ""},      // not on the list
		{domain.Languages{"es", "en"}, "und", ""},     // no language
		{nil, "FR", "fr"},                             // no list: everything
		{nil, "noise", ""},                            // but not what is no language
		{domain.Languages{"pt-PT", "pt"}, "pt-BR", "pt-BR"},
	} {
		got, ok := c.list.Allow(c.tag)
		require.Equal(t, c.want, got, "%v %s", c.list, c.tag)
		require.Equal(t, c.want != "", ok)
	}
}

func TestLanguagesLed(t *testing.T) {
	list := domain.Languages{"en", "es", "fr"}
	require.Equal(t, domain.Languages{"es", "en", "fr"}, list.Led("es-MX"))
	require.Equal(t, list, list.Led("de"))
	require.Equal(t, list, list.Led(""))
	require.Equal(t, domain.Languages{"en", "es", "fr"}, list, "the list itself is not changed")
	require.Equal(t, "en", list.First())
	require.Empty(t, domain.Languages(nil).First())
}

func TestTranscriptWords(t *testing.T) {
	for in, want := range map[string]string{
		"how late are you open":        "how late are you open",
		" hello \n":                    "hello",
		"":                             "",
		"...":                          "",
		"♪♪":                           "",
		"[Music]":                      "",
		"[BLANK_AUDIO]":                "",
		"(inaudible)":                  "",
		"*coughs* hello (laughs)":      "hello",
		"♪ Music ♪":                    "",
		"[Música] hola":                "hola",
		"（音楽）":                         "",
		"I need the (big) one [please": "I need the (big) one [please",
		"[voice message of 3 seconds]": "[voice message of 3 seconds]",
		"ok 👍":                         "ok 👍",
		"👍":                            "",
		"7":                            "7",
		"今日":                           "今日",
	} {
		require.Equal(t, want, domain.Transcript{Text: in}.Words(), "%q", in)
	}
}

func TestModelSaysTheLanguageOfItsAnswer(t *testing.T) {
	for in, want := range map[string]domain.Reply{
		"<lang>es</lang> Hola.":                                 {Text: "Hola.", Language: "es"},
		"<lang>ES-mx</lang>\nHola.":                             {Text: "Hola.", Language: "es-MX"},
		"<think>they speak Spanish</think><lang>es</lang>Hola.": {Text: "Hola.", Language: "es"},
		"\"<lang>es</lang>Hola.\"":                              {Text: "Hola.", Language: "es"},
		"Hola. <lang>es</lang>":                                 {Text: "Hola.", Language: "es"},
		"<lang>es</lang>Hola. <lang>en</lang>Hello.":            {Text: "Hola. Hello.", Language: "es"},
		"<lang>Spanish</lang>Hola.":                             {Text: "Hola."},
		"<lang>es Hola.":                                        {Text: "Hola.", Language: "es"},
		"<lang>es Hola. <lang>en</lang>Hello.":                  {Text: "Hola. Hello.", Language: "es"},
		"<lang>español de España</lang> Hola.":                  {Text: "Hola."},
		"<lang>Hola.":                                           {Text: "Hola."},
		"Hola.":                                                 {Text: "Hola."},
	} {
		got, err := domain.ExtractReply(in)
		require.NoError(t, err)
		require.Equal(t, want, got, "%q", in)
	}
	_, err := domain.ExtractReply(domain.LanguageMark("es"))
	require.ErrorIs(t, err, domain.ErrEmptyReply)
}

func TestWholeSentences(t *testing.T) {
	for in, want := range map[string]string{
		"We open at nine. We close at":         "We open at nine.",
		"We open at nine. We close at six.":    "We open at nine. We close at six.",
		"Well. We open at nine on Mondays and": "Well. We open at nine on Mondays and",
		"no end at all":                        "no end at all",
		"今日は天気がいいです。明日は":                       "今日は天気がいいです。",
		"": "",
	} {
		require.Equal(t, want, domain.WholeSentences(in))
	}
}

func TestOneNumberCannotSpeakForAnother(t *testing.T) {
	turn := sent(t)
	foreign := status(turn, domain.DeliveryFailed)
	foreign.Number, foreign.Failure = "107", &domain.Failure{Class: domain.FailMedia}
	require.False(t, turn.Observe(foreign))
	require.Equal(t, domain.TurnSent, turn.State())
	own := foreign
	own.Number = turn.Number()
	require.True(t, turn.Observe(own))
}
