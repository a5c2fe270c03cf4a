package patternai_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/patternai"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

func ask(text string) ports.LLMRequest {
	return ports.LLMRequest{Messages: []ports.LLMMessage{{Role: domain.RoleUser, Text: text}}}
}

func TestGenerateSendsTheLastMessage(t *testing.T) {
	s := newServer(t)
	model := s.llm(func(cfg *patternai.LLMConfig) { cfg.Model, cfg.AgentID = "gpt-x", "shop/7" })
	warm := 0.5
	text, last, err := ports.Collect(model.Generate(t.Context(), ports.LLMRequest{
		System: "be brief", Temperature: &warm, MaxTokens: 5, Language: "en", User: "k1",
		Messages: []ports.LLMMessage{
			{Role: domain.RoleUser, Text: "hello"}, {Role: domain.RoleAssistant, Text: "hi"}, {Role: domain.RoleUser, Text: "is \"it\" <open>?\nAnd 23 €?"},
		},
	}))
	require.NoError(t, err)
	assert.Equal(t, "You said: is \"it\" <open>?\nAnd 23 €?. I will look at it.", text)
	assert.Equal(t, ports.LLMChunk{Done: true}, last)

	q := s.last()
	assert.Equal(t, http.MethodPost, q.method)
	assert.Equal(t, "/llm", q.uri)
	assert.Equal(t, "application/json", q.header.Get("Content-Type"))
	assert.Equal(t, "Bearer "+testKey, q.header.Get("Authorization"))
	assert.JSONEq(t, `{"transcription":"is \"it\" <open>?\nAnd 23 €?","model_name":"gpt-x","agent_id":"shop/7"}`, string(q.body))
}

func TestFieldsOfTheProtocolAreAlwaysThere(t *testing.T) {
	s := newServer(t)
	_, _, err := ports.Collect(s.llm(func(cfg *patternai.LLMConfig) { cfg.APIKey = nil }).Generate(t.Context(), ask("hi")))
	require.NoError(t, err)
	assert.JSONEq(t, `{"transcription":"hi","model_name":"","agent_id":""}`, string(s.last().body))
	assert.NotContains(t, s.last().header, "Authorization")
}

func TestMediaAreNotPassedOver(t *testing.T) {
	s := newServer(t)
	req := ask("what is this?")
	req.Messages[0].Media = []domain.Media{{MIME: "image/png", Data: []byte("x")}}
	_, _, err := ports.Collect(s.llm().Generate(t.Context(), req))
	assert.Equal(t, ports.KindUnsupported, ports.KindOf(err))
	assert.Zero(t, s.count())
}

// The text must be the same wherever the network cuts it.
func TestFirstLineIsTakenOff(t *testing.T) {
	for name, c := range map[string]struct{ sent, want string }{
		"usual":                      {"request_id: 5f0e-11\nGood morning.", "Good morning."},
		"empty line after it":        {"request_id: 5f0e-11\n\nGood morning.\n\nBye.\n", "Good morning.\n\nBye.\n"},
		"CRLF":                       {"request_id: 5f0e-11\r\nGood\r\nmorning.", "Good\r\nmorning."},
		"capitals, no space":         {"Request_ID:5f0e-11\nGood morning.", "Good morning."},
		"no id":                      {"request_id:\nGood morning.", "Good morning."},
		"byte order mark":            {"\xef\xbb\xbfrequest_id: 1\nGood morning.", "Good morning."},
		"space before":               {" \r\n request_id: 1\nGood morning.", "Good morning."},
		"missing":                    {"Good morning.\nrequest_id: 1 is mine.", "Good morning.\nrequest_id: 1 is mine."},
		"missing, begins alike":      {"request_identity cards here.", "request_identity cards here."},
		"missing, shorter":           {"request", "request"},
		"missing, mark":              {"\xef\xbb\xbfOK.", "OK."},
		"missing, begins like mark":  {"\xef\xbb", "\uFFFD"},
		"only the first":             {"request_id: 1\nrequest_id: 2\nGood.", "request_id: 2\nGood."},
		"characters of many bytes":   {"request_id: 1\nΚαλημέρα, 早上好 👋🏽, søde €uro.", "Καλημέρα, 早上好 👋🏽, søde €uro."},
		"bytes that are no text":     {"request_id: 1\na\xffb\xc3(c\xf0\x9f", "a\uFFFDb\uFFFD(c\uFFFD"},
		"Spanish without first line": {"¿Qué tal?", "¿Qué tal?"},
	} {
		for _, size := range []int{1, 2, 3, 5, 16, wide} {
			s := newServer(t).streams(c.sent)
			model := s.llm(func(cfg *patternai.LLMConfig) { cfg.Client = client(t, size) })
			var got strings.Builder
			for chunk, err := range model.Generate(t.Context(), ask("hi")) {
				require.NoError(t, err, "%s, %d", name, size)
				assert.True(t, utf8.ValidString(chunk.Text), "%s, %d: %q", name, size, chunk.Text)
				got.WriteString(chunk.Text)
			}
			assert.Equal(t, c.want, got.String(), "%s, %d", name, size)
		}
	}
}

