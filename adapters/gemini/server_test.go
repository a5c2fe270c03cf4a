package gemini_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/gemini"
)

const (
	testKey   = "AIza-test-key"
	testModel = "gemini-test"
)

// generateAPI speaks the streaming method of the Gemini API on a loopback address,
// in the form the library asks for: a JSON array of chunks, enums as numbers.
type generateAPI struct {
	t    *testing.T
	url  string
	dial dialer // nil: over TCP

	mu       sync.Mutex
	requests []recorded
	answer   func(a *answer, r *http.Request, q question) // nil echoes
}

type recorded struct {
	method, path, query string
	header              http.Header
	body                string
}

// question is the body of a request, as far as the fake cares.
type question struct {
	Contents []struct {
		Role  string `json:"role"`
		Parts []struct {
			Text       string          `json:"text"`
			InlineData json.RawMessage `json:"inlineData"`
		} `json:"parts"`
	} `json:"contents"`
	GenerationConfig struct {
		MaxOutputTokens int      `json:"maxOutputTokens"`
		CandidateCount  int      `json:"candidateCount"`
		Temperature     *float64 `json:"temperature"`
	} `json:"generationConfig"`
}

// newGenerateAPI serves on a loopback port.
func newGenerateAPI(t *testing.T) *generateAPI { return newGenerateAPIOn(t, serveTCP) }

func newGenerateAPIOn(t *testing.T, serve func(*testing.T, http.Handler) (string, dialer)) *generateAPI {
	t.Helper()
	s := &generateAPI{t: t}
	s.url, s.dial = serve(t, s)
	return s
}

// model makes a model for the server; mend may change its settings.
func (s *generateAPI) model(mend func(*gemini.Config)) *gemini.LLM {
	s.t.Helper()
	transport := &http.Transport{DialContext: s.dial}
	s.t.Cleanup(transport.CloseIdleConnections)
	cfg := gemini.Config{
		APIKey: func() string { return testKey }, BaseURL: s.url, Model: testModel,
		Client: &http.Client{Transport: transport},
	}
	if mend != nil {
		mend(&cfg)
	}
	m, err := gemini.NewLLM(cfg)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, m.Close()) })
	return m
}

func (s *generateAPI) calls() []recorded {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]recorded(nil), s.requests...)
}

func (s *generateAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.mu.Lock()
	s.requests = append(s.requests, recorded{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Clone(), string(body)})
	reply := s.answer
	s.mu.Unlock()

	var q question
	a := &answer{w: w, numbers: strings.Contains(r.URL.Query().Get("$alt"), "enum-encoding=int")}
	switch {
	case err != nil:
	case r.Header.Get("X-Goog-Api-Key") != testKey:
		a.refuse(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", errorInfo("API_KEY_INVALID"))
	case r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, ":streamGenerateContent"):
		a.refuse(404, "NOT_FOUND", "Requested entity was not found.")
	case r.Header.Get("Content-Type") != "application/json" || json.Unmarshal(body, &q) != nil:
		a.refuse(400, "INVALID_ARGUMENT", "Invalid JSON payload received.")
	case q.fault() != "":
		a.refuse(400, "INVALID_ARGUMENT", q.fault())
	case reply != nil:
		reply(a, r, q)
	default:
		a.echo(q)
	}
}

// fault is what the API would object to.
func (q question) fault() string {
	if len(q.Contents) == 0 {
		return "* GenerateContentRequest.contents: contents is not specified"
	}
	for i, c := range q.Contents {
		want := "user"
		if i%2 == 1 {
			want = "model"
		}
		if c.Role != want {
			return "Please ensure that multiturn requests alternate between user and model."
		}
		if len(c.Parts) == 0 {
			return fmt.Sprintf("* GenerateContentRequest.contents[%d].parts: contents.parts must not be empty.", i)
		}
		for _, p := range c.Parts {
			if p.InlineData == nil && strings.TrimSpace(p.Text) == "" {
				return "Unable to submit request because it has an empty text parameter."
			}
		}
	}
	if t := q.GenerationConfig.Temperature; t != nil && (*t < 0 || *t > 2) {
		return "* GenerateContentRequest.generation_config.temperature: must be in the range [0.0, 2.0]"
	}
	return ""
}

