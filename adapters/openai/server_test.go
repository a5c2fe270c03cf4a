package openai_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/openai"
	"whatsappnode/adapters/wav"
	"whatsappnode/ports"
)

const testKey = "sk-test-key-of-nobody"

// TestMain makes the default transport refuse every host but this machine.
func TestMain(m *testing.M) {
	if os.Getenv(liveKey) == "" {
		http.DefaultTransport = &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, _, err := net.SplitHostPort(address)
			if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
				return nil, errors.New("a test called a host outside this machine")
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}}
	}
	os.Exit(m.Run())
}

// recorded is a request as it arrived.
type recorded struct {
	method, path, query string
	header              http.Header
	body                []byte
}

// server speaks the API. It answers as asked unless answer is set.
type server struct {
	t      *testing.T
	http   *httptest.Server
	answer http.HandlerFunc

	mu       sync.Mutex
	requests []recorded
}

func newServer(t *testing.T, answer http.HandlerFunc) *server {
	s := &server{t: t, answer: answer}
	s.http = httptest.NewServer(s)
	t.Cleanup(s.http.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller gave up
	}
	s.mu.Lock()
	s.requests = append(s.requests, recorded{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Clone(), body})
	s.mu.Unlock()
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	if s.answer != nil {
		s.answer(w, r)
		return
	}
	if r.Method != http.MethodPost {
		say(w, http.StatusMethodNotAllowed, `{"error":{"message":"POST only"}}`)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+testKey {
		say(w, http.StatusUnauthorized, `{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}}`)
		return
	}
	switch r.URL.Path {
	case "/v1/chat/completions":
		s.chat(w, body)
	case "/v1/audio/transcriptions":
		s.transcribe(w, r)
	case "/v1/audio/speech":
		s.speak(w, body)
	default:
		say(w, http.StatusNotFound, `{"error":{"message":"Invalid URL"}}`)
	}
}

func (s *server) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// only returns the one request that arrived.
func (s *server) only() recorded {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Len(s.t, s.requests, 1)
	return s.requests[0]
}

func (s *server) base() string { return s.http.URL + "/v1" }

func (s *server) client() *http.Client {
	transport := &http.Transport{}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// models remembers which server an engine asks, for the suites that count calls.
var models sync.Map

func callsOf(engine any) int {
	s, _ := models.Load(engine)
	return s.(*server).calls()
}

func key() string { return testKey }

func (s *server) llm(change ...func(*openai.LLMConfig)) *openai.LLM {
	s.t.Helper()
	cfg := openai.LLMConfig{APIKey: key, BaseURL: s.base(), Model: "test-model", Client: s.client()}
	for _, c := range change {
		c(&cfg)
	}
	l, err := openai.NewLLM(cfg)
	require.NoError(s.t, err)
	models.Store(l, s)
	return l
}

func (s *server) stt(change ...func(*openai.STTConfig)) *openai.STT {
	s.t.Helper()
	cfg := openai.STTConfig{APIKey: key, BaseURL: s.base(), Model: "whisper-1", Client: s.client()}
	for _, c := range change {
		c(&cfg)
	}
	e, err := openai.NewSTT(cfg)
	require.NoError(s.t, err)
	models.Store(e, s)
	return e
}

func (s *server) tts(change ...func(*openai.TTSConfig)) *openai.TTS {
	s.t.Helper()
	cfg := openai.TTSConfig{APIKey: key, BaseURL: s.base(), Client: s.client()}
	for _, c := range change {
		c(&cfg)
	}
	v, err := openai.NewTTS(cfg)
	require.NoError(s.t, err)
	models.Store(v, s)
	return v
}

func say(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// says is an answer that is always the same.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { say(w, status, body) }
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// streams sends lines as server-sent events, each flushed by itself, and then lets
// then decide how it ends.
func streams(then http.HandlerFunc, lines ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, l := range lines {
			_, _ = io.WriteString(w, l+"\n\n")
			w.(http.Flusher).Flush()
		}
		if then != nil {
			then(w, r)
		}
	}
}

// cut breaks the connection off in the middle of the body.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func delta(text string) string {
	b, _ := json.Marshal(text)
	return fmt.Sprintf(`data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":%s},"finish_reason":null}]}`, b)
}

func finish(reason string) string {
	return fmt.Sprintf(`data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":%q}]}`, reason)
}

const (
	usage = `data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":11,"completion_tokens":3,"total_tokens":14}}`
	done  = "data: [DONE]"
)

// chatRequest is what the server understands; anything else is a 400, as at the
// strictest of servers.
type chatRequest struct {
	Model    string `json:"model"`
	Messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
		CallID  string          `json:"tool_call_id"`
		Calls   []wireCall      `json:"tool_calls"`
	} `json:"messages"`
	Tools         json.RawMessage `json:"tools"`
	ToolChoice    string          `json:"tool_choice"`
	Stream        bool            `json:"stream"`
	StreamOptions *struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	Temperature *float64 `json:"temperature"`
	MaxTokens   int      `json:"max_tokens"`
	MaxNew      int      `json:"max_completion_tokens"`
	Effort      string   `json:"reasoning_effort"`
	User        string   `json:"user"`
}

func readChat(body []byte) (chatRequest, error) {
	var req chatRequest
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	return req, dec.Decode(&req)
}

