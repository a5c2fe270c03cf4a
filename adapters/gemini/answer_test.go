package gemini_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/gemini"
	"whatsappnode/ports"
)

const secret = "the code of the safe is 4711"

// told asks once and returns what came before the end, the last chunk and the error.
func told(t *testing.T, reply func(a *answer, r *http.Request)) (string, ports.LLMChunk, *ports.Error) {
	t.Helper()
	s := newGenerateAPI(t)
	s.answer = func(a *answer, r *http.Request, _ question) { reply(a, r) }
	text, last, err := ports.Collect(s.model(nil).Generate(t.Context(), ask(secret)))
	require.Len(t, s.calls(), 1, "the adapter must not repeat a call")
	if err == nil {
		return text, last, nil
	}
	var e *ports.Error
	require.ErrorAs(t, err, &e)
	for _, word := range []string{secret, testKey, "127.0.0.1", "v1beta", "4711"} {
		assert.NotContains(t, err.Error(), word)
	}
	return text, last, e
}

func TestAnswerIsTextAndUsage(t *testing.T) {
	text, last, err := told(t, func(a *answer, _ *http.Request) {
		a.chunk(`{"candidates":[{"content":{"parts":[{"text":"a secret thought","thought":true}],"role":"model"},"index":0}],"aNewField":{"x":1}}`)
		a.say("Good ")
		a.chunk(`{"candidates":[{"content":{"parts":[{"text":"d"},{"text":"a","thoughtSignature":"EskD"},{"text":""},{"text":"y"}],"role":"model"},"index":0}]}`)
		a.chunk(`{"candidates":[{"content":{"role":"model"},"index":0}]}`)
		a.chunk(`{"candidates":[{"index":0}]}`)
		a.chunk(`{}`)
		a.say(" & <all>!")
		a.finish("STOP", 40, 9)
	})
	require.Nil(t, err)
	assert.Equal(t, "Good day & <all>!", text)
	// What was thought is paid for as output.
	assert.Equal(t, ports.LLMChunk{Done: true, Usage: &ports.LLMUsage{Input: 20, Output: 49}}, last)
}

// Parts that are no text are dropped; without that the library fails on the first
// two, loses the last chunk's finish reason and counts with them, and panics on the
// third.
func TestPartsWithoutText(t *testing.T) {
	for _, part := range []string{
		`{"thoughtSignature":"EskD"}`, `{}`,
		`{"functionResponse":{"name":"f","response":{}}}`,
		`{"functionCall":{"name":"f","args":{}}}`,
		`{"inlineData":{"mimeType":"image/png","data":"AAAA"}}`,
		`{"executableCode":{"language":1,"code":"1"}}`,
		`{"fileData":{"fileUri":"x"}}`, `"not an object"`, `null`,
	} {
		t.Run(part, func(t *testing.T) {
			text, last, err := told(t, func(a *answer, _ *http.Request) {
				a.say("Well, ")
				a.chunk(`{"candidates":[{"content":{"parts":[` + part + `],"role":"model"},"index":0}]}`)
				a.say("yes.")
				a.finish("MAX_TOKENS", 0, 2)
			})
			require.Nil(t, err)
			assert.Equal(t, "Well, yes.", text)
			assert.True(t, last.Truncated)
			assert.Equal(t, &ports.LLMUsage{Input: 20, Output: 2}, last.Usage)
		})
	}
}

// Older models give a finish reason with every chunk.
func TestFinishReasonWithEveryChunk(t *testing.T) {
	text, _, err := told(t, func(a *answer, _ *http.Request) {
		for _, word := range []string{"Good ", "day"} {
			a.chunk(`{"candidates":[{"content":{"parts":[{"text":"` + word + `"}],"role":"model"},"finishReason":1,"index":0}]}`)
		}
		a.chunk(`{"candidates":[{"index":0}]}`)
		a.end()
	})
	require.Nil(t, err)
	assert.Equal(t, "Good day", text)
}

