package openai_test

import (
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/openai"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

type llmChange = func(*openai.LLMConfig)

func ask(text string, change ...func(*ports.LLMRequest)) ports.LLMRequest {
	req := ports.LLMRequest{Messages: []ports.LLMMessage{{Role: domain.RoleUser, Text: text}}}
	for _, c := range change {
		c(&req)
	}
	return req
}

func float(f float64) *float64 { return &f }

// TestChatRequest is about what goes over the wire.
func TestChatRequest(t *testing.T) {
	s := newServer(t, nil)
	model := s.llm(func(c *openai.LLMConfig) { c.Organization = "org-7" })
	text, last, err := ports.Collect(model.Generate(t.Context(), ports.LLMRequest{
		System: "You are a shop's assistant.",
		Messages: []ports.LLMMessage{
			{Role: domain.RoleUser, Text: "Is it open?"},
			{Role: domain.RoleAssistant, Text: "Until six."},
			{Role: domain.RoleUser, Text: "And Sunday?"},
		},
		Temperature: float(0.7), MaxTokens: 50, User: "k3v7", Language: "en",
	}))
	require.NoError(t, err)
	assert.Equal(t, "You said: And Sunday?", text)
	assert.Equal(t, &ports.LLMUsage{Input: 11, Output: 3}, last.Usage)

	r := s.only()
	assert.Equal(t, http.MethodPost, r.method)
	assert.Equal(t, "/v1/chat/completions", r.path)
	assert.Empty(t, r.query)
	assert.Equal(t, "Bearer "+testKey, r.header.Get("Authorization"))
	assert.Equal(t, "application/json", r.header.Get("Content-Type"))
	assert.Equal(t, "text/event-stream", r.header.Get("Accept"))
	assert.Equal(t, "org-7", r.header.Get("OpenAI-Organization"))
	assert.JSONEq(t, `{
		"model": "test-model", "stream": true, "stream_options": {"include_usage": true},
		"temperature": 0.7, "max_tokens": 50, "user": "k3v7",
		"messages": [
			{"role": "system", "content": "You are a shop's assistant."},
			{"role": "user", "content": "Is it open?"},
			{"role": "assistant", "content": "Until six."},
			{"role": "user", "content": "And Sunday?"}
		]
	}`, string(r.body))
}

// TestChatRequestBySetting: what some server or other refuses is a setting, or
// follows from the model's name.
func TestChatRequestBySetting(t *testing.T) {
	const messages = `"messages":[{"role":"user","content":"hi"}],"stream":true`
	const usage = `,"stream_options":{"include_usage":true}`
	hot := func(r *ports.LLMRequest) { r.Temperature = float(0.7) }
	zero := func(r *ports.LLMRequest) { r.Temperature = float(0) }
	limit := func(r *ports.LLMRequest) { r.MaxTokens = 9 }
	for name, tt := range map[string]struct {
		cfg  llmChange
		req  func(*ports.LLMRequest)
		want string
	}{
		"nothing but the words": {func(c *openai.LLMConfig) {}, nil, `{"model":"test-model",` + messages + usage + `}`},
		"no usage":              {func(c *openai.LLMConfig) { c.OmitUsage = true }, nil, `{"model":"test-model",` + messages + `}`},
		"no user": {
			func(c *openai.LLMConfig) { c.OmitUser = true }, func(r *ports.LLMRequest) { r.User = "k3v7" },
			`{"model":"test-model",` + messages + usage + `}`,
		},
		"new limit": {
			func(c *openai.LLMConfig) { c.TokenLimit = openai.TokensNew }, limit,
			`{"model":"test-model","max_completion_tokens":9,` + messages + usage + `}`,
		},
		"old limit": {
			func(c *openai.LLMConfig) { c.TokenLimit = openai.TokensOld }, limit,
			`{"model":"test-model","max_tokens":9,` + messages + usage + `}`,
		},
		"limit of a reasoning model": {
			func(c *openai.LLMConfig) { c.Model = "openai/gpt-5-mini" }, limit,
			`{"model":"openai/gpt-5-mini","max_completion_tokens":9,` + messages + usage + `}`,
		},
		"temperature 0":                    {func(c *openai.LLMConfig) {}, zero, `{"model":"test-model","temperature":0,` + messages + usage + `}`},
		"temperature of a fixed model":     {func(c *openai.LLMConfig) { c.Model = "o4-mini" }, hot, `{"model":"o4-mini",` + messages + usage + `}`},
		"temperature 0 of a fixed model":   {func(c *openai.LLMConfig) { c.Model = "gpt-5" }, zero, `{"model":"gpt-5",` + messages + usage + `}`},
		"default model, default effort":    {func(c *openai.LLMConfig) { c.Model = "" }, hot, `{"model":"gpt-6-luna","reasoning_effort":"none","temperature":0.7,` + messages + usage + `}`},
		"effort that fixes the sampling":   {func(c *openai.LLMConfig) { c.Model, c.ReasoningEffort = "gpt-6-luna", "low" }, hot, `{"model":"gpt-6-luna","reasoning_effort":"low",` + messages + usage + `}`},
		"effort left to the vendor":        {func(c *openai.LLMConfig) { c.Model, c.ReasoningEffort = "gpt-6-luna", openai.EffortVendor }, nil, `{"model":"gpt-6-luna",` + messages + usage + `}`},
		"effort for somebody else's":       {func(c *openai.LLMConfig) { c.ReasoningEffort = "high" }, nil, `{"model":"test-model","reasoning_effort":"high",` + messages + usage + `}`},
		"big model of the same generation": {func(c *openai.LLMConfig) { c.Model = "gpt-6-astra" }, hot, `{"model":"gpt-6-astra",` + messages + usage + `}`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil)
			req := ask("hi")
			if tt.req != nil {
				tt.req(&req)
			}
			_, _, err := ports.Collect(s.llm(tt.cfg).Generate(t.Context(), req))
			require.NoError(t, err)
			assert.JSONEq(t, tt.want, string(s.only().body))
		})
	}
}

