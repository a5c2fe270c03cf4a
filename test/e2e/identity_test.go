package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

// TestUserWithoutAPhoneNumber is answered by business-scoped user id.
func TestUserWithoutAPhoneNumber(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"REPLY_MODE": "both"})
	ana := b.user(t, simulator.UserSpec{Username: "ana.writes", UsernameOnly: true})
	ana.writes("hi")
	for _, m := range []simulator.Message{ana.hears("You said: hi"), ana.reads("You said: hi")} {
		s := body(t, m)
		require.Equal(t, ana.card().UserID, s.Recipient)
		require.Empty(t, s.To)
	}
}

// TestConversationGoesOnUnderAnotherNumber: the offline model repeats what was said
// before, so it shows what the conversation remembers.
func TestConversationGoesOnUnderAnotherNumber(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"LLM_PROVIDER": "offline", "REPLY_MODE": "text"})
	ana := b.user(t, simulator.UserSpec{Name: "Ana", Phone: "34600111222"})
	ana.writes("I like figs")
	require.Contains(t, ana.gets().Text, "You said: I like figs.")

	before := ana.card().UserID
	_, err := b.sim.ChangeNumber(ana.id, "34600333444")
	require.NoError(t, err)
	require.NotEqual(t, before, ana.card().UserID)
	ana.writes("What did I say before?")
	m := ana.gets()
	require.Contains(t, m.Text, "Before that you said: I like figs.")
	require.Equal(t, "+34600333444", body(t, m).To)
	ana.thatWasAll()

	stranger := b.user(t, simulator.UserSpec{Name: "Luis", Phone: "34600111222"})
	stranger.writes("What did I say before?")
	m = stranger.gets()
	require.Contains(t, m.Text, "I remember nothing")
	require.NotContains(t, m.Text, "figs")
	require.Equal(t, "+34600111222", body(t, m).To)
}

func TestConversationGoesOnUnderAnotherUserID(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"LLM_PROVIDER": "offline", "REPLY_MODE": "text"})
	ana := b.user(t, simulator.UserSpec{Username: "ana.writes", UsernameOnly: true})
	ana.writes("I like figs")
	ana.gets()
	_, err := b.sim.ChangeUserID(ana.id, "ES.13490000000000000042")
	require.NoError(t, err)
	ana.writes("What did I say before?")
	m := ana.gets()
	require.Contains(t, m.Text, "Before that you said: I like figs.")
	require.Equal(t, "ES.13490000000000000042", body(t, m).Recipient)
}

// TestMemoryOutlivesARestart also shows that two people are never mixed up.
func TestMemoryOutlivesARestart(t *testing.T) {
	t.Parallel()
	b := start(t, settings{"LLM_PROVIDER": "offline", "REPLY_MODE": "text"})
	ana, luis := b.user(t), b.user(t)
	ana.writes("I like figs")
	ana.gets()
	luis.writes("I like plums")
	luis.gets()
	b.idle()
	b.logs("turn.finished", 2)
	code, _ := b.stop()
	require.Zero(t, code)
	b.restart()
	for u, fruit := range map[*user]string{ana: "figs", luis: "plums"} {
		u.writes("What did I say before?")
		require.Contains(t, u.gets().Text, "Before that you said: I like "+fruit+".")
	}
}