func TestFinishReasons(t *testing.T) {
	for reason, want := range map[string]struct {
		kind      ports.Kind
		truncated bool
	}{
		"STOP": {}, "MAX_TOKENS": {truncated: true},
		"SAFETY": {kind: ports.KindBlocked}, "RECITATION": {kind: ports.KindBlocked}, "BLOCKLIST": {kind: ports.KindBlocked},
		"PROHIBITED_CONTENT": {kind: ports.KindBlocked}, "SPII": {kind: ports.KindBlocked}, "IMAGE_SAFETY": {kind: ports.KindBlocked},
		"LANGUAGE": {kind: ports.KindUnsupported},
		"OTHER":    {kind: ports.KindUnknown}, "MALFORMED_FUNCTION_CALL": {kind: ports.KindUnknown}, "A_NEW_REASON": {kind: ports.KindUnknown},
	} {
		t.Run(reason, func(t *testing.T) {
			text, last, err := told(t, func(a *answer, _ *http.Request) {
				a.say("Well")
				a.finish(reason, 0, 1)
			})
			assert.Equal(t, "Well", text)
			if want.kind == "" {
				require.Nil(t, err)
				assert.Equal(t, want.truncated, last.Truncated)
				return
			}
			require.NotNil(t, err)
			assert.Equal(t, want.kind, err.Kind)
			assert.Equal(t, strings.ReplaceAll(reason, "A_NEW_REASON", "99"), err.Code)
		})
	}
}

func TestBlockedQuestions(t *testing.T) {
	for _, reason := range []string{"SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "A_NEW_REASON"} {
		t.Run(reason, func(t *testing.T) {
			text, _, err := told(t, func(a *answer, _ *http.Request) {
				a.chunk(fmt.Sprintf(`{"promptFeedback":{"blockReason":%s},"usageMetadata":{"promptTokenCount":20,"totalTokenCount":20}}`, encode(a.enum("BLOCK_"+reason))))
				a.end()
			})
			assert.Empty(t, text)
			require.NotNil(t, err)
			assert.Equal(t, ports.KindBlocked, err.Kind, "%v", err)
			assert.Equal(t, strings.ReplaceAll(reason, "A_NEW_REASON", "99"), err.Code)
		})
	}
}

func TestAnswersWithoutWords(t *testing.T) {
	for name, reply := range map[string]func(a *answer, _ *http.Request){
		"no chunk":      func(a *answer, _ *http.Request) { a.end() },
		"no candidate":  func(a *answer, _ *http.Request) { a.chunk(`{"usageMetadata":{"promptTokenCount":20}}`); a.end() },
		"blank":         func(a *answer, _ *http.Request) { a.say(" \n"); a.finish("STOP", 0, 1) },
		"all was spent": func(a *answer, _ *http.Request) { a.finish("MAX_TOKENS", 300, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := told(t, reply)
			require.NotNil(t, err)
			assert.Equal(t, ports.KindUnknown, err.Kind, "%v", err)
			assert.Equal(t, name == "all was spent", strings.Contains(err.Error(), "token limit"), "%v", err)
		})
	}
}

