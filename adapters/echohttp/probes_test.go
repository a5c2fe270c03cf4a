package echohttp_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"whatsappnode/adapters/echohttp"
)

func checks(m map[string]echohttp.Check) func(*echohttp.Options) {
	return func(o *echohttp.Options) { o.Checks = m }
}

func TestProbesAlone(t *testing.T) {
	h := start(t, func(o *echohttp.Options) { o.Webhook, o.Intake = nil, nil })
	assert.Equal(t, http.StatusOK, h.do(http.MethodGet, "/live", "").code)
	assert.Equal(t, http.StatusNotFound, h.do(http.MethodGet, "/webhook", "").code)
	assert.Equal(t, http.StatusNotFound, h.do(http.MethodPost, "/webhook", "{}").code)

	_, err := echohttp.New(echohttp.Options{Addr: "127.0.0.1:0", Webhook: format{}, Log: zap.NewNop()})
	assert.Error(t, err, "a webhook that nobody stores")
}

func TestProbes(t *testing.T) {
	var down atomic.Bool
	h := start(t, limits(echohttp.Limits{CheckAge: time.Nanosecond}), checks(map[string]echohttp.Check{
		"store": func(context.Context) error {
			if down.Load() {
				return errors.New("marker: redis.internal:6379 refused")
			}
			return nil
		},
		"disk": func(context.Context) error { return nil },
	}))
	t.Run("Startup", func(t *testing.T) {
		r := h.do(http.MethodGet, "/startup", "")
		assert.Equal(t, http.StatusServiceUnavailable, r.code)
		assert.Equal(t, `{"status":"starting"}`, r.body)
		h.server.Started()
		assert.Equal(t, http.StatusOK, h.do(http.MethodGet, "/startup", "").code)
	})
	t.Run("Ready", func(t *testing.T) {
		r := h.do(http.MethodGet, "/ready", "")
		assert.Equal(t, http.StatusOK, r.code)
		assert.Equal(t, `{"status":"ok","checks":{"disk":"ok","store":"ok"}}`, r.body)
		down.Store(true)
		r = h.do(http.MethodGet, "/ready", "")
		assert.Equal(t, http.StatusServiceUnavailable, r.code)
		assert.Equal(t, `{"status":"failed","checks":{"disk":"ok","store":"failed"}}`, r.body)
	})
	t.Run("LiveDoesNotCare", func(t *testing.T) {
		r := h.do(http.MethodGet, "/live", "")
		assert.Equal(t, http.StatusOK, r.code)
		assert.Equal(t, `{"status":"ok"}`, r.body)
		assert.Equal(t, http.StatusOK, h.do(http.MethodHead, "/live", "").code)
	})
}

func TestReadinessIsSharedAndCached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		r, err := echohttp.NewReadiness(map[string]echohttp.Check{
			"store": func(context.Context) error { calls.Add(1); time.Sleep(100 * time.Millisecond); return nil },
		}, time.Second, time.Second)
		require.NoError(t, err)
		flood := func() {
			var all sync.WaitGroup
			for range 100 {
				all.Go(func() { assert.True(t, r.Ask(t.Context()).OK) })
			}
			all.Wait()
		}
		flood()
		assert.EqualValues(t, 1, calls.Load())
		flood()
		assert.EqualValues(t, 1, calls.Load(), "the answer is used again")
		time.Sleep(time.Second)
		flood()
		assert.EqualValues(t, 2, calls.Load(), "an old answer is not")
	})
}

func TestReadinessOfBadChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		var stuckCalls atomic.Int64
		wait := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		r, err := echohttp.NewReadiness(map[string]echohttp.Check{
			"panics": func(context.Context) error { panic("marker") },
			"slow a": wait, "slow b": wait,
			"stuck": func(context.Context) error { stuckCalls.Add(1); <-stuck; return nil },
		}, time.Second, time.Millisecond)
		require.NoError(t, err)
		begin := time.Now()
		report := r.Ask(t.Context())
		assert.Equal(t, time.Second, time.Since(begin), "checks run side by side, each within its time")
		assert.False(t, report.OK)
		require.Len(t, report.Checks, 4)
		for _, c := range report.Checks {
			assert.Error(t, c.Err, c.Name)
		}
		time.Sleep(time.Minute)
		r.Ask(t.Context())
		assert.EqualValues(t, 1, stuckCalls.Load(), "a check that hangs is not started again")
		close(stuck)
	})
}

