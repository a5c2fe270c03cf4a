package anthropic_test

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

	"whatsappnode/adapters/anthropic"
	"whatsappnode/ports"
)

const secret = "the code of the safe is 4711"

// told asks once and returns what came before the end, the last chunk, the error
// and how often the server was asked.
func told(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) (string, ports.LLMChunk, *ports.Error) {
	t.Helper()
	s := newMessagesAPI(t)
	s.answer = func(w http.ResponseWriter, r *http.Request, _ question) { answer(w, r) }
	text, last, err := ports.Collect(s.model(nil).Generate(t.Context(), ask(secret)))
	require.Len(t, s.calls(), 1, "the adapter must not repeat a call")
	if err == nil {
		return text, last, nil
	}
	var e *ports.Error
	require.ErrorAs(t, err, &e)
	for _, word := range []string{secret, testKey, "127.0.0.1", "v1/messages", "req_011", "4711"} {
		assert.NotContains(t, err.Error(), word)
	}
	return text, last, e
}

func TestAnswerIsTextAndUsage(t *testing.T) {
	text, last, err := told(t, func(w http.ResponseWriter, _ *http.Request) {
		begin(w, 20)
		say(w, "Good ")
		sse(w, "ping", `{"type": "ping"}`)
		sse(w, "content_block_delta", `{"type":"content_block_delta","index":1,"delta":{"type":"a_new_delta","text":"not said"}}`)
		sse(w, "a_new_event", `{"type":"a_new_event","text":"not said"}`)
		say(w, "day")
		sse(w, "content_block_stop", `{"type":"content_block_stop","index":1}`)
		sse(w, "content_block_start", `{"type":"content_block_start","index":2,"content_block":{"type":"text","text":"!"}}`)
		end(w, "end_turn", 9)
	})
	require.Nil(t, err)
	assert.Equal(t, "Good day!", text)
	// What was read from or written to the cache is input too.
	assert.Equal(t, ports.LLMChunk{Done: true, Usage: &ports.LLMUsage{Input: 27, Output: 9}}, last)
}

func TestStopReasons(t *testing.T) {
	for reason, want := range map[string]struct {
		kind      ports.Kind
		truncated bool
	}{
		"end_turn": {}, "stop_sequence": {},
		"max_tokens": {truncated: true}, "model_context_window_exceeded": {truncated: true},
		"refusal":  {kind: ports.KindBlocked},
		"tool_use": {kind: ports.KindUnknown}, "pause_turn": {kind: ports.KindUnknown}, "brand_new": {kind: ports.KindUnknown}, "": {kind: ports.KindUnknown},
	} {
		t.Run(reason, func(t *testing.T) {
			text, last, err := told(t, func(w http.ResponseWriter, _ *http.Request) {
				begin(w, 20)
				say(w, "Well")
				end(w, reason, 2)
			})
			assert.Equal(t, "Well", text)
			if want.kind != "" {
				require.NotNil(t, err)
				assert.Equal(t, want.kind, err.Kind)
				return
			}
			require.Nil(t, err)
			assert.Equal(t, want.truncated, last.Truncated)
		})
	}
}

// A model that thinks can use up its tokens before it says anything.
func TestLimitReachedBeforeTheFirstWord(t *testing.T) {
	_, _, err := told(t, func(w http.ResponseWriter, _ *http.Request) {
		begin(w, 20)
		say(w, " \n")
		end(w, "max_tokens", 300)
	})
	require.NotNil(t, err)
	assert.Equal(t, ports.KindUnknown, err.Kind)
	assert.ErrorContains(t, err, "token limit")
}

func TestRefusedRequests(t *testing.T) {
	for _, c := range []struct {
		status        int
		kind, message string
		want          ports.Kind
		scope         ports.Scope
	}{
		{401, "authentication_error", "invalid x-api-key", ports.KindDenied, ports.ScopeAccount},
		{403, "permission_error", "Your API key does not have permission to use the specified resource.", ports.KindDenied, ports.ScopeAccount},
		{402, "billing_error", "There is an issue with your billing", ports.KindDenied, ports.ScopeAccount},
		{404, "not_found_error", "model: claude-nonesuch", ports.KindInvalid, ports.ScopeCall},
		{413, "request_too_large", "Request exceeds the maximum size", ports.KindUnsupported, ports.ScopeCall},
		{429, "rate_limit_error", "Number of request tokens has exceeded your per-minute rate limit", ports.KindRateLimited, ports.ScopeAccount},
		{500, "api_error", "Internal server error", ports.KindTransient, ports.ScopeCall},
		{504, "timeout_error", "Request timed out", ports.KindTimeout, ports.ScopeCall},
		{529, "overloaded_error", "Overloaded", ports.KindTransient, ports.ScopeCall},
		{400, "invalid_request_error", "messages.1.content: unexpected role", ports.KindInvalid, ports.ScopeCall},
		{400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.", ports.KindDenied, ports.ScopeAccount},
		{400, "invalid_request_error", "You have reached your specified API usage limits.", ports.KindDenied, ports.ScopeAccount},
		{400, "invalid_request_error", "Output blocked by content filtering policy", ports.KindBlocked, ports.ScopeCall},
		{400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", ports.KindUnsupported, ports.ScopeCall},
		{400, "invalid_request_error", "Could not process PDF", ports.KindUnsupported, ports.ScopeCall},
		{529, "a_new_error", "?", ports.KindTransient, ports.ScopeCall},
		{418, "a_new_error", "?", ports.KindInvalid, ports.ScopeCall},
	} {
		t.Run(fmt.Sprintf("%d %s", c.status, c.message), func(t *testing.T) {
			text, _, err := told(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "7")
				w.Header().Set("X-Should-Retry", "true") // the SDK would obey
				refuse(w, c.status, c.kind, c.message+" "+secret)
			})
			require.NotNil(t, err)
			assert.Empty(t, text)
			assert.Equal(t, c.want, err.Kind, "%v", err)
			assert.Equal(t, c.scope, err.Scope)
			assert.Equal(t, 7*time.Second, err.RetryAfter)
			if !strings.HasPrefix(c.kind, "a_new") {
				assert.Equal(t, c.kind, err.Code)
			}
		})
	}
}