// answer is one answer on its way.
type answer struct {
	w       http.ResponseWriter
	numbers bool // enums as numbers
	chunks  int
}

// enums are the numbers of the API's enum values that the tests use.
var enums = map[string]int{
	"STOP": 1, "MAX_TOKENS": 2, "SAFETY": 3, "RECITATION": 4, "OTHER": 5, "LANGUAGE": 6, "BLOCKLIST": 7,
	"PROHIBITED_CONTENT": 8, "SPII": 9, "MALFORMED_FUNCTION_CALL": 10, "IMAGE_SAFETY": 11, "A_NEW_REASON": 99,
	"BLOCK_SAFETY": 1, "BLOCK_OTHER": 2, "BLOCK_BLOCKLIST": 3, "BLOCK_PROHIBITED_CONTENT": 4, "BLOCK_IMAGE_SAFETY": 5, "BLOCK_A_NEW_REASON": 99,
}

// enum is a value as the caller wants it.
func (a *answer) enum(name string) any {
	if a.numbers {
		return enums[name]
	}
	return strings.TrimPrefix(name, "BLOCK_")
}

func (a *answer) write(text string) {
	if a.w.Header().Get("Content-Type") == "" {
		a.w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	}
	_, _ = io.WriteString(a.w, text)
	a.w.(http.Flusher).Flush()
}

// chunk writes one element of the array.
func (a *answer) chunk(element string) {
	lead := ",\r\n"
	if a.chunks == 0 {
		lead = "["
	}
	a.chunks++
	a.write(lead + element + "\n")
}

// end closes the array.
func (a *answer) end() {
	if a.chunks == 0 {
		a.write("[")
	}
	a.write("]")
}

// say sends a chunk with text.
func (a *answer) say(text string) {
	quoted, _ := json.Marshal(text)
	a.chunk(`{"candidates":[{"content":{"parts":[{"text":` + string(quoted) + `}],"role":"model"},"index":0}],` +
		`"usageMetadata":{"promptTokenCount":20,"totalTokenCount":20},"modelVersion":"gemini-test","responseId":"x1"}`)
}

// finish sends a last chunk as current models do, with a thought signature for its
// only part, and closes the array.
func (a *answer) finish(reason string, thought, spoken int) {
	a.chunk(fmt.Sprintf(`{"candidates":[{"content":{"parts":[{"thoughtSignature":"EskDCsYDAXLI2nx="}],"role":"model"},"finishReason":%s,"index":0}],`+
		`"usageMetadata":{"promptTokenCount":20,"candidatesTokenCount":%d,"thoughtsTokenCount":%d,"totalTokenCount":%d}}`,
		encode(a.enum(reason)), spoken, thought, 20+thought+spoken))
	a.end()
}

// echo says what was said last. A token is a word.
func (a *answer) echo(q question) {
	last := q.Contents[len(q.Contents)-1].Parts
	words := strings.SplitAfter("You said: "+last[len(last)-1].Text, " ")
	reason := "STOP"
	if limit := q.GenerationConfig.MaxOutputTokens; limit > 0 && limit < len(words) {
		words, reason = words[:limit], "MAX_TOKENS"
	}
	for _, word := range words {
		a.say(word)
	}
	a.finish(reason, 0, len(words))
}

// cut breaks the connection without an end.
func (a *answer) cut() {
	if conn, _, err := a.w.(http.Hijacker).Hijack(); err == nil {
		_ = conn.Close()
	}
}

// refuse sends an error as the streaming method does, in an array.
func (a *answer) refuse(status int, name, message string, details ...any) {
	a.w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	a.w.WriteHeader(status)
	_, _ = io.WriteString(a.w, "["+errorObject(status, name, message, details...)+"\n]")
}

func errorObject(code int, name, message string, details ...any) string {
	return encode(map[string]any{"error": map[string]any{"code": code, "message": message, "status": name, "details": details}})
}

func errorInfo(reason string) any {
	return map[string]any{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com", "metadata": map[string]any{"service": "generativelanguage.googleapis.com"}}
}

func retryInfo(delay string) any {
	return map[string]any{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
}

func encode(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// hang leaves the caller waiting until it goes.
func hang(r *http.Request) { <-r.Context().Done() }
