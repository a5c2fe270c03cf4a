package vendorhttp_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/vendorhttp"
)

// crowdedServer speaks HTTP/2 with 100 requests a connection, and answers once so many are
// there at the same time.
func crowdedServer(t *testing.T, together int) (s *httptest.Server, opened *atomic.Int64) {
	t.Helper()
	opened = &atomic.Int64{}
	var here atomic.Int64
	all := make(chan struct{})
	s = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			return
		}
		if here.Add(1) == int64(together) {
			close(all)
		}
		select {
		case <-all:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, r.Proto)
	}))
	s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 100}
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s, opened
}

func TestRequestsShareFewConnections(t *testing.T) {
	const together = 300
	s, opened := crowdedServer(t, together)
	c, err := vendorhttp.New(time.Hour)
	require.NoError(t, err)
	c.Trust(&tls.Config{RootCAs: s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, MinVersion: tls.VersionTLS12})
	client := c.Client(s.URL)
	stop := run(t, c)
	defer stop()
	require.Eventually(t, func() bool { return opened.Load() == 2 }, 10*time.Second, time.Millisecond, "the first lane is opened by the visit")

	var wg sync.WaitGroup
	for range together {
		wg.Go(func() {
			resp, err := client.Post(s.URL+"/v1/x", "text/plain", strings.NewReader("x"))
			if !assertNoError(t, err) {
				return
			}
			body, err := io.ReadAll(resp.Body)
			assertNoError(t, err)
			assertNoError(t, resp.Body.Close())
			if string(body) != "HTTP/2.0" {
				t.Errorf("the answer came by %s", body)
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, opened.Load(), int64(1+4), "one before it was known, and a lane for each 80")
}

func assertNoError(t *testing.T, err error) bool {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
	return err == nil
}

func TestStreamsAreReadInStepsOnlyWhenThereAreMany(t *testing.T) {
	c, err := vendorhttp.New(0)
	require.NoError(t, err)
	var open []io.ReadCloser
	for range vendorhttp.CalmStreams {
		open = append(open, c.InSteps(newStream("data: x\n\n")))
	}
	require.Zero(t, c.Step())
	for range 400 {
		open = append(open, c.InSteps(newStream("data: x\n\n")))
	}
	require.Equal(t, 32*time.Millisecond, c.Step())
	for range 5000 {
		open = append(open, c.InSteps(newStream("data: x\n\n")))
	}
	require.Equal(t, 80*time.Millisecond, c.Step())
	for i, body := range open {
		if i%2 == 0 {
			_, _ = io.Copy(io.Discard, io.LimitReader(body, 4)) // left in the middle
		}
		require.NoError(t, body.Close())
		require.NoError(t, body.Close(), "twice is once")
	}
	require.Zero(t, c.Step())
}
