package app_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/app"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// notebook is a tracer that writes down what is begun and ended, with what it stands
// below.
type notebook struct {
	mu    sync.Mutex
	turns []ports.TurnTrace
	ended []string
	open  int
}

type belowKey struct{}

func below(ctx context.Context) string { s, _ := ctx.Value(belowKey{}).(string); return s }

func (n *notebook) Turn(ctx context.Context, t ports.TurnTrace) (context.Context, func(string, error)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.turns = append(n.turns, t)
	n.open++
	return context.WithValue(ctx, belowKey{}, "turn"), func(outcome string, err error) {
		n.end(fmt.Sprintf("turn %s %v", outcome, err != nil))
	}
}

func (n *notebook) Step(ctx context.Context, name string) (context.Context, func(error)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open++
	path := below(ctx) + "/" + name
	return context.WithValue(ctx, belowKey{}, path), func(err error) { n.end(fmt.Sprintf("%s %v", path, err != nil)) }
}

func (n *notebook) Tool(ctx context.Context, name string) (context.Context, func(error)) {
	return n.Step(ctx, "tool:"+name)
}

func (n *notebook) end(what string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open--
	n.ended = append(n.ended, what)
}

func traces(n *notebook) func(*rig) {
	return func(r *rig) { r.tracer = n }
}

func TestStepsOfATurnAreFiledInTheirTrace(t *testing.T) {
	n := &notebook{}
	bubble(t, func(r *rig) {
		traces(n)(r)
		r.opt.ReplyMode = app.ReplyVoice
	}, func(r *rig) {
		m := message("m1", "ana", domain.Voice{Media: domain.MediaRef{ID: "media-1", Number: number}, Note: true})
		r.phone.put("media-1", []byte("hello there"))
		m.Trace = "trace-1"
		r.receives(m)
		r.pass(time.Minute)

		require.Len(t, n.turns, 1)
		got := n.turns[0]
		assert.Equal(t, "trace-1", got.Trace)
		assert.Equal(t, domain.TurnID("turn1"), got.Turn)
		assert.Equal(t, 1, got.Messages)
		assert.Equal(t, 1, got.Attempt)
		assert.False(t, got.ReceivedAt.IsZero())
		assert.Equal(t, []string{
			"turn/understand false", "turn/answer false", "turn/encode false", "turn/answer/speak false", "turn sent false",
		}, n.ended)
		for _, stage := range []ports.Stage{ports.StageReceived, ports.StageLeased, ports.StageSent, ports.StageFinished} {
			assert.Equal(t, "trace-1", r.events.first(stage).Trace, stage)
		}
	})
	assert.Zero(t, n.open, "every step ends")
}

func TestFailedStepsEndInTheirTrace(t *testing.T) {
	n := &notebook{}
	bubble(t, func(r *rig) {
		traces(n)(r)
		r.opt.ReplyMode = app.ReplyVoice
		r.brain.fail = func(int) error { return &ports.Error{Kind: ports.KindDenied} }
	}, func(r *rig) {
		r.says("m1", "ana", "hello")
		r.pass(time.Minute)
		assert.Equal(t, []string{"turn/understand false", "turn/answer true", "turn sent false"}, n.ended, "the apology was sent")
	})
	assert.Zero(t, n.open)
}

func TestAVoiceThatFailsEndsItsStep(t *testing.T) {
	n := &notebook{}
	bubble(t, func(r *rig) {
		traces(n)(r)
		r.opt.ReplyMode = app.ReplyVoice
		r.voice.fail = &ports.Error{Kind: ports.KindDenied}
	}, func(r *rig) {
		r.says("m1", "ana", "hello")
		r.pass(time.Minute)
		assert.Contains(t, n.ended, "turn/answer/speak true")
		assert.Equal(t, "turn sent false", n.ended[len(n.ended)-1], "as text")
	})
	assert.Zero(t, n.open)
}

func TestMessagesOfATurnNameTheirWebhooks(t *testing.T) {
	n := &notebook{}
	bubble(t, traces(n), func(r *rig) {
		first, second, third := message("m1", "ana", domain.Text{Body: "one"}), message("m2", "ana", domain.Text{Body: "two"}), message("m3", "ana", domain.Text{Body: "three"})
		first.Trace, second.Trace, third.Trace = "trace-1", "trace-2", "trace-1"
		r.receives(first, second, third)
		r.pass(time.Minute)
		require.Len(t, n.turns, 1)
		assert.Equal(t, "trace-1", n.turns[0].Trace)
		assert.Equal(t, []string{"trace-2"}, n.turns[0].Also)
		assert.Equal(t, 3, n.turns[0].Messages)
	})
}

func TestATurnTakenUpAgainStaysInItsTrace(t *testing.T) {
	n := &notebook{}
	bubble(t, func(r *rig) {
		traces(n)(r)
		r.phone.send = func(n int, _ domain.Outbound) (bool, error) {
			if n == 0 {
				return false, &ports.Error{Kind: ports.KindTransient}
			}
			return true, nil
		}
	}, func(r *rig) {
		m := message("m1", "ana", domain.Text{Body: "hello"})
		m.Trace = "trace-1"
		r.receives(m)
		r.pass(time.Minute)
		require.Len(t, n.turns, 2)
		assert.Equal(t, "trace-1", n.turns[1].Trace)
		assert.Equal(t, 2, n.turns[1].Attempt)
		assert.True(t, n.turns[1].ReceivedAt.IsZero(), "it did not wait in the queue again")
		assert.Equal(t, []string{"turn sending false", "turn sent false"}, []string{n.ended[2], n.ended[3]})
	})
}

func TestTheAgeOfATurnCountsFromItsWebhook(t *testing.T) {
	bubble(t, func(r *rig) { r.brain.delay = 3 * time.Second }, func(r *rig) {
		m := message("m1", "ana", domain.Text{Body: "hello"})
		m.Hold = 2 * time.Second
		r.receives(m)
		r.pass(time.Minute)
		assert.GreaterOrEqual(t, r.events.first(ports.StageSent).Age, 3*time.Second)
		assert.Zero(t, r.events.first(ports.StageReceived).Age)
	})
}

// first is the first event of a stage.
func (e *events) first(stage ports.Stage) ports.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.all {
		if ev.Stage == stage {
			return ev
		}
	}
	return ports.Event{}
}
