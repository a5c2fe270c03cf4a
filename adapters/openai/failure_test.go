package openai_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/openai"
	"whatsappnode/ports"
)

// TestFailures are answers of servers that are known, and what they mean.
func TestFailures(t *testing.T) {
	const quoted = `"message":"` + secretWords + `"`
	for name, tt := range map[string]struct {
		status int
		body   string
		kind   ports.Kind
		scope  ports.Scope
		code   string
		says   string
	}{
		"wrong key":                {401, `{"error":{` + quoted + `,"type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`, ports.KindDenied, ports.ScopeAccount, "invalid_api_key", "401"},
		"no credit":                {402, `{"error":{` + quoted + `,"code":402}}`, ports.KindDenied, ports.ScopeAccount, "", "402"},
		"country":                  {403, `{"error":{` + quoted + `,"code":"unsupported_country_region_territory"}}`, ports.KindDenied, ports.ScopeAccount, "unsupported_country_region_territory", ""},
		"quota":                    {429, `{"error":{` + quoted + `,"type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`, ports.KindDenied, ports.ScopeAccount, "insufficient_quota", ""},
		"quota by type":            {429, `{"error":{` + quoted + `,"type":"insufficient_quota","code":null}}`, ports.KindDenied, ports.ScopeAccount, "insufficient_quota", ""},
		"rate":                     {429, `{"error":{` + quoted + `,"type":"requests","code":"rate_limit_exceeded"}}`, ports.KindRateLimited, ports.ScopeAccount, "rate_limit_exceeded", ""},
		"rate, no JSON":            {429, secretWords, ports.KindRateLimited, ports.ScopeAccount, "", ""},
		"too long":                 {400, `{"error":{` + quoted + `,"type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`, ports.KindUnsupported, "", "context_length_exceeded", ""},
		"too long, vllm":           {400, `{"object":"error","message":"This model's maximum context length is 8 tokens. ` + secretWords + `","type":"BadRequestError","param":null,"code":400}`, ports.KindUnsupported, "", "BadRequestError", ""},
		"too long, llama":          {500, `{"error":{"code":500,` + quoted + `,"type":"exceed_context_size_error","n_ctx":256}}`, ports.KindUnsupported, "", "exceed_context_size_error", ""},
		"too large":                {413, `{"error":{` + quoted + `,"code":"rate_limit_exceeded"}}`, ports.KindUnsupported, "", "rate_limit_exceeded", ""},
		"policy":                   {400, `{"error":{` + quoted + `,"code":"content_policy_violation"}}`, ports.KindBlocked, "", "content_policy_violation", ""},
		"flagged prompt":           {400, `{"error":{` + quoted + `,"type":"invalid_request_error","code":"invalid_prompt"}}`, ports.KindBlocked, "", "invalid_prompt", ""},
		"azure's filter":           {400, `{"error":{` + quoted + `,"type":null,"param":"prompt","code":"other","innererror":{"code":"ResponsibleAIPolicyViolation"}}}`, ports.KindBlocked, "", "other", ""},
		"openrouter's moderation":  {403, `{"error":{"code":403,` + quoted + `,"metadata":{"reasons":["violence"],"flagged_input":"` + secretWords + `"}}}`, ports.KindBlocked, "", "", ""},
		"openrouter's rights":      {403, `{"error":{"code":403,` + quoted + `,"metadata":{"provider_name":"x"}}}`, ports.KindDenied, ports.ScopeAccount, "", ""},
		"model":                    {404, `{"error":{` + quoted + `,"type":"invalid_request_error","param":null,"code":"model_not_found"}}`, ports.KindInvalid, "", "model_not_found", ""},
		"model, 400":               {400, `{"error":{` + quoted + `,"code":"model_not_found","param":"model"}}`, ports.KindInvalid, "", "model_not_found", "the parameter model"},
		"model, ollama":            {404, `{"error":{` + quoted + `,"type":"api_error","param":null,"code":null}}`, ports.KindInvalid, "", "api_error", ""},
		"path":                     {404, `404 page not found`, ports.KindInvalid, "", "", "404"},
		"parameter":                {400, `{"error":{` + quoted + `,"type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}`, ports.KindInvalid, "", "unsupported_parameter", "the parameter max_tokens"},
		"parameter of a parameter": {400, `{"error":{` + quoted + `,"param":"stream_options.include_usage"}}`, ports.KindInvalid, "", "", "the parameter stream_options"},
		"parameter, mistral": {
			422, `{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","stream_options","include_usage"],"msg":"Extra inputs are not permitted","input":true}]},"type":"invalid_request_error","param":null,"code":null}`,
			ports.KindInvalid, "", "invalid_request_error", "the parameter stream_options",
		},
		"parameter, sentence": {
			400, `{"object":"error","message":"Use 'max_tokens', not max_completion_tokens. ` + secretWords + `","type":"BadRequestError","param":null,"code":400}`,
			ports.KindInvalid, "", "BadRequestError", "the parameter max_tokens",
		},
		"parameter that is a secret": {400, `{"error":{` + quoted + `,"param":"` + secretWords + `"}}`, ports.KindInvalid, "", "", "400"},
		"code that is a key":         {400, `{"error":{` + quoted + `,"code":"` + testKey + `","type":"` + secretWords + `"}}`, ports.KindInvalid, "", "", "400"},
		"fault of the server":        {500, `{"error":{` + quoted + `,"type":"server_error","param":null,"code":null}}`, ports.KindTransient, "", "server_error", "500"},
		"overloaded":                 {503, `{"error":{` + quoted + `,"type":"service_unavailable"}}`, ports.KindTransient, "", "service_unavailable", ""},
		"bad gateway":                {502, `<html>` + secretWords + `</html>`, ports.KindTransient, "", "", "502"},
		"too slow":                   {408, `{"error":{` + quoted + `}}`, ports.KindTimeout, "", "", ""},
		"bare text":                  {400, `{"error":"` + secretWords + `"}`, ports.KindInvalid, "", "", "400"},
		"common words":               {400, `{"error":{"message":"the model could not follow the prompt of the user, ` + secretWords + `"}}`, ports.KindInvalid, "", "", "400"},
		"half of JSON":               {400, `{"error":{"code":"content_fil`, ports.KindInvalid, "", "", "400"},
		"no body":                    {500, ``, ports.KindTransient, "", "", "500"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, says(tt.status, tt.body))
			text, _, err := ports.Collect(s.llm().Generate(t.Context(), ask(secretWords)))
			assert.Empty(t, text)
			e := kindIs(t, tt.kind, err)
			assert.Equal(t, tt.scope, e.Scope)
			assert.Equal(t, tt.code, e.Code)
			assert.Contains(t, e.Error(), tt.says)
			assert.Equal(t, strings.Contains(tt.says, "parameter"), strings.Contains(e.Error(), "parameter"))
			assert.Equal(t, "openai.llm", e.Op)
			assert.False(t, e.MaybeDone)
			assert.Equal(t, 1, s.calls())

			_, err = newServer(t, says(tt.status, tt.body)).tts().Synthesize(t.Context(), secretWords, ports.TTSOptions{})
			assert.Equal(t, "openai.tts", kindIs(t, tt.kind, err).Op)
			_, err = newServer(t, says(tt.status, tt.body)).stt().Transcribe(t.Context(), note(t, secretWords), ports.STTOptions{})
			assert.Equal(t, "openai.stt", kindIs(t, tt.kind, err).Op)
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for name, tt := range map[string]struct {
		header, value string
		body          string
		want          time.Duration
	}{
		"seconds":              {"Retry-After", "7", "{}", 7 * time.Second},
		"milliseconds":         {"Retry-After-Ms", "250", "{}", 250 * time.Millisecond},
		"absurd":               {"Retry-After-Ms", "9223372036854775807", "{}", 24 * time.Hour},
		"unreadable":           {"Retry-After", "soon", "{}", 0},
		"none":                 {"X-Other", "7", "{}", 0},
		"no wait brings money": {"Retry-After", "7", `{"error":{"code":"insufficient_quota"}}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set(tt.header, tt.value)
				say(w, 429, tt.body)
			})
			_, _, err := ports.Collect(s.llm().Generate(t.Context(), ask("hi")))
			assert.Equal(t, tt.want, ports.RetryAfter(err))
		})
	}
}

// TestRedirectsAreNotFollowed: they would carry the words and the key elsewhere.
func TestRedirectsAreNotFollowed(t *testing.T) {
	other := newServer(t, nil)
	for _, status := range []int{301, 302, 307, 308} {
		s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.http.URL+r.URL.Path, status)
		})
		_, _, err := ports.Collect(s.llm().Generate(t.Context(), ask(secretWords)))
		kindIs(t, ports.KindUnknown, err)
		_, err = s.tts().Synthesize(t.Context(), secretWords, ports.TTSOptions{})
		kindIs(t, ports.KindUnknown, err)
		_, err = s.stt().Transcribe(t.Context(), note(t, secretWords), ports.STTOptions{})
		kindIs(t, ports.KindUnknown, err)
	}
	assert.Zero(t, other.calls())
}

func TestServerThatIsNotThere(t *testing.T) {
	s := newServer(t, nil)
	model, ear, voice := s.llm(), s.stt(), s.tts()
	s.http.Close()
	_, _, err := ports.Collect(model.Generate(t.Context(), ask(secretWords)))
	assert.Contains(t, kindIs(t, ports.KindTransient, err).Error(), "connection refused")
	_, err = ear.Transcribe(t.Context(), note(t, secretWords), ports.STTOptions{})
	kindIs(t, ports.KindTransient, err)
	_, err = voice.Synthesize(t.Context(), secretWords, ports.TTSOptions{})
	kindIs(t, ports.KindTransient, err)
}

// TestCallsHaveADeadline: what a call has, the transport sees.
func TestCallsHaveADeadline(t *testing.T) {
	var left []time.Duration
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		at, ok := r.Context().Deadline()
		require.True(t, ok)
		left = append(left, time.Until(at))
		return nil, context.DeadlineExceeded
	})}
	s := newServer(t, nil)
	_, _, err := ports.Collect(s.llm(func(c *openai.LLMConfig) { c.Client = client }).Generate(t.Context(), ask("hi")))
	kindIs(t, ports.KindTimeout, err)
	_, err = s.stt(func(c *openai.STTConfig) { c.Client = client }).Transcribe(t.Context(), note(t, "hi"), ports.STTOptions{})
	kindIs(t, ports.KindTimeout, err)
	_, err = s.tts(func(c *openai.TTSConfig) { c.Client = client }).Synthesize(t.Context(), "hi", ports.TTSOptions{})
	kindIs(t, ports.KindTimeout, err)
	require.Len(t, left, 3)
	for _, d := range left {
		assert.LessOrEqual(t, d, 2*time.Minute)
		assert.Greater(t, d, time.Minute, "generous")
	}
}