// TestLimitFieldFollowsTheServer: OpenAI's own server is known by its address.
func TestLimitFieldFollowsTheServer(t *testing.T) {
	for base, field := range map[string]string{
		"https://api.openai.com/v1":                  "max_completion_tokens",
		"https://eu.api.openai.com/v1/":              "max_completion_tokens",
		"https://example.openai.azure.com/openai/v1": "max_completion_tokens",
		"https://openrouter.ai/api/v1":               "max_tokens",
		"https://api.openai.com.example.org/v1":      "max_tokens",
		"http://localhost:11434/v1":                  "max_tokens",
	} {
		t.Run(base, func(t *testing.T) {
			s := newServer(t, nil)
			c := s.client()
			inner := c.Transport
			c.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
				r.URL.Scheme, r.URL.Host, r.URL.Path = "http", s.http.Listener.Addr().String(), "/v1/chat/completions"
				return inner.RoundTrip(r)
			})
			model := s.llm(func(cfg *openai.LLMConfig) { cfg.BaseURL, cfg.Client = base, c })
			_, _, err := ports.Collect(model.Generate(t.Context(), ask("hi", func(r *ports.LLMRequest) { r.MaxTokens = 9 })))
			require.NoError(t, err)
			assert.Contains(t, string(s.only().body), `"`+field+`":9`)
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestServerWithoutKey(t *testing.T) {
	for name, key := range map[string]func() string{"nil": nil, "empty": func() string { return "" }} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, streams(nil, delta("hi"), finish("stop"), done))
			_, _, err := ports.Collect(s.llm(func(c *openai.LLMConfig) { c.APIKey = key }).Generate(t.Context(), ask("hi")))
			require.NoError(t, err)
			assert.NotContains(t, s.only().header, "Authorization")
			assert.NotContains(t, s.only().header, "Openai-Organization")
		})
	}
}

