package h2client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"whatsappnode/adapters/httpstatus"
)

// notes are the hooks in the order they were called.
type notes struct {
	mu  sync.Mutex
	all []string
}

func (n *notes) add(what string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, what)
}

func (n *notes) taken() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.all...)
}

func (n *notes) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:      func(string) { n.add("connection") },
		WroteHeaders: func() { n.add("headers") },
		WroteRequest: func(info httptrace.WroteRequestInfo) { n.add(fmt.Sprint("request ", info.Err == nil)) },
	})
}

func TestTrace(t *testing.T) {
	for name, c := range map[string]struct {
		settings []http2.Setting
		request  func(t *testing.T) *http.Request
		say      func(s *script, call *call)
		want     []string
	}{
		"without a body": {
			nil, func(t *testing.T) *http.Request { return newRequest(t, "GET", "/", nil, 0) },
			func(s *script, _ *call) { s.headers(s.request().StreamID, true, "200") },
			[]string{"connection", "headers", "request true"},
		},
		"with a body": {
			nil, func(t *testing.T) *http.Request { return newRequest(t, "POST", "/", strings.NewReader("x"), 1) },
			func(s *script, _ *call) { id := s.request().StreamID; s.body(id, -1); s.headers(id, true, "200") },
			[]string{"connection", "headers", "request true"},
		},
		"refused": {
			nil, func(t *testing.T) *http.Request {
				req := newRequest(t, "POST", "/", strings.NewReader("x"), 1)
				req.Header.Set("X", "\n")
				return req
			},
			func(*script, *call) {},
			[]string{"connection", "request false"},
		},
		"canceled before its slot": {
			[]http2.Setting{maxStreams(0)},
			func(t *testing.T) *http.Request { return newRequest(t, "GET", "/", nil, 0) },
			func(s *script, call *call) { synctest.Wait(); call.cancel() },
			[]string{"connection", "request false"},
		},
		"canceled in its body": {
			[]http2.Setting{initialWindow(0)},
			func(t *testing.T) *http.Request { return newRequest(t, "POST", "/", strings.NewReader("x"), 1) },
			func(s *script, call *call) { s.request(); synctest.Wait(); call.cancel() },
			[]string{"connection", "headers", "request false"},
		},
		"a body that breaks": {
			nil, func(t *testing.T) *http.Request { return newRequest(t, "POST", "/", broken{}, 1) },
			func(*script, *call) {},
			[]string{"connection", "headers", "request false"},
		},
		"a body cut short": {
			nil, func(t *testing.T) *http.Request { return newRequest(t, "POST", "/", strings.NewReader("x"), 2) },
			func(*script, *call) {},
			[]string{"connection", "headers", "request false"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				n := &notes{}
				req := c.request(t)
				call := s.send(req.WithContext(n.watch(req.Context())))
				c.say(s, call)
				within(t, "RoundTrip", func() { <-call.done })
				synctest.Wait()
				got := n.taken()
				if len(got) == len(c.want)-1 && c.want[len(c.want)-1] == "request false" && got[0] == "connection" {
					got = append(got, "request false") // nothing said is as good, where nothing was written
					require.NotContains(t, got, "headers")
				}
				require.Equal(t, c.want, got)
			}, c.settings...)
		})
	}
}

// Whoever must not say things twice asks whether the server may hold the request.
func TestMayHaveLeft(t *testing.T) {
	watched := func(t *testing.T, content io.Reader, length int64) (*http.Request, *httpstatus.Trace) {
		req := newRequest(t, "POST", "/", content, length)
		ctx, trace := httpstatus.Watch(req.Context())
		return req.WithContext(ctx), trace
	}
	for name, c := range map[string]struct {
		settings []http2.Setting
		content  io.Reader
		length   int64
		say      func(s *script, call *call)
		want     bool
	}{
		"a whole request that is not answered": {nil, strings.NewReader("x"), 1, func(s *script, call *call) { s.body(s.request().StreamID, -1); synctest.Wait(); call.cancel() }, true},
		"a connection that ends":               {nil, strings.NewReader("x"), 1, func(s *script, _ *call) { s.body(s.request().StreamID, -1); synctest.Wait(); _ = s.conn.Close() }, true},
		"one that waited for a slot":           {[]http2.Setting{maxStreams(0)}, strings.NewReader("x"), 1, func(_ *script, call *call) { synctest.Wait(); call.cancel() }, false},
		"one whose body is cut short":          {[]http2.Setting{initialWindow(1)}, strings.NewReader("xx"), 2, func(s *script, call *call) { s.request(); synctest.Wait(); call.cancel() }, false},
		"one on a connection that is closed":   {nil, strings.NewReader("xx"), 2, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				req, trace := watched(t, c.content, c.length)
				if c.say == nil {
					_ = s.client.Close()
				}
				call := s.send(req)
				if c.say != nil {
					c.say(s, call)
				}
				err := call.failure()
				require.False(t, errors.Is(err, io.EOF) && !c.want)
				require.Equal(t, c.want, trace.MayHaveLeft())
			}, c.settings...)
		})
	}
}
