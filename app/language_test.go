package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/app"
	"whatsappnode/domain"
)

// polyglot hears "tag:words" as these words in that language.
func polyglot(words string) domain.Transcript {
	tag, text, _ := strings.Cut(words, ":")
	return domain.Transcript{Text: text, Language: tag}
}

// spanish and english are how the sentences begin that ask to repeat.
const (
	againES = "Perdona, no he entendido"
	againEN = "Sorry, I couldn't make out"
)

// bilingual is a bot that speaks Spanish first, then English.
func bilingual(r *rig) {
	r.opt.Languages = domain.Languages{"es", "en-US"}
	r.opt.ReplyMode = app.ReplyVoice
	r.ears.detect = polyglot
}

func (r *rig) spokenIn(n int) string {
	r.voice.mu.Lock()
	defer r.voice.mu.Unlock()
	return r.voice.asked[n].Language
}

func TestWhatIsHeardDecidesTheLanguage(t *testing.T) {
	for detected, want := range map[string]string{
		"es":    "es",
		"es-MX": "es-MX", // covered by es
		"es_mx": "es-MX", // another spelling
		"en":    "en-US", // an engine that knows no regions
		"en-GB": "en-US",
		"":      "es", // the engine does not say
		"und":   "es",
	} {
		t.Run(detected, func(t *testing.T) {
			bubble(t, bilingual, func(r *rig) {
				r.speaks("m1", "ES.1", detected+":hola")
				r.settle()
				require.Equal(t, []string{"spoken: You said: hola"}, r.answers())
				require.Equal(t, want, r.spokenIn(0))
			})
		})
	}
}

func TestModelIsAskedInTheLanguageThatWasHeard(t *testing.T) {
	bubble(t, bilingual, func(r *rig) {
		r.speaks("m1", "ES.1", "es:hola")
		r.settle()
		r.speaks("m2", "ES.1", "en:hello")
		r.settle()
		r.says("m3", "ES.1", "bonjour")
		r.settle()
		asked := r.brain.requests()
		require.Equal(t, "es", asked[0].Language)
		require.Equal(t, "en-US", asked[1].Language, "and not the one before")
		require.Empty(t, asked[2].Language, "it must find out for itself")
		require.Contains(t, asked[2].System, "one of these: es, en-US. If it is another, answer in en-US.")
		require.Contains(t, asked[2].System, "<lang>en-US</lang>")
		require.Equal(t, []string{"es", "en-US", "en-US"}, []string{r.spokenIn(0), r.spokenIn(1), r.spokenIn(2)})
	})
}

func TestOnlyLanguageIsAlwaysAsked(t *testing.T) {
	bubble(t, func(r *rig) { r.opt.Languages, r.opt.SystemPrompt = domain.Languages{"pt-BR"}, "Be kind." }, func(r *rig) {
		r.says("m1", "ES.1", "oi")
		r.settle()
		require.Equal(t, "pt-BR", r.brain.requests()[0].Language)
		require.Regexp(t, `^Be kind\.\n`, r.brain.requests()[0].System)
	})
}

func TestNoListLeavesItToTheEngines(t *testing.T) {
	bubble(t, func(r *rig) {
		r.opt.ReplyMode, r.opt.SystemPrompt, r.ears.detect = app.ReplyVoice, "Be kind.", polyglot
	}, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		r.settle()
		r.speaks("m2", "ES.1", "ja:今日は")
		r.settle()
		r.says("m3", "ES.1", "hi")
		r.settle()
		require.Equal(t, []string{"", "ja", "ja"}, []string{r.spokenIn(0), r.spokenIn(1), r.spokenIn(2)})
		for i, want := range []string{"", "ja", ""} {
			require.Equal(t, want, r.brain.requests()[i].Language)
			require.Regexp(t, `^Be kind\.\n`, r.brain.requests()[i].System)
		}
		require.Empty(t, r.ears.asked[0].Languages)
	})
}

