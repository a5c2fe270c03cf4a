package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

// answers is what somebody of the business writes to the person from a phone.
func (u *user) isAnswered(text string) string {
	u.t.Helper()
	id, err := u.b.sim.SendEcho(u.id, simulator.Text(text))
	require.NoError(u.t, err)
	return id
}

func droppedFor(b *bot, reason string) func(lines []line) bool {
	return func(lines []line) bool {
		for _, l := range lines {
			if l.event() == "turn.dropped" && l.str("reason") == reason {
				return true
			}
		}
		return false
	}
}

// TestOperatorTakesOver: the bot is making an answer when somebody of the business
// answers from a phone. It says nothing, and nothing until the pause has ended by
// itself; then it knows what was said.
func TestOperatorTakesOver(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"FAKE_KNOBS": "speak=1s", "REPLY_MODE": "voice", "PAUSE_FOR": "4s"})
	ana := b.user(t)
	ana.writes("Is my bike ready?")
	b.logs("llm.ok", 1)
	ana.isAnswered("It is, come by!")
	b.until("the turn is left to the operator", droppedFor(b, "human"))
	ana.writes("Thank you! And what does it cost?")
	b.until("the question waits", func(lines []line) bool {
		for _, l := range lines {
			if l.event() == "turn.deferred" && l.str("reason") == "paused" {
				return true
			}
		}
		return false
	})
	require.Empty(t, b.sim.Outbound(ana.id), "the bot talks over nobody")
	ana.hears("You said: Thank you! And what does it cost?")
	b.logs("turn.finished", 2)
	require.Len(t, b.sim.Outbound(ana.id), 1)
}

// TestEchoOfTheBot: another program on the number is told of the bot's own sends, and
// tells us in turn.
func TestEchoOfTheBot(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"REPLY_MODE": "text"})
	ana := b.user(t)
	ana.writes("hello")
	m := ana.reads("You said: hello")
	b.logs("turn.finished", 1)
	_, err := b.sim.SendEcho(ana.id, simulator.Text(m.Text).WithID(m.ID))
	require.NoError(t, err)
	b.idle()
	require.Contains(t, b.webhookAnswers("message_echoes", "")[0], "ignored")
	ana.writes("still there?")
	ana.reads("You said: still there?")
}

func TestOptOut(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"REPLY_MODE": "voice"})
	ana := b.user(t)
	ana.writes("Please stop the noise in the shop")
	ana.hears("You said: Please stop the noise in the shop")
	ana.writes("¡BAJA!")
	require.Contains(t, ana.gets().Text, "ALTA")
	ana.writes("hello?")
	b.until("the person is left alone", droppedFor(b, "opted_out"))
	ana.writes("stop")
	b.idle()
	b.stop()
	b.restart() // it outlives the process
	ana.writes("one more thing")
	b.until("still", func(lines []line) bool {
		n := 0
		for _, l := range lines {
			if l.event() == "turn.dropped" && l.str("reason") == "opted_out" {
				n++
			}
		}
		return n == 3
	})
	require.Len(t, b.sim.Outbound(ana.id), 2)
	ana.writes("Start")
	require.Contains(t, ana.gets().Text, "Welcome back")
	ana.writes("hello again")
	ana.hears("You said: hello again")
}

func TestListsOfPeople(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"REPLY_MODE": "text", "BLOCKED_USERS": "+34 600 111 222", "ALLOWED_USERS": "34600111222,34600333444"})
	blocked := b.user(t, simulator.UserSpec{Phone: "34600111222"})
	allowed := b.user(t, simulator.UserSpec{Phone: "34600333444"})
	stranger := b.user(t, simulator.UserSpec{Phone: "34600555666"})
	for _, u := range []*user{blocked, stranger, allowed} {
		u.writes("hello")
	}
	allowed.reads("You said: hello")
	b.until("blocked", droppedFor(b, "blocked"))
	b.until("not allowed", droppedFor(b, "not_allowed"))
	require.Empty(t, b.sim.Outbound(blocked.id))
	require.Empty(t, b.sim.Outbound(stranger.id))
}
