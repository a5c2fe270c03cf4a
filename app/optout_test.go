package app_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/app"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

const optedOutSentence = "You will get no more answers from me here. If you change your mind, write START."

// TestStopInAPauseIsStoredAtOnce and told once the pause has ended and nobody has answered.
func TestStopInAPauseIsStoredAtOnce(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.says("m1", "ES.1", "hello")
		r.settle()
		r.control(domain.ControlPause, time.Hour)
		r.says("m2", "ES.1", "STOP")
		r.settle()
		require.True(t, r.controls().OptedOut)
		require.Len(t, r.answers(), 1, "the bot talks over nobody")
		r.says("m3", "ES.1", "are you there?")
		r.pass(59 * time.Minute)
		require.Len(t, r.answers(), 1)
		r.pass(2 * time.Minute)
		require.Equal(t, []string{"You said: hello", optedOutSentence}, r.answers())
		r.says("m4", "ES.1", "hello?")
		r.pass(time.Minute)
		require.Len(t, r.answers(), 2)

		r.control(domain.ControlPause, time.Hour)
		r.says("m5", "ES.1", "stop")
		r.pass(2 * time.Hour)
		require.Len(t, r.answers(), 2, "who was told is not told again")
	})
}

func TestStartInAPauseTakesBackTheStop(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.says("m1", "ES.1", "hello")
		r.settle()
		r.control(domain.ControlPause, time.Hour)
		r.says("m2", "ES.1", "STOP")
		r.pass(time.Minute)
		r.says("m3", "ES.1", "START")
		r.pass(time.Hour)
		require.False(t, r.controls().OptedOut)
		require.Len(t, r.answers(), 2)
		require.Contains(t, r.answers()[1], "Welcome back")
	})
}

// TestStopOutlivesWhatPeopleAnswered: the turn with the word in it is not the bot's, and
// ends without a word of the bot's. The person is left alone all the same.
func TestStopOutlivesWhatPeopleAnswered(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.says("m1", "ES.1", "hello")
		r.settle()
		r.control(domain.ControlPause, time.Hour)
		r.says("m2", "ES.1", "hm")
		r.pass(time.Minute)
		r.says("m3", "ES.1", "Stop!")
		r.pass(time.Minute)
		r.replies("e1", "ES.1", domain.Text{Body: "All right"})
		r.settle()
		require.True(t, r.controls().OptedOut)
		r.pass(3 * time.Hour)
		r.says("m4", "ES.1", "anybody?")
		r.pass(time.Minute)
		require.Equal(t, []string{"You said: hello"}, r.answers(), "the operator has answered it")

		r.control(domain.ControlPause, time.Hour)
		r.says("m5", "ES.1", "start")
		r.pass(time.Minute)
		r.replies("e2", "ES.1", domain.Text{Body: "Welcome"})
		r.settle()
		require.False(t, r.controls().OptedOut, "the same holds for the way back")
	})
}

// TestStopThatComesLateIsHonoured: its window has closed, and so it cannot be confirmed.
func TestStopThatComesLateIsHonoured(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		late := message("m1", "ES.1", domain.Text{Body: "stop"})
		late.SentAt = time.Now().Add(-25 * time.Hour)
		r.receives(late)
		r.settle()
		require.Equal(t, 1, r.events.count(ports.StageDropped, "window"))
		require.True(t, r.controls().OptedOut)
		r.says("m2", "ES.1", "hello")
		r.settle()
		require.Empty(t, r.answers())
	})
}

// TestStopOfABlockedPersonIsHonoured once the person is not blocked any more.
func TestStopOfABlockedPersonIsHonoured(t *testing.T) {
	for name, block := range map[string]func(*rig){
		"by command": func(r *rig) { r.control(domain.ControlBlock, 0) },
		"by list":    nil,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				if block == nil {
					r.opt.Blocked = app.People{"ES.1": true}
				}
			}, func(r *rig) {
				r.says("m1", "ES.1", "hello")
				r.settle()
				if block != nil {
					block(r)
				}
				r.says("m2", "ES.1", "stop")
				r.settle()
				require.True(t, r.controls().OptedOut)
			})
		})
	}
}

// TestStopInAGroupIsNoCommand of one of its members.
func TestStopInAGroupIsNoCommand(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		m := message("m1", "ES.1", domain.Text{Body: "stop"})
		m.Group = "g1"
		r.receives(m, message("m2", "ES.1", domain.Text{Body: "hello"}))
		r.settle()
		require.False(t, r.controls().OptedOut)
	})
}

// TestStopWithdrawsWhatIsLeftOfAnAnswer: a send waits to be tried again, or fails late,
// and is not made up for when the person has said stop.
func TestStopWithdrawsWhatIsLeftOfAnAnswer(t *testing.T) {
	t.Run("an answer that waits", func(t *testing.T) {
		bubble(t, func(r *rig) { r.phone.send = first(false, sendError(ports.KindTransient, "")) }, func(r *rig) {
			r.says("m1", "ES.1", "hello")
			r.settle()
			r.says("m2", "ES.1", "stop")
			r.pass(time.Minute)
			require.Equal(t, []string{optedOutSentence}, r.answers())
			require.Equal(t, "opted_out", r.turns()[0].Reason())
			require.True(t, r.controls().OptedOut)
		})
	})
	t.Run("a voice note that fails late", func(t *testing.T) {
		bubble(t, func(r *rig) { r.opt.ReplyMode = app.ReplyVoice }, func(r *rig) {
			r.says("m1", "ES.1", "hello")
			r.settle()
			r.says("m2", "ES.1", "stop")
			r.settle()
			r.hears(0, domain.DeliveryFailed, &domain.Failure{Class: domain.FailMedia})
			r.pass(time.Minute)
			require.Equal(t, []string{"spoken: You said: hello", optedOutSentence}, r.answers())
		})
	})
	t.Run("not the confirmation", func(t *testing.T) {
		bubble(t, func(r *rig) { r.phone.send = first(false, sendError(ports.KindTransient, "")) }, func(r *rig) {
			r.says("m1", "ES.1", "stop")
			r.settle()
			require.True(t, r.controls().OptedOut)
			r.pass(time.Minute)
			require.Equal(t, []string{optedOutSentence}, r.answers())
		})
	})
	t.Run("a start that follows", func(t *testing.T) {
		bubble(t, func(r *rig) { r.phone.send = first(false, sendError(ports.KindTransient, "")) }, func(r *rig) {
			r.says("m1", "ES.1", "hello")
			r.settle()
			r.says("m2", "ES.1", "stop")
			r.says("m3", "ES.1", "start")
			r.pass(time.Minute)
			require.Equal(t, "You said: hello", r.answers()[0])
		})
	})
}