func TestVoiceFollowsTheAnswer(t *testing.T) {
	for name, c := range map[string]struct{ answer, words, want string }{
		"marked":              {"<lang>en</lang> Hello!", "Hello!", "en-US"},
		"marked by region":    {"<lang>es-AR</lang> ¡Hola!", "¡Hola!", "es-AR"},
		"not marked":          {"¡Hola!", "¡Hola!", "es"},
		"outside of the list": {"<lang>fr</lang> Bonjour !", "Bonjour !", "fr"},
		"no mark of a tag":    {"<lang>Spanish</lang> ¡Hola!", "¡Hola!", "es"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) { bilingual(r); r.brain.answer = func(string) string { return c.answer } }, func(r *rig) {
				r.speaks("m1", "ES.1", "es:en inglés, por favor")
				r.settle()
				require.Equal(t, []string{"spoken: " + c.words}, r.answers(), "the mark is not for the user")
				require.Equal(t, c.want, r.spokenIn(0))
			})
		})
	}
}

func TestLanguageIsRemembered(t *testing.T) {
	bubble(t, bilingual, func(r *rig) {
		r.speaks("m1", "ES.1", "en:hello")
		r.settle()
		r.says("m2", "ES.1", "and now?")
		r.settle()
		require.Equal(t, "en-US", r.spokenIn(1))
		r.speaks("m3", "ES.1", "en:")
		r.settle()
		require.Contains(t, r.answers()[2], againEN)
		require.Equal(t, []string{"es", "en-US"}, r.ears.asked[0].Languages)
		require.Equal(t, []string{"en-US", "es"}, r.ears.asked[1].Languages, "the likeliest comes first")
		r.speaks("m4", "ES.2", "en:")
		r.settle()
		require.Contains(t, r.answers()[3], againES, "another person is another conversation")
	})
}

func TestLanguageThatTheModelReadIsRemembered(t *testing.T) {
	bubble(t, func(r *rig) {
		bilingual(r)
		r.brain.answer = func(string) string { return "<lang>en</lang> Hello!" }
	}, func(r *rig) {
		r.says("m1", "ES.1", "hello")
		r.settle()
		r.speaks("m2", "ES.1", "en:")
		r.settle()
		require.Contains(t, r.answers()[1], againEN)
	})
}

// TestLanguageThatIsNotOnTheList: the user is told which ones are, in words that
// they can read, and what was said is neither answered nor remembered.
func TestLanguageThatIsNotOnTheList(t *testing.T) {
	const list = "español, English"
	for name, c := range map[string]struct {
		before []string // heard earlier
		note   string
		want   string
	}{
		"in their own language":                {nil, "fr:bonjour", "Désolé, je ne comprends pas cette langue. Je peux vous aider en " + list},
		"in the first, where we have no words": {nil, "pl:dzień dobry", "Perdona, no entiendo ese idioma. Puedo ayudarte en " + list},
		"in the one they used before":          {[]string{"en:hello"}, "fr:bonjour", "Sorry, I don't understand that language. I can help you in " + list},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, bilingual, func(r *rig) {
				for _, b := range c.before {
					r.speaks("before", "ES.1", b)
					r.settle()
				}
				r.speaks("m1", "ES.1", c.note)
				r.settle()
				got := r.answers()[len(c.before):]
				require.Len(t, got, 1)
				require.Contains(t, got[0], c.want)
				require.NotContains(t, got[0], "spoken")
				require.Len(t, r.brain.requests(), len(c.before))
				r.speaks("m2", "ES.1", "es:hola")
				r.settle()
				last := r.brain.requests()[len(c.before)]
				require.Len(t, last.Messages, 1+2*len(c.before), "what was not answered is not remembered")
			})
		})
	}
}

