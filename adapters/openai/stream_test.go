package openai_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/openai"
	"whatsappnode/ports"
)

// TestStreams are the habits of servers. Each ends with the text that was heard and
// either success or a kind.
func TestStreams(t *testing.T) {
	for name, tt := range map[string]struct {
		answer    http.HandlerFunc
		text      string
		kind      ports.Kind // empty: success
		truncated bool
		usage     *ports.LLMUsage
		says      string // in the error
	}{
		"plain":                          {answer: streams(nil, delta("Good "), delta("day"), finish("stop"), done), text: "Good day"},
		"with usage":                     {answer: streams(nil, delta("Good day"), finish("stop"), usage, done), text: "Good day", usage: &ports.LLMUsage{Input: 11, Output: 3}},
		"usage in every chunk":           {answer: streams(nil, usage, delta("Good day"), finish("stop"), strings.Replace(usage, "3", "4", 1), done), text: "Good day", usage: &ports.LLMUsage{Input: 11, Output: 4}},
		"usage of nothing":               {answer: streams(nil, delta("Good day"), finish("stop"), `data: {"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0}}`, done), text: "Good day"},
		"DONE without finish and no end": {answer: streams(hang, delta("Good day"), done), text: "Good day"},
		"usage without sense":            {answer: streams(nil, delta("Good day"), finish("stop"), `data: {"choices":[],"usage":{"prompt_tokens":"many","completion_tokens":0}}`, done), text: "Good day"},
		"finish with the text":           {answer: streams(nil, `data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}`, done), text: "Hi"},
		"no space after data":            {answer: streams(nil, `data:{"choices":[{"delta":{"content":"Hi"}}]}`, finish("stop"), "data:[DONE]"), text: "Hi"},
		"without DONE":                   {answer: streams(nil, delta("Good day"), finish("stop")), text: "Good day"},
		"DONE without finish":            {answer: streams(nil, delta("Good day"), done), text: "Good day"},
		"without DONE and cut":           {answer: streams(cut, delta("Good day"), finish("stop")), text: "Good day"},
		"never hangs up":                 {answer: streams(hang, delta("Good day"), finish("stop"), usage), text: "Good day", usage: &ports.LLMUsage{Input: 11, Output: 3}},
		"DONE and no end":                {answer: streams(hang, delta("Good day"), finish("stop"), done), text: "Good day"},
		"no newline at the end": {answer: func(w http.ResponseWriter, r *http.Request) {
			streams(nil, delta("Good "))(w, r)
			_, _ = w.Write([]byte(`data: {"choices":[{"delta":{"content":"day"},"finish_reason":"stop"}]}`))
		}, text: "Good day"},
		"carriage returns": {answer: streams(nil, delta("Good day")+"\r", finish("stop")+"\r", done+"\r"), text: "Good day"},
		"many comments": {answer: streams(nil, append(append([]string{delta("Good ")}, repeated(": OPENROUTER PROCESSING", 1000)...),
			"event: message", "id: 7", "retry: 10", delta("day"), finish("stop"), done)...), text: "Good day"},
		"reasoning": {answer: streams(nil,
			`data: {"choices":[{"delta":{"reasoning_content":"hm"}}]}`, `data: {"choices":[{"delta":{"reasoning":"hm","content":null}}]}`,
			delta("Good day"), finish("stop"), done), text: "Good day"},
		"parts":               {answer: streams(nil, `data: {"choices":[{"delta":{"content":[{"type":"thinking","thinking":[]},{"type":"text","text":"Good day"}]}}]}`, finish("stop"), done), text: "Good day"},
		"other choices":       {answer: streams(nil, `data: {"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"Good day"}}]}`, finish("stop"), done), text: "Good day"},
		"odd types elsewhere": {answer: streams(nil, `data: {"id":7,"created":1.5,"system_fingerprint":{},"choices":[{"delta":{"content":"Good day"},"logprobs":[]}]}`, finish("stop"), done), text: "Good day"},
		"length":              {answer: streams(nil, delta("Good"), finish("length"), done), text: "Good", truncated: true},
		"unknown finish":      {answer: streams(nil, delta("Good"), finish("eos"), done), text: "Good"},
		"does not stream":     {answer: says(200, `{"choices":[{"index":0,"message":{"role":"assistant","content":"Good day"},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":3}}`), text: "Good day", usage: &ports.LLMUsage{Input: 11, Output: 3}},

		"filtered at once":   {answer: streams(nil, finish("content_filter"), done), kind: ports.KindBlocked},
		"filtered later":     {answer: streams(nil, delta("Well, "), finish("content_filter"), done), text: "Well, ", kind: ports.KindBlocked},
		"refusal":            {answer: streams(nil, `data: {"choices":[{"delta":{"refusal":"`+secretWords+`"}}]}`, finish("stop"), done), kind: ports.KindBlocked},
		"refusal unstreamed": {answer: says(200, `{"choices":[{"message":{"content":null,"refusal":"`+secretWords+`"},"finish_reason":"stop"}]}`), kind: ports.KindBlocked},
		"nothing":            {answer: streams(nil, finish("stop"), done), kind: ports.KindUnknown, says: "empty"},
		"white space":        {answer: streams(nil, delta(" \n"), finish("stop"), done), text: " \n", kind: ports.KindUnknown},
		"only DONE":          {answer: streams(nil, done), kind: ports.KindUnknown},
		"thought too long":   {answer: streams(nil, `data: {"choices":[{"delta":{"reasoning_content":"hm"}}]}`, finish("length"), done), kind: ports.KindUnknown, says: "token limit"},
		"wants a tool":       {answer: streams(nil, finish("tool_calls"), done), kind: ports.KindUnknown, says: "tool"},
		"no body":            {answer: says(200, ""), kind: ports.KindTransient},
		"cut":                {answer: streams(cut, delta("Good ")), text: "Good ", kind: ports.KindTransient},
		"ends too early":     {answer: streams(nil, delta("Good ")), text: "Good ", kind: ports.KindTransient, says: "connection ended"},
		"cut in a chunk":     {answer: streams(cut, delta("Good "), `data: {"choices":[{"del`), text: "Good ", kind: ports.KindTransient},
		"malformed":          {answer: streams(nil, delta("Good "), `data: {"choices":`+secretWords), text: "Good ", kind: ports.KindTransient, says: "malformed"},
		"wrong type":         {answer: streams(nil, `data: {"choices":[{"delta":{"content":7}}]}`), kind: ports.KindTransient, says: "malformed"},
		"a page":             {answer: says(200, "<html>"+secretWords+"</html>"), kind: ports.KindTransient},
		"endless line":       {answer: streams(nil, delta("Good "), "data: "+strings.Repeat("x", 1<<20+1)), text: "Good ", kind: ports.KindTransient, says: "16 MB"},
		"endless stream":     {answer: streams(hang, repeated(delta(strings.Repeat("x", 1<<19)), 33)...), text: strings.Repeat("x", 31<<19), kind: ports.KindTransient, says: "16 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, tt.answer)
			text, last, err := ports.Collect(s.llm().Generate(t.Context(), ask(secretWords)))
			assert.Equal(t, len(tt.text), len(text))
			if len(tt.text) < 100 {
				assert.Equal(t, tt.text, text)
			}
			assert.Equal(t, 1, s.calls())
			if tt.kind != "" {
				e := kindIs(t, tt.kind, err)
				assert.Contains(t, e.Error(), tt.says)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, ports.LLMChunk{Done: true, Truncated: tt.truncated, Usage: tt.usage}, last)
		})
	}
}

