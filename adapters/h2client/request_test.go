package h2client_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// asked is the request that the server sees when req is sent.
func asked(t *testing.T, change func(req *http.Request)) (seen frame) {
	t.Helper()
	play(t, func(t *testing.T, s *script) {
		req := newRequest(t, http.MethodGet, "/path?q=1", nil, 0)
		change(req)
		call := s.send(req)
		seen = s.request()
		s.headers(seen.StreamID, true, "200")
		call.answers("")
	})
	regular := false
	for _, f := range seen.fields {
		require.Equal(t, strings.ToLower(f.Name), f.Name)
		regular = regular || !f.IsPseudo()
		require.False(t, regular && f.IsPseudo(), "%s comes too late", f.Name)
	}
	return seen
}

func TestRequestLine(t *testing.T) {
	for name, c := range map[string]struct {
		change                          func(*http.Request)
		method, scheme, authority, path string
	}{
		"as it is":        {func(*http.Request) {}, "GET", "https", "vendor.example", "/path?q=1"},
		"no method":       {func(r *http.Request) { r.Method = "" }, "GET", "https", "vendor.example", "/path?q=1"},
		"another method":  {func(r *http.Request) { r.Method = "PROPFIND" }, "PROPFIND", "https", "vendor.example", "/path?q=1"},
		"plain":           {func(r *http.Request) { r.URL.Scheme = "http" }, "GET", "http", "vendor.example", "/path?q=1"},
		"another host":    {func(r *http.Request) { r.Host = "other.example:99" }, "GET", "https", "other.example:99", "/path?q=1"},
		"the URL's host":  {func(r *http.Request) { r.Host = ""; r.URL.Host = "third.example" }, "GET", "https", "third.example", "/path?q=1"},
		"no path":         {func(r *http.Request) { r.URL.Path = "" }, "GET", "https", "vendor.example", "/?q=1"},
		"an escaped path": {func(r *http.Request) { r.URL = mustParse("https://vendor.example/a%2Fb/%20c") }, "GET", "https", "vendor.example", "/a%2Fb/%20c"},
		"an empty query":  {func(r *http.Request) { r.URL = mustParse("https://vendor.example/a?") }, "GET", "https", "vendor.example", "/a?"},
		"a fragment":      {func(r *http.Request) { r.URL = mustParse("https://vendor.example/a#b") }, "GET", "https", "vendor.example", "/a"},
		"of the server": {func(r *http.Request) {
			r.Method = "OPTIONS"
			r.URL = &url.URL{Scheme: "https", Host: "vendor.example", Path: "*"}
		}, "OPTIONS", "https", "vendor.example", "*"},
		"a user":            {func(r *http.Request) { r.URL = mustParse("https://user:word@vendor.example/a") }, "GET", "https", "vendor.example", "/a"},
		"Host as a field":   {func(r *http.Request) { r.Header.Set("Host", "wrong.example") }, "GET", "https", "vendor.example", "/path?q=1"},
		"a colon in a path": {func(r *http.Request) { r.URL = mustParse("https://vendor.example/v1/models:generate?alt=sse") }, "GET", "https", "vendor.example", "/v1/models:generate?alt=sse"},
	} {
		t.Run(name, func(t *testing.T) {
			f := asked(t, c.change)
			require.Equal(t, []string{c.method}, f.values(":method"))
			require.Equal(t, []string{c.scheme}, f.values(":scheme"))
			require.Equal(t, []string{c.authority}, f.values(":authority"))
			require.Equal(t, []string{c.path}, f.values(":path"))
			require.Empty(t, f.value("host"))
			require.True(t, f.ended())
		})
	}
}

func mustParse(raw string) *url.URL {
	u, err := url.Parse(raw)
	if err != nil {
		panic(err)
	}
	return u
}

