package h2client_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"whatsappnode/adapters/h2client"
)

// What the first byte of an input chooses.
const (
	fuzzGreeted  = 1 << iota // the server's SETTINGS come first
	fuzzFramed               // the input is put into frames, so that their lengths are right
	fuzzUnread               // answers are not read until the connection has ended
	fuzzSplit                // the bytes come one by one
	fuzzCanceled             // two of the requests are given up in the middle
	fuzzClosed               // answers are closed when their headers have come
)

// FuzzServer sends arbitrary bytes as a server while requests are under way. The client
// must not panic, and once the connection has ended everything on it ends, too.
func FuzzServer(f *testing.F) {
	for _, seed := range fuzzSeeds(f) {
		f.Add(append([]byte{0}, seed...))
		f.Add(append([]byte{fuzzUnread | fuzzSplit}, seed...))
		f.Add(append([]byte{fuzzCanceled}, seed...))
	}
	for _, frames := range framedSeeds() {
		f.Add(append([]byte{fuzzGreeted | fuzzFramed}, frames...))
		f.Add(append([]byte{fuzzGreeted | fuzzFramed | fuzzUnread}, frames...))
		f.Add(append([]byte{fuzzGreeted | fuzzFramed | fuzzCanceled}, frames...))
		f.Add(append([]byte{fuzzGreeted | fuzzFramed | fuzzClosed}, frames...))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) == 0 || len(input) > 1<<13 {
			return
		}
		// What spins or waits for a lock is nothing that a bubble could see.
		watchdog := time.AfterFunc(hangs, func() {
			debug.SetTraceback("all")
			panic("the client hangs")
		})
		defer watchdog.Stop()
		synctest.Test(t, func(t *testing.T) { fuzzOnce(t, input[0], input[1:]) })
	})
}

func fuzzOnce(t *testing.T, mode byte, input []byte) {
	said := input
	if mode&fuzzFramed != 0 {
		said = framed(input)
	}
	if mode&fuzzGreeted != 0 {
		said = append(rawFrame(http2.FrameSettings, 0, 0, nil), said...)
	}
	ours, theirs := net.Pipe()
	c := h2client.New(ours, h2client.Options{})
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	ended := make(chan struct{})
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for i, req := range fuzzRequests(t) {
		if i%2 == 1 && mode&fuzzCanceled != 0 {
			req = req.WithContext(ctx)
		}
		all.Go(func() { fuzzRequest(t, c, req, mode, ended) })
		synctest.Wait() // streams open in this order
	}
	if mode&fuzzSplit != 0 && len(said) < 4096 {
		for i := range said {
			if _, err := theirs.Write(said[i : i+1]); err != nil {
				break
			}
		}
	} else {
		_, _ = theirs.Write(said[:len(said)/2])
		if mode&fuzzCanceled != 0 {
			cancel()
		}
		_, _ = theirs.Write(said[len(said)/2:])
	}
	synctest.Wait()
	_ = theirs.Close()
	close(ended)
	within(t, "a request after the connection's end", all.Wait)
	synctest.Wait()
	require.False(t, c.Usable())
	_, err := c.RoundTrip(newRequest(t, http.MethodGet, "/late", nil, 0))
	require.ErrorIs(t, err, h2client.ErrUnusable)
	within(t, "Close", func() { _ = c.Close() })
}

// fuzzRequests are those of the seeds: streams 1, 3, 5 and 7.
func fuzzRequests(t testing.TB) []*http.Request {
	return []*http.Request{
		newRequest(t, http.MethodGet, "/get", nil, 0),
		newRequest(t, http.MethodPost, "/post", strings.NewReader("hello"), 5),
		newRequest(t, http.MethodHead, "/head", nil, 0),
		newRequest(t, http.MethodPost, "/large", strings.NewReader(strings.Repeat("x", 80_000)), -1), // over the first window
	}
}

func fuzzRequest(t *testing.T, c *h2client.Conn, req *http.Request, mode byte, ended chan struct{}) {
	resp, err := c.RoundTrip(req)
	if b, ok := req.Body.(*body); ok && b.closed.Load() == 0 {
		t.Error("the body of a request was not closed")
	}
	if err != nil {
		if resp != nil {
			t.Error("an answer and an error")
		}
		return
	}
	defer resp.Body.Close()
	if mode&fuzzClosed != 0 {
		return
	}
	if mode&fuzzUnread != 0 {
		<-ended
	}
	n, err := io.Copy(io.Discard, resp.Body)
	if resp.StatusCode < 200 || resp.StatusCode > 999 {
		t.Errorf("status %d is no answer", resp.StatusCode)
	}
	none := req.Method == http.MethodHead || resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified
	switch {
	case none && n > 0:
		t.Errorf("%d bytes of an answer without a body", n)
	case !none && err == nil && resp.ContentLength >= 0 && n != resp.ContentLength:
		t.Errorf("%d bytes of an answer of %d", n, resp.ContentLength)
	}
	for name, values := range resp.Header {
		if strings.ContainsAny(name, "\r\n\x00:") || strings.ContainsAny(strings.Join(values, ""), "\r\n\x00") {
			t.Errorf("the header %q came through", name)
		}
	}
}

