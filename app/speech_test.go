package app_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"whatsappnode/app"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// prose are 480 characters, the length of an answer one listens to, in sentences of
// about 70 with a clause in each.
var prose = strings.Join([]string{
	"Thank you for writing to us, we are very glad to help you with a table.",
	"The kitchen is open from noon to ten at night, and on Mondays it is shut.",
	"For a party of eight we keep a table, it is by the window.",
	"Children are welcome at all times, and their plates cost half.",
	"If somebody does not eat meat, tell us a day before so that we can shop.",
	"There is room for two cars in the yard, and some more by the river.",
	"We hold a table for twenty minutes, so call us if you are running late.",
}, " ")

// speaking makes a model that writes 60 tokens of four letters a second after 400 ms,
// and a voice that takes 250 ms and 4 ms a character.
func speaking(answer string) func(*rig) {
	return func(r *rig) {
		r.opt.ReplyMode = app.ReplyVoice
		r.brain.delay, r.brain.pace = 400*time.Millisecond, time.Second/240
		r.brain.answer = func(string) string { return answer }
		r.voice.takes = func(text string) time.Duration {
			return 250*time.Millisecond + 4*time.Millisecond*time.Duration(utf8.RuneCountInString(text))
		}
	}
}

// sentAt is when the first part of the answer left, since the bubble began.
func (r *rig) sentAt(began time.Time) time.Duration {
	r.t.Helper()
	r.events.mu.Lock()
	defer r.events.mu.Unlock()
	for _, ev := range r.events.all {
		if ev.Stage == ports.StageSent {
			return ev.At.Sub(began)
		}
	}
	require.Fail(r.t, "nothing was sent")
	return 0
}

func TestAnswerIsSpokenWhileItIsWritten(t *testing.T) {
	require.Equal(t, 480, utf8.RuneCountInString(prose))
	bubble(t, speaking(prose), func(r *rig) {
		began := time.Now()
		r.says("m1", "ES.1", "Could I have a table for eight on Saturday?")
		r.pass(10 * time.Second)
		require.Equal(t, []string{"spoken: " + prose}, r.answers())
		whole := 400*time.Millisecond + 2*time.Second + 250*time.Millisecond + 480*4*time.Millisecond
		bySentence := 400*time.Millisecond + 2*time.Second + 530*time.Millisecond
		took := r.sentAt(began)
		t.Logf("one after the other %v, by the sentence %v, ours %v", whole, bySentence, took)
		require.LessOrEqual(t, took, 2820*time.Millisecond)
		require.LessOrEqual(t, r.voice.most, 4)
		for _, said := range r.voice.said {
			require.Contains(t, ".,", said[len(said)-1:], "a piece ends where a speaker breathes: %q", said)
		}
	})
}

func TestWhatIsSpokenIsTheAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		written, answer string
	}{
		"reasoning in front": {"<think>He wants a table. I should be kind.</think>" + prose, prose},
		"a language mark":    {"<lang>en</lang> " + prose, prose},
		"a stray end of reasoning, seen too late": {
			"He wants a table, so I will look whether one is free and then tell him.</think>" + prose, prose,
		},
		"quotes around everything":   {`"` + prose + `"`, prose},
		"a fence around everything":  {"```\n" + prose + "\n```", prose},
		"a short answer":             {"Yes.", "Yes."},
		"marks for the eye":          {"We open at **nine** and close at _five_ on every day of the week.", "We open at nine and close at five on every day of the week."},
		"a mark that comes too late": {prose + " <lang>es</lang>", prose},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, speaking(c.written), func(r *rig) {
				r.says("m1", "ES.1", "Could I have a table for eight on Saturday?")
				r.pass(time.Minute)
				require.Equal(t, []string{"spoken: " + c.answer}, r.answers())
			})
		})
	}
}

