package handoff_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/handoff"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

const secret = "hand-off-secret"

func server(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/desk"
}

func webhook(t *testing.T, url string) *handoff.Webhook {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	w, err := handoff.New(url, func() string { return secret }, transport)
	require.NoError(t, err)
	return w
}

// desk takes requests apart as a receiver would.
type desk struct {
	mu  sync.Mutex
	got []ports.Handoff
}

func (d *desk) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var in struct {
		ID             string    `json:"id"`
		At             time.Time `json:"at"`
		PhoneNumberID  string    `json:"phone_number_id"`
		ConversationID string    `json:"conversation_id"`
		Contact        struct {
			UserID string `json:"user_id"`
			Phone  string `json:"phone"`
		} `json:"contact"`
		Language string `json:"language"`
		Unsaid   bool   `json:"unsaid"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.got = append(d.got, ports.Handoff{
		ID: domain.TurnID(in.ID), At: in.At, Number: domain.NumberID(in.PhoneNumberID), Conversation: domain.ConversationID(in.ConversationID),
		Contact: domain.Contact{UserID: domain.UserID(in.Contact.UserID), Phone: domain.Phone(in.Contact.Phone)}, Language: in.Language, Unsaid: in.Unsaid,
	})
}

func (d *desk) received() []ports.Handoff {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]ports.Handoff(nil), d.got...)
}

func TestContract(t *testing.T) {
	porttest.TestHandoff(t, porttest.HandoffHarness{
		New: func(t *testing.T) (ports.HandoffPort, func() []ports.Handoff) {
			d := &desk{}
			return webhook(t, server(t, d.ServeHTTP)), d.received
		},
		Broken: func(t *testing.T, kind ports.Kind) ports.HandoffPort {
			status := map[ports.Kind]int{ports.KindTransient: 503, ports.KindRateLimited: 429, ports.KindDenied: 401, ports.KindInvalid: 400}[kind]
			return webhook(t, server(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, "34600111222") // what a receiver says is not repeated
			}))
		},
	})
}

// TestWire holds a request against what the manual promises; openssl, which shares no
// code with us, makes the signature anew.
func TestWire(t *testing.T) {
	type seen struct {
		method, path, kind, at, signature, body string
	}
	got := make(chan seen, 1)
	url := server(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- seen{r.Method, r.URL.Path, r.Header.Get("Content-Type"), r.Header.Get("X-Webhook-Timestamp"), r.Header.Get("X-Webhook-Signature"), string(body)}
	})
	before := time.Now().Unix()
	require.NoError(t, webhook(t, url).Request(t.Context(), ports.Handoff{
		ID: "turn7", At: time.Date(2026, 11, 22, 22, 0, 0, 5e8, time.FixedZone("CET", 3600)), Number: "106", Conversation: "conv-1",
		Contact: domain.Contact{UserID: "ES.134", Phone: "34600111222", Name: "Ana"}, Language: "es",
	}))
	req := <-got
	require.Equal(t, []string{"POST", "/desk", "application/json"}, []string{req.method, req.path, req.kind})
	require.Equal(t, `{"id":"turn7","type":"handoff.requested","at":"2026-11-22T21:00:00.5Z","phone_number_id":"106","conversation_id":"conv-1",`+
		`"contact":{"user_id":"ES.134","phone":"34600111222"},"language":"es"}`, req.body)
	at, err := strconv.ParseInt(req.at, 10, 64)
	require.NoError(t, err)
	require.GreaterOrEqual(t, at, before)
	require.LessOrEqual(t, at, time.Now().Unix())

	cmd := exec.Command("openssl", "dgst", "-sha256", "-hmac", secret, "-hex")
	cmd.Stdin = strings.NewReader(req.at + "." + req.body)
	out, err := cmd.Output()
	require.NoError(t, err, "openssl is needed")
	fields := strings.Fields(string(out))
	require.Equal(t, "v1="+fields[len(fields)-1], req.signature)
}

// TestNothingGoesElsewhere: a redirect is not followed.
func TestNothingGoesElsewhere(t *testing.T) {
	var elsewhere atomic.Int64
	other := server(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	for _, status := range []int{301, 302, 307, 308} {
		url := server(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, status) })
		err := webhook(t, url).Request(t.Context(), ports.Handoff{ID: "turn7"})
		require.Error(t, err)
		require.False(t, ports.Retryable(err))
	}
	require.Zero(t, elsewhere.Load())
}

// TestEndlessAnswerIsNotRead to its end.
func TestEndlessAnswerIsNotRead(t *testing.T) {
	ended := make(chan struct{})
	written := 0
	url := server(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		for r.Context().Err() == nil {
			n, err := w.Write(make([]byte, 4096))
			if written += n; err != nil {
				return
			}
		}
	})
	require.NoError(t, webhook(t, url).Request(t.Context(), ports.Handoff{ID: "turn7"}))
	<-ended
	require.Less(t, written, 64<<20, "what the buffers between the two take")
}

func TestDeadlineEndsIt(t *testing.T) {
	url := server(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(50*time.Millisecond))
	defer cancel()
	err := webhook(t, url).Request(ctx, ports.Handoff{ID: "turn7"})
	require.Equal(t, ports.KindTimeout, ports.KindOf(err))
	require.NotContains(t, err.Error(), "127.0.0.1")
}

func TestAddressesThatAreRefused(t *testing.T) {
	for _, url := range []string{"", "desk", "http://desk.example/x", "https://user:pw@desk.example", "https://desk.example/?key=1", "ftp://127.0.0.1/"} {
		_, err := handoff.New(url, func() string { return secret }, nil)
		require.Error(t, err, url)
		if url != "" {
			require.NotContains(t, err.Error(), url)
		}
	}
	for _, url := range []string{"https://desk.example/handoff", "http://127.0.0.1:8000/x", "http://localhost/"} {
		_, err := handoff.New(url, func() string { return secret }, nil)
		require.NoError(t, err, url)
	}
	_, err := handoff.New("https://desk.example", nil, nil)
	require.Error(t, err)
	w, err := handoff.New("https://desk.example", func() string { return "" }, nil)
	require.NoError(t, err)
	require.Equal(t, ports.KindDenied, ports.KindOf(w.Request(t.Context(), ports.Handoff{ID: "turn7"})), "nothing leaves unsigned")
}
