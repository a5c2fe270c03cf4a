package h2client_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

func TestResponsesThatAreCutOff(t *testing.T) {
	for name, c := range map[string]struct {
		say  func(s *script)
		want error // nil: any
	}{
		"DATA less than its length":    {func(s *script) { s.headers(1, false, "200", "content-length", "4"); s.data(1, true, []byte("abc")) }, io.ErrUnexpectedEOF},
		"no DATA in spite of a length": {func(s *script) { s.headers(1, true, "200", "content-length", "4") }, io.ErrUnexpectedEOF},
		"trailers before its length":   {func(s *script) { s.headers(1, false, "200", "content-length", "4"); s.headers(1, true, "", "x", "y") }, io.ErrUnexpectedEOF},
		"a reset in the middle": {func(s *script) {
			s.headers(1, false, "200")
			s.data(1, false, []byte("abc"))
			s.reset(1, http2.ErrCodeInternal)
		}, nil},
		"a reset without error": {func(s *script) {
			s.headers(1, false, "200")
			s.data(1, false, []byte("abc"))
			s.reset(1, http2.ErrCodeNo)
		}, nil},
		"a reset at its length": {func(s *script) { s.headers(1, false, "200"); s.reset(1, http2.ErrCodeCancel) }, nil},
		"the connection ends":   {func(s *script) { s.headers(1, false, "200"); s.data(1, false, []byte("abc")); _ = s.conn.Close() }, nil},
		"the connection ends in a frame": {func(s *script) {
			s.headers(1, false, "200")
			_, _ = s.conn.Write([]byte{0, 0, 9, 0, 0})
			_ = s.conn.Close()
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *script) {
				call := s.get("/")
				s.request()
				c.say(s)
				_, err := call.read()
				require.Error(t, err)
				if c.want != nil {
					require.ErrorIs(t, err, c.want)
				}
			})
		})
	}
}
