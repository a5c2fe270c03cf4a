package patternai_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/fake"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/patternai"
	"whatsappnode/ports"
)

const testKey = "agent-test-key"

// request is one call as the server saw it.
type request struct {
	method, uri string
	header      http.Header
	body        []byte
}

// server is an agent's services: it hears the words that fake clips carry, says
// "You said: " and them, and speaks such clips. A reply takes the place of what it
// would answer.
type server struct {
	*httptest.Server
	t     *testing.T
	voice *fake.TTS

	mu    sync.Mutex
	calls []request
	reply func(w http.ResponseWriter, r *http.Request)
}

func newServer(t *testing.T) *server {
	t.Helper()
	voice, err := fake.NewTTS(fake.Knobs{})
	require.NoError(t, err)
	s := &server{t: t, voice: voice}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

// answers makes the server reply with a status and a body.
func (s *server) answers(status int, mime, body string, header ...string) *server {
	s.reply = func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil // the server shall not guess
		if mime != "" {
			w.Header().Set("Content-Type", mime)
		}
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
	return s
}

// streams makes the server reply with plain text in pieces.
func (s *server) streams(pieces ...string) *server {
	s.reply = func(w http.ResponseWriter, _ *http.Request) { stream(w, pieces...) }
	return s
}

// hangs makes the server keep silent, after some text, until the client leaves.
func (s *server) hangs(text ...string) *server {
	s.reply = func(w http.ResponseWriter, r *http.Request) {
		if len(text) > 0 {
			stream(w, text...)
		}
		<-r.Context().Done()
	}
	return s
}

// cuts makes the server break the connection within its answer.
func (s *server) cuts(mime string, text ...string) *server {
	s.reply = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mime)
		stream(w, text...)
		panic(http.ErrAbortHandler)
	}
	return s
}

func stream(w http.ResponseWriter, pieces ...string) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	for _, p := range pieces {
		_, _ = io.WriteString(w, p)
		_ = http.NewResponseController(w).Flush()
	}
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

// last is the latest call.
func (s *server) last() request {
	s.mu.Lock()
	defer s.mu.Unlock()
	require.NotEmpty(s.t, s.calls, "nothing was asked")
	return s.calls[len(s.calls)-1]
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.calls = append(s.calls, request{r.Method, r.RequestURI, r.Header.Clone(), body})
	s.mu.Unlock()
	if s.reply != nil {
		s.reply(w, r)
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /health":
		writeJSON(w, map[string]string{"status": "ok"})
	case "POST /stt":
		hear(w, r, body)
	case "POST /llm":
		think(w, body)
	case "POST /tts":
		s.speak(w, r, body)
	default:
		http.NotFound(w, r)
	}
}

func hear(w http.ResponseWriter, r *http.Request, body []byte) {
	words := "what was said"
	if r.Header.Get("Content-Type") == "audio/ogg; codecs=opus" {
		info, err := oggopus.Inspect(body)
		if err != nil {
			w.WriteHeader(http.StatusUnsupportedMediaType)
			return
		}
		words, _ = info.Get("TRANSCRIPT")
	}
	writeJSON(w, map[string]string{"status": "success", "transcription": words, "request_id": "r-1"})
}

func think(w http.ResponseWriter, body []byte) {
	var q struct {
		Transcription string `json:"transcription"`
	}
	if json.Unmarshal(body, &q) != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	stream(w, "request_id: r-1\n", "You said: ", q.Transcription, ". ", "I will look at it.")
}

func (s *server) speak(w http.ResponseWriter, r *http.Request, body []byte) {
	var q struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &q) != nil || q.Message == "" {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	clip, err := s.voice.Synthesize(r.Context(), q.Message, ports.TTSOptions{})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	// As from the original services: MP3, for the encoder. The stub encoder knows
	// what stands behind the tag.
	w.Header().Set("Content-Type", "audio/mpeg")
	_, _ = fmt.Fprint(w, "ID3", string(clip.Bytes()))
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// crumbs lets at most so many bytes of an answer through at a time, so that the
// pieces of a stream do not depend on how the network joins them.
type crumbs struct {
	http.RoundTripper
	size int
}

func (c crumbs) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = &crumbled{resp.Body, c.size}
	}
	return resp, err
}

type crumbled struct {
	io.ReadCloser
	size int
}

func (c *crumbled) Read(p []byte) (int, error) { return c.ReadCloser.Read(p[:min(len(p), c.size)]) }

// client makes connections of its own, so that tests do not share any.
func client(t *testing.T, size int) *http.Client {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: crumbs{tr, size}}
}

const wide = 1 << 20

func key() string { return testKey }

func (s *server) stt(change ...func(*patternai.STTConfig)) *patternai.STT {
	cfg := patternai.STTConfig{BaseURL: s.URL, APIKey: key, Client: client(s.t, wide)}
	for _, c := range change {
		c(&cfg)
	}
	ear, err := patternai.NewSTT(cfg)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, ear.Close()) })
	return ear
}

// llm reads answers in pieces of 16 bytes.
func (s *server) llm(change ...func(*patternai.LLMConfig)) *patternai.LLM {
	cfg := patternai.LLMConfig{BaseURL: s.URL, APIKey: key, Client: client(s.t, 16)}
	for _, c := range change {
		c(&cfg)
	}
	model, err := patternai.NewLLM(cfg)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, model.Close()) })
	return model
}

func (s *server) tts(change ...func(*patternai.TTSConfig)) *patternai.TTS {
	cfg := patternai.TTSConfig{BaseURL: s.URL, APIKey: key, Client: client(s.t, wide), Encoder: unwrap{}}
	for _, c := range change {
		c(&cfg)
	}
	voice, err := patternai.NewTTS(cfg)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, voice.Close()) })
	return voice
}
