package stage_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/test/bench/answer/stage"
)

const ms = time.Millisecond

func start(t *testing.T, handler stage.Handler, opt stage.Options) *stage.Server {
	t.Helper()
	s, err := stage.Start(handler, opt)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func call(t *testing.T, client *http.Client, url string, body []byte) (*http.Response, string) {
	t.Helper()
	resp, err := client.Post(url, "text/plain", bytes.NewReader(body))
	if !assert.NoError(t, err) {
		return nil, ""
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	assert.NoError(t, err)
	return resp, string(data)
}

// clientOf gives up long before the tests do.
func clientOf(s *stage.Server) *http.Client {
	client := s.Client()
	client.Timeout = 30 * time.Second
	return client
}

// both runs a test over HTTP/2 and over HTTP/1.1.
func both(t *testing.T, test func(t *testing.T, plain bool)) {
	for _, plain := range []bool{false, true} {
		t.Run(fmt.Sprintf("plain=%v", plain), func(t *testing.T) { test(t, plain) })
	}
}

func TestAnswersComeInTime(t *testing.T) {
	both(t, func(t *testing.T, plain bool) {
		var steps []stage.Step
		want := ""
		for i := range 20 {
			text := fmt.Sprintf("step %d;", i)
			want += text
			steps = append(steps, stage.Step{At: time.Duration(i+2) * 5 * ms, Data: []byte(text)})
		}
		s := start(t, func(r stage.Request) stage.Answer {
			return stage.Answer{Status: http.StatusAccepted, Type: "text/x-" + string(r.Body), Steps: steps}
		}, stage.Options{Plain: plain})
		client := clientOf(s)
		defer client.CloseIdleConnections()
		began := time.Now()
		resp, got := call(t, client, s.Base()+"/a?b=c", []byte("kind"))
		took := time.Since(began)
		assert.Equal(t, want, got)
		assert.Equal(t, "text/x-kind", resp.Header.Get("Content-Type"))
		assert.Equal(t, http.StatusAccepted, resp.StatusCode)
		assert.Equal(t, map[bool]int{false: 2, true: 1}[plain], resp.ProtoMajor)
		assert.GreaterOrEqual(t, took, 105*ms, "not before its time")
		var late []time.Duration // the last ones are noted after the client has them
		require.Eventually(t, func() bool { late = append(late, s.Lateness()...); return len(late) > 0 && s.Pending() == 0 }, 10*time.Second, ms)
		assert.LessOrEqual(t, len(late), 20, "steps that are late are played together")
		for _, d := range late {
			assert.GreaterOrEqual(t, d, time.Duration(0))
		}
		assert.Empty(t, s.Lateness(), "taken once")
		require.NoError(t, s.Fault())
	})
}

// TestManyAtOnce: more streams than a connection carries, and bodies both ways that
// need many frames.
func TestManyAtOnce(t *testing.T) {
	both(t, func(t *testing.T, plain bool) {
		big := bytes.Repeat([]byte("sound"), 40_000)
		s := start(t, func(r stage.Request) stage.Answer {
			return stage.Answer{Type: "a/b", Steps: []stage.Step{
				{At: 10 * ms, Data: []byte(r.Path)}, {At: 20 * ms, Data: []byte(fmt.Sprint(len(r.Body)))}, {At: 20 * ms, Data: big},
			}}
		}, stage.Options{Plain: plain, Streams: 16})
		client := clientOf(s)
		defer client.CloseIdleConnections()
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				_, got := call(t, client, fmt.Sprintf("%s/%d", s.Base(), i), make([]byte, 1000*i))
				assert.Equal(t, fmt.Sprintf("/%d%d%s", i, 1000*i, big), got)
			})
		}
		wg.Wait()
		require.NoError(t, s.Fault())
		assert.Zero(t, s.Pending())
		assert.GreaterOrEqual(t, s.Connections(), 100/16)
	})
}