func repeated(line string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = line
	}
	return out
}

// TestErrorsInsideStreams: a status of success was sent already.
func TestErrorsInsideStreams(t *testing.T) {
	for name, tt := range map[string]struct {
		line string
		kind ports.Kind
		code string
	}{
		"openai":             {`data: {"error":{"message":"` + secretWords + `","type":"server_error","code":null}}`, ports.KindTransient, "server_error"},
		"openai, quota":      {`data: {"error":{"message":"` + secretWords + `","type":"insufficient_quota","code":"insufficient_quota"}}`, ports.KindDenied, "insufficient_quota"},
		"spaces":             {`data: { "error" : { "message" : "` + secretWords + `", "type":"rate_limit_error" } }`, ports.KindRateLimited, "rate_limit_error"},
		"after a comment":    {": PROCESSING\n\n" + `data: {"error":{"message":"` + secretWords + `","type":"invalid_request_error"}}`, ports.KindInvalid, "invalid_request_error"},
		"event name":         {"event: error\n" + `data: {"error":{"message":"` + secretWords + `","code":503}}`, ports.KindTransient, ""},
		"openrouter":         {`data: {"id":"g","object":"chat.completion.chunk","error":{"code":429,"message":"` + secretWords + `"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}`, ports.KindRateLimited, ""},
		"openrouter, choice": {`data: {"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error","error":{"code":"502","message":"` + secretWords + `"}}]}`, ports.KindTransient, ""},
		"only the finish":    {finish("error"), ports.KindTransient, ""},
		"vllm of old":        {`data: {"object":"error","message":"` + secretWords + `","type":"BadRequestError","param":null,"code":400}`, ports.KindInvalid, "BadRequestError"},
		"llama.cpp of old":   {`error: {"code":400,"message":"` + secretWords + `","type":"exceed_context_size_error","n_ctx":256}`, ports.KindUnsupported, "exceed_context_size_error"},
		"ollama":             {`{"error":"` + secretWords + ` exceeds the context window"}`, ports.KindUnsupported, ""},
		"azure":              {`data: {"error":{"message":"` + secretWords + `","code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation"}}}`, ports.KindBlocked, "content_filter"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, streams(nil, delta("Good "), tt.line, done))
			text, _, err := ports.Collect(s.llm().Generate(t.Context(), ask(secretWords)))
			assert.Equal(t, "Good ", text)
			e := kindIs(t, tt.kind, err)
			assert.Equal(t, tt.code, e.Code)
		})
	}
}

