package mcp_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/ports"
)

// guarded lets in who knows the password of the moment.
func guarded(password *atomic.Pointer[string]) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != *password.Load() {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// TestServiceGetsItsHeaders, each time those of the moment, and says with which status it
// refused.
func TestServiceGetsItsHeaders(t *testing.T) {
	var password, sent atomic.Pointer[string]
	old, fresh := "Bearer old-secret", "Bearer new-secret"
	password.Store(&old)
	sent.Store(&fresh)
	server := sdk.NewServer(&sdk.Implementation{Name: "test", Version: "1"}, nil)
	server.AddTool(&sdk.Tool{Name: "hello", InputSchema: map[string]any{"type": "object"}}, func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: "hello"}}}, nil
	})
	cfg := remote(t, server, guarded(&password))
	cfg.Secret = true
	cfg.Headers = map[string]func() string{"Authorization": func() string { return *sent.Load() }}
	r := run(t, cfg)
	st := r.states.until(t, 1, down)
	assert.EqualError(t, st.Err, "the handshake failed: it answered with status 401")
	sent.Store(&old)
	r.states.until(t, 1, up)
	call := ports.ToolCall{ID: "1", Name: "shop_hello", Arguments: json.RawMessage(`{}`)}
	got, err := everything(r).Call(t.Context(), call)
	require.NoError(t, err)
	assert.Equal(t, "hello", got.Text)

	password.Store(&fresh) // it is rotated on both sides
	sent.Store(&fresh)
	_, err = everything(r).Call(t.Context(), call)
	require.NoError(t, err)
}

// TestResultsAreTextForAModel whatever they are made of.
func TestResultsAreTextForAModel(t *testing.T) {
	price := map[string]any{"price": 9.0, "currency": "EUR"}
	results := map[string]*sdk.CallToolResult{
		"several texts":       {Content: []sdk.Content{&sdk.TextContent{Text: "one"}, &sdk.TextContent{Text: "two"}}},
		"structured alone":    {StructuredContent: price, Content: []sdk.Content{}},
		"structured and said": {StructuredContent: price, Content: []sdk.Content{&sdk.TextContent{Text: `{"currency":"EUR", "price":9}`}}},
		"structured and text": {StructuredContent: price, Content: []sdk.Content{&sdk.TextContent{Text: "found"}}},
		"media": {Content: []sdk.Content{
			&sdk.ImageContent{MIMEType: "image/png", Data: []byte("x")}, &sdk.AudioContent{MIMEType: "audio/wav", Data: []byte("x")},
			&sdk.ResourceLink{Name: "manual", URI: "https://shop.example/manual"},
			&sdk.EmbeddedResource{Resource: &sdk.ResourceContents{URI: "file:///a", Text: "inside"}},
			&sdk.EmbeddedResource{Resource: &sdk.ResourceContents{URI: "file:///b", Blob: []byte("x")}},
		}},
		"nothing":   {Content: []sdk.Content{}},
		"invisible": {Content: []sdk.Content{&sdk.TextContent{Text: "a\u200b\u202e\U000e0041b"}}},
	}
	server := sdk.NewServer(&sdk.Implementation{Name: "test", Version: "1"}, nil)
	server.AddTool(&sdk.Tool{Name: "show", InputSchema: map[string]any{"type": "object"}}, func(_ context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		var in struct{ Which string }
		_ = json.Unmarshal(req.Params.Arguments, &in)
		return results[in.Which], nil
	})
	r := run(t, newHub(t, server).program())
	r.states.until(t, 1, up)
	port := everything(r)
	for which, want := range map[string]string{
		"several texts":       "one\ntwo",
		"structured alone":    `{"currency":"EUR","price":9}`,
		"structured and said": `{"currency":"EUR", "price":9}`,
		"structured and text": "found\n" + `{"currency":"EUR","price":9}`,
		"media":               "[a picture that cannot be shown]\n[a sound that cannot be played]\nmanual https://shop.example/manual\ninside\n[a file that cannot be shown] file:///b",
		"nothing":             "",
		"invisible":           "ab",
	} {
		got, err := port.Call(t.Context(), ports.ToolCall{ID: "1", Name: "shop_show", Arguments: json.RawMessage(`{"which":"` + which + `"}`)})
		require.NoError(t, err, which)
		assert.Equal(t, want, got.Text, which)
	}
}

// TestOfferIsBounded: what is too long is cut or left out, and other names that become
// the same count once.
func TestOfferIsBounded(t *testing.T) {
	server := sdk.NewServer(&sdk.Implementation{Name: "test", Version: "1"}, nil)
	nothing := func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		return &sdk.CallToolResult{}, nil
	}
	object := map[string]any{"type": "object"}
	server.AddTool(&sdk.Tool{Name: "long", Description: strings.Repeat("ü\u200b", 3000), InputSchema: object}, nothing)
	server.AddTool(&sdk.Tool{Name: "huge", InputSchema: map[string]any{"type": "object", "description": strings.Repeat("x", 40<<10)}}, nothing)
	server.AddTool(&sdk.Tool{Name: "a.b", InputSchema: object}, nothing)
	server.AddTool(&sdk.Tool{Name: "a/b", InputSchema: object}, nothing)
	server.AddTool(&sdk.Tool{Name: strings.Repeat("n", 100), InputSchema: map[string]any{"type": "object", "$schema": "https://json-schema.org/draft/2020-12/schema"}}, nothing)
	r := run(t, newHub(t, server).program())
	r.states.until(t, 1, up)
	list := everything(r).List()
	require.Len(t, list, 3)
	assert.Equal(t, "shop_a_b", list[0].Name)
	assert.Equal(t, "shop_long", list[1].Name)
	assert.LessOrEqual(t, len(list[1].Description), 2<<10)
	assert.True(t, strings.HasPrefix(list[1].Description, "üüü"))
	assert.Len(t, list[2].Name, 64)
	assert.JSONEq(t, `{"type":"object"}`, string(list[2].Parameters))
}