// What is there is passed on at once, not when the answer is over.
func TestTextComesAsItIsWritten(t *testing.T) {
	s := newServer(t)
	next := make(chan struct{})
	s.reply = func(w http.ResponseWriter, r *http.Request) {
		for _, p := range []string{"request_id: 1\nOne. ", "Two. ", "Three."} {
			stream(w, p)
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
		}
	}
	var got []string
	for chunk, err := range s.llm(func(cfg *patternai.LLMConfig) { cfg.Client = client(t, wide) }).Generate(t.Context(), ask("hi")) {
		require.NoError(t, err)
		if chunk.Done {
			break
		}
		got = append(got, chunk.Text)
		next <- struct{}{}
	}
	assert.Equal(t, []string{"One. ", "Two. ", "Three."}, got)
}

func TestAnswersThatAreNone(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*server) *server
		want    ports.Kind
		code    string
	}{
		"empty":                {func(s *server) *server { return s.streams() }, ports.KindUnknown, ""},
		"first line only":      {func(s *server) *server { return s.streams("request_id: r-7\n") }, ports.KindUnknown, "r-7"},
		"first line unended":   {func(s *server) *server { return s.streams("request_id: r-7") }, ports.KindUnknown, "r-7"},
		"white space":          {func(s *server) *server { return s.streams("request_id: r-7\n \n\t") }, ports.KindUnknown, "r-7"},
		"white space, no line": {func(s *server) *server { return s.streams(" \n") }, ports.KindUnknown, ""},
		"id is a sentence":     {func(s *server) *server { return s.streams("request_id: the code is 4711\n") }, ports.KindUnknown, ""},
		"endless first line":   {func(s *server) *server { return s.streams("request_id: " + strings.Repeat("x", 600)) }, ports.KindTransient, ""},
		"endless white space":  {func(s *server) *server { return s.streams(strings.Repeat(" ", 600)) }, ports.KindTransient, ""},
		"cut in first line":    {func(s *server) *server { return s.cuts("text/plain", "request_id: r-") }, ports.KindTransient, ""},
		"cut before text":      {func(s *server) *server { return s.cuts("text/plain", "request_id: r-7\n") }, ports.KindTransient, "r-7"},
		"web page":             {func(s *server) *server { return s.answers(200, "text/html", "<p>Sign in</p>") }, ports.KindTransient, ""},
		"server-sent events":   {func(s *server) *server { return s.answers(200, "text/event-stream", "data: Hello\n\n") }, ports.KindTransient, ""},
		"sound":                {func(s *server) *server { return s.answers(200, "audio/mpeg", "ID3") }, ports.KindTransient, ""},
		"broken type":          {func(s *server) *server { return s.answers(200, "text/plain; charset", "Hello") }, ports.KindTransient, ""},
		"another charset":      {func(s *server) *server { return s.answers(200, "text/plain; charset=iso-8859-1", "Hello") }, ports.KindTransient, ""},
		"JSON error": {func(s *server) *server {
			return s.answers(200, "application/json", `{"status":"forbidden","request_id":"r-7"}`)
		}, ports.KindDenied, "r-7"},
		"JSON success": {func(s *server) *server {
			return s.answers(200, "application/json", `{"status":"success","request_id":"r-7"}`)
		}, ports.KindTransient, "r-7"},
		"JSON of another kind": {func(s *server) *server { return s.answers(200, "application/json", `["Hello"]`) }, ports.KindTransient, ""},
		"JSON cut":             {func(s *server) *server { return s.cuts("application/json", `{"status":`) }, ports.KindTransient, ""},
	} {
		s := c.prepare(newServer(t))
		text, _, err := ports.Collect(s.llm().Generate(t.Context(), ask("hi")))
		assert.Empty(t, text, name)
		var e *ports.Error
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, c.want, e.Kind, name)
		assert.Equal(t, c.code, e.Code, name)
		assert.Equal(t, 1, s.count(), name)
	}
}