// TestErrorNullIsNone: some servers send the field with every chunk.
func TestErrorNullIsNone(t *testing.T) {
	s := newServer(t, streams(nil, `data: {"error":null,"choices":[{"delta":{"content":"Hi"},"error":null}]}`, finish("stop"), done))
	text, _, err := ports.Collect(s.llm().Generate(t.Context(), ask("hi")))
	require.NoError(t, err)
	assert.Equal(t, "Hi", text)
}

// TestTextComesWhileTheServerWrites: the server waits for the first word to have
// been heard before it says the second.
func TestTextComesWhileTheServerWrites(t *testing.T) {
	heard := make(chan struct{})
	s := newServer(t, streams(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-heard:
		case <-r.Context().Done():
		}
		streams(nil, delta("two"), finish("stop"), done)(w, r)
	}, delta("one ")))
	var got []string
	for chunk, err := range s.llm().Generate(t.Context(), ask("count")) {
		require.NoError(t, err)
		if got = append(got, chunk.Text); len(got) == 1 {
			close(heard)
		}
	}
	assert.Equal(t, []string{"one ", "two", ""}, got)
}

// bodyOf hands out a body line by line and remembers whether it was read to its end
// before it was closed: only then can the connection be used again.
type bodyOf struct {
	lines         []string
	wait          context.Context // nil: the body ends after its lines
	ended, closed bool
}

func (b *bodyOf) Read(p []byte) (int, error) {
	if len(b.lines) == 0 && b.wait != nil {
		<-b.wait.Done()
		return 0, b.wait.Err()
	}
	if len(b.lines) == 0 {
		b.ended = b.ended || !b.closed
		return 0, io.EOF
	}
	n := copy(p, b.lines[0])
	b.lines[0] = b.lines[0][n:]
	if b.lines[0] == "" {
		b.lines = b.lines[1:]
	}
	return n, nil
}

func (b *bodyOf) Close() error {
	b.closed = true
	return nil
}

// TestConnectionIsUsedAgain: a turn must not pay for a new handshake.
func TestConnectionIsUsedAgain(t *testing.T) {
	s := newServer(t, nil)
	var body *bodyOf
	model := s.llm(func(c *openai.LLMConfig) {
		c.Client = &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			body = &bodyOf{lines: []string{delta("hi") + "\n\n", finish("stop") + "\n\n", done + "\n\n"}}
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: body}, nil
		})}
	})
	_, _, err := ports.Collect(model.Generate(t.Context(), ask("hi")))
	require.NoError(t, err)
	assert.True(t, body.ended)
	assert.True(t, body.closed)

	for range model.Generate(t.Context(), ask("hi")) {
		break
	}
	assert.False(t, body.ended, "a reader who left does not wait for the rest")
	assert.True(t, body.closed)
}

// TestReaderWhoLeavesFreesTheServer: the server learns that nobody listens.
func TestReaderWhoLeavesFreesTheServer(t *testing.T) {
	freed := make(chan struct{})
	s := newServer(t, streams(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(freed)
	}, delta("Good ")))
	for chunk, err := range s.llm().Generate(t.Context(), ask("hi")) {
		require.NoError(t, err)
		assert.Equal(t, "Good ", chunk.Text)
		break
	}
	<-freed
}

// TestEndOfTheCallIsNotMistaken: leaving a slow server is the adapter's affair, the
// caller's end is an error.
func TestEndOfTheCallIsNotMistaken(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := newServer(t, streams(hang, delta("Good day"), finish("stop")))
	var err error
	for _, err = range s.llm().Generate(ctx, ask("hi")) {
		cancel()
	}
	kindIs(t, ports.KindCanceled, err)
	require.ErrorIs(t, err, context.Canceled)
}
