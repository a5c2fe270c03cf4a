package h2client_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/h2client"
)

func TestServerOfNetHTTPEchoes(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Proto", r.Proto)
		_, _ = io.Copy(w, r.Body)
	}))
	s.EnableHTTP2 = true
	s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 10}
	s.StartTLS()
	defer s.Close()
	cfg := s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	cfg.NextProtos = []string{"h2"}
	conn, err := tls.Dial("tcp", s.Listener.Addr().String(), cfg)
	require.NoError(t, err)
	c := h2client.New(conn, h2client.Options{IdleTime: time.Minute, PingAfter: time.Second, PingTimeout: time.Second})
	defer func() { _ = c.Close() }()
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			sent := bytes.Repeat([]byte{byte(i)}, i*i*30)
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/x", bytes.NewReader(sent))
			resp, err := c.RoundTrip(req)
			if err != nil {
				t.Error(err)
				return
			}
			got, err := io.ReadAll(resp.Body)
			if err != nil || !bytes.Equal(got, sent) || resp.StatusCode != 200 {
				t.Error(i, err, len(got), len(sent))
			}
			_ = resp.Body.Close()
		})
	}
	all.Wait()
	require.True(t, c.CloseIdle())
}
