package app_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/app"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// slowly makes a voice that takes two seconds, so that a test can write meanwhile.
func slowly(r *rig) {
	r.opt.ReplyMode = app.ReplyVoice
	r.voice.takes = func(string) time.Duration { return 2 * time.Second }
	r.opt.Burst = app.Burst{Window: 400 * time.Millisecond, Unfinished: 1500 * time.Millisecond, Limit: 15 * time.Second}
}

// requireSpoken expects one voice note for each turn, with these answers.
func requireSpoken(t *testing.T, r *rig, want ...string) {
	t.Helper()
	var got []string
	for _, turn := range r.turns() {
		got = append(got, turn.Reply().Text)
	}
	require.Equal(t, want, got)
	require.Len(t, r.answers(), len(want))
	for _, a := range r.answers() {
		require.True(t, strings.HasPrefix(a, "spoken: "), a)
	}
}

func TestThreeInARowGetOneAnswerAndAFourthReplacesIt(t *testing.T) {
	bubble(t, slowly, func(r *rig) {
		r.says("m1", "ES.1", "I have a question")
		r.pass(time.Second)
		r.speaks("m2", "ES.1", "it is about my order")
		r.pass(900 * time.Millisecond)
		r.says("m3", "ES.1", "When will it be here?")
		r.pass(time.Second)
		require.NotEmpty(t, r.voice.said, "the answer is being spoken")
		require.Empty(t, r.answers())
		r.says("m4", "ES.1", "It was the blue one.")
		r.pass(time.Minute)
		requireSpoken(t, r, "You said: I have a question + it is about my order + When will it be here? + It was the blue one.")
		require.Equal(t, []domain.MessageID{"m1", "m2", "m3", "m4"}, r.turns()[0].Inputs())
		require.Positive(t, r.events.count(ports.StageJoined, ""))
		require.Len(t, r.turns(), 1)
	})
}

func TestMessageWhileTheModelWrites(t *testing.T) {
	bubble(t, func(r *rig) { slowly(r); speaking(prose)(r) }, func(r *rig) {
		r.says("m1", "ES.1", "Could I have a table on Saturday?")
		r.pass(time.Second)
		r.says("m2", "ES.1", "For eight people, please.")
		r.pass(50 * time.Millisecond)
		require.Len(t, r.brain.requests(), 2, "the model is asked anew at once")
		r.pass(time.Minute)
		requireSpoken(t, r, ""+prose)
		require.Equal(t, "Could I have a table on Saturday?\nFor eight people, please.", r.brain.requests()[1].Messages[0].Text)
	})
}

func TestMessageAtTheLastMoment(t *testing.T) {
	// The store gives no hint, as a Redis whose channel is deaf: the last look finds it.
	bubble(t, func(r *rig) {
		slowly(r)
		r.wrap = func(in ports.InboxPort) ports.InboxPort { return mute{in} }
	}, func(r *rig) {
		r.says("m1", "ES.1", "Could I have a table on Saturday?")
		r.pass(1900 * time.Millisecond)
		r.says("m2", "ES.1", "For eight people, please.")
		r.pass(time.Minute)
		requireSpoken(t, r, "You said: Could I have a table on Saturday? + For eight people, please.")
	})
}

// mute is a store that never hints at new messages.
type mute struct{ ports.InboxPort }

func (m mute) Lease(ctx context.Context) (ports.Work, error) {
	work, err := m.InboxPort.Lease(ctx)
	work.News = nil
	return work, err
}

func TestMessageAfterTheAnswerLeftIsTheNextTurns(t *testing.T) {
	bubble(t, func(r *rig) {
		slowly(r)
		r.phone.send = func(int, domain.Outbound) (bool, error) { time.Sleep(time.Second); return true, nil }
	}, func(r *rig) {
		r.says("m1", "ES.1", "Could I have a table on Saturday?")
		r.pass(2500 * time.Millisecond)
		r.says("m2", "ES.1", "For eight people, please.")
		r.pass(time.Minute)
		requireSpoken(t, r, "You said: Could I have a table on Saturday?", "You said: For eight people, please.")
	})
}