func TestErrorEventsInTheStream(t *testing.T) {
	for data, want := range map[string]ports.Kind{
		`{"type":"error","error":{"type":"overloaded_error","message":"` + secret + `"}}`:      ports.KindTransient,
		`{"type":"error","error":{"type":"rate_limit_error","message":"` + secret + `"}}`:      ports.KindRateLimited,
		`{"type":"error","error":{"type":"api_error","message":"` + secret + `"}}`:             ports.KindTransient,
		`{"type":"error","error":{"type":"invalid_request_error","message":"` + secret + `"}}`: ports.KindInvalid,
		`{"type":"error","error":{"type":"brand_new","message":"` + secret + `"}}`:             ports.KindTransient,
		`{"type":"error","error":"` + secret + `"}`:                                            ports.KindTransient,
		secret: ports.KindTransient,
		`[]`:   ports.KindTransient,
	} {
		t.Run(data, func(t *testing.T) {
			text, _, err := told(t, func(w http.ResponseWriter, _ *http.Request) {
				begin(w, 20)
				say(w, "Well, ")
				sse(w, "error", data)
				say(w, "not said")
			})
			assert.Equal(t, "Well, ", text)
			require.NotNil(t, err)
			assert.Equal(t, want, err.Kind, "%v", err)
		})
	}
}

func TestAnswersThatMakeNoSense(t *testing.T) {
	raw := func(status int, kind, body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	const stream = "text/event-stream"
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		want   ports.Kind
	}{
		"nothing":          {raw(200, stream, ""), ports.KindTransient},
		"a web page":       {raw(200, "text/html", "<p>"+secret), ports.KindTransient},
		"JSON":             {raw(200, "application/json", `{"type":"message"}`), ports.KindTransient},
		"no type":          {raw(200, "", `{}`), ports.KindTransient},
		"broken event":     {raw(200, stream, "event: message_start\ndata: {\"type\": "+secret+"\n\n"), ports.KindTransient},
		"a proxy's page":   {raw(502, "text/html", "<h1>"+secret), ports.KindTransient},
		"an empty refusal": {raw(403, "text/plain", ""), ports.KindDenied},
		"a missing path":   {raw(404, "text/plain", "404 page not found"), ports.KindInvalid},
		"an endless refusal": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(503)
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, strings.Repeat(secret, 1<<10))
			}
		}, ports.KindTransient},
		"an event over the cap": {raw(200, stream, "event: message_start\ndata: "+strings.Repeat(" ", 9<<20)+"{}\n\n"), ports.KindUnsupported},
		"stop without reason": {func(w http.ResponseWriter, _ *http.Request) {
			begin(w, 1)
			sse(w, "message_stop", `{"type":"message_stop"}`)
		}, ports.KindUnknown},
		"a clean end too early": {func(w http.ResponseWriter, _ *http.Request) {
			begin(w, 1)
			say(w, "Well")
		}, ports.KindTransient},
		"a cut before the answer": {func(w http.ResponseWriter, _ *http.Request) { cut(w) }, ports.KindTransient},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := told(t, c.answer)
			require.NotNil(t, err)
			assert.Equal(t, c.want, err.Kind, "%v", err)
		})
	}
}

// A redirect would take the key and the conversation to another server.
func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere := newMessagesAPI(t)
	_, _, err := told(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.url+r.URL.Path, http.StatusTemporaryRedirect)
	})
	require.NotNil(t, err)
	assert.Equal(t, ports.KindUnknown, err.Kind, "%v", err)
	assert.Empty(t, elsewhere.calls())
}

// An endless answer is stopped by its size, in many small events.
func TestEndlessAnswer(t *testing.T) {
	_, _, err := told(t, func(w http.ResponseWriter, r *http.Request) {
		begin(w, 1)
		for r.Context().Err() == nil {
			say(w, strings.Repeat("and ", 16<<10))
		}
	})
	require.NotNil(t, err)
	assert.Equal(t, ports.KindUnsupported, err.Kind, "%v", err)
}

// brokenAfter is a transport whose answer breaks, with an error of its own, once
// the call's context has ended.
type brokenAfter struct{ ctx context.Context }

func (b brokenAfter) RoundTrip(r *http.Request) (*http.Response, error) {
	b.ctx = r.Context()
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(b), Request: r,
	}, nil
}

func (b brokenAfter) Read([]byte) (int, error) {
	<-b.ctx.Done()
	return 0, errors.New("stream reset: " + secret)
}

// What counts is that the context ended, however the connection then broke.
func TestEndedContextIsToldHoweverTheStreamBroke(t *testing.T) {
	s := newMessagesAPI(t)
	m := s.model(func(c *anthropic.Config) { c.Client = &http.Client{Transport: brokenAfter{}} })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, _, err := ports.Collect(m.Generate(ctx, ask("Hello")))
	assert.Equal(t, ports.KindTimeout, ports.KindOf(err), "%v", err)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}
