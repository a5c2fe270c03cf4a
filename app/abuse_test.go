package app_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/app"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

func TestWhoWritesTooMuchIsToldOnceAndThenNotAnswered(t *testing.T) {
	bubble(t, func(r *rig) {
		r.opt.Rate = app.Rate{Messages: 3, Every: 10 * time.Second}
		r.opt.ReplyMode, r.opt.Languages = app.ReplyVoice, domain.Languages{"es"}
	}, func(r *rig) {
		for i := range 10 {
			r.says(fmt.Sprintf("m%d", i), "ES.1", fmt.Sprintf("q%d", i))
			r.settle()
		}
		answers := r.answers()
		require.Len(t, answers, 4, "three answers and a sentence")
		require.Equal(t, app.Sentences()["es"]["too_many"], answers[3], "in writing: a voice costs money")
		require.Len(t, r.brain.requests(), 3)
		require.Equal(t, 3, r.voice.spoke)
		require.Equal(t, 6, r.events.count(ports.StageDropped, "rate"))

		r.says("other", "ES.2", "and me?")
		r.settle()
		require.Len(t, r.answers(), 5, "nobody else is held back")

		r.pass(11 * time.Second)
		r.says("later", "ES.1", "now?")
		r.settle()
		require.Equal(t, "spoken: You said: now?", r.answers()[5])
		r.says("m11", "ES.1", "and now?")
		r.settle()
		require.Len(t, r.answers(), 6, "told already")
		r.pass(10 * time.Minute)
		for i := range 5 {
			r.says(fmt.Sprintf("n%d", i), "ES.1", "again")
			r.settle()
		}
		require.Len(t, r.answers(), 10, "after a pause all is as in the beginning")
	})
}

// TestWhoAddsToAQuestionIsBoundedToo: an answer that is stale was paid for.
func TestWhoAddsToAQuestionIsBoundedToo(t *testing.T) {
	bubble(t, func(r *rig) {
		r.opt.Rate, r.opt.Burst.Limit = app.Rate{Messages: 4, Every: time.Minute}, time.Hour
		r.brain.pace, r.brain.answer = 50*time.Millisecond, func(string) string { return strings.Repeat("so ", 100) }
	}, func(r *rig) {
		for i := range 30 {
			r.says(fmt.Sprintf("m%d", i), "ES.1", "more")
			r.pass(100 * time.Millisecond)
		}
		r.pass(time.Minute)
		require.Len(t, r.brain.requests(), 4)
	})
}

// TestRateThatCannotBeReadIsNotGuessed: the turn is kept until the store answers.
func TestRateThatCannotBeReadIsNotGuessed(t *testing.T) {
	var broken atomic.Bool
	broken.Store(true)
	bubble(t, func(r *rig) {
		r.opt.Rate = app.Rate{Messages: 1, Every: time.Minute}
		r.pacer = pacer(func() error {
			if broken.Load() {
				return &ports.Error{Op: "pacer", Kind: ports.KindTransient, Err: errors.New("down")}
			}
			return nil
		})
	}, func(r *rig) {
		r.says("m1", "ES.1", "hi")
		r.pass(time.Second)
		require.Empty(t, r.answers())
		require.Empty(t, r.brain.requests())
		broken.Store(false)
		r.pass(time.Minute)
		require.Equal(t, []string{"You said: hi"}, r.answers())
	})
}

func TestClipThatIsTooLongIsNotHeard(t *testing.T) {
	bubble(t, func(r *rig) {
		r.opt.MaxClip, r.opt.Clips = time.Minute, meter{}
		r.opt.Languages = domain.Languages{"de"}
	}, func(r *rig) {
		r.speaks("m1", "ES.1", "61s")
		r.settle()
		require.Equal(t, []string{app.Sentences()["de"]["too_long"]}, r.answers())
		r.speaks("m2", "ES.1", "broken")
		r.settle()
		require.Equal(t, app.Sentences()["de"]["not_heard"], r.answers()[1])
		require.Empty(t, r.ears.asked, "nobody is paid")
		r.speaks("m3", "ES.1", "60s")
		r.settle()
		require.Len(t, r.ears.asked, 1)
		require.Equal(t, 2, r.events.count(ports.StageRefused, "clip"))
	})
}

// TestManyLongClipsAreNotAllHeard: a hundred notes in a row are one turn.
func TestManyLongClipsAreNotAllHeard(t *testing.T) {
	bubble(t, func(r *rig) {
		r.opt.MaxClip, r.opt.Clips, r.opt.Burst.Limit = time.Minute, meter{}, 0
		r.brain.delay = time.Second
	}, func(r *rig) {
		batch := []domain.Message{message("m0", "ES.1", domain.Text{Body: "listen"})}
		for i := range 9 {
			ref := domain.MediaID(fmt.Sprintf("media-%d", i))
			r.phone.put(ref, []byte("50s"))
			batch = append(batch, message(fmt.Sprintf("m%d", i+1), "ES.1", domain.Voice{Media: domain.MediaRef{ID: ref, Number: number}}))
		}
		r.receives(batch...)
		r.pass(time.Minute)
		require.Len(t, r.ears.asked, 2, "what plays twice as long as the longest clip")
		require.Equal(t, []string{"You said: listen + 50s + 50s"}, r.answers())
	})
}