func TestRequestFields(t *testing.T) {
	f := asked(t, func(r *http.Request) {
		r.Header = http.Header{
			"X-Two": {"a", "b"}, "x-lower": {"c"}, "X-Empty": {""}, "X-None": {}, "Authorization": {"Bearer x"},
			"Connection": {"close, X-Two"}, "Keep-Alive": {"5"}, "Proxy-Connection": {"x"}, "Transfer-Encoding": {"chunked"},
			"Upgrade": {"h2c"}, "Te": {"gzip"}, "Cookie": {"a=b; c=d"}, "X-Tab": {"a\tb"}, "X-High": {"\xc3\xa9"},
		}
	})
	require.Equal(t, []string{"a", "b"}, f.values("x-two"))
	require.Equal(t, []string{"c"}, f.values("x-lower"))
	require.Equal(t, []string{""}, f.values("x-empty"))
	require.Equal(t, []string{"Bearer x"}, f.values("authorization"))
	require.Equal(t, []string{"a\tb"}, f.values("x-tab"))
	require.Equal(t, []string{"\xc3\xa9"}, f.values("x-high"))
	require.Equal(t, "a=b; c=d", strings.Join(f.values("cookie"), "; "))
	for _, never := range []string{"x-none", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te", "accept-encoding", "content-length"} {
		require.Empty(t, f.values(never), never)
	}
}

func TestRequestDefaults(t *testing.T) {
	none := asked(t, func(*http.Request) {})
	require.Equal(t, []string{"Go-http-client/2.0"}, none.values("user-agent"))
	require.Empty(t, none.values("accept-encoding"))
	own := asked(t, func(r *http.Request) { r.Header.Set("User-Agent", "own/1") })
	require.Equal(t, []string{"own/1"}, own.values("user-agent"))
	empty := asked(t, func(r *http.Request) { r.Header.Set("User-Agent", "") })
	require.Empty(t, empty.values("user-agent"), "an empty one switches it off, as with net/http")
	trailers := asked(t, func(r *http.Request) { r.Header.Set("TE", "trailers") })
	require.Equal(t, []string{"trailers"}, trailers.values("te"))
	gzip := asked(t, func(r *http.Request) { r.Header.Set("Accept-Encoding", "gzip") })
	require.Equal(t, []string{"gzip"}, gzip.values("accept-encoding"))
	nothing := asked(t, func(r *http.Request) { r.Header = nil })
	require.Equal(t, "/path?q=1", nothing.value(":path"))
}

func TestRequestIsNotChanged(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		req := newRequest(t, http.MethodGet, "/", nil, 0)
		req.Header.Set("Connection", "close")
		req.Header["lower"] = []string{"x"}
		before := req.Header.Clone()
		call := s.send(req)
		s.headers(s.request().StreamID, true, "200")
		call.answers("")
		require.Equal(t, before, req.Header)
		require.Empty(t, req.Method[len("GET"):])
	})
}

// What cannot be sent is refused before anything is sent.
func TestRequestsThatAreRefused(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"a name with a space":        func(r *http.Request) { r.Header["Bad Name"] = []string{"x"} },
		"a name with a line's end":   func(r *http.Request) { r.Header["Bad\r\nName"] = []string{"x"} },
		"a name with a colon":        func(r *http.Request) { r.Header[":path"] = []string{"/other"} },
		"an empty name":              func(r *http.Request) { r.Header[""] = []string{"x"} },
		"a name beyond ASCII":        func(r *http.Request) { r.Header["X-\xc3\xa9"] = []string{"x"} },
		"a value with a line's end":  func(r *http.Request) { r.Header.Set("X", "a\nb") },
		"a value with a nul":         func(r *http.Request) { r.Header.Set("X", "a\x00b") },
		"a second value":             func(r *http.Request) { r.Header["X"] = []string{"good", "bad\r"} },
		"a method with a space":      func(r *http.Request) { r.Method = "GET /" },
		"a host with a line's end":   func(r *http.Request) { r.Host = "a\r\nb" },
		"a host with a space":        func(r *http.Request) { r.Host = "a b" },
		"a bad User-Agent":           func(r *http.Request) { r.Header.Set("User-Agent", "a\nb") },
		"a bad value that is hidden": func(r *http.Request) { r.Header["Content-Type"] = []string{"text/plain\x7f\x00"} },
		"no URL":                     func(r *http.Request) { r.URL = nil },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				req := newRequest(t, http.MethodPost, "/", strings.NewReader("hello"), 5)
				change(req)
				err := s.send(req).failure()
				require.NotContains(t, err.Error(), "\n")
				s.silent()
				s.alive()
				require.EqualValues(t, 1, s.calls[0].body.closed.Load())
			})
		})
	}
}