func TestWhatCannotBeUnderstoodIsAskedAgain(t *testing.T) {
	heard := func(tr domain.Transcript) func(string) domain.Transcript {
		return func(string) domain.Transcript { return tr }
	}
	for name, c := range map[string]struct {
		transcript domain.Transcript
		asks       bool
	}{
		"silence":            {domain.Transcript{}, true},
		"blanks":             {domain.Transcript{Text: " \n"}, true},
		"dots":               {domain.Transcript{Text: "..."}, true},
		"a sound":            {domain.Transcript{Text: "[Music]", Confidence: 0.9}, true},
		"doubted":            {domain.Transcript{Text: "the four of us", Confidence: 0.39}, true},
		"doubted, in French": {domain.Transcript{Text: "le four", Language: "fr", Confidence: 0.2}, true},
		"sure enough":        {domain.Transcript{Text: "the four of us", Confidence: 0.4}, false},
		"no word of it":      {domain.Transcript{Text: "the four of us"}, false},
		"a sound and words":  {domain.Transcript{Text: "[Music] the four of us"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) { bilingual(r); r.opt.MinConfidence = 0.4; r.ears.detect = heard(c.transcript) }, func(r *rig) {
				r.speaks("m1", "ES.1", "x")
				r.settle()
				require.Len(t, r.answers(), 1)
				if !c.asks {
					require.Equal(t, "spoken: You said: the four of us", r.answers()[0])
					return
				}
				require.Contains(t, r.answers()[0], againES, "in text, in their language")
				require.Empty(t, r.brain.requests())
				require.Equal(t, 1, r.events.count("transcribed", "1 clips, 1 unclear"))
			})
		})
	}
}

func TestBurstUsesWhatCanBeUsed(t *testing.T) {
	for name, bad := range map[string]string{"silence": "es:", "another language": "fr:bonjour", "a sound": "es:(inaudible)"} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) { bilingual(r); r.opt.Burst.Unfinished = time.Second }, func(r *rig) {
				r.receives(r.note("m1", "ES.1", bad), message("m2", "ES.1", domain.Text{Body: "how late are you open?"}))
				r.pass(2 * time.Second)
				require.Equal(t, []string{"spoken: You said: how late are you open?"}, r.answers())
			})
		})
	}
	t.Run("a good note among bad ones", func(t *testing.T) {
		bubble(t, func(r *rig) { bilingual(r); r.opt.Burst.Unfinished = time.Second }, func(r *rig) {
			r.receives(r.note("m1", "ES.1", "fr:bonjour"), r.note("m2", "ES.1", "en:how late are you open?"), r.note("m3", "ES.1", "es:"))
			r.pass(2 * time.Second)
			require.Equal(t, []string{"spoken: You said: how late are you open?"}, r.answers())
			require.Equal(t, "en-US", r.spokenIn(0), "the language is that of the good one")
		})
	})
	t.Run("nothing but bad ones", func(t *testing.T) {
		bubble(t, func(r *rig) { bilingual(r); r.opt.Burst.Unfinished = time.Second }, func(r *rig) {
			r.receives(r.note("m1", "ES.1", "fr:bonjour"), r.note("m2", "ES.1", "es:"))
			r.pass(2 * time.Second)
			require.Len(t, r.answers(), 1)
			require.Contains(t, r.answers()[0], "je ne comprends pas", "the reason that tells most is given")
		})
	})
}

// TestAnswerCutByALimit ends with a whole sentence.
func TestAnswerCutByALimit(t *testing.T) {
	bubble(t, func(r *rig) {
		r.opt.MaxTokens = 12
		r.brain.short = true
		r.brain.answer = func(string) string { return "We open at nine and close at six. On Sundays" }
	}, func(r *rig) {
		r.says("m1", "ES.1", "when?")
		r.settle()
		require.Equal(t, []string{"We open at nine and close at six."}, r.answers())
		require.Equal(t, 12, r.brain.requests()[0].MaxTokens)
	})
}
