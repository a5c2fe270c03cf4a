package elevenlabs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/elevenlabs"
	"whatsappnode/adapters/fake"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/ports"
)

const testKey = "xi-test-key"

// request is one call as the server saw it.
type request struct {
	method, path string
	query        string
	header       http.Header
	body         []byte
	fields       map[string][]string // of a form
	file         []byte
	fileHeader   map[string][]string
}

// server speaks ElevenLabs' protocol: it hears the words that fake clips carry and
// speaks such clips. A reply takes the place of what it would answer.
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

// sends makes the server reply with a sound.
func (s *server) sends(mime string, sound []byte) *server {
	return s.answers(http.StatusOK, string(sound), "Content-Type", mime)
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
	got := request{method: r.Method, path: r.URL.Path, query: r.URL.RawQuery, header: r.Header.Clone()}
	var err error
	if form, formErr := r.MultipartReader(); formErr == nil {
		err = got.readForm(form)
	} else {
		got.body, err = io.ReadAll(r.Body)
	}
	s.mu.Lock()
	s.calls = append(s.calls, got)
	s.mu.Unlock()
	switch {
	case err != nil:
		refuse(w, http.StatusBadRequest, "invalid_body", "the body cannot be read")
	case s.reply != nil:
		s.reply(w, r)
	case r.Header.Get("Xi-Api-Key") != testKey:
		refuse(w, http.StatusUnauthorized, "invalid_api_key", "Invalid API key")
	case r.Method == http.MethodPost && r.URL.Path == "/v1/speech-to-text":
		hear(w, got)
	case r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/v1/text-to-speech/"):
		s.speak(w, r, got)
	default:
		http.NotFound(w, r)
	}
}

func (q *request) readForm(form *multipart.Reader) error {
	q.fields = map[string][]string{}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return err
		}
		if part.FileName() == "" {
			q.fields[part.FormName()] = append(q.fields[part.FormName()], string(data))
			continue
		}
		q.file, q.fileHeader = data, part.Header
	}
}

// hear answers as Scribe does, with the three-letter code of the language.
func hear(w http.ResponseWriter, q request) {
	words := "what was said"
	if strings.HasPrefix(string(q.file), "OggS") {
		info, err := oggopus.Inspect(q.file)
		if err != nil {
			refuse(w, http.StatusBadRequest, "invalid_content", "File upload is corrupted. Please ensure it is playable audio.")
			return
		}
		words, _ = info.Get("TRANSCRIPT")
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"language_code": "eng", "language_probability": 0.98, "text": words,
		"words": []map[string]any{
			{"text": words, "start": 0.1, "end": 0.9, "type": "word", "logprob": -0.1},
			{"text": " ", "start": 0.9, "end": 0.9, "type": "spacing", "logprob": -9},
		},
		"transcription_id": "tr1",
	})
}

func (s *server) speak(w http.ResponseWriter, r *http.Request, q request) {
	var body struct {
		Text     string `json:"text"`
		Model    string `json:"model_id"`
		Language string `json:"language_code"`
	}
	if json.Unmarshal(q.body, &body) != nil {
		writeJSON(w, http.StatusUnprocessableEntity, map[string]any{"detail": []any{map[string]any{"loc": []string{"body"}, "msg": "field required", "type": "missing"}}})
		return
	}
	if body.Language == "wo" {
		writeJSON(w, http.StatusBadRequest, map[string]any{"detail": map[string]any{
			"type": "validation_error", "code": "invalid_parameters", "status": "unsupported_language",
			"message": fmt.Sprintf("Model '%s' does not support language_code '%s'.", body.Model, body.Language),
		}})
		return
	}
	clip, err := s.voice.Synthesize(r.Context(), body.Text, ports.TTSOptions{})
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_text", err.Error())
		return
	}
	w.Header().Set("Content-Type", "audio/opus")
	w.Header().Set("Request-Id", "req1")
	_, _ = w.Write(clip.Bytes())
}

// refuse answers in ElevenLabs' older form.
func refuse(w http.ResponseWriter, status int, code, message string) {
	writeJSON(w, status, map[string]any{"detail": map[string]any{"status": code, "message": message}})
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

func (s *server) stt(change ...func(*elevenlabs.STTConfig)) *elevenlabs.STT {
	cfg := elevenlabs.STTConfig{APIKey: key, BaseURL: s.URL, Client: client(s.t)}
	for _, c := range change {
		c(&cfg)
	}
	ear, err := elevenlabs.NewSTT(cfg)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, ear.Close()) })
	return ear
}

func (s *server) tts(change ...func(*elevenlabs.TTSConfig)) *elevenlabs.TTS {
	cfg := elevenlabs.TTSConfig{APIKey: key, BaseURL: s.URL, Client: client(s.t)}
	for _, c := range change {
		c(&cfg)
	}
	voice, err := elevenlabs.NewTTS(cfg)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, voice.Close()) })
	return voice
}
