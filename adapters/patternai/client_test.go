package patternai_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/patternai"
	"whatsappnode/ports"
)

func (s *server) client() *patternai.Client {
	c, err := patternai.NewClient(patternai.ClientConfig{BaseURL: s.URL, APIKey: key, Client: client(s.t, wide)})
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, c.Close()) })
	return c
}

func TestHealth(t *testing.T) {
	s := newServer(t)
	require.NoError(t, s.client().Health(t.Context()))
	assert.Equal(t, http.MethodGet, s.last().method)
	assert.Equal(t, "/health", s.last().uri)
	assert.Equal(t, "Bearer "+testKey, s.last().header.Get("Authorization"))
	require.NoError(t, newServer(t).answers(http.StatusNoContent, "", "").client().Health(t.Context()))

	for status, want := range map[int]ports.Kind{503: ports.KindTransient, 401: ports.KindDenied, 404: ports.KindInvalid, 302: ports.KindUnknown} {
		s := newServer(t).answers(status, "", "", "Location", "/elsewhere")
		assert.Equal(t, want, ports.KindOf(s.client().Health(t.Context())), status)
		assert.Equal(t, 1, s.count())
	}
	ctx, cancel := context.WithCancel(t.Context())
	hang := newServer(t)
	hang.reply = func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }
	assert.Equal(t, ports.KindCanceled, ports.KindOf(hang.client().Health(ctx)))
	assert.Equal(t, ports.KindCanceled, ports.KindOf(hang.client().Health(ctx)))
	assert.Equal(t, 1, hang.count())
	hang.Close()
	err := hang.client().Health(t.Context())
	assert.Equal(t, ports.KindTransient, ports.KindOf(err))
	assert.NotContains(t, err.Error(), "http")
}

// When the context ends, a connection may break in any manner.
func TestEndOfTheContextComesFirst(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, err := patternai.NewClient(patternai.ClientConfig{BaseURL: "http://agent.invalid", Client: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		cancel()
		return nil, errors.New("use of closed network connection")
	})}})
	require.NoError(t, err)
	assert.Equal(t, ports.KindCanceled, ports.KindOf(c.Health(ctx)))
	assert.Equal(t, ports.KindTransient, ports.KindOf(c.Health(t.Context())))
}

func TestRefusals(t *testing.T) {
	s := newServer(t).answers(http.StatusTooManyRequests, "application/json", `{"status":"error","request_id":"r-7","detail":"secret"}`, "Retry-After", "3")
	_, err := s.stt().Transcribe(t.Context(), spoken(t, "hello"), ports.STTOptions{})
	var e *ports.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, 3*time.Second, e.RetryAfter)
	assert.Equal(t, ports.ScopeAccount, e.Scope)
	assert.EqualError(t, err, "patternai.stt: rate_limited (code r-7): HTTP status 429")
}

func TestKeyNeverShows(t *testing.T) {
	s := newServer(t)
	keys := []string{"bad\nkey", testKey, "rotated"}
	ear := s.stt(func(cfg *patternai.STTConfig) {
		cfg.APIKey = func() string { k := keys[0]; keys = keys[1:]; return k }
	})
	_, err := ear.Transcribe(t.Context(), spoken(t, "hello"), ports.STTOptions{})
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "bad")
	assert.Zero(t, s.count())
	for _, want := range []string{testKey, "rotated"} {
		_, err = ear.Transcribe(t.Context(), spoken(t, "hello"), ports.STTOptions{})
		require.NoError(t, err)
		assert.Equal(t, "Bearer "+want, s.last().header.Get("Authorization"))
	}
}

func TestConfigListsAllFaults(t *testing.T) {
	_, err := patternai.NewTTS(patternai.TTSConfig{BaseURL: "http://user:secret@h", Model: " x", Models: map[string]string{"es": ""}, MaxChars: -1})
	require.Error(t, err)
	for _, fault := range []string{"patternai text-to-speech", "base URL", "model's name", `"es"`, "limit of characters", "needs an encoder"} {
		assert.ErrorContains(t, err, fault)
	}
	assert.NotContains(t, err.Error(), "secret")
	_, err = patternai.NewLLM(patternai.LLMConfig{Model: "a\nb", AgentID: strings.Repeat("x", 257)})
	require.Error(t, err)
	for _, fault := range []string{"patternai model", "base URL is missing", "model's name", "agent id"} {
		assert.ErrorContains(t, err, fault)
	}
	_, err = patternai.NewSTT(patternai.STTConfig{Model: "é"})
	assert.ErrorContains(t, err, "patternai speech-to-text")
	assert.ErrorContains(t, err, "model's name")
}

func TestBaseURLs(t *testing.T) {
	for base, good := range map[string]bool{
		"http://agent.internal:8000": true, "https://agents.example/v1/": true, "http://127.0.0.1:1": true,
		"": false, "agent.internal": false, "ftp://h": false, "https://h?key=x": false, "https://h#x": false, "://": false,
	} {
		c, err := patternai.NewClient(patternai.ClientConfig{BaseURL: base})
		assert.Equal(t, good, err == nil, base)
		if err == nil {
			require.NoError(t, c.Close())
		}
	}
}
