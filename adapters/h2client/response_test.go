package h2client_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

func TestResponse(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		call := s.get("/")
		id := s.request().StreamID
		s.headers(id, false, "418", "content-type", "text/plain", "x-two", "a", "x-two", "b", "content-length", "4", "x-empty", "")
		resp := call.response()
		require.Equal(t, "HTTP/2.0", resp.Proto)
		require.Equal(t, 2, resp.ProtoMajor)
		require.Zero(t, resp.ProtoMinor)
		require.Equal(t, 418, resp.StatusCode)
		require.Equal(t, "418 I'm a teapot", resp.Status)
		require.EqualValues(t, 4, resp.ContentLength)
		require.Equal(t, "/", resp.Request.URL.Path)
		require.Equal(t, http.Header{
			"Content-Type": {"text/plain"}, "X-Two": {"a", "b"}, "Content-Length": {"4"}, "X-Empty": {""},
		}, resp.Header)
		s.data(id, false, []byte("sh"))
		one := make([]byte, 10)
		n, err := resp.Body.Read(one)
		require.NoError(t, err)
		require.Equal(t, "sh", string(one[:n]))
		s.data(id, true, []byte("rt"))
		call.answers("rt")
		for range 2 {
			_, err = resp.Body.Read(one)
			require.ErrorIs(t, err, io.EOF)
		}
		require.NoError(t, resp.Body.Close())
		require.NoError(t, resp.Body.Close())
		s.silent()
	})
}

