package deepgram_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/deepgram"
	"whatsappnode/adapters/fake"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/ports"
)

const testKey = "dg-test-key"

// request is one call as the server saw it.
type request struct {
	method, path string
	query        url.Values
	header       http.Header
	body         []byte
}

// server speaks Deepgram's protocol: it hears the words that fake clips carry and
// speaks such clips. A reply takes the place of what it would answer.
type server struct {
	*httptest.Server
	t     *testing.T
	voice *fake.TTS

	mu    sync.Mutex
	calls []request
	reply http.HandlerFunc
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
func (s *server) answers(status int, body string, header ...string) *server {
	s.reply = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
	return s
}

// hangs makes the server keep silent until the client leaves.
func (s *server) hangs() *server {
	s.reply = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	return s
}

// cuts makes the server break the connection within its answer.
func (s *server) cuts(begin string) *server {
	s.reply = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(begin)+100))
		_, _ = io.WriteString(w, begin)
	}
	return s
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
	s.mu.Lock()
	s.calls = append(s.calls, request{r.Method, r.URL.Path, r.URL.Query(), r.Header.Clone(), body})
	s.mu.Unlock()
	switch {
	case err != nil:
		refuse(w, http.StatusBadRequest, "Bad Request", "the body cannot be read")
	case s.reply != nil:
		s.reply(w, r)
	case r.Header.Get("Authorization") != "Token "+testKey:
		refuse(w, http.StatusUnauthorized, "INVALID_AUTH", "Invalid credentials.")
	case r.Method == http.MethodPost && r.URL.Path == "/v1/listen":
		hear(w, r.URL.Query(), body)
	case r.Method == http.MethodPost && r.URL.Path == "/v1/speak":
		s.speak(w, r, body)
	default:
		http.NotFound(w, r)
	}
}

func hear(w http.ResponseWriter, query url.Values, body []byte) {
	info, err := oggopus.Inspect(body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "Bad Request", "Bad Request: failed to process audio: corrupt or unsupported data")
		return
	}
	words, _ := info.Get("TRANSCRIPT")
	channel := map[string]any{"alternatives": []any{map[string]any{"transcript": words, "confidence": 0.97, "words": []any{}}}}
	if query.Has("detect_language") {
		channel["detected_language"], channel["language_confidence"] = "en", 0.99
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"metadata": map[string]any{"request_id": "req1", "channels": 1},
		"results":  map[string]any{"channels": []any{channel}},
	})
}

func (s *server) speak(w http.ResponseWriter, r *http.Request, body []byte) {
	var asked struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(body, &asked) != nil || asked.Text == "" {
		writeJSON(w, http.StatusBadRequest, map[string]any{"category": "INVALID_JSON", "message": "Invalid JSON submitted.", "request_id": "req1"})
		return
	}
	clip, err := s.voice.Synthesize(r.Context(), asked.Text, ports.TTSOptions{})
	if err != nil {
		refuse(w, http.StatusBadRequest, "Bad Request", err.Error())
		return
	}
	w.Header().Set("Content-Type", "audio/ogg;codecs=opus")
	_, _ = w.Write(clip.Bytes())
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	writeJSON(w, status, map[string]any{"err_code": code, "err_msg": message, "request_id": "req1"})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// client makes connections of its own, so that tests do not share any.
func client(t *testing.T) *http.Client {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func key() string { return testKey }

func (s *server) stt(change ...func(*deepgram.STTConfig)) *deepgram.STT {
	cfg := deepgram.STTConfig{APIKey: key, BaseURL: s.URL, Client: client(s.t)}
	for _, c := range change {
		c(&cfg)
	}
	ear, err := deepgram.NewSTT(cfg)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, ear.Close()) })
	return ear
}

func (s *server) tts(change ...func(*deepgram.TTSConfig)) *deepgram.TTS {
	cfg := deepgram.TTSConfig{APIKey: key, BaseURL: s.URL, Client: client(s.t)}
	for _, c := range change {
		c(&cfg)
	}
	voice, err := deepgram.NewTTS(cfg)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, voice.Close()) })
	return voice
}