// TestLongUse: what the connection takes is granted anew.
func TestLongUse(t *testing.T) {
	s := start(t, func(r stage.Request) stage.Answer {
		return stage.Answer{Type: "a/b", Steps: []stage.Step{{Data: []byte(fmt.Sprint(len(r.Body)))}}}
	}, stage.Options{})
	client := clientOf(s)
	defer client.CloseIdleConnections()
	body := make([]byte, 3<<20)
	for range 30 { // 90 MiB over one connection that began with 64
		_, got := call(t, client, s.Base(), body)
		require.Equal(t, fmt.Sprint(len(body)), got)
	}
	assert.Equal(t, 1, s.Connections())
}

func TestAfter(t *testing.T) {
	s := start(t, func(stage.Request) stage.Answer { return stage.Answer{} }, stage.Options{})
	began, called := time.Now(), make(chan time.Time)
	s.After(3*ms, func() { called <- time.Now() })
	assert.Equal(t, 1, s.Pending())
	assert.GreaterOrEqual(t, (<-called).Sub(began), 3*ms)
	due := time.Now().Add(2 * ms)
	stage.SleepUntil(due)
	assert.False(t, time.Now().Before(due))
}

func TestAtOnce(t *testing.T) {
	both(t, func(t *testing.T, plain bool) {
		s := start(t, func(r stage.Request) stage.Answer {
			if r.Method == http.MethodGet {
				return stage.Answer{Type: "a/b"}
			}
			return stage.Answer{Type: "a/b", Steps: []stage.Step{{Data: []byte("now")}}}
		}, stage.Options{Plain: plain})
		client := clientOf(s)
		defer client.CloseIdleConnections()
		_, got := call(t, client, s.Base(), nil)
		assert.Equal(t, "now", got)
		resp, err := client.Get(s.Base())
		require.NoError(t, err)
		defer resp.Body.Close()
		data, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Empty(t, data)
		head, err := client.Head(s.Base())
		require.NoError(t, err)
		defer head.Body.Close()
		assert.Equal(t, "a/b", head.Header.Get("Content-Type"))
		_, got = call(t, client, s.Base(), nil)
		assert.Equal(t, "now", got, "the connection is as good as before")
		assert.Equal(t, 1, s.Connections())
		assert.Empty(t, s.Lateness(), "nothing was scheduled")
	})
}

// TestEarlyHeaders: the client has the headers while the body is not due for hours.
func TestEarlyHeaders(t *testing.T) {
	both(t, func(t *testing.T, plain bool) {
		s := start(t, func(stage.Request) stage.Answer {
			return stage.Answer{Type: "a/b", Early: true, Steps: []stage.Step{{At: time.Hour, Data: []byte("x")}}}
		}, stage.Options{Plain: plain})
		client := clientOf(s)
		defer client.CloseIdleConnections()
		resp, err := client.Post(s.Base(), "text/plain", strings.NewReader("x"))
		require.NoError(t, err)
		assert.Equal(t, 1, s.Pending())
		resp.Body.Close()
	})
}

// TestWhoGivesUpIsForgotten: the stream of a client that left is not played to its end,
// and the connection stays good.
func TestWhoGivesUpIsForgotten(t *testing.T) {
	s := start(t, func(r stage.Request) stage.Answer {
		if string(r.Body) == "short" {
			return stage.Answer{Type: "a/b", Steps: []stage.Step{{Data: []byte("good")}}}
		}
		steps := make([]stage.Step, 1000)
		for i := range steps {
			steps[i] = stage.Step{At: time.Duration(i) * ms, Data: []byte("x")}
		}
		return stage.Answer{Type: "a/b", Steps: append(steps, stage.Step{At: 100 * time.Hour})}
	}, stage.Options{})
	client := clientOf(s)
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Base(), strings.NewReader("long"))
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	cancel()
	_, err = io.ReadAll(resp.Body)
	require.Error(t, err)
	resp.Body.Close()
	require.Eventually(t, func() bool { return s.Pending() == 0 }, 10*time.Second, ms)
	_, got := call(t, client, s.Base(), []byte("short"))
	assert.Equal(t, "good", got)
	assert.Equal(t, 1, s.Connections())
}
