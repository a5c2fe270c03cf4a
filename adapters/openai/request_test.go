package openai_test

import (
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/openai"
	"whatsappnode/ports"
)

// TestRequestsShareTheirHeaders as long as they are the same.
func TestRequestsShareTheirHeaders(t *testing.T) {
	var sent []*http.Request
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		sent = append(sent, r)
		return nil, io.ErrUnexpectedEOF
	})}
	key := "sample"
	model, err := openai.NewLLM(openai.LLMConfig{BaseURL: local, Client: client, APIKey: func() string { return key }})
	require.NoError(t, err)
	for _, key = range []string{"first", "first", "second", "first"} {
		_, _, err := ports.Collect(model.Generate(t.Context(), ask("hi")))
		require.Error(t, err)
		assert.Equal(t, "Bearer "+key, sent[len(sent)-1].Header.Get("Authorization"))
	}
	require.Len(t, sent, 4)
	assert.Same(t, sent[0].URL, sent[1].URL)
	assert.NotSame(t, sent[1].URL, sent[2].URL)
}

// TestRequestsAreMadeAtOnce: what they share is changed by nobody.
func TestRequestsAreMadeAtOnce(t *testing.T) {
	s := newServer(t, streams(nil, delta("hi"), finish("stop"), done))
	model := s.llm()
	start := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			<-start
			_, _, err := ports.Collect(model.Generate(t.Context(), ask("hi")))
			assert.NoError(t, err)
		})
	}
	close(start)
	wg.Wait()
	assert.Equal(t, 8, s.calls())
}

// TestPanicOfTheKey comes to whoever asked, who can recover from it, although the request
// is made by another goroutine.
func TestPanicOfTheKey(t *testing.T) {
	asked := false
	model, err := openai.NewLLM(openai.LLMConfig{BaseURL: local, Client: &http.Client{}, APIKey: func() string {
		if asked {
			panic("no key")
		}
		return "key"
	}})
	require.NoError(t, err)
	asked = true
	assert.PanicsWithValue(t, "no key", func() { _, _, _ = ports.Collect(model.Generate(t.Context(), ask("hi"))) })
}
