package main

import (
	"sync"

	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/test/simulator"
)

// timeline passes what happens to turns on to the page. It learns from the events
// which messages belong to which turn, since the page knows only messages.
type timeline struct {
	sim *simulator.Simulator

	mu    sync.Mutex
	begun map[domain.TurnID]*begun
	seen  map[domain.MessageID]int64 // when a message was received, until its turn is known
	order []domain.TurnID
}

type begun struct {
	at       int64 // Unix milliseconds
	messages []string
}

// maxTurns bounds what the timeline remembers; the page shows fewer.
const maxTurns = 1000

func newTimeline(sim *simulator.Simulator) *timeline {
	return &timeline{sim: sim, begun: map[domain.TurnID]*begun{}, seen: map[domain.MessageID]int64{}}
}

// Observe implements ports.ObserverPort.
func (t *timeline) Observe(ev ports.Event) {
	at := ev.At.UnixMilli()
	t.mu.Lock()
	defer t.mu.Unlock()
	if ev.Turn == "" {
		if ev.Stage == ports.StageReceived && len(t.seen) < 10*maxTurns {
			for _, m := range ev.Messages {
				t.seen[m] = at
			}
		}
		return
	}
	b := t.begun[ev.Turn]
	if b == nil {
		b = &begun{at: at}
		t.begun[ev.Turn], t.order = b, append(t.order, ev.Turn)
		if len(t.order) > maxTurns {
			delete(t.begun, t.order[0])
			t.order = t.order[1:]
		}
	}
	t.receive(ev, b)
	t.publish(ev.Turn, b, string(ev.Stage), at, ev.Detail)
}

// receive shows the messages that the turn took in, from when they arrived.
func (t *timeline) receive(ev ports.Event, b *begun) {
	for _, m := range ev.Messages {
		at, waiting := t.seen[m]
		if !waiting {
			continue
		}
		delete(t.seen, m)
		b.messages = append(b.messages, string(m))
		b.at = min(b.at, at)
		t.publish(ev.Turn, b, string(ports.StageReceived), at, "")
	}
}

func (t *timeline) publish(turn domain.TurnID, b *begun, stage string, at int64, detail string) {
	t.sim.Timeline(simulator.TL{
		Turn: string(turn), MessageIDs: append([]string(nil), b.messages...), Stage: stage, At: at, MS: at - b.at, Detail: detail,
	})
}
