package h2client_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"whatsappnode/adapters/h2client"
)

func isPing(f frame) bool { return f.Type == http2.FramePing && !f.ack() }

// pass lets time go by.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// timed runs a script with times set.
func timed(t *testing.T, o h2client.Options, run func(t *testing.T, s *script)) {
	t.Helper()
	playWith(t, o, func(t *testing.T, s *script) {
		t.Helper()
		s.hello()
		run(t, s)
	})
}

func TestPingWhenNothingIsHeard(t *testing.T) {
	o := h2client.Options{PingAfter: 10 * time.Second, PingTimeout: 3 * time.Second}
	t.Run("one that answers lives", func(t *testing.T) {
		timed(t, o, func(t *testing.T, s *script) {
			call := s.get("/")
			id := s.request().StreamID
			for range 20 {
				f := s.await("PING", isPing)
				s.frame(http2.FramePing, http2.FlagPingAck, 0, f.ping[:])
			}
			s.reply(id, "late")
			call.answers("late")
		})
	})
	t.Run("it comes after the time, and not before", func(t *testing.T) {
		timed(t, o, func(t *testing.T, s *script) {
			call := s.get("/")
			id := s.request().StreamID
			pass(9 * time.Second)
			s.none("too early", isPing)
			s.headers(id, false, "200")
			for range 5 { // whatever is heard counts
				pass(9 * time.Second)
				s.none("something was heard", isPing)
				s.data(id, false, []byte("."))
			}
			begin := time.Now()
			s.await("PING", isPing)
			require.GreaterOrEqual(t, time.Since(begin), 10*time.Second)
			require.LessOrEqual(t, time.Since(begin), 16*time.Second)
			_ = call
		})
	})
	t.Run("any frame is a sign of life", func(t *testing.T) {
		timed(t, o, func(t *testing.T, s *script) {
			call := s.get("/")
			id := s.request().StreamID
			for range 10 {
				s.await("PING", isPing)
				s.update(0, 1) // no answer, but somebody is there
			}
			require.True(t, s.client.Usable())
			s.reply(id, "late")
			call.answers("late")
		})
	})
	t.Run("one that is silent is dead", func(t *testing.T) {
		timed(t, o, func(t *testing.T, s *script) {
			waiting := s.get("/")
			s.request()
			reading, _ := s.answer("/read")
			begin := time.Now()
			_ = waiting.failure()
			took := time.Since(begin)
			require.GreaterOrEqual(t, took, 13*time.Second)
			require.LessOrEqual(t, took, 20*time.Second)
			_, err := reading.read()
			require.Error(t, err)
			require.NotErrorIs(t, waiting.err, h2client.ErrUnusable, "the server may have acted on it")
			require.False(t, s.client.Usable())
			require.ErrorIs(t, s.get("/").failure(), h2client.ErrUnusable)
			s.awaitEnd()
		})
	})
	t.Run("one that does not even read is dead", func(t *testing.T) {
		timed(t, o, func(t *testing.T, s *script) {
			s.stop()
			call := s.get("/")
			_ = call.failure()
			require.False(t, s.client.Usable())
		})
	})
	t.Run("not when it is switched off", func(t *testing.T) {
		timed(t, h2client.Options{}, func(t *testing.T, s *script) {
			call := s.get("/")
			id := s.request().StreamID
			pass(240 * time.Hour)
			s.silent()
			s.reply(id, "late")
			call.answers("late")
		})
	})
}

func TestIdleTime(t *testing.T) {
	o := h2client.Options{IdleTime: 30 * time.Second}
	t.Run("after the last request", func(t *testing.T) {
		timed(t, o, func(t *testing.T, s *script) {
			pass(20 * time.Second)
			s.alive()
			pass(20 * time.Second)
			s.alive()
			begin := time.Now()
			code, told := s.awaitEnd()
			require.True(t, told)
			require.Equal(t, http2.ErrCodeNo, code)
			took := time.Since(begin)
			require.GreaterOrEqual(t, took, 30*time.Second)
			require.LessOrEqual(t, took, 46*time.Second)
			synctest.Wait()
			require.False(t, s.client.Usable())
			require.ErrorIs(t, s.get("/").failure(), h2client.ErrUnusable)
		})
	})
	t.Run("when there never was one", func(t *testing.T) {
		timed(t, o, func(t *testing.T, s *script) {
			s.awaitEnd()
			synctest.Wait()
			require.False(t, s.client.Usable())
		})
	})
	t.Run("not while one is under way", func(t *testing.T) {
		timed(t, o, func(t *testing.T, s *script) {
			call := s.get("/")
			id := s.request().StreamID
			pass(10 * time.Minute)
			s.headers(id, false, "200")
			pass(10 * time.Minute)
			require.True(t, s.client.Usable())
			s.data(id, true, []byte("late"))
			call.answers("late")
			s.alive()
		})
	})
	t.Run("not while one waits for a slot", func(t *testing.T) {
		timed(t, o, func(t *testing.T, s *script) {
			s.settings(maxStreams(0))
			call := s.get("/")
			pass(10 * time.Minute)
			s.settings(maxStreams(1))
			s.reply(s.request().StreamID, "late")
			call.answers("late")
		})
	})
	t.Run("one that waited and gave up counts", func(t *testing.T) {
		timed(t, o, func(t *testing.T, s *script) {
			s.settings(maxStreams(0))
			call := s.get("/")
			pass(10 * time.Minute)
			call.cancel()
			_ = call.failure()
			s.settings(maxStreams(1))
			pass(20 * time.Second)
			s.alive()
		})
	})
	t.Run("a server's PING is no request", func(t *testing.T) {
		timed(t, o, func(t *testing.T, s *script) {
			for range 9 {
				pass(5 * time.Second)
				s.frame(http2.FramePing, 0, 0, make([]byte, 8))
			}
			s.awaitEnd()
		})
	})
	t.Run("not when it is switched off", func(t *testing.T) {
		timed(t, h2client.Options{}, func(_ *testing.T, s *script) {
			s.alive()
			pass(240 * time.Hour)
			s.alive()
		})
	})
}
