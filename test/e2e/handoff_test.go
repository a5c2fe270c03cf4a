package e2e_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/test/simulator"
)

// TestHandoff: a person asks for a human by voice while the help desk is down, and the
// bot dies before it is up again. The desk learns of it all the same.
func TestHandoff(t *testing.T) {
	t.Parallel()
	var up atomic.Bool
	got := make(chan map[string]any, 10)
	desk := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mac := hmac.New(sha256.New, []byte("e2e-desk-secret"))
		mac.Write([]byte(r.Header.Get("X-Webhook-Timestamp") + "." + string(body)))
		var event map[string]any
		switch {
		case !up.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		case err != nil || r.Header.Get("X-Webhook-Signature") != "v1="+hex.EncodeToString(mac.Sum(nil)) || json.Unmarshal(body, &event) != nil:
			w.WriteHeader(http.StatusBadRequest)
		default:
			got <- event
		}
	}))
	t.Cleanup(desk.Close)
	b := start(t, settings{"REPLY_MODE": "voice", "HANDOFF_URL": desk.URL + "/desk", "HANDOFF_SECRET": "e2e-desk-secret", "PAUSE_FOR": "1h"})
	ana := b.user(t, simulator.UserSpec{Name: "Ana", Phone: "34600111222"})
	ana.writes("What does a new tyre cost?")
	ana.hears("You said: What does a new tyre cost?")
	ana.speaks(recording(t, "I would like to talk to a real person"))
	require.Contains(t, ana.gets().Text, "I am passing you on to a person")
	b.until("the desk is to be called again", deferredFor("handoff"))
	b.stop()
	up.Store(true)
	b.restart()
	event := <-got
	require.Equal(t, "handoff.requested", event["type"])
	require.NotEmpty(t, event["id"])
	require.NotEmpty(t, event["phone_number_id"])
	require.NotEmpty(t, event["conversation_id"])
	contact, _ := event["contact"].(map[string]any)
	require.Equal(t, "34600111222", contact["phone"])
	require.NotContains(t, contact, "name")
	require.NotEmpty(t, event["at"])
	b.logs("handoff.told", 1)
	ana.writes("hello?")
	b.until("the person waits for the human", deferredFor("paused"))
	require.Len(t, b.sim.Outbound(ana.id), 2)
	require.Empty(t, got, "once is enough")
	require.NotContains(t, b.stdout.text(), "34600111222")
	require.NotContains(t, b.stdout.text(), "e2e-desk-secret")
}