func TestWhoNeverStopsWritingIsAnswered(t *testing.T) {
	bubble(t, slowly, func(r *rig) {
		for i := range 40 {
			r.says(fmt.Sprintf("m%d", i), "ES.1", fmt.Sprintf("This is message number %d of many.", i))
			r.pass(time.Second)
		}
		r.pass(time.Minute)
		require.GreaterOrEqual(t, len(r.answers()), 2)
		require.LessOrEqual(t, len(r.answers()), 4)
		var inputs []domain.MessageID
		for _, turn := range r.turns() {
			inputs = append(inputs, turn.Inputs()...)
		}
		require.Len(t, inputs, 40, "each in one turn")
	})
}

func TestNothingJoinsWithoutALimit(t *testing.T) {
	bubble(t, func(r *rig) { slowly(r); r.opt.Burst.Limit = 0 }, func(r *rig) {
		r.says("m1", "ES.1", "Could I have a table on Saturday?")
		r.pass(time.Second)
		r.says("m2", "ES.1", "For eight people, please.")
		r.pass(time.Minute)
		require.Len(t, r.answers(), 2)
	})
}

func TestReactionsDoNotJoin(t *testing.T) {
	bubble(t, slowly, func(r *rig) {
		r.says("m1", "ES.1", "Could I have a table on Saturday?")
		r.pass(time.Second)
		r.receives(message("m2", "ES.1", domain.Reaction{Target: "wamid.x", Emoji: "👍"}))
		r.pass(time.Minute)
		require.Len(t, r.answers(), 1)
		require.Len(t, r.brain.requests(), 1)
	})
}

func TestQuickAnswerWaitsForTheWindow(t *testing.T) {
	quick := func(r *rig) { slowly(r); r.opt.ReplyMode = app.ReplyText }
	bubble(t, quick, func(r *rig) {
		began := time.Now()
		r.says("m1", "ES.1", "Could I have a table on Saturday?")
		r.pass(time.Minute)
		require.Equal(t, 400*time.Millisecond, r.sentAt(began))
	})
	bubble(t, quick, func(r *rig) {
		r.says("m1", "ES.1", "Could I have a table on Saturday?")
		r.pass(300 * time.Millisecond)
		r.says("m2", "ES.1", "For eight people, please.")
		r.pass(300 * time.Millisecond)
		require.Empty(t, r.answers(), "the window counts from the newest")
		r.pass(time.Minute)
		require.Len(t, r.answers(), 1)
	})
}

func TestWhatReadsUnfinishedWaits(t *testing.T) {
	written := func(r *rig) { slowly(r); r.opt.ReplyMode = app.ReplyText; r.opt.Burst.Window = 0 }
	for _, c := range []struct {
		text string
		want time.Duration
	}{
		{"hello", 1500 * time.Millisecond},
		{"I wanted to ask about my", 1500 * time.Millisecond},
		{"Where is my order?", 0},
		{"yes", 0},
	} {
		t.Run(c.text, func(t *testing.T) {
			bubble(t, written, func(r *rig) {
				began := time.Now()
				r.says("m1", "ES.1", c.text)
				r.pass(time.Minute)
				require.Equal(t, c.want, r.sentAt(began))
			})
			bubble(t, written, func(r *rig) {
				began := time.Now()
				r.ears.delay = 500 * time.Millisecond
				r.speaks("m1", "ES.1", c.text)
				r.pass(time.Minute)
				require.Equal(t, max(c.want, 500*time.Millisecond), r.sentAt(began), "a voice message is heard while it waits")
			})
		})
	}
}

func TestVoiceMessagesAreHeardAsTheyCome(t *testing.T) {
	bubble(t, func(r *rig) { slowly(r); r.ears.delay = 3 * time.Second; r.voice.takes = nil }, func(r *rig) {
		began := time.Now()
		r.speaks("m1", "ES.1", "Could I have a table on Saturday?")
		r.pass(time.Second)
		r.speaks("m2", "ES.1", "For eight people, please.")
		r.pass(time.Minute)
		requireSpoken(t, r, "You said: Could I have a table on Saturday? + For eight people, please.")
		require.Equal(t, 4*time.Second, r.sentAt(began))
		require.Len(t, r.ears.asked, 2, "each once")
	})
}