func TestAnswerThatBreaksOffIsNotHeard(t *testing.T) {
	bubble(t, func(r *rig) {
		speaking(prose)(r)
		r.brain.cut = 1
	}, func(r *rig) {
		r.says("m1", "ES.1", "Could I have a table for eight on Saturday?")
		r.pass(time.Minute)
		require.Equal(t, []string{"spoken: " + prose}, r.answers())
		require.Len(t, r.brain.requests(), 2)
	})
}

func TestAnswerCutByALimitIsSpokenToItsLastSentence(t *testing.T) {
	bubble(t, func(r *rig) {
		speaking(prose + " And then there is, if you")(r)
		r.brain.short = true
	}, func(r *rig) {
		r.says("m1", "ES.1", "Could I have a table for eight on Saturday?")
		r.pass(time.Minute)
		require.Equal(t, []string{"spoken: " + prose}, r.answers())
	})
}

func TestOnePieceThatFailsMakesItText(t *testing.T) {
	bubble(t, func(r *rig) {
		speaking(prose)(r)
		r.voice.refuse = "Children"
	}, func(r *rig) {
		r.says("m1", "ES.1", "Could I have a table for eight on Saturday?")
		r.pass(time.Minute)
		require.Equal(t, []string{prose}, r.answers())
		require.Equal(t, 1, r.events.count(ports.StageFallback, "speech"))
	})
}

func TestAnswerThatGrowsTooLongIsNotSpokenToItsEnd(t *testing.T) {
	bubble(t, func(r *rig) {
		speaking(strings.Repeat(prose+" ", 20))(r)
		r.opt.MaxSpokenChars = 300
	}, func(r *rig) {
		r.says("m1", "ES.1", "Could I have a table for eight on Saturday?")
		r.pass(time.Minute)
		require.True(t, strings.HasPrefix(r.answers()[0], "Thank you"), "as text")
		require.Less(t, len(strings.Join(r.voice.said, " ")), 1500, "the voice was stopped when it could not be a note any more")
	})
}

func TestVoiceThatNeedsTheWholeText(t *testing.T) {
	bubble(t, func(r *rig) {
		speaking(prose)(r)
		r.opt.SpeakParallel = 1
	}, func(r *rig) {
		r.says("m1", "ES.1", "Could I have a table for eight on Saturday?")
		r.pass(time.Minute)
		require.Equal(t, []string{prose}, r.voice.said)
		require.Equal(t, []string{"spoken: " + prose}, r.answers())
	})
}

func TestClipsThatDoNotGoTogetherAreSpokenOnceMore(t *testing.T) {
	bubble(t, func(r *rig) {
		speaking(prose)(r)
		r.opt.Notes = notes{join: func() error { return errors.New("their gains differ") }}
	}, func(r *rig) {
		r.says("m1", "ES.1", "Could I have a table for eight on Saturday?")
		r.pass(time.Minute)
		require.Equal(t, []string{"spoken: " + prose}, r.answers())
		require.Equal(t, prose, r.voice.said[len(r.voice.said)-1])
	})
}

func TestNoteTooLargeToPlayBecomesSeveral(t *testing.T) {
	large := func(r *rig) {
		speaking(prose)(r)
		r.voice.size = 100 << 10 // of each piece
	}
	words := func(r *rig) (all []string) {
		for _, turn := range r.turns() {
			for _, p := range turn.Parts() {
				all = append(all, p.Text)
			}
		}
		return all
	}
	bubble(t, large, func(r *rig) {
		r.says("m1", "ES.1", "Could I have a table for eight on Saturday?")
		r.pass(time.Minute)
		require.Equal(t, 2, len(r.answers()))
		require.Equal(t, prose, strings.Join(words(r), " "))
		for _, a := range r.answers() {
			require.Less(t, len(a), 512<<10)
		}
	})
	t.Run("and each that fails late is followed by its own words", func(t *testing.T) {
		bubble(t, large, func(r *rig) {
			r.says("m1", "ES.1", "Could I have a table for eight on Saturday?")
			r.pass(time.Minute)
			said := words(r)
			for i := range 2 {
				r.hears(i, domain.DeliveryFailed, &domain.Failure{Code: 131053, Class: domain.FailMedia})
				r.pass(time.Minute)
			}
			require.Equal(t, said, r.answers()[2:])
		})
	})
	t.Run("a single piece that is too large", func(t *testing.T) {
		bubble(t, func(r *rig) {
			large(r)
			r.voice.size = 600 << 10
		}, func(r *rig) {
			r.says("m1", "ES.1", "Could I have a table for eight on Saturday?")
			r.pass(time.Minute)
			require.Equal(t, []string{prose}, r.answers())
		})
	})
}

