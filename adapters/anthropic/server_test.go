package anthropic_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/anthropic"
)

const (
	testKey   = "sk-ant-test-key"
	testModel = "claude-haiku-4-5" // takes a temperature
)

// messagesAPI speaks the streaming half of Anthropic's Messages API on a loopback
// address and refuses what the real one refuses.
type messagesAPI struct {
	t    *testing.T
	url  string
	dial dialer // nil: over TCP

	mu       sync.Mutex
	requests []recorded
	answer   func(w http.ResponseWriter, r *http.Request, q question) // nil echoes
}

type recorded struct {
	method, path, query string
	header              http.Header
	body                string
}

// question is the body of a request, as far as the fake cares.
type question struct {
	Model       string   `json:"model"`
	MaxTokens   int      `json:"max_tokens"`
	Stream      bool     `json:"stream"`
	Temperature *float64 `json:"temperature"`
	Messages    []struct {
		Role    string `json:"role"`
		Content []struct {
			Type      string          `json:"type"`
			Text      string          `json:"text"`
			Thinking  string          `json:"thinking"`
			Signature string          `json:"signature"`
			ID        string          `json:"id"`
			Input     json.RawMessage `json:"input"`
			ToolUseID string          `json:"tool_use_id"`
			IsError   bool            `json:"is_error"`
			Content   []struct {
				Text string `json:"text"`
			} `json:"content"`
		} `json:"content"`
	} `json:"messages"`
	Tools      []json.RawMessage `json:"tools"`
	ToolChoice struct {
		Type string `json:"type"`
	} `json:"tool_choice"`
}

// newMessagesAPI serves on a loopback port.
func newMessagesAPI(t *testing.T) *messagesAPI { return newMessagesAPIOn(t, serveTCP) }

func newMessagesAPIOn(t *testing.T, serve func(*testing.T, http.Handler) (string, dialer)) *messagesAPI {
	t.Helper()
	s := &messagesAPI{t: t}
	s.url, s.dial = serve(t, s)
	return s
}

// model makes a model for the server; mend may change its settings.
func (s *messagesAPI) model(mend func(*anthropic.Config)) *anthropic.LLM {
	s.t.Helper()
	transport := &http.Transport{DialContext: s.dial}
	s.t.Cleanup(transport.CloseIdleConnections)
	cfg := anthropic.Config{
		APIKey: func() string { return testKey }, BaseURL: s.url, Model: testModel,
		Client: &http.Client{Transport: transport},
	}
	if mend != nil {
		mend(&cfg)
	}
	m, err := anthropic.NewLLM(cfg)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, m.Close()) })
	return m
}

func (s *messagesAPI) calls() []recorded {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]recorded(nil), s.requests...)
}

func (s *messagesAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.mu.Lock()
	s.requests = append(s.requests, recorded{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Clone(), string(body)})
	answer := s.answer
	s.mu.Unlock()

	var q question
	switch {
	case err != nil:
		return
	case r.Header.Get("X-Api-Key") != testKey:
		refuse(w, 401, "authentication_error", "invalid x-api-key")
	case r.Header.Get("Anthropic-Version") != "2023-06-01":
		refuse(w, 400, "invalid_request_error", "anthropic-version: header is required")
	case r.Method != http.MethodPost || r.URL.Path != "/v1/messages":
		refuse(w, 404, "not_found_error", "Not found")
	case r.Header.Get("Content-Type") != "application/json" || json.Unmarshal(body, &q) != nil:
		refuse(w, 400, "invalid_request_error", "The request body is not valid JSON")
	case q.fault() != "":
		refuse(w, 400, "invalid_request_error", q.fault())
	case answer != nil:
		answer(w, r, q)
	default:
		echo(w, q)
	}
}

// fault is what the API would object to.
func (q question) fault() string {
	switch {
	case q.Model == "":
		return "model: Field required"
	case q.MaxTokens < 1:
		return "max_tokens: Field required"
	case !q.Stream:
		return "stream: this fake only streams"
	case q.Temperature != nil && (*q.Temperature < 0 || *q.Temperature > 1):
		return "temperature: range: 0..1"
	case len(q.Messages) == 0:
		return "messages: at least one message is required"
	}
	if f := q.toolFault(); f != "" {
		return f
	}
	for i, m := range q.Messages {
		want := "user"
		if i%2 == 1 {
			want = "assistant"
		}
		if m.Role != want {
			return fmt.Sprintf("messages.%d: roles must alternate, beginning with the user", i)
		}
		if len(m.Content) == 0 {
			return fmt.Sprintf("messages.%d: content is required", i)
		}
		for j, c := range m.Content {
			if c.Type == "text" && strings.TrimSpace(c.Text) == "" {
				return fmt.Sprintf("messages.%d.content.%d: text content blocks must contain non-whitespace text", i, j)
			}
		}
	}
	return ""
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Request-Id", "req_011CSHoEeqs5C35K2UUqR7Fy")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "error", "error": map[string]any{"type": kind, "message": message}, "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy",
	})
}

// sse writes one event and sends it off.
func sse(w http.ResponseWriter, name, data string) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	}
	_, _ = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, data)
	w.(http.Flusher).Flush()
}

// begin is how every answer begins, with a thought that nobody may hear.
func begin(w http.ResponseWriter, input int) {
	sse(w, "message_start", fmt.Sprintf(`{"type":"message_start","message":{"id":"msg_01","type":"message","role":"assistant","model":"claude-haiku-4-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":%d,"cache_creation_input_tokens":4,"cache_read_input_tokens":3,"output_tokens":1}}}`, input))
	sse(w, "content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}`)
	sse(w, "ping", `{"type": "ping"}`)
	sse(w, "content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"a secret thought"}}`)
	sse(w, "content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pk="}}`)
	sse(w, "content_block_stop", `{"type":"content_block_stop","index":0}`)
	sse(w, "content_block_start", `{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}`)
}

func say(w http.ResponseWriter, text string) {
	quoted, _ := json.Marshal(text)
	sse(w, "content_block_delta", `{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":`+string(quoted)+`}}`)
}

func end(w http.ResponseWriter, stop string, output int) {
	sse(w, "content_block_stop", `{"type":"content_block_stop","index":1}`)
	sse(w, "message_delta", fmt.Sprintf(`{"type":"message_delta","delta":{"stop_reason":%q,"stop_sequence":null},"usage":{"output_tokens":%d}}`, stop, output))
	sse(w, "message_stop", `{"type":"message_stop"}`)
}

// echo says what was said last. A token is a word.
func echo(w http.ResponseWriter, q question) {
	last := q.Messages[len(q.Messages)-1].Content
	words := strings.SplitAfter("You said: "+last[len(last)-1].Text, " ")
	stop := "end_turn"
	if q.MaxTokens < len(words) {
		words, stop = words[:q.MaxTokens], "max_tokens"
	}
	begin(w, 20)
	for _, word := range words {
		say(w, word)
	}
	end(w, stop, len(words))
}

// hang leaves the caller waiting until it goes.
func hang(r *http.Request) { <-r.Context().Done() }

// cut breaks the connection without an end.
func cut(w http.ResponseWriter) {
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = conn.Close()
	}
}
