package h2client_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"whatsappnode/adapters/h2client"
)

// A server that is slow for a moment does not lose its connection for what its client asks.
func TestManyRequestsToASlowServer(t *testing.T) {
	play(t, func(t *testing.T, s *script) {
		const n, size = 1500, 1000
		s.stop()
		random := rand.New(rand.NewPCG(1, 2))
		for i := range n {
			req := newRequest(t, http.MethodGet, fmt.Sprintf("/%d", i), nil, 0)
			value := make([]byte, size)
			for j := range value {
				value[j] = byte('!' + random.IntN(90))
			}
			req.Header.Set("Authorization", string(value))
			s.send(req)
		}
		synctest.Wait()
		s.resume()
		for range n {
			s.headers(s.request().StreamID, true, "200")
		}
		for _, call := range s.calls {
			call.answers("")
		}
	})
}

// The answer to one request may be the body of another on the same connection. Whoever
// ends the one must not wait for the other.
func TestAnAnswerAsABody(t *testing.T) {
	s := newServer(t, true, http.HTTP2Config{}, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/source":
			_, _ = io.WriteString(w, "some")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/early":
			_, _ = io.ReadFull(r.Body, make([]byte, 4))
			w.WriteHeader(http.StatusTeapot)
		case "/abort":
			_, _ = io.ReadFull(r.Body, make([]byte, 4))
			panic(http.ErrAbortHandler)
		case "/given-up":
			_, _ = io.Copy(w, r.Body)
		}
	})
	for _, path := range []string{"/early", "/abort", "/given-up"} {
		t.Run(path, func(t *testing.T) {
			c := s.dial(t)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				source, err := c.RoundTrip(s.request(t.Context(), "/source", ""))
				if !assert.NoError(t, err) {
					return
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				req := s.request(ctx, path, "")
				req.Body, req.ContentLength = source.Body, -1
				if path == "/given-up" {
					time.AfterFunc(50*time.Millisecond, cancel)
				}
				_, _ = whole(c, req)
				_, err = whole(c, s.request(t.Context(), "/", ""))
				assert.NoError(t, err)
			}()
			select {
			case <-ended:
			case <-time.After(hangs):
				t.Error("the connection hangs")
			}
		})
	}
}

// locked is a body that guards itself, so that closing it waits for a reading to end.
type locked struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *locked) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}

func (l *locked) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return nil
}

// A body that cannot be closed while it is read holds its own request up, and no other.
func TestABodyThatHoldsItsCloserUp(t *testing.T) {
	s := newServer(t, false, http.HTTP2Config{}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/early" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		echo(w, r)
	})
	c := s.dial(t)
	r, w := io.Pipe()
	req := s.request(t.Context(), "/early", "")
	req.Body, req.ContentLength = &locked{r: r}, -1
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = whole(c, req)
	}()
	_, _ = io.WriteString(w, "x") // it is being read
	others := make(chan struct{})
	go func() {
		defer close(others)
		for range 20 {
			got, err := whole(c, s.request(t.Context(), "/", "others"))
			assert.NoError(t, err)
			assert.Equal(t, "others", got)
		}
	}()
	select {
	case <-others:
	case <-time.After(hangs):
		t.Error("the connection hangs")
	}
	_ = w.Close()
	<-ended
	<-others
}

// Answers that are made word by word, and read in steps.
func TestManyAnswersReadInSteps(t *testing.T) {
	everywhere(t, func(t *testing.T, plain bool) {
		s := newServer(t, plain, http.HTTP2Config{MaxConcurrentStreams: 1000}, func(w http.ResponseWriter, r *http.Request) {
			content, _ := io.ReadAll(r.Body)
			for range 30 {
				_, _ = w.Write(content)
				w.(http.Flusher).Flush()
			}
		})
		c := s.dial(t)
		together(100, func(i int) {
			word := fmt.Sprintf("word %d.", i)
			resp, err := c.RoundTrip(s.request(t.Context(), "/", word))
			if !assert.NoError(t, err) {
				return
			}
			defer resp.Body.Close()
			var all []byte
			piece := make([]byte, 50)
			for err == nil {
				if p, ok := resp.Body.(h2client.Paused); ok {
					p.Pause(time.Millisecond)
				}
				var n int
				n, err = resp.Body.Read(piece)
				all = append(all, piece[:n]...)
			}
			assert.ErrorIs(t, err, io.EOF)
			assert.Equal(t, strings.Repeat(word, 30), string(all))
		})
	})
}