func TestWhatMustBeReadFollowsTheNote(t *testing.T) {
	const written = "You can pay at https://example.com/pay/4711 until Friday. Thank you!"
	link := func(r *rig) { speaking(written)(r); r.opt.SendAside = true }
	bubble(t, link, func(r *rig) {
		r.says("m1", "ES.1", "Where can I pay for my order?")
		r.pass(time.Minute)
		require.Len(t, r.answers(), 2)
		require.NotContains(t, r.answers()[0], "4711")
		require.Equal(t, "https://example.com/pay/4711", r.answers()[1])
	})
	t.Run("unless every message counts", func(t *testing.T) {
		bubble(t, func(r *rig) { link(r); r.opt.SendAside = false }, func(r *rig) {
			r.says("m1", "ES.1", "Where can I pay for my order?")
			r.pass(time.Minute)
			require.Len(t, r.answers(), 1)
		})
	})
	t.Run("once where the words are sent as well", func(t *testing.T) {
		bubble(t, func(r *rig) { link(r); r.opt.ReplyMode = app.ReplyBoth }, func(r *rig) {
			r.says("m1", "ES.1", "Where can I pay for my order?")
			r.pass(time.Minute)
			require.Equal(t, written, r.answers()[1])
			require.Len(t, r.answers(), 2)
		})
	})
	t.Run("and does not stand for the words of a note that failed", func(t *testing.T) {
		bubble(t, link, func(r *rig) {
			r.says("m1", "ES.1", "Where can I pay for my order?")
			r.pass(time.Minute)
			r.hears(0, domain.DeliveryFailed, &domain.Failure{Code: 131053, Class: domain.FailMedia})
			r.pass(time.Minute)
			require.Equal(t, written, r.answers()[2])
		})
	})
}

func TestNothingToSpeakIsWritten(t *testing.T) {
	bubble(t, speaking("👍🎉"), func(r *rig) {
		r.says("m1", "ES.1", "Did my order go through now?")
		r.pass(time.Minute)
		require.Equal(t, []string{"👍🎉"}, r.answers())
	})
}

func TestVoicesThatPanicEndInText(t *testing.T) {
	bubble(t, func(r *rig) { speaking(prose)(r); r.voice.panic = 2 }, func(r *rig) {
		r.says("m1", "ES.1", "Could I have a table for eight on Saturday?")
		r.pass(time.Minute)
		require.Equal(t, []string{prose}, r.answers())
	})
}

func TestCrowdedProcessSpeaksInFewerPieces(t *testing.T) {
	const people = 400
	bubble(t, func(r *rig) { speaking(prose)(r); r.workers = people }, func(r *rig) {
		for i := range people {
			r.says(fmt.Sprintf("m%d", i), fmt.Sprintf("ES.%d", i), "Could I have a table for eight on Saturday?")
		}
		r.pass(time.Minute)
		require.Len(t, r.answers(), people)
		for _, a := range r.answers() {
			require.Equal(t, "spoken: "+prose, a)
		}
		crowded := len(r.voice.said)
		r.says("last", "ES.last", "Could I have a table for eight on Saturday?")
		r.pass(time.Minute)
		alone := len(r.voice.said) - crowded
		require.Less(t, crowded, people*alone, "the later ones were spoken in fewer pieces")
		require.Equal(t, 8, alone, "and when they had gone, in as many as before")
	})
}
