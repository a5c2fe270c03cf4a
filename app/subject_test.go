package app_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/app"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// asker is a tracer that notes what each step's context says it is about.
type asker struct {
	notebook
	mu    sync.Mutex
	about map[string]ports.Subject
}

func (a *asker) Step(ctx context.Context, name string) (context.Context, func(error)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.about[name] = ports.SubjectOf(ctx)
	return a.notebook.Step(ctx, name)
}

// TestWhatIsCalledKnowsTheTurn that it is called for: every step under which vendors are
// asked, the send, and all messages that are in the turn by then.
func TestWhatIsCalledKnowsTheTurn(t *testing.T) {
	a := &asker{about: map[string]ports.Subject{}}
	bubble(t, func(r *rig) {
		r.tracer = a
		r.opt.ReplyMode = app.ReplyVoice
	}, func(r *rig) {
		r.receives(message("m1", "ana", domain.Text{Body: "one"}), message("m2", "ana", domain.Text{Body: "two"}))
		r.pass(time.Minute)
		want := ports.Subject{
			Turn: "turn1", Conversation: r.events.conversation(), User: domain.Contact{UserID: "ana"}, Messages: []domain.MessageID{"m1", "m2"},
		}
		for _, step := range []string{"understand", "answer", "speak", "encode"} {
			assert.Equal(t, want, a.about[step], step)
		}
		assert.Equal(t, want, r.phone.calls()[0].about, "the send")
	})
	assert.Equal(t, ports.Subject{}, ports.SubjectOf(t.Context()))
}

// TestAReplyIsFollowedToItsEnd: the wamid that Meta gave a part stands in the event of
// its send and in those of its statuses, and the trace of the send in the latter.
func TestAReplyIsFollowedToItsEnd(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.says("m1", "ana", "hello")
		r.pass(time.Minute)
		sent := r.phone.calls()[0]
		require.NotEmpty(t, sent.id)
		ref := sent.out.Ref
		ref.Trace = "trace-of-the-send"
		for _, s := range []domain.Status{
			{State: domain.DeliveryDelivered, Ref: ref, HasRef: true},
			{State: domain.DeliveryRead}, // Meta left our reference out
			{State: domain.DeliveryFailed, Ref: ref, HasRef: true, Failure: &domain.Failure{Code: 131026}},
		} {
			s.Message, s.Number, s.At = sent.id, number, time.Now()
			_, err := r.intake.Receive(t.Context(), domain.Envelope{Statuses: []domain.Status{s}})
			require.NoError(t, err)
		}
		assert.Equal(t, sent.id, r.events.first(ports.StageSent).Reply)
		assert.Equal(t, sent.id, r.events.first(ports.StageDelivered).Reply)
		assert.Equal(t, "trace-of-the-send", r.events.first(ports.StageDelivered).Trace)
		assert.Equal(t, sent.id, r.events.first(ports.StageRead).Reply)
		assert.Empty(t, r.events.first(ports.StageRead).Trace)
		assert.Equal(t, sent.id, r.events.first(ports.StageRefused).Reply)
		assert.Empty(t, r.events.first(ports.StageAnswered).Reply)
	})
}
