package whatsapp_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/whatsapp"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/test/simulator"
)

// inboxServer is a webhook endpoint that keeps what it was told.
type inboxServer struct {
	mu       sync.Mutex
	env      domain.Envelope
	refusals int
	changed  chan struct{}
}

func (i *inboxServer) all() (domain.Envelope, <-chan struct{}) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.env, i.changed
}

// waitFor returns what was told once it satisfies a condition.
func (i *inboxServer) waitFor(t *testing.T, ok func(domain.Envelope) bool) domain.Envelope {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		env, changed := i.all()
		if ok(env) {
			return env
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatal("the webhook did not come")
		}
	}
}

// A conversation with the simulated cloud: what it signs is verified and decoded,
// what Messenger sends passes its checks, and the statuses come back with our
// reference.
func TestRoundTripWithTheSimulator(t *testing.T) {
	inbox := &inboxServer{changed: make(chan struct{})}
	hook, err := whatsapp.NewWebhook(func() []string { return []string{"other", testSecret} }, func() string { return "verify" })
	require.NoError(t, err)
	bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		inbox.mu.Lock()
		defer inbox.mu.Unlock()
		if err != nil || hook.Verify(raw, r.Header.Get(whatsapp.SignatureHeader)) != nil {
			inbox.refusals++
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		env, err := hook.Decode(raw)
		assert.NoError(t, err)
		inbox.env.Messages = append(inbox.env.Messages, env.Messages...)
		inbox.env.Statuses = append(inbox.env.Statuses, env.Statuses...)
		inbox.env.Others = append(inbox.env.Others, env.Others...)
		close(inbox.changed)
		inbox.changed = make(chan struct{})
	}))
	t.Cleanup(bot.Close)

	sim, err := simulator.New(simulator.Config{
		AppSecret: testSecret, AccessToken: testToken, WebhookURL: bot.URL, RetrySchedule: simulator.FastRetries(),
	})
	require.NoError(t, err)
	graph := httptest.NewServer(sim.Handler())
	t.Cleanup(graph.Close)
	t.Cleanup(func() { assert.NoError(t, sim.Close()) })
	require.NoError(t, sim.SetBaseURL(graph.URL))
	require.NoError(t, sim.Start(t.Context()))
	person, err := sim.AddUser(simulator.UserSpec{Name: "Ana", Phone: "34600111222"})
	require.NoError(t, err)
	hidden, err := sim.AddUser(simulator.UserSpec{Name: "Bo", Username: "bo_hidden", UsernameOnly: true})
	require.NoError(t, err)

	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	m, err := whatsapp.New(whatsapp.Config{
		AccessToken: func() string { return testToken }, PhoneNumberID: number, BaseURL: graph.URL, MediaHosts: []string{"127.0.0.1"},
	}, &http.Client{Transport: transport})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, m.Close()) })

	note := voiceNote(t)
	textID, err := sim.SendText(person.ID, "Hola, ¿qué tal? ☕ / <b>")
	require.NoError(t, err)
	_, err = sim.SendVoice(hidden.ID, note)
	require.NoError(t, err)
	env := inbox.waitFor(t, func(e domain.Envelope) bool { return len(e.Messages) == 2 })
	for _, msg := range env.Messages {
		switch c := msg.Content.(type) {
		case domain.Text:
			assert.Equal(t, "Hola, ¿qué tal? ☕ / <b>", c.Body)
			assert.Equal(t, domain.Contact{UserID: domain.UserID(person.UserID), Phone: "34600111222", Name: "Ana"}, msg.From)
		case domain.Voice:
			assert.Empty(t, msg.From.Phone)
			assert.True(t, c.Note)
			media, err := m.FetchMedia(t.Context(), c.Media)
			require.NoError(t, err)
			assert.Equal(t, note, media.Data)
		}
	}

	require.NoError(t, m.MarkRead(t.Context(), number, domain.MessageID(textID), true))
	answers := map[domain.PartRef]domain.MessageID{}
	for i, out := range []domain.Outbound{
		{To: env.Messages[0].From, Content: domain.OutboundText{Body: "one"}, ReplyTo: env.Messages[0].ID},
		{To: env.Messages[1].From, Content: domain.OutboundText{Body: "two"}},
		{To: env.Messages[0].From, Content: domain.OutboundVoice{Audio: clip(t, domain.MIMEOggOpus, note)}},
	} {
		out.Number, out.Ref = number, domain.PartRef{Conversation: "conv", Turn: "turn", Part: i, Attempt: 1}
		answers[out.Ref], err = m.Send(t.Context(), out)
		require.NoError(t, err)
	}
	inbox.waitFor(t, func(e domain.Envelope) bool {
		delivered := map[domain.PartRef]bool{}
		for _, s := range e.Statuses {
			assert.True(t, s.HasRef)
			assert.Equal(t, answers[s.Ref], s.Message)
			delivered[s.Ref] = delivered[s.Ref] || s.State == domain.DeliveryDelivered
		}
		return len(delivered) == 3
	})

	// Someone the cloud does not know, and a cut answer.
	_, err = m.Send(t.Context(), domain.Outbound{Number: number, To: domain.Contact{Phone: "4670000000"}, Content: domain.OutboundText{Body: "x"}})
	var e *ports.Error
	require.True(t, errors.As(err, &e))
	assert.Equal(t, "131026", e.Code)
	faults := sim.Faults()
	faults.DropAnswerPercent = 100
	require.NoError(t, sim.SetFaults(faults))
	before := sim.Counts().Accepted
	_, err = m.Send(t.Context(), domain.Outbound{Number: number, To: env.Messages[0].From, Content: domain.OutboundText{Body: "x"}})
	assert.True(t, ports.MaybeDone(err))
	assert.Equal(t, before+1, sim.Counts().Accepted)

	got, _ := inbox.all()
	assert.Empty(t, got.Others)
	assert.Zero(t, inbox.refusals)
}

// voiceNote makes half a second of real Opus.
func voiceNote(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "note.ogg")
	cmd := exec.CommandContext(t.Context(), "opusenc", "--quiet", "--raw", "--raw-rate", "16000", "--raw-chan", "1", "-", path)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start(), "opus-tools is needed")
	_, err = in.Write(make([]byte, 16000))
	require.NoError(t, err)
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
	return readFile(t, path)
}
