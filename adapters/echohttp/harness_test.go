package echohttp_test

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"whatsappnode/adapters/echohttp"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

const verifyToken = "right-token"

// format is a small webhook format of its own: a JSON object with message ids.
type format struct{}

func sign(raw []byte) string {
	mac := hmac.New(sha256.New, []byte("app secret"))
	mac.Write(raw)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func (format) Verify(raw []byte, signature string) error {
	if !hmac.Equal([]byte(signature), []byte(sign(raw))) {
		return errors.New("signature does not match")
	}
	return nil
}

func (format) Decode(raw []byte) (domain.Envelope, error) {
	var in struct {
		Messages []domain.MessageID
		Statuses int
		Others   int
		Pad      string
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return domain.Envelope{}, err
	}
	env := domain.Envelope{Statuses: make([]domain.Status, in.Statuses), Others: make([]domain.OtherEvent, in.Others)}
	for _, id := range in.Messages {
		env.Messages = append(env.Messages, domain.Message{ID: id})
	}
	return env, nil
}

func (format) Token(given string) bool { return given == verifyToken }

// intake is a store in memory unless a test replaces receive.
type intake struct {
	receive func(ctx context.Context, env domain.Envelope) (ports.Receipt, error)
}

func (i *intake) Receive(ctx context.Context, env domain.Envelope) (ports.Receipt, error) {
	return i.receive(ctx, env)
}

// remembering admits each id once.
func remembering() func(context.Context, domain.Envelope) (ports.Receipt, error) {
	gate := make(chan map[domain.MessageID]bool, 1)
	gate <- map[domain.MessageID]bool{}
	return func(_ context.Context, env domain.Envelope) (ports.Receipt, error) {
		seen := <-gate
		defer func() { gate <- seen }()
		var r ports.Receipt
		for _, m := range env.Messages {
			r.Messages = append(r.Messages, ports.Admission{Message: m.ID, New: !seen[m.ID]})
			seen[m.ID] = true
		}
		return r, nil
	}
}

type harness struct {
	t      *testing.T
	server *echohttp.Server
	intake *intake
	logs   *observer.ObservedLogs
	client *http.Client
	url    string
	addr   string
	stop   context.CancelFunc
	done   chan error
}

// start runs a server on a free loopback port until the test ends.
func start(t *testing.T, change ...func(*echohttp.Options)) *harness {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	in := &intake{receive: remembering()}
	o := echohttp.Options{Addr: "127.0.0.1:0", Webhook: format{}, Intake: in, Log: zap.New(core)}
	for _, f := range change {
		f(&o)
	}
	server, err := echohttp.New(o)
	require.NoError(t, err)
	require.NoError(t, server.Listen())
	ctx, stop := context.WithCancel(context.Background())
	transport := &http.Transport{}
	h := &harness{
		t: t, server: server, intake: in, logs: logs, client: &http.Client{Transport: transport, Timeout: 30 * time.Second},
		addr: server.Addr().String(), url: "http://" + server.Addr().String(), stop: stop, done: make(chan error, 1),
	}
	go func() { h.done <- server.Run(ctx) }()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		stop()
		<-h.done
	})
	return h
}

func limits(l echohttp.Limits) func(*echohttp.Options) {
	return func(o *echohttp.Options) { o.Limits = l }
}

type reply struct {
	code   int
	body   string
	header http.Header
}

func (h *harness) do(method, path, body string, header ...string) reply {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, strings.NewReader(body))
	require.NoError(h.t, err)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return h.send(req)
}

func (h *harness) send(req *http.Request) reply {
	h.t.Helper()
	res, err := h.client.Do(req)
	require.NoError(h.t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(h.t, err)
	return reply{res.StatusCode, string(b), res.Header}
}

// post sends a signed webhook.
func (h *harness) post(body string) reply {
	h.t.Helper()
	return h.do(http.MethodPost, "/webhook", body, "X-Hub-Signature-256", sign([]byte(body)))
}

// dial opens a bare connection; reads and writes give up after half a minute, so
// that a test for "is closed" fails instead of hanging.
func (h *harness) dial() net.Conn {
	h.t.Helper()
	c, err := net.Dial("tcp", h.addr)
	require.NoError(h.t, err)
	h.t.Cleanup(func() { c.Close() })
	require.NoError(h.t, c.SetDeadline(time.Now().Add(30*time.Second)))
	return c
}

// response reads one response and its body.
func response(t *testing.T, r *bufio.Reader) reply {
	t.Helper()
	res, err := http.ReadResponse(r, nil)
	require.NoError(t, err)
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return reply{res.StatusCode, string(b), res.Header}
}

// closed requires that the server closed the connection, by FIN or by reset.
func closed(t *testing.T, r io.Reader) {
	t.Helper()
	_, err := io.Copy(io.Discard, r)
	var timeout net.Error
	if errors.As(err, &timeout) {
		require.False(t, timeout.Timeout(), "the server left the connection open")
	}
}

// logText is everything that was logged, for searching.
func (h *harness) logText() string {
	var b strings.Builder
	enc := zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "message"})
	for _, e := range h.logs.All() {
		line, err := enc.EncodeEntry(e.Entry, e.Context)
		require.NoError(h.t, err)
		b.Write(line.Bytes())
	}
	return b.String()
}