// TestMessageWhileAClipIsFetched is for the race detector: what the newcomer changes is
// not read by those who hear.
func TestMessageWhileAClipIsFetched(t *testing.T) {
	bubble(t, func(r *rig) {
		slowly(r)
		r.phone.fetch = func(domain.MediaRef) error { time.Sleep(time.Second); return nil }
	}, func(r *rig) {
		r.speaks("m1", "ES.1", "Could I have a table on Saturday?")
		r.pass(500 * time.Millisecond)
		r.says("m2", "ES.1", "For eight people, please.")
		r.pass(time.Minute)
		requireSpoken(t, r, "You said: Could I have a table on Saturday? + For eight people, please.")
	})
}

func TestStoreThatFailsOverNewsLosesNothing(t *testing.T) {
	bubble(t, func(r *rig) {
		slowly(r)
		r.wrap = func(in ports.InboxPort) ports.InboxPort { return &forgetful{InboxPort: in, left: 1} }
	}, func(r *rig) {
		r.says("m1", "ES.1", "Could I have a table on Saturday?")
		r.pass(time.Minute)
		requireSpoken(t, r, "You said: Could I have a table on Saturday?")
	})
}

// TestBurstFigures measures what people notice: how many answers a burst gets, and how
// much later a single message is answered than without any gathering.
func TestBurstFigures(t *testing.T) {
	bot := func(r *rig) {
		slowly(r) // two seconds of speech; the model takes one
		r.brain.delay = time.Second
	}
	bursts := [][]string{
		{"hi", "I have a question", "When do you open on Sunday?"},
		{"Where is my order?", "It was number 4711."},
		{"Hello, I bought a lamp from you last week.", "It does not work", "what can I do"},
		{"Do you deliver?", "to Leeds", "and what does it cost"},
		{"good morning", "is my bike ready"},
		{"Can I move my appointment to Friday?", "or Saturday", "thanks"},
	}
	answers := 0
	for i, burst := range bursts {
		for _, gap := range []time.Duration{600 * time.Millisecond, 1300 * time.Millisecond, 2400 * time.Millisecond} {
			bubble(t, bot, func(r *rig) {
				for n, text := range burst {
					r.says(fmt.Sprintf("m%d-%d", i, n), "ES.1", text)
					r.pass(gap)
				}
				r.pass(time.Minute)
				answers += len(r.answers())
			})
		}
	}
	perBurst := float64(answers) / float64(3*len(bursts))

	singles := []string{
		"When do you open on Sunday?", "Where is my order?", "hi", "Do you deliver to Leeds?", "My lamp does not work.", "thanks",
		"Can I move my appointment to Friday?", "what does shipping cost", "I would like to cancel my order number 4711 please", "ok",
		"Is there parking?", "hello", "good evening, do you have a table for two tonight", "yes", "about the invoice",
	}
	var delays []time.Duration
	for _, text := range singles {
		var with time.Duration
		bubble(t, bot, func(r *rig) {
			began := time.Now()
			r.says("m1", "ES.1", text)
			r.pass(time.Minute)
			with = r.sentAt(began)
		})
		delays = append(delays, with-3*time.Second)
	}
	slices.Sort(delays)
	median := delays[len(delays)/2]
	t.Logf("answers a burst %.2f; delay of a single message: median %v, worst %v", perBurst, median, delays[len(delays)-1])
	require.LessOrEqual(t, perBurst, 1.05)
	require.Less(t, median, 400*time.Millisecond)
}

// forgetful is a store that cannot tell what is waiting a few times.
type forgetful struct {
	ports.InboxPort
	left int
}

func (f *forgetful) Pending(ctx context.Context, lease ports.Lease) ([]domain.Message, error) {
	if f.left > 0 {
		f.left--
		return nil, &ports.Error{Op: "store", Kind: ports.KindTransient, Err: errors.New("down")}
	}
	return f.InboxPort.Pending(ctx, lease)
}