func loopish(r *rig) {
	r.opt.Loop = app.Loop{Turns: 5, Quiet: 10 * time.Minute}
	r.opt.Burst = app.Burst{}
}

func TestAnotherMachineIsNotAnsweredForEver(t *testing.T) {
	for name, say := range map[string]func(i int) string{
		"the same words": func(int) string { return "Sorry, I did not understand you. Please choose an option from the menu." },
		"with a counter": func(i int) string {
			return fmt.Sprintf("Your message number %d was received at 12:%02d. An agent will answer.", i, i)
		},
		"two in turns": func(i int) string {
			return []string{"Thank you for contacting us, we will be back soon.", "Our office is closed today, please leave a message."}[i%2]
		},
		"in Chinese": func(int) string { return "您好，我们已收到您的消息，客服人员会尽快回复您。" },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, loopish, func(r *rig) {
				for i := range 20 {
					r.says(fmt.Sprintf("m%d", i), "ES.1", say(i))
					r.pass(2 * time.Second)
				}
				require.LessOrEqual(t, len(r.answers()), 7)
				require.Equal(t, 20-len(r.answers()), r.events.count(ports.StageDropped, "loop"))
				before := len(r.answers())
				r.says("other", "ES.2", say(0))
				r.settle()
				require.Len(t, r.answers(), before+1)

				r.pass(9 * time.Minute)
				r.says("still", "ES.1", say(1))
				r.settle()
				require.Len(t, r.answers(), before+1, "it was not silent for long enough")
				r.pass(10*time.Minute + time.Second)
				r.says("again", "ES.1", say(2))
				r.settle()
				require.Len(t, r.answers(), before+2, "after the quiet time it is answered")
			})
		})
	}
}

// TestMachineThatAlwaysSaysSomethingElse writes faster than a person could.
func TestMachineThatAlwaysSaysSomethingElse(t *testing.T) {
	bubble(t, loopish, func(r *rig) {
		for i := range 30 {
			r.says(fmt.Sprintf("m%d", i), "ES.1", strings.Repeat(fmt.Sprintf("%c%c ", 'a'+i%26, 'z'-i%26), 30+i))
			r.pass(time.Second)
		}
		require.LessOrEqual(t, len(r.answers()), 12)
		require.Positive(t, r.events.count(ports.StageDropped, "loop"))
	})
}

func TestPeopleAreNotTakenForMachines(t *testing.T) {
	questions := []string{
		"Hello, do you have a table for tonight?", "For four people please", "At eight", "And is there parking close by?", "Great",
		"Do you have vegetarian dishes on the menu?", "What does the set menu cost?", "ok", "Can I pay by card?", "Thank you very much, see you tonight!",
	}
	long := []string{
		"Hello, do you have a table for tonight, please?", "We would be four people and a very small dog.", "Is there a place to park somewhere near your house?",
		"What vegetarian dishes are on the menu this week?", "My brother cannot eat nuts, would that be a problem?", "How late does the kitchen take orders on Fridays?",
		"And could we pay with a credit card at the end?",
	}
	for name, c := range map[string]struct {
		say  func(i int) string
		wait time.Duration
	}{
		"long questions":           {func(i int) string { return long[i%len(long)] }, 8 * time.Second},
		"a chat":                   {func(i int) string { return questions[i%len(questions)] }, 8 * time.Second},
		"a button pressed often":   {func(int) string { return "Next page" }, 3 * time.Second},
		"the same question slowly": {func(int) string { return "Is my order number 123456 there yet? I am waiting." }, 25 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, loopish, func(r *rig) {
				for i := range 30 {
					r.says(fmt.Sprintf("m%d", i), "ES.1", c.say(i))
					r.pass(c.wait)
				}
				require.Len(t, r.answers(), 30)
			})
		})
	}
}

// TestMachineThatSendsPictures is answered with sentences, which cost money, too.
func TestMachineThatSendsPictures(t *testing.T) {
	bubble(t, loopish, func(r *rig) {
		for i := range 20 {
			r.receives(message(fmt.Sprintf("m%d", i), "ES.1", domain.Image{}))
			r.pass(time.Second)
		}
		require.LessOrEqual(t, len(r.answers()), 7)
	})
}

// TestLoopsAreBounded: what is remembered of conversations does not grow without end.
func TestLoopsAreBounded(t *testing.T) {
	require.LessOrEqual(t, app.LoopsAfter(25_000), 10_000)
}

// meter takes a clip of words for one that plays as long as its words say.
type meter struct{}

func (meter) Length(clip domain.Audio) (time.Duration, error) {
	return time.ParseDuration(string(clip.Bytes()))
}
