package mcp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// maxMessage bounds one message of a server, in bytes: a list of many tools, or a result
// before it is cut.
const maxMessage = 4 << 20

// wire is the way to a server: a program that was started, or a service.
type wire struct {
	transport sdk.Transport
	process   *process // nil for a service
	remote    *remote  // nil for a program
}

// open starts the program, or prepares the calls of a service.
func (s *server) open() (*wire, error) {
	if s.cfg.URL == "" {
		p, err := start(s.cfg)
		if err != nil {
			return nil, err
		}
		return &wire{transport: &sdk.IOTransport{Reader: p.stdout, Writer: p.stdin, MaxLineLength: maxMessage}, process: p}, nil
	}
	r := &remote{cfg: s.cfg, base: remoteTransport()}
	r.life, r.end = context.WithCancel(context.Background())
	client := &http.Client{Transport: r, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &wire{remote: r, transport: &sdk.StreamableClientTransport{
		Endpoint: s.cfg.URL, HTTPClient: client, MaxEventSize: maxMessage,
		// The tools are asked for now and then: no connection need be kept for news.
		DisableStandaloneSSE: true,
	}}, nil
}

// leave ends a session. A program or a service that does not let go is left to itself.
func (w *wire) leave(end func()) {
	done := make(chan struct{})
	go func() { defer close(done); end() }()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		w.close()
	}
	<-done
}

// close frees everything. It may be called whatever became of the session.
func (w *wire) close() {
	if w.process != nil {
		w.process.stop()
		return
	}
	w.remote.end()
	w.remote.base.CloseIdleConnections()
}

// explain adds to what went wrong what is known of the other side.
func (w *wire) explain(what string) error {
	if w.process != nil {
		if why := w.process.ended(); why != "" {
			return fmt.Errorf("%s: %s", what, why)
		}
		return errors.New(what)
	}
	if code := w.remote.refused.Load(); code != 0 {
		return fmt.Errorf("%s: it answered with status %d", what, code)
	}
	return errors.New(what)
}

// remote adds the headers to every request of a service, bounds its answers, and keeps
// the last status that was a refusal.
type remote struct {
	cfg     Server
	base    *http.Transport
	refused atomic.Int64
	life    context.Context // of all calls: the library ends a session without a deadline
	end     context.CancelFunc
}

func remoteTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 5 * time.Second,
		ResponseHeaderTimeout: MaxTimeout, MaxResponseHeaderBytes: 64 << 10,
	}
}

// RoundTrip implements http.RoundTripper.
func (r *remote) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	stop := context.AfterFunc(r.life, cancel)
	free := func() { stop(); cancel() }
	req = req.Clone(ctx)
	for name, value := range r.cfg.Headers {
		req.Header.Set(name, value())
	}
	resp, err := r.base.RoundTrip(req)
	if err != nil {
		free()
		return nil, err
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		r.refused.Store(int64(resp.StatusCode))
	} else {
		r.refused.Store(0)
	}
	body := &body{ReadCloser: resp.Body, left: maxMessage, free: free}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		body.left = math.MaxInt // its events are bounded, one by one
	}
	resp.Body = body
	return resp, nil
}

// body is an answer that is bounded.
type body struct {
	io.ReadCloser
	left int
	free func()
}

var errTooLong = errors.New("the answer is too long")

// Close implements io.Closer.
func (b *body) Close() error {
	defer b.free()
	return b.ReadCloser.Close()
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
