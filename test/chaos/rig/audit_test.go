package rig_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/chaos/rig"
	"whatsappnode/test/simulator"
)

// chats is one user's chat: what was sent, in the order of the acknowledgements, and
// what came back. "-" is an apology.
type chats struct {
	sent    []int
	answers []string
}

func (c chats) Users() []simulator.User { return []simulator.User{{ID: "u1"}} }

func (c chats) Messages(string) (all []simulator.Message) {
	for place, n := range c.sent {
		all = append(all, simulator.Message{Direction: simulator.DirectionIn, Text: rig.Token("u1", n), Acked: place + 1})
	}
	return append(all, c.Outbound("u1")...)
}

func (c chats) Outbound(string) (all []simulator.Message) {
	for _, a := range c.answers {
		text := "You said: "
		for _, n := range strings.Fields(a) {
			switch n {
			case "-":
				text = "Sorry"
			default:
				text += fmt.Sprintf("u1x%sx ", n)
			}
		}
		all = append(all, simulator.Message{Direction: simulator.DirectionOut, Text: text})
	}
	return all
}

func TestAudit(t *testing.T) {
	type want struct{ lost, twice, order, apologies int }
	for name, c := range map[string]struct {
		sent    []int
		answers []string
		want    want
	}{
		"everything answered":               {[]int{1, 2, 3}, []string{"1", "2 3"}, want{}},
		"nothing answered":                  {[]int{1, 2}, nil, want{lost: 2}},
		"one left out":                      {[]int{1, 2, 3}, []string{"1", "3"}, want{lost: 1}},
		"one twice":                         {[]int{1, 2}, []string{"1", "1 2"}, want{twice: 1}},
		"the wrong way round":               {[]int{1, 2}, []string{"2", "1"}, want{order: 1}},
		"turned round before the bot":       {[]int{2, 1}, []string{"2", "1"}, want{}},
		"turned round before, set right":    {[]int{2, 1}, []string{"1", "2"}, want{order: 1}},
		"never sent":                        {[]int{1}, []string{"1", "7"}, want{order: 1}},
		"an apology for one":                {[]int{1, 2, 3}, []string{"1", "-", "3"}, want{apologies: 1}},
		"an apology for several":            {[]int{1, 2, 3}, []string{"-", "3"}, want{apologies: 1}},
		"an apology at the end":             {[]int{1, 2}, []string{"1", "-"}, want{apologies: 1}},
		"an apology for nothing":            {[]int{1, 2}, []string{"1", "-", "2"}, want{apologies: 1, twice: 1}},
		"an apology said twice":             {[]int{1, 2}, []string{"-", "-", "2"}, want{apologies: 2, twice: 1}},
		"an apology does not cover another": {[]int{1, 2, 3}, []string{"-", "2"}, want{apologies: 1, lost: 1}},
		"an apology and then the answer":    {[]int{1, 2}, []string{"-", "1 2"}, want{apologies: 1, twice: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			v := rig.Audit(chats{c.sent, c.answers}, func(string) ([]byte, error) { return nil, errors.New("no file") })
			require.Equal(t, c.want, want{v.Lost, v.Twice, v.Order, v.Apologies}, v.Examples)
			clean := c.want.lost+c.want.twice+c.want.order == 0
			require.Equal(t, clean && c.want.apologies == 0, v.Clean())
			v.Tolerant = true
			require.Equal(t, clean, v.Clean())
		})
	}
}