// chat answers "You said: " and the last message, a word a chunk.
func (s *server) chat(w http.ResponseWriter, body []byte) {
	req, err := readChat(body)
	if err != nil || !req.Stream || len(req.Messages) == 0 {
		say(w, http.StatusBadRequest, `{"error":{"message":"bad request","type":"invalid_request_error"}}`)
		return
	}
	var said string
	_ = json.Unmarshal(req.Messages[len(req.Messages)-1].Content, &said)
	words := strings.SplitAfter("You said: "+said, " ")
	limit, reason := max(req.MaxTokens, req.MaxNew), "stop"
	if limit > 0 && len(words) > limit {
		words, reason = words[:limit], "length"
	}
	lines := []string{`data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}`}
	for _, word := range words {
		lines = append(lines, delta(word))
	}
	lines = append(lines, finish(reason))
	if req.StreamOptions != nil && req.StreamOptions.IncludeUsage {
		lines = append(lines, usage)
	}
	streams(nil, append(lines, done)...)(w, nil)
}

// form is a transcription request taken apart.
type form struct {
	fields             map[string][]string
	order              []string
	fileName, fileType string
	file               []byte
}

func readForm(t *testing.T, header http.Header, body []byte) form {
	t.Helper()
	kind, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/form-data", kind)
	f := form{fields: map[string][]string{}}
	for r := multipart.NewReader(strings.NewReader(string(body)), params["boundary"]); ; {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return f
		}
		require.NoError(t, err)
		data, err := io.ReadAll(part)
		require.NoError(t, err)
		f.order = append(f.order, part.FormName())
		if part.FileName() != "" {
			f.fileName, f.fileType, f.file = part.FileName(), part.Header.Get("Content-Type"), data
			continue
		}
		f.fields[part.FormName()] = append(f.fields[part.FormName()], string(data))
	}
}

// words are what a clip of the fake voice says.
func wordsOf(data []byte) (string, bool) {
	if pcm, err := wav.Decode(data); err == nil {
		return "", len(pcm.Samples) > 0
	}
	info, err := oggopus.Inspect(data)
	if err != nil {
		return "", false
	}
	text, _ := info.Get("TRANSCRIPT")
	return text, true
}

// transcribe hears what the fake voice put into a clip; in silence it makes up what
// Whisper makes up.
func (s *server) transcribe(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f := readForm(s.t, r.Header, body)
	text, ok := wordsOf(f.file)
	if !ok {
		say(w, http.StatusBadRequest, `{"error":{"message":"The audio file could not be decoded or its format is not supported.","type":"invalid_request_error","param":null,"code":null}}`)
		return
	}
	noSpeech, logProb := 0.01, -0.2
	if text == "" {
		text, noSpeech, logProb = " Thank you for watching!", 0.93, -0.95
	}
	if form := f.fields["response_format"]; !slices.Equal(form, []string{"verbose_json"}) {
		say(w, http.StatusBadRequest, `{"error":{"message":"the suite asks for verbose_json"}}`)
		return
	}
	out, _ := json.Marshal(map[string]any{
		"task": "transcribe", "language": "english", "duration": "1.5", "text": text,
		"segments": []map[string]any{{
			"id": 0, "seek": 0.0, "start": 0.0, "end": 1.5, "text": text, "tokens": []int{1, 2},
			"temperature": 0.0, "avg_logprob": logProb, "compression_ratio": 1.0, "no_speech_prob": noSpeech,
		}},
	})
	say(w, http.StatusOK, string(out))
}

type speechRequest struct {
	Model  string `json:"model"`
	Input  string `json:"input"`
	Voice  string `json:"voice"`
	Format string `json:"response_format"`
}

func readSpeech(body []byte) (speechRequest, error) {
	var req speechRequest
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	return req, dec.Decode(&req)
}

// lengthOf is how long the server's voice takes for a text.
func lengthOf(text string) time.Duration { return time.Duration(len(text)) * 20 * time.Millisecond }

func (s *server) speak(w http.ResponseWriter, body []byte) {
	req, err := readSpeech(body)
	if err != nil || req.Model == "" || req.Voice == "" || req.Input == "" {
		say(w, http.StatusBadRequest, `{"error":{"message":"bad request","type":"invalid_request_error"}}`)
		return
	}
	var sound []byte
	switch req.Format {
	case "opus":
		clip, err := fake.Clip(req.Input, lengthOf(req.Input))
		assert.NoError(s.t, err)
		sound = clip.Bytes()
	case "wav":
		sound = silentWAV(lengthOf(req.Input))
	case "mp3":
		sound = silentMP3(lengthOf(req.Input))
	case "pcm":
		sound = make([]byte, 2*int(24*lengthOf(req.Input)/time.Millisecond))
	}
	_, _ = w.Write(sound)
}

func silentWAV(length time.Duration) []byte {
	return wav.Encode(make([]int16, int(24*length/time.Millisecond)), 24_000)
}

// silentMP3 is MPEG-2 layer III, 24 kHz mono at 64 kbit/s: frames of 24 ms, 192
// bytes.
func silentMP3(length time.Duration) []byte {
	var out []byte
	for range max(1, int(length/(24*time.Millisecond))) {
		out = append(out, append([]byte{0xff, 0xf3, 0x84, 0xc4}, make([]byte, 188)...)...)
	}
	return out
}

// kindIs demands a *ports.Error and that it tells nothing it must not.
func kindIs(t *testing.T, want ports.Kind, err error) *ports.Error {
	t.Helper()
	var e *ports.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, want, e.Kind, "%v", err)
	for _, secret := range []string{testKey, secretWords, "127.0.0.1", "http:"} {
		assert.NotContains(t, fmt.Sprintf("%v %+v", err, err), secret)
	}
	return e
}

// secretWords stands in requests and answers and must never be in an error.
const secretWords = "the goat wears a hat"
