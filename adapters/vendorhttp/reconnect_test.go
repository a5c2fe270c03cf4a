package vendorhttp_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/vendorhttp"
)

// lanesTo is a client whose server is known to speak HTTP/2 and takes so few requests at
// once on a connection. The server answers with the question.
func lanesTo(t *testing.T, atOnce int) (*http.Client, *httptest.Server) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	}))
	s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: atOnce}
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	c, err := vendorhttp.New(0)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	c.Trust(&tls.Config{RootCAs: s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, MinVersion: tls.VersionTLS12})
	client := c.Client(s.URL)
	resp, err := client.Head(s.URL) // tells which protocol the server speaks
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return client, s
}

func echoed(client *http.Client, url, question string) (string, error) {
	resp, err := client.Post(url, "text/plain", strings.NewReader(question))
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	return string(answer), err
}

// TestConnectionThatTheServerClosedIsDialledAnew, by the request that finds it closed.
func TestConnectionThatTheServerClosedIsDialledAnew(t *testing.T) {
	client, s := lanesTo(t, 100)
	for range 5 {
		answer, err := echoed(client, s.URL, "one")
		require.NoError(t, err)
		require.Equal(t, "one", answer)
		s.CloseClientConnections()
		require.Eventually(t, func() bool {
			answer, err := echoed(client, s.URL, "two") // breaks while the end of the connection is on its way
			return err == nil && answer == "two"
		}, 10*time.Second, time.Millisecond)
	}
}

// TestServerThatTakesFewRequestsAtOnceGetsAll: the first go out before it has said how
// many it takes, and those that it refuses are sent again.
func TestServerThatTakesFewRequestsAtOnceGetsAll(t *testing.T) {
	client, s := lanesTo(t, 5)
	var all sync.WaitGroup
	for range 60 {
		all.Go(func() {
			answer, err := echoed(client, s.URL, "x")
			if assertNoError(t, err) && answer != "x" {
				t.Errorf("answered with %q", answer)
			}
		})
	}
	all.Wait()
}