func TestTypesThatArePlainText(t *testing.T) {
	for _, mime := range []string{"", "text/plain", "text/plain; charset=UTF-8", "text/plain;charset=us-ascii", "text/markdown", "application/octet-stream"} {
		text, _, err := ports.Collect(newServer(t).answers(200, mime, "request_id: 1\nHello.").llm().Generate(t.Context(), ask("hi")))
		require.NoError(t, err, mime)
		assert.Equal(t, "Hello.", text, mime)
	}
}

func TestStreamIsBounded(t *testing.T) {
	s := newServer(t).streams("request_id: r-7\n", strings.Repeat("on and on ", 120_000))
	text, _, err := ports.Collect(s.llm(func(cfg *patternai.LLMConfig) { cfg.Client = client(t, wide) }).Generate(t.Context(), ask("hi")))
	assert.Equal(t, ports.KindTransient, ports.KindOf(err))
	assert.LessOrEqual(t, len(text), 1<<20)
	var e *ports.Error
	require.True(t, errors.As(err, &e))
	assert.Equal(t, "r-7", e.Code)
}

func TestCutStreamNamesItsRequest(t *testing.T) {
	s := newServer(t).cuts("text/plain", "request_id: r-7\n", "Let me see, ")
	text, _, err := ports.Collect(s.llm().Generate(t.Context(), ask("hi")))
	assert.Equal(t, "Let me see, ", text)
	assert.EqualError(t, err, "patternai.llm: transient (code r-7): the connection ended before the answer did")
}

// The end of the context must be told even when it comes with the answer's last byte.
func TestCancelAtTheVeryEndIsNotSilent(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	answer := io.MultiReader(strings.NewReader("request_id: r-7\nHello."), atEnd(cancel))
	model, err := patternai.NewLLM(patternai.LLMConfig{BaseURL: "http://agent.invalid", Client: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(answer), Request: r}, nil
	})}})
	require.NoError(t, err)
	text, _, err := ports.Collect(model.Generate(ctx, ask("hi")))
	assert.Equal(t, "Hello.", text)
	assert.Equal(t, ports.KindCanceled, ports.KindOf(err))
}

type atEnd func()

func (f atEnd) Read([]byte) (int, error) { f(); return 0, io.EOF }

func TestReaderMayLeaveAtTheLastPiece(t *testing.T) {
	s := newServer(t).streams("request_id: r-7\n", "OK \xf0\x9f")
	var got []string
	for chunk, err := range s.llm(func(cfg *patternai.LLMConfig) { cfg.Client = client(t, 3) }).Generate(t.Context(), ask("hi")) {
		require.NoError(t, err)
		if got = append(got, chunk.Text); chunk.Text == "\uFFFD" {
			break
		}
	}
	assert.Equal(t, "OK \uFFFD", strings.Join(got, ""))
}

// A call without a deadline must get one; the transport sees it.
func TestCallsAlwaysHaveADeadline(t *testing.T) {
	s := newServer(t)
	inner := client(t, wide).Transport
	bounded := 0
	watch := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		at, ok := r.Context().Deadline()
		assert.True(t, ok && time.Until(at) < 10*time.Minute, r.URL.Path)
		bounded++
		return inner.RoundTrip(r)
	})}
	ctx := context.WithoutCancel(t.Context())
	_, _, err := ports.Collect(s.llm(func(cfg *patternai.LLMConfig) { cfg.Client = watch }).Generate(ctx, ask("hi")))
	require.NoError(t, err)
	_, err = s.stt(func(cfg *patternai.STTConfig) { cfg.Client = watch }).Transcribe(ctx, spoken(t, "hi"), ports.STTOptions{})
	require.NoError(t, err)
	_, err = s.tts(func(cfg *patternai.TTSConfig) { cfg.Client = watch }).Synthesize(ctx, "Hi.", ports.TTSOptions{})
	require.NoError(t, err)
	c, err := patternai.NewClient(patternai.ClientConfig{BaseURL: s.URL, Client: watch})
	require.NoError(t, err)
	require.NoError(t, c.Health(ctx))
	assert.Equal(t, 4, bounded)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
