package main

import (
	"slices"
	"sync"

	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/test/simulator"
)

// timeline passes what happens to turns on to the page. It learns from the events
// which messages belong to which turn, since the page knows only messages.
type timeline struct {
	show func(simulator.TL)

	mu      sync.Mutex
	begun   map[domain.TurnID]*begun
	order   []domain.TurnID
	waiting map[domain.MessageID]int64 // received at, until its turn is known
	missing map[domain.MessageID]domain.TurnID
}

type begun struct {
	at       int64 // Unix milliseconds
	messages []string
}

// maxTurns bounds what the timeline remembers; the page shows fewer.
const maxTurns = 1000

func newTimeline(show func(simulator.TL)) *timeline {
	return &timeline{
		show: show, begun: map[domain.TurnID]*begun{},
		waiting: map[domain.MessageID]int64{}, missing: map[domain.MessageID]domain.TurnID{},
	}
}

// Observe implements ports.ObserverPort.
func (t *timeline) Observe(ev ports.Event) {
	at := ev.At.UnixMilli()
	t.mu.Lock()
	defer t.mu.Unlock()
	if ev.Turn == "" {
		if ev.Stage == ports.StageReceived {
			for _, m := range ev.Messages {
				t.received(m, at)
			}
		}
		return
	}
	b := t.begun[ev.Turn]
	if b == nil {
		b = &begun{at: at}
		t.begun[ev.Turn], t.order = b, append(t.order, ev.Turn)
		if len(t.order) > maxTurns {
			t.forget(t.order[0])
			t.order = t.order[1:]
		}
	}
	t.take(ev, b)
	t.publish(ev.Turn, b, string(ev.Stage), at, ev.Detail)
}

// received shows the message in its turn, or keeps the time until the turn is
// known. A worker can be quicker than the report of the process that took the
// webhook, so either may come first.
func (t *timeline) received(m domain.MessageID, at int64) {
	turn, late := t.missing[m]
	if !late {
		if len(t.waiting) < 10*maxTurns {
			t.waiting[m] = at
		}
		return
	}
	delete(t.missing, m)
	b := t.begun[turn]
	b.at = min(b.at, at)
	t.publish(turn, b, string(ports.StageReceived), at, "")
}

// take shows the messages that the turn took in, from when they arrived.
func (t *timeline) take(ev ports.Event, b *begun) {
	for _, m := range ev.Messages {
		if slices.Contains(b.messages, string(m)) {
			continue
		}
		b.messages = append(b.messages, string(m))
		at, received := t.waiting[m]
		if !received {
			t.missing[m] = ev.Turn
			continue
		}
		delete(t.waiting, m)
		b.at = min(b.at, at)
		t.publish(ev.Turn, b, string(ports.StageReceived), at, "")
	}
}

func (t *timeline) forget(turn domain.TurnID) {
	for _, m := range t.begun[turn].messages {
		if t.missing[domain.MessageID(m)] == turn {
			delete(t.missing, domain.MessageID(m))
		}
	}
	delete(t.begun, turn)
}

func (t *timeline) publish(turn domain.TurnID, b *begun, stage string, at int64, detail string) {
	t.show(simulator.TL{
		Turn: string(turn), MessageIDs: slices.Clone(b.messages), Stage: stage, At: at, MS: at - b.at, Detail: detail,
	})
}
