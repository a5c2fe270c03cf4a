package httpstatus_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/httpstatus"
	"whatsappnode/ports"
)

// hidden stands for what no error text may show.
const hidden = "hidden-token"

// post makes one POST and returns the error of the call or of reading the answer.
func post(t *testing.T, ctx context.Context, client *http.Client, base string, body io.Reader) *ports.Error {
	t.Helper()
	ctx, trace := httpstatus.Watch(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/"+hidden+"?access_token="+hidden, body)
	require.NoError(t, err)
	resp, err := client.Do(req)
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
	}
	require.Error(t, err)
	e := httpstatus.FromDo("vendor.call", err, trace)
	var withURL *url.Error
	assert.False(t, errors.As(e, &withURL), "the cause still holds the URL")
	for _, text := range []string{e.Error(), fmt.Sprintf("%v %+v", e.Err, e.Err)} {
		assert.NotContains(t, text, hidden)
		assert.NotContains(t, text, "http://")
	}
	return e
}

func newClient(t *testing.T) *http.Client {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func serve(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func cut(w http.ResponseWriter) {
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = conn.Close()
	}
}

func TestRefusedConnectionNeverLeft(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	url := "http://" + l.Addr().String()
	require.NoError(t, l.Close())
	e := post(t, t.Context(), newClient(t), url, strings.NewReader(hidden))
	assert.Equal(t, ports.KindTransient, e.Kind)
	assert.False(t, e.MaybeDone)
	assert.True(t, ports.Retryable(e))
	assert.Contains(t, e.Error(), "connection refused")
	assert.ErrorIs(t, e, syscall.ECONNREFUSED)
}

func TestCutAnswerMayBeDone(t *testing.T) {
	var calls atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if calls.Add(1) == 1 {
			return // so that the next call finds a connection that was used
		}
		cut(w)
	})
	client := newClient(t)
	resp, err := client.Post(url, "text/plain", strings.NewReader("x"))
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	// The body can be rewound, and still the transport must not repeat it.
	e := post(t, t.Context(), client, url, strings.NewReader(hidden))
	assert.True(t, e.MaybeDone)
	assert.Equal(t, ports.KindTransient, e.Kind)
	assert.False(t, ports.Retryable(e))
	assert.EqualValues(t, 2, calls.Load(), "the POST was repeated")
}

func TestCutBodyMayBeDone(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, hidden)
	})
	e := post(t, t.Context(), newClient(t), url, strings.NewReader(hidden))
	assert.True(t, e.MaybeDone)
	assert.ErrorIs(t, e, io.ErrUnexpectedEOF)
}

func TestNonsenseAnswerIsNotQuoted(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-served })
	go func() {
		defer close(served)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = http.ReadRequest(bufio.NewReader(conn))
		_, _ = io.WriteString(conn, hidden+" this is not HTTP\r\n\r\n")
	}()
	e := post(t, t.Context(), newClient(t), "http://"+l.Addr().String(), strings.NewReader("x"))
	assert.True(t, e.MaybeDone)
}

func TestContextGivesItsKind(t *testing.T) {
	reached := make(chan struct{}, 1)
	release := make(chan struct{})
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case reached <- struct{}{}:
		default:
		}
		<-release
	})
	t.Cleanup(func() { close(release) })
	client := newClient(t)

	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-reached; cancel() }()
	e := post(t, ctx, client, url, strings.NewReader("x"))
	assert.Equal(t, ports.KindCanceled, e.Kind)
	assert.ErrorIs(t, e, context.Canceled)
	assert.True(t, e.MaybeDone)

	ctx, stop := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer stop()
	e = post(t, ctx, client, url, strings.NewReader("x"))
	assert.Equal(t, ports.KindTimeout, e.Kind)

	client.Timeout = 100 * time.Millisecond
	e = post(t, t.Context(), client, url, strings.NewReader("x"))
	assert.Equal(t, ports.KindTimeout, e.Kind)

	gone, quit := context.WithCancel(t.Context())
	quit()
	e = post(t, gone, client, url, strings.NewReader("x"))
	assert.Equal(t, ports.KindCanceled, e.Kind)
	assert.False(t, e.MaybeDone)
}

// halfReader gives a part of the body and then fails: the request stays incomplete.
type halfReader struct{ given bool }

func (h *halfReader) Read(p []byte) (int, error) {
	if h.given {
		return 0, errors.New(hidden)
	}
	h.given = true
	return copy(p, "half"), nil
}

func TestIncompleteRequestIsNotDone(t *testing.T) {
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	e := post(t, t.Context(), newClient(t), url, &halfReader{})
	assert.False(t, e.MaybeDone)
}

// The transport calls these as it goes; the end of a call may fall between any two.
func TestTraceStepByStep(t *testing.T) {
	ctx, trace := httpstatus.Watch(t.Context())
	hooks := httptrace.ContextClientTrace(ctx)
	assert.False(t, trace.MayHaveLeft())
	hooks.GetConn("")
	assert.False(t, trace.MayHaveLeft())
	hooks.WroteHeaders()
	assert.True(t, trace.MayHaveLeft(), "the rest may be on its way")
	hooks.WroteRequest(httptrace.WroteRequestInfo{Err: io.ErrShortWrite})
	assert.False(t, trace.MayHaveLeft())
	hooks.GetConn("") // the transport tries again on another connection
	hooks.WroteHeaders()
	hooks.WroteRequest(httptrace.WroteRequestInfo{})
	assert.True(t, trace.MayHaveLeft())
}

func TestIdempotentCallsAreNeverMaybeDone(t *testing.T) {
	e := httpstatus.FromDo("vendor.call", io.ErrUnexpectedEOF, nil)
	assert.False(t, e.MaybeDone)
	assert.True(t, ports.Retryable(e))
}

func TestUnknownHostAndCertificate(t *testing.T) {
	blind := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: hidden, IsNotFound: true}
	}}}
	e := post(t, t.Context(), blind, "http://nowhere.invalid", strings.NewReader("x"))
	assert.False(t, e.MaybeDone)
	assert.Contains(t, e.Error(), "host name")

	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of us
	s.StartTLS()
	t.Cleanup(s.Close)
	e = post(t, t.Context(), newClient(t), s.URL, strings.NewReader("x"))
	assert.False(t, e.MaybeDone)
	assert.Contains(t, e.Error(), "certificate")
}
