package vendorhttp_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/vendorhttp"
)

// TestEndOfAStreamIsReadAtOnce: with a step of an hour the second read would be the last
// thing that this test does.
func TestEndOfAStreamIsReadAtOnce(t *testing.T) {
	wasRead := make(chan struct{})
	resp := inACrowd(t, true, "text/event-stream", time.Hour, func(w http.ResponseWriter) {
		<-wasRead
		_, _ = io.WriteString(w, "data: two\n\n")
	})
	require.Equal(t, 2, resp.ProtoMajor)
	one := make([]byte, 64)
	n, err := resp.Body.Read(one)
	require.NoError(t, err)
	require.Equal(t, "data: one\n\n", string(one[:n]))
	close(wasRead)
	two, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "data: two\n\n", string(two))
}

// TestMuchThatCameIsReadAtOnce: a reading that filled its buffer has left something.
func TestMuchThatCameIsReadAtOnce(t *testing.T) {
	c, err := vendorhttp.New(0)
	require.NoError(t, err)
	c.Crowd(time.Hour)
	const much = 64 << 10
	body := c.InSteps(newStream(strings.Repeat("x", much)))
	buf := make([]byte, 1<<10)
	for got := 0; got < much; {
		n, err := body.Read(buf)
		require.NoError(t, err)
		got += n
	}
}

// TestStreamOfHTTP1IsReadAsItComes: one reading gives one event there, so that each would
// take a step.
func TestStreamOfHTTP1IsReadAsItComes(t *testing.T) {
	resp := inACrowd(t, false, "*/*", time.Hour, func(w http.ResponseWriter) {
		for range 20 {
			_, _ = io.WriteString(w, "data: x\n\n")
			w.(http.Flusher).Flush()
		}
	})
	require.Equal(t, 1, resp.ProtoMajor)
	all, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "data: one\n\n"+strings.Repeat("data: x\n\n", 20), string(all))
}

// stream is an answer of which the pauses are real.
type stream struct{ io.ReadCloser }

func newStream(s string) stream { return stream{io.NopCloser(strings.NewReader(s))} }

func (stream) Pause(d time.Duration) { time.Sleep(d) }

// inACrowd asks for a stream among very many, of which the server writes an event at once.
func inACrowd(t *testing.T, http2 bool, accept string, step time.Duration, rest func(w http.ResponseWriter)) *http.Response {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		_, _ = io.WriteString(w, "data: one\n\n")
		w.(http.Flusher).Flush()
		rest(w)
	}))
	s.EnableHTTP2 = http2
	s.StartTLS()
	t.Cleanup(s.Close)
	c, err := vendorhttp.New(0)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	c.Trust(&tls.Config{RootCAs: s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, MinVersion: tls.VersionTLS12})
	first, err := c.Client(s.URL).Head(s.URL) // tells which protocol the server speaks
	require.NoError(t, err)
	require.NoError(t, first.Body.Close())
	c.Crowd(step)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, strings.NewReader("{}"))
	require.NoError(t, err)
	request.Header.Set("Accept", accept)
	resp, err := c.RoundTrip(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}
