package h2client_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"whatsappnode/adapters/h2client"
)

func TestPause(t *testing.T) {
	// paused measures how long a pause of ten seconds takes on an open answer.
	paused := func(meanwhile func(t *testing.T, s *script, call *call, id uint32)) func(t *testing.T) (took time.Duration) {
		return func(t *testing.T) (took time.Duration) {
			play(t, func(t *testing.T, s *script) {
				call, id := s.answer("/")
				body, can := call.got.Body.(h2client.Paused)
				require.True(t, can)
				go func() {
					time.Sleep(2 * time.Second)
					meanwhile(t, s, call, id)
				}()
				begin := time.Now()
				body.Pause(10 * time.Second)
				took = time.Since(begin)
			})
			return took
		}
	}
	for name, c := range map[string]struct {
		meanwhile func(t *testing.T, s *script, call *call, id uint32)
		want      time.Duration
	}{
		"nothing comes":         {func(*testing.T, *script, *call, uint32) {}, 10 * time.Second},
		"data comes":            {func(_ *testing.T, s *script, _ *call, id uint32) { s.data(id, false, []byte("x")) }, 10 * time.Second},
		"a PING comes":          {func(_ *testing.T, s *script, _ *call, _ uint32) { s.frame(http2.FramePing, 0, 0, make([]byte, 8)) }, 10 * time.Second},
		"the end comes":         {func(_ *testing.T, s *script, _ *call, id uint32) { s.data(id, true, []byte("x")) }, 2 * time.Second},
		"trailers come":         {func(_ *testing.T, s *script, _ *call, id uint32) { s.headers(id, true, "", "x", "y") }, 2 * time.Second},
		"it is reset":           {func(_ *testing.T, s *script, _ *call, id uint32) { s.reset(id, http2.ErrCodeInternal) }, 2 * time.Second},
		"it is canceled":        {func(_ *testing.T, _ *script, call *call, _ uint32) { call.cancel() }, 2 * time.Second},
		"it is closed":          {func(_ *testing.T, _ *script, call *call, _ uint32) { _ = call.got.Body.Close() }, 2 * time.Second},
		"the connection ends":   {func(_ *testing.T, s *script, _ *call, _ uint32) { _ = s.conn.Close() }, 2 * time.Second},
		"the connection breaks": {func(_ *testing.T, s *script, _ *call, _ uint32) { s.frame(http2.FramePing, 0, 1, nil) }, 2 * time.Second},
		"it is malformed":       {func(_ *testing.T, s *script, _ *call, id uint32) { s.headers(id, false, "", "X", "y") }, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, paused(c.meanwhile)(t))
		})
	}
	t.Run("not when it had ended", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call, id := s.answer("/")
			s.data(id, true, []byte("unread"))
			synctest.Wait()
			begin := time.Now()
			call.got.Body.(h2client.Paused).Pause(time.Hour)
			require.Zero(t, time.Since(begin))
			call.answers("unread")
			call.got.Body.(h2client.Paused).Pause(time.Hour)
			require.Zero(t, time.Since(begin))
		})
	})
	t.Run("again and again, between reads", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call, id := s.answer("/")
			go func() {
				for range 10 {
					time.Sleep(100 * time.Millisecond)
					s.data(id, false, []byte("x"))
				}
				s.data(id, true, nil)
			}()
			var all []byte
			for {
				call.got.Body.(h2client.Paused).Pause(250 * time.Millisecond)
				piece := make([]byte, 100)
				n, err := call.got.Body.Read(piece)
				all = append(all, piece[:n]...)
				if err != nil {
					require.ErrorIs(t, err, io.EOF)
					break
				}
			}
			require.Equal(t, "xxxxxxxxxx", string(all))
		})
	})
	t.Run("for no time", func(t *testing.T) {
		play(t, func(t *testing.T, s *script) {
			call, _ := s.answer("/")
			begin := time.Now()
			call.got.Body.(h2client.Paused).Pause(0)
			call.got.Body.(h2client.Paused).Pause(-time.Second)
			require.Zero(t, time.Since(begin))
		})
	})
}