// Ways in which a whole response may come.
func TestResponsesThatAreWhole(t *testing.T) {
	for name, c := range map[string]struct {
		method string
		say    func(s *script)
		status int
		body   string
		length int64 // -2 where two answers are right
	}{
		"without a body":      {"GET", func(s *script) { s.headers(1, true, "200") }, 200, "", -2},
		"of no length":        {"GET", func(s *script) { s.reply(1, "abc") }, 200, "abc", -1},
		"of length 0":         {"GET", func(s *script) { s.headers(1, true, "200", "content-length", "0") }, 200, "", 0},
		"ended by empty DATA": {"GET", func(s *script) { s.headers(1, false, "200"); s.data(1, false, []byte("abc")); s.data(1, true, nil) }, 200, "abc", -1},
		"with empty DATA within": {"GET", func(s *script) {
			s.headers(1, false, "200")
			s.data(1, false, nil)
			s.data(1, false, nil)
			s.data(1, true, []byte("abc"))
		}, 200, "abc", -1},
		"with padding": {"GET", func(s *script) {
			s.headers(1, false, "200", "content-length", "1")
			s.frame(http2.FrameData, 9, 1, []byte{3, 'x', 0, 0, 0})
		}, 200, "x", 1},
		"all padding": {"GET", func(s *script) {
			s.headers(1, false, "200")
			s.frame(http2.FrameData, 8, 1, []byte{1, 0})
			s.data(1, true, []byte("y"))
		}, 200, "y", -1},
		"after 100": {"GET", func(s *script) { s.headers(1, false, "100"); s.reply(1, "abc") }, 200, "abc", -1},
		"after several hints": {"GET", func(s *script) {
			s.headers(1, false, "103", "link", "a")
			s.headers(1, false, "103", "link", "b")
			s.headers(1, false, "102")
			s.reply(1, "abc")
		}, 200, "abc", -1},
		"with trailers": {"GET", func(s *script) {
			s.headers(1, false, "200")
			s.data(1, false, []byte("abc"))
			s.headers(1, true, "", "grpc-status", "0")
		}, 200, "abc", -1},
		"with trailers only":         {"GET", func(s *script) { s.headers(1, false, "200"); s.headers(1, true, "", "x", "y") }, 200, "", -1},
		"HEAD with a length":         {"HEAD", func(s *script) { s.headers(1, true, "200", "content-length", "12345") }, 200, "", 12345},
		"HEAD, ended by empty DATA":  {"HEAD", func(s *script) { s.headers(1, false, "200", "content-length", "9"); s.data(1, true, nil) }, 200, "", 9},
		"204":                        {"GET", func(s *script) { s.headers(1, true, "204") }, 204, "", -2},
		"204, ended by empty DATA":   {"GET", func(s *script) { s.headers(1, false, "204"); s.data(1, true, nil) }, 204, "", -2},
		"304 with a length":          {"GET", func(s *script) { s.headers(1, true, "304", "content-length", "77") }, 304, "", -2},
		"of a status without a name": {"GET", func(s *script) { s.headers(1, true, "799") }, 799, "", -2},
		"the same length twice": {"GET", func(s *script) {
			s.headers(1, false, "200", "content-length", "3", "content-length", "3")
			s.data(1, true, []byte("abc"))
		}, 200, "abc", 3},
		"headers in pieces": {"GET", func(s *script) {
			block := s.encode("200", "x-long", strings.Repeat("x", 100))
			s.frame(http2.FrameHeaders, 0, 1, block[:1])
			for i := 1; i < len(block); i++ {
				s.frame(http2.FrameContinuation, 0, 1, block[i:i+1])
			}
			s.frame(http2.FrameContinuation, http2.FlagContinuationEndHeaders, 1, nil)
			s.data(1, true, []byte("abc"))
		}, 200, "abc", -1},
		"headers that end the stream, in pieces": {"GET", func(s *script) {
			block := s.encode("200", "x", "y")
			s.frame(http2.FrameHeaders, http2.FlagHeadersEndStream, 1, nil)
			s.frame(http2.FrameContinuation, http2.FlagContinuationEndHeaders, 1, block)
		}, 200, "", -2},
		"headers with padding and priority": {"GET", func(s *script) {
			block := append([]byte{2, 0, 0, 0, 0, 15}, s.encode("200")...)
			s.frame(http2.FrameHeaders, http2.FlagHeadersEndHeaders|http2.FlagHeadersPadded|http2.FlagHeadersPriority, 1, append(block, 0, 0))
			s.data(1, true, []byte("abc"))
		}, 200, "abc", -1},
		"large headers": {"GET", func(s *script) {
			s.headers(1, true, "200", "x", strings.Repeat("x", 30000), "y", strings.Repeat("y", 30000))
		}, 200, "", -2},
		"a value of odd octets":              {"GET", func(s *script) { s.headers(1, true, "200", "x", "a\tb \xff \xc3\xa9") }, 200, "", -2},
		"reset with no error after its end":  {"GET", func(s *script) { s.reply(1, "abc"); s.reset(1, http2.ErrCodeNo) }, 200, "abc", -1},
		"reset for any reason after its end": {"GET", func(s *script) { s.reply(1, "abc"); s.reset(1, http2.ErrCodeInternal) }, 200, "abc", -1},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				call := s.send(newRequest(t, c.method, "/", nil, 0))
				s.request()
				c.say(s)
				call.answers(c.body)
				resp := call.response()
				require.Equal(t, c.status, resp.StatusCode)
				if c.length != -2 {
					require.Equal(t, c.length, resp.ContentLength)
				}
				s.silent()
				s.alive()
			})
		})
	}
}

