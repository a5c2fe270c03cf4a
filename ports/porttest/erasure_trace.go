package porttest

import (
	"strings"

	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
)

// Nothing of this case is in any record when the person is erased, but a store may
// have kept what it replaced and removed before.
func eraseAnswered(c *erasureCase) {
	for i, words := range []string{"first words 9d1c", "second words 77ab", "third words e032"} {
		m := textOfA(words[:5])
		m.Content = domain.Text{Body: words}
		c.admitNew(m)
		w := c.lease()
		t := c.newTurn(domain.TurnID(string(rune('a'+i))), w, w.Pending...)
		require.NoError(c, t.Hear(m.ID, domain.Transcript{Text: "heard " + words}))
		c.checkpoint(w, t)
		require.NoError(c, t.Answer(domain.Reply{Text: "answer to " + words}))
		c.checkpoint(w, t)
		c.finish(w, c.dropped(domain.TurnID(string(rune('a'+i))), w, w.Pending...))
	}
	c.erase(ana.contact())
	c.noTrace("first words 9d1c", "second words 77ab", "third words e032", string(userA), string(phoneA))
}

// Records of every size, between those of other people, reach the places where a
// store keeps what does not fit elsewhere.
func eraseLarge(c *erasureCase) {
	const people, rounds = 12, 6
	for round := range rounds {
		for n := range people {
			m := textOf(n, string(rune('a'+round))+string(rune('a'+n)))
			m.From.Name = "Person " + string(rune('A'+n))
			m.Content = domain.Text{Body: strings.Repeat("secret of "+string(m.From.UserID)+"; ", 1<<((round+n)%8))}
			c.admitNew(m)
		}
		for range people {
			w := c.lease()
			t := c.newTurn(domain.TurnID(string(rune('a'+round)))+"."+domain.TurnID(w.Lease.Conversation), w, w.Pending...)
			body := w.Pending[0].Content.(domain.Text).Body
			require.NoError(c, t.Hear(w.Pending[0].ID, domain.Transcript{Text: body}))
			c.checkpoint(w, t)
			require.NoError(c, t.Drop("test"))
			w.Conversation.Remember(domain.Memory{Messages: 10, Tokens: 10000}, domain.Remark{Role: domain.RoleUser, Text: body, Turn: t.ID()})
			c.finish(w, t)
		}
	}
	for n := 0; n < people; n += 2 {
		gone := textOf(n, "").From
		c.traces(string(gone.UserID))
		c.erase(gone)
		c.noTrace(string(gone.UserID), "Person "+string(rune('A'+n)))
		c.traces(string(textOf(n+1, "").From.UserID))
	}
}