func TestReadinessOutlivesTheAsker(t *testing.T) {
	r, err := echohttp.NewReadiness(map[string]echohttp.Check{
		"store": func(ctx context.Context) error { return ctx.Err() },
	}, time.Second, time.Second)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.True(t, r.Ask(ctx).OK, "a client that left must not fail the answer of others")
}

func TestAdmin(t *testing.T) {
	ready, err := echohttp.NewReadiness(map[string]echohttp.Check{
		"store": func(context.Context) error { return errors.New("connection refused") },
		"disk":  func(context.Context) error { return nil },
	}, time.Second, time.Second)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	admin, err := echohttp.NewAdmin(echohttp.AdminOptions{Listener: l, Readiness: ready, Log: zap.NewNop()})
	require.NoError(t, err)
	admin.Handle("GET /metrics", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- admin.Run(ctx) }()
	transport := &http.Transport{}
	h := &harness{t: t, url: "http://" + admin.Addr().String(), client: &http.Client{Transport: transport}}

	assert.Equal(t, http.StatusOK, h.do(http.MethodGet, "/live", "").code)
	assert.Equal(t, http.StatusTeapot, h.do(http.MethodGet, "/metrics", "").code)
	assert.Equal(t, http.StatusNotFound, h.do(http.MethodPost, "/webhook", "").code)
	assert.Contains(t, h.do(http.MethodGet, "/debug/pprof/", "").body, "goroutine")
	assert.Equal(t, http.StatusOK, h.do(http.MethodGet, "/debug/pprof/heap", "").code)
	r := h.do(http.MethodGet, "/ready", "")
	assert.Equal(t, http.StatusServiceUnavailable, r.code)
	var detail struct {
		Status string
		Checks []struct {
			Name  string
			OK    bool
			Error string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(r.body), &detail))
	assert.Equal(t, "failed", detail.Status)
	require.Len(t, detail.Checks, 2)
	assert.True(t, detail.Checks[0].OK)
	assert.Equal(t, "connection refused", detail.Checks[1].Error)

	transport.CloseIdleConnections()
	stop()
	assert.NoError(t, <-done)
}

func TestNewRefusesBadOptions(t *testing.T) {
	good := func() echohttp.Options {
		return echohttp.Options{Addr: "127.0.0.1:0", Webhook: format{}, Intake: &intake{}, Log: zap.NewNop()}
	}
	_, err := echohttp.New(good())
	require.NoError(t, err)
	for name, spoil := range map[string]func(*echohttp.Options){
		"NoWebhook":     func(o *echohttp.Options) { o.Webhook = nil },
		"NoIntake":      func(o *echohttp.Options) { o.Intake = nil },
		"NoLog":         func(o *echohttp.Options) { o.Log = nil },
		"NoAddr":        func(o *echohttp.Options) { o.Addr = "" },
		"NegativeLimit": func(o *echohttp.Options) { o.Limits.MaxConcurrent = -1 },
		"SmallBudget":   func(o *echohttp.Options) { o.Limits.MaxBodyMemory = 1 },
		"NilCheck":      func(o *echohttp.Options) { o.Checks = map[string]echohttp.Check{"x": nil} },
	} {
		o := good()
		spoil(&o)
		_, err := echohttp.New(o)
		assert.Error(t, err, name)
	}
	o := good()
	o.Addr = "256.0.0.1:http"
	s, err := echohttp.New(o)
	require.NoError(t, err)
	assert.Error(t, s.Run(t.Context()), "an address that cannot be bound fails at once")
}