// framed makes frames of an input in which each has four bytes, for its kind, flags, stream
// and length, before its payload.
func framed(input []byte) []byte {
	var out []byte
	for len(input) >= 4 {
		n := min(int(input[3]), len(input)-4)
		out = append(out, rawFrame(http2.FrameType(input[0]), http2.Flags(input[1]), uint32(input[2]), input[4:4+n])...)
		input = input[4+n:]
	}
	return out
}

func unframed(kind http2.FrameType, flags http2.Flags, id byte, payload []byte) []byte {
	return append([]byte{byte(kind), byte(flags), id, byte(len(payload))}, payload...)
}

// framedSeeds are exchanges that net/http's server does not have.
func framedSeeds() [][]byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	fields := func(pairs ...string) []byte {
		block.Reset()
		for i := 0; i < len(pairs); i += 2 {
			_ = encoder.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
		}
		return bytes.Clone(block.Bytes())
	}
	const end, last = http2.FlagHeadersEndHeaders, http2.FlagHeadersEndStream
	hints := unframed(http2.FrameHeaders, end, 1, fields(":status", "103", "link", "x"))
	ok := unframed(http2.FrameHeaders, end, 1, fields(":status", "200", "content-length", "5", "x-new", "table"))
	again := unframed(http2.FrameHeaders, end|last, 3, fields(":status", "413", "x-new", "table"))
	return [][]byte{
		slicesOf(hints, ok, unframed(http2.FrameData, 0, 1, []byte("he")), unframed(http2.FrameData, 8|1, 1, []byte("\x02llo\x00\x00"))),
		slicesOf(ok, again, unframed(http2.FrameHeaders, end|last, 1, fields("x-trailer", "y"))),
		slicesOf(unframed(http2.FrameHeaders, 0, 1, nil), unframed(http2.FrameContinuation, end, 1, fields(":status", "204"))),
		slicesOf(unframed(http2.FrameRSTStream, 0, 1, []byte{0, 0, 0, 7}), unframed(http2.FrameRSTStream, 0, 3, []byte{0, 0, 0, 8}), unframed(http2.FrameGoAway, 0, 0, []byte{0, 0, 0, 5, 0, 0, 0, 0})),
		slicesOf(unframed(http2.FrameSettings, 0, 0, []byte{0, 4, 0, 0, 0, 9, 0, 3, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 5, 0, 1, 0, 0}), unframed(http2.FramePing, 0, 0, make([]byte, 8)), unframed(http2.FrameWindowUpdate, 0, 7, []byte{0, 1, 0, 0}), unframed(http2.FrameWindowUpdate, 0, 0, []byte{0, 1, 0, 0})),
		slicesOf(unframed(http2.FramePriority, 0, 1, make([]byte, 5)), unframed(http2.FramePushPromise, end, 1, []byte{0, 0, 0, 2, 0x82}), unframed(0xee, 0xff, 9, []byte("?"))),
		slicesOf(unframed(http2.FrameHeaders, end|http2.FlagHeadersPadded|http2.FlagHeadersPriority, 1, append([]byte{1, 0, 0, 0, 0, 9}, append(fields(":status", "200"), 0)...)), unframed(http2.FrameData, last, 1, []byte("body"))),
	}
}

func slicesOf(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

// recorder keeps what the server sent.
type recorder struct {
	net.Conn
	said bytes.Buffer
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.said.Write(p[:n])
	return n, err
}

// fuzzSeeds are what net/http's server says to the requests of fuzzOnce.
func fuzzSeeds(f *testing.F) (seeds [][]byte) {
	f.Helper()
	for _, handler := range []http.HandlerFunc{
		func(w http.ResponseWriter, r *http.Request) {
			all, _ := io.ReadAll(r.Body)
			_, _ = w.Write(all[:min(len(all), 300)])
		},
		func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		},
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Set("Trailer", "X-End")
			_, _ = io.WriteString(w, "some")
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, strings.Repeat(" more", 100))
			w.Header().Set("X-End", r.Method)
		},
		func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		s := httptest.NewUnstartedServer(handler)
		s.Config.Protocols = new(http.Protocols)
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		s.Start()
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		require.NoError(f, err)
		r := &recorder{Conn: conn}
		c := h2client.New(r, h2client.Options{})
		for _, req := range fuzzRequests(f) {
			_, _ = whole(c, req)
		}
		_ = c.Close()
		s.Close()
		seeds = append(seeds, r.said.Bytes())
	}
	return seeds
}
