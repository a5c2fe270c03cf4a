package h2client_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"whatsappnode/adapters/h2client"
)

// script is a peer, the client it talks with and the calls under way.
type script struct {
	*peer
	client *h2client.Conn
	calls  []*call
}

// play runs a script in a bubble, with a server that has these settings.
func play(t *testing.T, run func(t *testing.T, s *script), settings ...http2.Setting) {
	t.Helper()
	playWith(t, h2client.Options{}, func(t *testing.T, s *script) {
		t.Helper()
		s.hello(settings...)
		run(t, s)
	})
}

// playWith leaves the server's SETTINGS to the script. What is under way at its end must
// end with the connection.
func playWith(t *testing.T, o h2client.Options, run func(t *testing.T, s *script)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		ours, theirs := net.Pipe()
		s := &script{peer: newPeer(t, theirs)}
		go s.listen()
		s.client = h2client.New(ours, o)
		t.Cleanup(func() { s.end(t) })
		run(t, s)
	})
}

// end closes the client. Whatever waited for it must be told.
func (s *script) end(t *testing.T) {
	t.Helper()
	s.resume()
	within(t, "Close", func() { _ = s.client.Close() })
	_ = s.conn.Close()
	for range s.frames { // what was not read
	}
	for _, c := range s.calls {
		within(t, "a request after Close", func() { <-c.done })
		if c.got != nil {
			_ = c.got.Body.Close()
		}
		if c.body != nil {
			assert.Positive(t, c.body.closed.Load(), "the body of a request was not closed")
		}
	}
}

// stop ends the peer's reading until resume.
func (s *script) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = make(chan struct{})
}

func (s *script) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paused != nil {
		close(s.paused)
		s.paused = nil
	}
}

// within fails when something that is to end does not.
func within(t testing.TB, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s hangs", what)
	}
}

// body is a request's body that knows whether it was closed.
type body struct {
	io.Reader
	closed atomic.Int32
}

func (b *body) Close() error {
	b.closed.Add(1)
	if c, ok := b.Reader.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// call is a request under way.
type call struct {
	t      testing.TB
	cancel context.CancelFunc
	body   *body
	done   chan struct{}
	got    *http.Response
	err    error
}

// send begins a request.
func (s *script) send(req *http.Request) *call { return s.sendBy(req, s.client.RoundTrip) }

func (s *script) sendBy(req *http.Request, trip func(*http.Request) (*http.Response, error)) *call {
	ctx, cancel := context.WithCancel(req.Context())
	s.t.Cleanup(cancel)
	c := &call{t: s.t, cancel: cancel, done: make(chan struct{})}
	c.body, _ = req.Body.(*body)
	s.calls = append(s.calls, c)
	go func() {
		defer close(c.done)
		c.got, c.err = trip(req.WithContext(ctx))
	}()
	return c
}

func (s *script) get(path string) *call {
	return s.send(newRequest(s.t, http.MethodGet, path, nil, 0))
}

// post sends a body of a length that is known, as net/http has it, or -1.
func (s *script) post(content io.Reader, length int64) *call {
	return s.send(newRequest(s.t, http.MethodPost, "/", content, length))
}

func (s *script) postString(content string) *call {
	return s.post(strings.NewReader(content), int64(len(content)))
}

func newRequest(t testing.TB, method, path string, content io.Reader, length int64) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "https://vendor.example"+path, nil)
	require.NoError(t, err)
	if content != nil {
		req.Body, req.ContentLength = &body{Reader: content}, length
	}
	return req
}

// response waits for the headers of the answer.
func (c *call) response() *http.Response {
	c.t.Helper()
	within(c.t, "RoundTrip", func() { <-c.done })
	require.NoError(c.t, c.err)
	require.NotNil(c.t, c.got)
	require.NotNil(c.t, c.got.Body)
	return c.got
}

// failure waits for the request to fail.
func (c *call) failure() error {
	c.t.Helper()
	within(c.t, "RoundTrip", func() { <-c.done })
	require.Error(c.t, c.err)
	require.Nil(c.t, c.got)
	return c.err
}

// read reads the body to its end.
func (c *call) read() (string, error) {
	c.t.Helper()
	resp := c.response()
	var all []byte
	var err error
	within(c.t, "reading a body", func() { all, err = io.ReadAll(resp.Body) })
	return string(all), err
}

// answers waits for a whole response with this body.
func (c *call) answers(want string) {
	c.t.Helper()
	got, err := c.read()
	require.NoError(c.t, err)
	require.Equal(c.t, want, got)
}

// breaks waits for an error, of the request or, when it comes later, of its body.
func (c *call) breaks() error {
	c.t.Helper()
	within(c.t, "RoundTrip", func() { <-c.done })
	if c.err != nil {
		return c.err
	}
	_, err := c.read()
	require.Error(c.t, err, "a response that was cut off looks whole")
	return err
}

// alive shows that the connection goes on.
func (s *script) alive() {
	s.t.Helper()
	require.True(s.t, s.client.Usable())
	c := s.get("/alive")
	s.reply(s.await("another request", func(f frame) bool {
		return f.Type == http2.FrameHeaders && f.value(":path") == "/alive"
	}).StreamID, "alive")
	c.answers("alive")
}

// dead shows that the client has broken the connection off for this reason.
func (s *script) dead(code http2.ErrCode) {
	s.t.Helper()
	got, told := s.awaitEnd()
	require.True(s.t, told, "the connection was closed without GOAWAY")
	require.Equal(s.t, code.String(), got.String())
	synctest.Wait()
	require.False(s.t, s.client.Usable())
	err := s.get("/late").failure()
	require.ErrorIs(s.t, err, h2client.ErrUnusable)
}
