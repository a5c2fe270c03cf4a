package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/test/simulator"
)

// A message's report and its turn's first stage come from different goroutines:
// whichever is first, the page must learn whose turn it is.
func TestTimelineKnowsTheMessagesInAnyOrder(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	messages := []domain.MessageID{"wamid.1"}
	received := ports.Event{At: start, Stage: ports.StageReceived, Messages: messages}
	leased := ports.Event{At: start.Add(2 * time.Millisecond), Stage: ports.StageLeased, Turn: "t1", Messages: messages}
	delivered := ports.Event{At: start.Add(9 * time.Millisecond), Stage: ports.StageDelivered, Turn: "t1"}
	for name, events := range map[string][]ports.Event{
		"webhook first": {received, leased, delivered},
		"worker first":  {leased, received, delivered},
		"report last":   {leased, delivered, received},
	} {
		t.Run(name, func(t *testing.T) {
			var shown []simulator.TL
			tl := newTimeline(func(s simulator.TL) { shown = append(shown, s) })
			for _, ev := range events {
				tl.Observe(ev)
			}
			stages := map[string]int{}
			for _, s := range shown {
				require.Equal(t, "t1", s.Turn)
				require.Equal(t, []string{"wamid.1"}, s.MessageIDs, s.Stage)
				stages[s.Stage]++
			}
			require.Equal(t, map[string]int{"received": 1, "leased": 1, "delivered": 1}, stages)
			require.Empty(t, tl.waiting)
			require.Empty(t, tl.missing)
		})
	}
}

func TestTimelineForgetsOldTurns(t *testing.T) {
	tl := newTimeline(func(simulator.TL) {})
	for i := range 3 * maxTurns {
		id := string(rune('a'+i%26)) + time.Duration(i).String()
		tl.Observe(ports.Event{At: time.Unix(int64(i), 0), Stage: ports.StageLeased, Turn: domain.TurnID(id), Messages: []domain.MessageID{domain.MessageID(id)}})
	}
	require.Len(t, tl.begun, maxTurns)
	require.Len(t, tl.order, maxTurns)
	require.Len(t, tl.missing, maxTurns)
}
