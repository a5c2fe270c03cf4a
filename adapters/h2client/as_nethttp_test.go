package h2client_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The same requests have the same answers with net/http's own client.
func TestAsNetHTTP(t *testing.T) {
	s := newServer(t, false, http.HTTP2Config{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Saw", fmt.Sprintf("%s %s %s %d %q %q", r.Method, r.Host, r.RequestURI, r.ContentLength, r.Header["X-Two"], r.Header["Cookie"]))
		w.Header().Set("Date", "then")
		switch r.URL.Path {
		case "/204":
			w.WriteHeader(http.StatusNoContent)
		case "/304":
			w.WriteHeader(http.StatusNotModified)
		case "/hints":
			w.Header().Set("Link", "x")
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Del("Link")
			_, _ = io.WriteString(w, "after")
		case "/trailers":
			w.Header().Set("Trailer", "X-End")
			_, _ = io.WriteString(w, "before")
			w.Header().Set("X-End", "y")
		case "/long":
			_, _ = io.WriteString(w, large(100_000))
		default:
			_, _ = io.WriteString(w, "body")
		}
	})
	ours := s.dial(t)
	theirs := &http.Transport{TLSClientConfig: s.Client().Transport.(*http.Transport).TLSClientConfig, Protocols: new(http.Protocols), DisableCompression: true}
	theirs.Protocols.SetHTTP2(true)
	defer theirs.CloseIdleConnections()
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		for _, path := range []string{"/", "/204", "/304", "/hints", "/trailers", "/long", "/a%2Fb?c=d&e", "/?"} {
			name := method + " " + path
			answer := func(rt http.RoundTripper) (*http.Response, string) {
				req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, nil)
				require.NoError(t, err)
				req.Header["X-Two"] = []string{"a", "b"}
				req.Header["Cookie"] = []string{"a=b; c=d"}
				if method == "POST" || method == "PUT" {
					req.Body, req.ContentLength = io.NopCloser(strings.NewReader("hello")), 5
				}
				resp, err := rt.RoundTrip(req)
				require.NoError(t, err, name)
				defer resp.Body.Close()
				got, err := io.ReadAll(resp.Body)
				require.NoError(t, err, name)
				return resp, string(got)
			}
			a, bodyA := answer(ours)
			b, bodyB := answer(theirs)
			require.Equal(t, bodyB, bodyA, name)
			require.Equal(t, b.StatusCode, a.StatusCode, name)
			require.Equal(t, b.Status, a.Status, name)
			require.Equal(t, b.ContentLength, a.ContentLength, name)
			require.Equal(t, b.Proto, a.Proto, name)
			require.Equal(t, b.TLS != nil, a.TLS != nil, name)
			b.Header.Del("Trailer") // trailers are not kept, and so need not be announced
			a.Header.Del("Trailer")
			require.Equal(t, b.Header, a.Header, name)
		}
	}
}