func TestKeyIsReadAtEveryCall(t *testing.T) {
	s := newServer(t, nil)
	secret := "sk-outdated"
	model := s.llm(func(c *openai.LLMConfig) { c.APIKey = func() string { return secret } })
	_, _, err := ports.Collect(model.Generate(t.Context(), ask("hi")))
	kindIs(t, ports.KindDenied, err)
	secret = testKey
	_, _, err = ports.Collect(model.Generate(t.Context(), ask("hi")))
	require.NoError(t, err)
}

func TestImagesAreSentAsDataURLs(t *testing.T) {
	s := newServer(t, streams(nil, delta("a cat"), finish("stop"), done))
	png, jpeg := []byte("\x89PNG pixels"), []byte("\xff\xd8\xff pixels")
	_, _, err := ports.Collect(s.llm().Generate(t.Context(), ports.LLMRequest{Messages: []ports.LLMMessage{
		{Role: domain.RoleUser, Text: "What is this?", Media: []domain.Media{{MIME: "image/png", Data: png}, {MIME: "application/pdf", Data: []byte("%PDF")}}},
		{Role: domain.RoleAssistant, Text: "A dog.", Media: []domain.Media{{MIME: "image/png", Data: png}}},
		{Role: domain.RoleUser, Media: []domain.Media{{MIME: "image/webp", Data: png}}},
		{Role: domain.RoleUser, Media: []domain.Media{{MIME: "IMAGE/JPG; x=1", Data: jpeg}}},
	}}))
	require.NoError(t, err)
	req, err := readChat(s.only().body)
	require.NoError(t, err)
	require.Len(t, req.Messages, 3)
	image := func(mime string, data []byte) string {
		return `{"type":"image_url","image_url":{"url":"data:` + mime + `;base64,` + base64.StdEncoding.EncodeToString(data) + `"}}`
	}
	assert.JSONEq(t, `[{"type":"text","text":"What is this?"},`+image("image/png", png)+`]`, string(req.Messages[0].Content))
	assert.JSONEq(t, `"A dog."`, string(req.Messages[1].Content))
	assert.JSONEq(t, `[`+image("image/webp", png)+`,`+image("image/jpeg", jpeg)+`]`, string(req.Messages[2].Content))
}

func TestMediaThatCannotBeSent(t *testing.T) {
	for name, media := range map[string]domain.Media{
		"document":  {MIME: "application/pdf", Data: []byte("%PDF")},
		"audio":     {MIME: "audio/ogg", Data: []byte("OggS")},
		"huge file": {MIME: "image/png", Data: make([]byte, 20<<20+1)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil)
			req := ask("look")
			req.Messages[0].Media = []domain.Media{media}
			_, _, err := ports.Collect(s.llm().Generate(t.Context(), req))
			kindIs(t, ports.KindUnsupported, err)
			assert.Zero(t, s.calls())
		})
	}
}

// TestTurnsAlternate: the templates of some open models refuse anything else.
func TestTurnsAlternate(t *testing.T) {
	s := newServer(t, nil)
	history := []ports.LLMMessage{
		{Role: domain.RoleUser, Text: "one"},
		{Role: domain.RoleUser, Text: "two"},
		{Role: domain.RoleAssistant, Text: " "},
		{Role: domain.RoleUser, Text: "three"},
		{Role: domain.RoleAssistant, Text: "fine"},
		{Role: domain.RoleUser, Text: "four"},
	}
	_, _, err := ports.Collect(s.llm().Generate(t.Context(), ports.LLMRequest{System: " \n", Messages: history}))
	require.NoError(t, err)
	assert.Contains(t, string(s.only().body),
		`"messages":[{"role":"user","content":"one\ntwo\nthree"},{"role":"assistant","content":"fine"},{"role":"user","content":"four"}]`)
	assert.Equal(t, "one", history[0].Text, "the caller's messages stay as they are")
}