func TestRefusedRequests(t *testing.T) {
	for _, c := range []struct {
		status        int
		name, message string
		details       []any
		want          ports.Kind
		scope         ports.Scope
		wait          time.Duration
	}{
		{400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", []any{errorInfo("API_KEY_INVALID")}, ports.KindDenied, ports.ScopeAccount, 0},
		{400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.", nil, ports.KindDenied, ports.ScopeAccount, 0},
		{400, "FAILED_PRECONDITION", "User location is not supported for the API use.", nil, ports.KindDenied, ports.ScopeAccount, 0},
		{401, "UNAUTHENTICATED", "Request had invalid authentication credentials.", nil, ports.KindDenied, ports.ScopeAccount, 0},
		{403, "PERMISSION_DENIED", "Your API key was reported as leaked.", nil, ports.KindDenied, ports.ScopeAccount, 0},
		{404, "NOT_FOUND", "models/nonesuch is not found for API version v1beta", nil, ports.KindInvalid, ports.ScopeCall, 0},
		{429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", []any{errorInfo("RATE_LIMIT_EXCEEDED"), retryInfo("34.5s")}, ports.KindRateLimited, ports.ScopeAccount, 34500 * time.Millisecond},
		{429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", []any{retryInfo("999999h")}, ports.KindRateLimited, ports.ScopeAccount, 24 * time.Hour},
		{429, "RESOURCE_EXHAUSTED", "Resource has been exhausted", []any{retryInfo("soon")}, ports.KindRateLimited, ports.ScopeAccount, 7 * time.Second},
		{499, "CANCELLED", "The operation was cancelled.", nil, ports.KindTransient, ports.ScopeCall, 7 * time.Second},
		{500, "INTERNAL", "An internal error has occurred.", nil, ports.KindTransient, ports.ScopeCall, 7 * time.Second},
		{503, "UNAVAILABLE", "The model is overloaded.", nil, ports.KindTransient, ports.ScopeCall, 7 * time.Second},
		{504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.", nil, ports.KindTimeout, ports.ScopeCall, 7 * time.Second},
		{400, "INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", nil, ports.KindUnsupported, ports.ScopeCall, 0},
		{400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes.", nil, ports.KindUnsupported, ports.ScopeCall, 0},
		{400, "INVALID_ARGUMENT", "Unable to process input image.", nil, ports.KindUnsupported, ports.ScopeCall, 0},
		{400, "INVALID_ARGUMENT", "* GenerateContentRequest.contents: contents is not specified", nil, ports.KindInvalid, ports.ScopeCall, 0},
		{503, "A_NEW_STATUS", "?", nil, ports.KindTransient, ports.ScopeCall, 7 * time.Second},
		{499, "A_NEW_STATUS", "?", nil, ports.KindTransient, ports.ScopeCall, 7 * time.Second},
		{403, "A_NEW_STATUS", "?", nil, ports.KindDenied, ports.ScopeAccount, 7 * time.Second},
	} {
		t.Run(fmt.Sprintf("%d %s %s", c.status, c.name, c.message), func(t *testing.T) {
			text, _, err := told(t, func(a *answer, _ *http.Request) {
				a.w.Header().Set("Retry-After", "7") // believed where the body does not say
				a.refuse(c.status, c.name, c.message+" "+secret, c.details...)
			})
			require.NotNil(t, err)
			assert.Empty(t, text)
			assert.Equal(t, c.want, err.Kind, "%v", err)
			assert.Equal(t, c.scope, err.Scope)
			if c.wait > 0 {
				assert.Equal(t, c.wait, err.RetryAfter)
			}
			if c.name != "A_NEW_STATUS" {
				assert.Equal(t, c.name, err.Code)
			}
		})
	}
}

// Outside of streams, and from gateways, the error is a plain object.
func TestRefusalThatIsNoArray(t *testing.T) {
	_, _, err := told(t, func(a *answer, _ *http.Request) {
		a.w.WriteHeader(429)
		_, _ = io.WriteString(a.w, errorObject(429, "RESOURCE_EXHAUSTED", secret, retryInfo("3s")))
	})
	require.NotNil(t, err)
	assert.Equal(t, ports.KindRateLimited, err.Kind)
	assert.Equal(t, 3*time.Second, err.RetryAfter)
}

// An error among the chunks: the library takes it for a chunk without words.
func TestErrorObjectsInTheStream(t *testing.T) {
	for object, want := range map[string]ports.Kind{
		errorObject(503, "UNAVAILABLE", secret):                            ports.KindTransient,
		errorObject(429, "RESOURCE_EXHAUSTED", secret, retryInfo("2s")):    ports.KindRateLimited,
		errorObject(500, "A_NEW_STATUS", secret):                           ports.KindTransient,
		`{"error":{}}`:                                                     ports.KindTransient,
		`{"error":"` + secret + `"}`:                                       ports.KindTransient,
		`{"error":{"code":"` + secret + `","status":"PERMISSION_DENIED"}}`: ports.KindDenied,
	} {
		t.Run(object, func(t *testing.T) {
			text, _, err := told(t, func(a *answer, _ *http.Request) {
				a.say("Well, ")
				a.chunk(object)
				a.end()
			})
			assert.Equal(t, "Well, ", text)
			require.NotNil(t, err)
			assert.Equal(t, want, err.Kind, "%v", err)
			if want == ports.KindRateLimited {
				assert.Equal(t, 2*time.Second, err.RetryAfter)
			}
		})
	}
}

func TestAnswersThatMakeNoSense(t *testing.T) {
	raw := func(status int, body string) func(*answer, *http.Request) {
		return func(a *answer, _ *http.Request) {
			a.w.WriteHeader(status)
			_, _ = io.WriteString(a.w, body)
		}
	}
	const chunk = `{"candidates":[{"content":{"parts":[{"text":"Well"}],"role":"model"},"finishReason":1}]}`
	for name, c := range map[string]struct {
		reply func(*answer, *http.Request)
		want  ports.Kind
	}{
		"nothing":                     {raw(200, ""), ports.KindTransient},
		"a web page":                  {raw(200, "<p>"+secret), ports.KindTransient},
		"an object":                   {raw(200, chunk), ports.KindTransient},
		"a word":                      {raw(200, `"`+secret+`"`), ports.KindTransient},
		"an array of words":           {raw(200, `["`+secret+`"]`), ports.KindTransient},
		"an array of nothings":        {raw(200, `[null]`), ports.KindTransient},
		"broken JSON":                 {raw(200, `[{"candidates":`+secret+`}]`), ports.KindTransient},
		"text that is no text":        {raw(200, `[{"candidates":[{"content":{"parts":[{"text":{"`+secret+`":1}}]}}]}]`), ports.KindTransient},
		"a clean end inside a chunk":  {raw(200, `[`+chunk+`,{"candidates":[{"con`), ports.KindTransient},
		"a clean end between chunks":  {raw(200, `[`+chunk), ports.KindTransient},
		"a clean end after the comma": {raw(200, `[`+chunk+`,`), ports.KindTransient},
		"no finish reason":            {func(a *answer, _ *http.Request) { a.say("Well"); a.end() }, ports.KindTransient},
		"a proxy's page":              {raw(502, "<h1>"+secret), ports.KindTransient},
		"an empty refusal":            {raw(403, ""), ports.KindDenied},
		"an empty array":              {raw(403, "[]"), ports.KindDenied},
		"a missing path":              {raw(404, "404 page not found"), ports.KindInvalid},
		"an endless refusal": {func(a *answer, r *http.Request) {
			a.w.WriteHeader(503)
			for r.Context().Err() == nil {
				a.write(strings.Repeat(secret, 1<<10))
			}
		}, ports.KindTransient},
		"a chunk over the cap":    {raw(200, `[{"candidates":[{"content":{"parts":[{"text":"`+strings.Repeat("and ", 2<<20)), ports.KindUnsupported},
		"a cut before the answer": {func(a *answer, _ *http.Request) { a.cut() }, ports.KindTransient},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := told(t, c.reply)
			require.NotNil(t, err)
			assert.Equal(t, c.want, err.Kind, "%v", err)
		})
	}
}

// A redirect would take the key and the conversation to another server.
func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere := newGenerateAPI(t)
	_, _, err := told(t, func(a *answer, r *http.Request) {
		http.Redirect(a.w, r, elsewhere.url+r.URL.Path, http.StatusTemporaryRedirect)
	})
	require.NotNil(t, err)
	assert.Equal(t, ports.KindUnknown, err.Kind, "%v", err)
	assert.Empty(t, elsewhere.calls())
}

// An endless answer is stopped by its size, in many small chunks.
func TestEndlessAnswer(t *testing.T) {
	_, _, err := told(t, func(a *answer, r *http.Request) {
		for r.Context().Err() == nil {
			a.say(strings.Repeat("and ", 16<<10))
		}
	})
	require.NotNil(t, err)
	assert.Equal(t, ports.KindUnsupported, err.Kind, "%v", err)
}

// The words of a chunk are heard before the next chunk is written.
func TestChunksAreNotHeldBack(t *testing.T) {
	s := newGenerateAPI(t)
	heard := make(chan struct{})
	s.answer = func(a *answer, r *http.Request, _ question) {
		a.say("Well, ")
		select {
		case <-heard:
			a.say("yes.")
			a.finish("STOP", 0, 2)
		case <-r.Context().Done():
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var text strings.Builder
	for chunk, err := range s.model(nil).Generate(ctx, ask("Hello")) {
		require.NoError(t, err)
		if text.Len() == 0 {
			close(heard)
		}
		text.WriteString(chunk.Text)
	}
	assert.Equal(t, "Well, yes.", text.String())
}

// brokenAfter is a transport whose answer breaks, with an error of its own, once
// the call's context has ended.
type brokenAfter struct{ ctx context.Context }

func (b brokenAfter) RoundTrip(r *http.Request) (*http.Response, error) {
	b.ctx = r.Context()
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(b), Request: r}, nil
}

func (b brokenAfter) Read([]byte) (int, error) {
	<-b.ctx.Done()
	return 0, errors.New("stream reset: " + secret)
}

// What counts is that the context ended, however the connection then broke.
func TestEndedContextIsToldHoweverTheStreamBroke(t *testing.T) {
	s := newGenerateAPI(t)
	m := s.model(func(c *gemini.Config) { c.Client = &http.Client{Transport: brokenAfter{}} })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, _, err := ports.Collect(m.Generate(ctx, ask("Hello")))
	assert.Equal(t, ports.KindTimeout, ports.KindOf(err), "%v", err)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}