// Responses that are malformed: the stream is reset, and the others go on.
func TestResponsesThatAreMalformed(t *testing.T) {
	headers := func(pairs ...string) func(*script) {
		return func(s *script) { s.headers(1, true, pairs[0], pairs[1:]...) }
	}
	for name, say := range map[string]func(s *script){
		"DATA before HEADERS":           func(s *script) { s.data(1, true, []byte("x")) },
		"no status":                     headers("", "x", "y"),
		"nothing in HEADERS":            headers(""),
		"two statuses":                  headers("200", ":status", "200"),
		"a status that is no number":    headers("2xx"),
		"a status of two digits":        headers("20"),
		"a status of four digits":       headers("2000"),
		"a status with a sign":          headers("+200"),
		"a status with a zero":          headers("0200"),
		"a status after a field":        headers("", "x", "y", ":status", "200"),
		"a field of requests":           headers("200", ":path", "/"),
		"an unknown field with a colon": headers("200", ":nonsense", "y"),
		"a name in capitals":            headers("200", "X-Big", "y"),
		"a name with a space":           headers("200", "x y", "z"),
		"a name with a colon":           headers("200", "x:y", "z"),
		"a name with a line's end":      headers("200", "x\r\ny", "z"),
		"an empty name":                 headers("200", "", "z"),
		"a value with a line's end":     headers("200", "x", "a\r\nb"),
		"a value with a nul":            headers("200", "x", "a\x00b"),
		"connection":                    headers("200", "connection", "close"),
		"keep-alive":                    headers("200", "keep-alive", "5"),
		"proxy-connection":              headers("200", "proxy-connection", "x"),
		"transfer-encoding":             headers("200", "transfer-encoding", "chunked"),
		"upgrade":                       headers("200", "upgrade", "h2c"),
		"a length that is no number":    headers("200", "content-length", "x"),
		"a length under 0":              headers("200", "content-length", "-1"),
		"a length with a sign":          headers("200", "content-length", "+0"),
		"a length beyond all":           headers("200", "content-length", "99999999999999999999"),
		"two lengths": func(s *script) {
			s.headers(1, false, "200", "content-length", "3", "content-length", "4")
			s.data(1, true, []byte("abc"))
		},
		"101":                           headers("101"),
		"100 as the end":                headers("100"),
		"a second HEADERS, not the end": func(s *script) { s.headers(1, false, "200"); s.headers(1, false, "", "x", "y") },
		"trailers with a status":        func(s *script) { s.headers(1, false, "200"); s.headers(1, true, "200") },
		"trailers with a bad name":      func(s *script) { s.headers(1, false, "200"); s.headers(1, true, "", "X", "y") },
		"more DATA than the length":     func(s *script) { s.headers(1, false, "200", "content-length", "2"); s.data(1, true, []byte("abc")) },
		"DATA in spite of length 0":     func(s *script) { s.headers(1, false, "200", "content-length", "0"); s.data(1, true, []byte("abc")) },
		"DATA with 204":                 func(s *script) { s.headers(1, false, "204"); s.data(1, true, []byte("abc")) },
		"headers that decode to 70 KiB": headers("200", "a", strings.Repeat("a", 35<<10), "b", strings.Repeat("b", 35<<10)),
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				call := s.get("/")
				s.request()
				say(s)
				err := call.breaks()
				require.False(t, errors.Is(err, io.EOF))
				s.alive()
			})
		})
	}
	t.Run("DATA that answers HEAD", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call := s.send(newRequest(t, http.MethodHead, "/", nil, 0))
			s.request()
			s.headers(1, false, "200", "content-length", "3")
			s.data(1, true, []byte("abc"))
			within(t, "RoundTrip", func() { <-call.done })
			if call.err == nil {
				got, _ := call.read()
				require.Empty(t, got, "HEAD has no body")
			}
			s.alive()
		})
	})
}

// The server is told of a malformed response while it has not ended it.
func TestMalformedResponseIsReset(t *testing.T) {
	for name, say := range map[string]func(s *script){
		"DATA before HEADERS":       func(s *script) { s.data(1, false, []byte("x")) },
		"101":                       func(s *script) { s.headers(1, false, "101") },
		"no status":                 func(s *script) { s.headers(1, false, "", "x", "y") },
		"a name in capitals":        func(s *script) { s.headers(1, false, "200", "X", "y") },
		"connection":                func(s *script) { s.headers(1, false, "200", "connection", "close") },
		"more DATA than the length": func(s *script) { s.headers(1, false, "200", "content-length", "2"); s.data(1, false, []byte("abc")) },
		"trailers before the end":   func(s *script) { s.headers(1, false, "200"); s.headers(1, false, "", "x", "y") },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				call := s.get("/")
				s.request()
				say(s)
				_ = call.breaks()
				require.Equal(t, http2.ErrCodeProtocol, s.awaitReset(1))
				s.alive()
			})
		})
	}
}
