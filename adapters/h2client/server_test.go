package h2client_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/h2client"
)

// server is net/http's own, over TLS or plain.
type server struct {
	*httptest.Server
	plain bool
}

func newServer(t *testing.T, plain bool, o http.HTTP2Config, handler http.HandlerFunc) *server {
	t.Helper()
	s := &server{httptest.NewUnstartedServer(handler), plain}
	s.Config.HTTP2 = &o
	s.Config.ErrorLog = nil
	if plain {
		s.Config.Protocols = new(http.Protocols)
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		s.Start()
	} else {
		s.EnableHTTP2 = true
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	return s
}

// dial opens a connection, which the test's end closes before the server.
func (s *server) dial(t testing.TB) *h2client.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	if !s.plain {
		roots := x509.NewCertPool()
		roots.AddCert(s.Certificate())
		secure := tls.Client(conn, &tls.Config{RootCAs: roots, ServerName: "example.com", NextProtos: []string{"h2"}})
		require.NoError(t, secure.HandshakeContext(t.Context()))
		require.Equal(t, "h2", secure.ConnectionState().NegotiatedProtocol)
		conn = secure
	}
	c := h2client.New(conn, h2client.Options{})
	t.Cleanup(func() {
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			_ = c.Close()
		}()
		select {
		case <-closed:
		case <-time.After(hangs):
			t.Error("Close hangs")
			_ = conn.Close()
		}
	})
	return c
}

// hangs is for how long nothing may happen before it never will.
const hangs = 10 * time.Second

func (s *server) request(ctx context.Context, path string, content string) *http.Request {
	var reader io.Reader
	if content != "" {
		reader = strings.NewReader(content)
	}
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+path, reader)
	return req
}

// everywhere runs a test over TLS and plain.
func everywhere(t *testing.T, run func(t *testing.T, plain bool)) {
	t.Helper()
	t.Run("TLS", func(t *testing.T) { run(t, false) })
	t.Run("plain", func(t *testing.T) { run(t, true) })
}

// echo sends back what it gets, while it gets it.
func echo(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(w, r.Body)
}

// large is a text of n bytes in which a byte that is missing shows.
func large(n int) string {
	var b strings.Builder
	b.Grow(n + 16)
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%d.", i)
	}
	return b.String()[:n]
}

func whole(c *h2client.Conn, req *http.Request) (string, error) {
	resp, err := c.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return string(got), err
}

func TestBodiesOfAllSizes(t *testing.T) {
	everywhere(t, func(t *testing.T, plain bool) {
		s := newServer(t, plain, http.HTTP2Config{}, func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "HTTP/2.0", r.Proto)
			all, _ := io.ReadAll(r.Body)
			_, _ = w.Write(all)
		})
		c := s.dial(t)
		for _, n := range []int{0, 1, 2, 1000, smallest - 9, smallest - 1, smallest, smallest + 1, window - 1, window, window + 1, 1 << 20, 5 << 20} {
			want := large(n)
			got, err := whole(c, s.request(t.Context(), "/", want))
			require.NoError(t, err, n)
			require.True(t, want == got, "%d bytes came back as %d", n, len(got))
			unknown := s.request(t.Context(), "/", want+"!")
			unknown.ContentLength, unknown.GetBody = -1, nil
			got, err = whole(c, unknown)
			require.NoError(t, err, n)
			require.True(t, want+"!" == got)
		}
	})
}

func TestBothWaysAtOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, plain bool) {
		s := newServer(t, plain, http.HTTP2Config{}, func(w http.ResponseWriter, r *http.Request) {
			all, _ := io.ReadAll(r.Body)
			for range 4 {
				_, _ = w.Write(all)
				w.(http.Flusher).Flush()
			}
		})
		c := s.dial(t)
		want := large(300_000)
		together(20, func(int) {
			got, err := whole(c, s.request(t.Context(), "/", want))
			assert.NoError(t, err)
			assert.True(t, strings.Repeat(want, 4) == got)
		})
	})
}

func TestMoreRequestsThanStreams(t *testing.T) {
	everywhere(t, func(t *testing.T, plain bool) {
		const limit = 10
		open := make(chan struct{}, limit)
		s := newServer(t, plain, http.HTTP2Config{MaxConcurrentStreams: limit}, func(w http.ResponseWriter, r *http.Request) {
			select {
			case open <- struct{}{}:
				defer func() { <-open }()
			default:
				t.Error("more streams than the server allows")
			}
			w.Header().Set("X-Path", r.URL.Path)
			echo(w, r)
		})
		c := s.dial(t)
		_, err := whole(c, s.request(t.Context(), "/", "")) // the server's SETTINGS have come
		require.NoError(t, err)
		require.Equal(t, limit, c.MaxStreams())
		together(300, func(i int) {
			want := large(i * 200)
			resp, err := c.RoundTrip(s.request(t.Context(), fmt.Sprintf("/%d", i), want))
			if !assert.NoError(t, err) {
				return
			}
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			assert.NoError(t, err)
			assert.True(t, want == string(got))
			assert.Equal(t, fmt.Sprintf("/%d", i), resp.Header.Get("X-Path"))
		})
	})
}

// Requests that are given up at any time must leave the connection as it was.
func TestManyAreGivenUp(t *testing.T) {
	everywhere(t, func(t *testing.T, plain bool) {
		s := newServer(t, plain, http.HTTP2Config{MaxConcurrentStreams: 10}, echo)
		c := s.dial(t)
		_, err := whole(c, s.request(t.Context(), "/", "")) // the server's SETTINGS have come
		require.NoError(t, err)
		content := large(100_000)
		together(300, func(i int) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			switch i % 4 {
			case 0: // at once
				cancel()
			case 1: // somewhere
				time.AfterFunc(time.Duration(i)*100*time.Microsecond, cancel)
			case 2: // in the middle of the answer
				resp, err := c.RoundTrip(s.request(ctx, "/", content))
				if assert.NoError(t, err) {
					_, _ = io.ReadFull(resp.Body, make([]byte, i))
					_ = resp.Body.Close()
				}
				return
			}
			got, err := whole(c, s.request(ctx, "/", content))
			if i%4 == 3 {
				assert.NoError(t, err)
			}
			if err == nil {
				assert.True(t, content == got, "cut off without an error")
			} else {
				assert.ErrorIs(t, err, context.Canceled)
			}
		})
		require.True(t, c.Usable())
		got, err := whole(c, s.request(t.Context(), "/", content))
		require.NoError(t, err)
		require.True(t, content == got)
	})
}

// together runs n of them from one start.
func together(n int, do func(i int)) {
	start, done := make(chan struct{}), make(chan struct{})
	for i := range n {
		go func() {
			<-start
			do(i)
			done <- struct{}{}
		}()
	}
	close(start)
	for range n {
		<-done
	}
}

var _ http.RoundTripper = (*h2client.Conn)(nil)
