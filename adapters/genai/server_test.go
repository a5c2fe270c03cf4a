package genai_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/auth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/genai"
)

// Credentials of the tests. None may show in an error.
const (
	testKey     = "test-key-7f3a"
	testToken   = "test-token-91bc"
	testProject = "shop-project"
)

// wireRequest is the body of generateContent and streamGenerateContent, as far as
// this package uses it (Gemini API, "Generating content"). A field that is not
// here fails the test.
type wireRequest struct {
	Contents          []wireContent `json:"contents"`
	SystemInstruction *wireContent  `json:"systemInstruction"`
	GenerationConfig  wireConfig    `json:"generationConfig"`
	Tools             []wireTool    `json:"tools"`
	ToolConfig        *struct {
		FunctionCallingConfig struct {
			Mode string `json:"mode"`
		} `json:"functionCallingConfig"`
	} `json:"toolConfig"`
}

type wireContent struct {
	Role  string     `json:"role"`
	Parts []wirePart `json:"parts"`
}

type wirePart struct {
	Text           string    `json:"text"`
	InlineData     *wireBlob `json:"inlineData"`
	SpeechMetadata *struct {
		Style string `json:"style"`
	} `json:"speechMetadata"`
	FunctionCall     *wireCall   `json:"functionCall"`
	FunctionResponse *wireResult `json:"functionResponse"`
	ThoughtSignature []byte      `json:"thoughtSignature"`
}

type wireBlob struct {
	MIMEType string `json:"mimeType"`
	Data     []byte `json:"data"`
}

type wireConfig struct {
	Temperature        *float64        `json:"temperature"`
	MaxOutputTokens    int             `json:"maxOutputTokens"`
	ResponseMIMEType   string          `json:"responseMimeType"`
	ResponseSchema     json.RawMessage `json:"responseSchema"`
	ResponseModalities []string        `json:"responseModalities"`
	SpeechConfig       *struct {
		VoiceConfig struct {
			PrebuiltVoiceConfig struct {
				VoiceName string `json:"voiceName"`
			} `json:"prebuiltVoiceConfig"`
		} `json:"voiceConfig"`
	} `json:"speechConfig"`
	ThinkingConfig *struct {
		ThinkingLevel string `json:"thinkingLevel"`
	} `json:"thinkingConfig"`
}

// seen is one request that reached the server.
type seen struct {
	path   string
	model  string
	method string // "generateContent" or "streamGenerateContent"
	header http.Header
	raw    []byte
	body   wireRequest
}

func (s seen) last() wireContent { return s.body.Contents[len(s.body.Contents)-1] }

// behaviour answers one request.
type behaviour func(s *server, w http.ResponseWriter, r *http.Request, in seen)

// server is a Gemini API on this machine. It checks what reaches it: the method,
// the path, the query, the credentials and the shape of the body.
type server struct {
	t      testing.TB
	URL    string
	client *http.Client
	vertex bool
	stop   chan struct{} // closed when the test ends

	behave behaviour

	mu       sync.Mutex
	requests []seen
}

func newServer(t testing.TB, behave behaviour) *server { return start(t, behave, false) }

// newVertex is the same models on Vertex AI.
func newVertex(t testing.TB, behave behaviour) *server { return start(t, behave, true) }

func start(t testing.TB, behave behaviour, vertex bool) *server {
	t.Helper()
	s := &server{t: t, vertex: vertex, behave: behave, stop: make(chan struct{})}
	hs := httptest.NewServer(s)
	t.Cleanup(hs.Close)
	t.Cleanup(func() { close(s.stop) })
	s.URL, s.client = hs.URL, hs.Client()
	return s
}

// startInside makes a server without a network. Inside a synctest bubble a case
// that ends a call after some time then ends it exactly when nothing more happens
// by itself, however busy the machine is.
func startInside(t testing.TB, behave behaviour, vertex bool) *server {
	t.Helper()
	s := &server{t: t, vertex: vertex, behave: behave, stop: make(chan struct{}), URL: "http://127.0.0.1"}
	pipes := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	hs, served := &http.Server{Handler: s}, make(chan struct{})
	go func() {
		defer close(served)
		_ = hs.Serve(pipes)
	}()
	wires := &http.Transport{DialContext: pipes.dial}
	s.client = &http.Client{Transport: wires}
	t.Cleanup(func() {
		close(s.stop)
		wires.CloseIdleConnections()
		_ = hs.Close()
		<-served
	})
	return s
}

// pipeListener listens to its own dial function.
type pipeListener struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case l.conns <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// config points an engine at the server.
func (s *server) config() genai.Config {
	cfg := genai.Config{BaseURL: s.URL, Client: s.client, APIKey: func() string { return testKey }}
	if s.vertex {
		cfg.Vertex = &genai.Vertex{Project: testProject, Location: "europe-west4", Credentials: credentialsOf(testToken, nil)}
	}
	return cfg
}

func (s *server) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// only is the one request that must have come.
func (s *server) only() seen {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Len(s.t, s.requests, 1)
	return s.requests[0]
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in, ok := s.inspect(r)
	if !ok {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	s.mu.Lock()
	s.requests = append(s.requests, in)
	s.mu.Unlock()
	s.behave(s, w, r, in)
}

// inspect checks what is the same for every request. It may not end the test,
// since it runs on the server's goroutine.
func (s *server) inspect(r *http.Request) (seen, bool) {
	in := seen{path: r.URL.Path, header: r.Header.Clone()}
	ok := assert.Equal(s.t, http.MethodPost, r.Method)
	ok = assert.Equal(s.t, "application/json", r.Header.Get("Content-Type")) && ok
	root := "/v1beta/models/"
	if s.vertex {
		root = "/v1beta1/projects/" + testProject + "/locations/europe-west4/publishers/google/models/"
		ok = assert.Equal(s.t, "Bearer "+testToken, r.Header.Get("Authorization")) && ok
		ok = assert.Empty(s.t, r.Header.Values("X-Goog-Api-Key")) && ok
	} else {
		ok = assert.Equal(s.t, []string{testKey}, r.Header.Values("X-Goog-Api-Key")) && ok
		ok = assert.Empty(s.t, r.Header.Values("Authorization")) && ok
	}
	rest, found := strings.CutPrefix(r.URL.Path, root)
	ok = assert.True(s.t, found, "the path is %s", r.URL.Path) && ok
	in.model, in.method, _ = strings.Cut(rest, ":")
	switch in.method {
	case "streamGenerateContent":
		ok = assert.Equal(s.t, "alt=sse", r.URL.RawQuery) && ok
	case "generateContent":
		ok = assert.Empty(s.t, r.URL.RawQuery) && ok
	default:
		ok = assert.Fail(s.t, "unknown method "+in.method)
	}
	var err error
	in.raw, err = io.ReadAll(r.Body)
	ok = assert.NoError(s.t, err) && ok
	dec := json.NewDecoder(bytes.NewReader(in.raw))
	dec.DisallowUnknownFields()
	ok = assert.NoError(s.t, dec.Decode(&in.body), "the body is not what the API takes") && ok
	ok = assert.NotEmpty(s.t, in.body.Contents) && ok
	for _, c := range in.body.Contents {
		ok = assert.Contains(s.t, []string{"user", "model"}, c.Role) && ok
		ok = assert.NotEmpty(s.t, c.Parts, "the API refuses a content without parts") && ok
	}
	return in, ok
}

// credentialsOf are Google Cloud credentials that give a token, or fail.
func credentialsOf(token string, err error) *auth.Credentials {
	return auth.NewCredentials(&auth.CredentialsOptions{TokenProvider: tokenFunc{token, err}})
}

type tokenFunc struct {
	token string
	err   error
}

func (f tokenFunc) Token(_ context.Context) (*auth.Token, error) {
	if f.err != nil {
		return nil, f.err
	}
	return &auth.Token{Value: f.token, Type: "Bearer", Expiry: time.Now().Add(time.Hour)}, nil
}

// events sends server-sent events as the API frames them, each at once.
func events(w http.ResponseWriter, data ...string) {
	w.Header().Set("Content-Type", "text/event-stream")
	for _, d := range data {
		_, _ = io.WriteString(w, "data: "+d+"\r\n\r\n")
		w.(http.Flusher).Flush()
	}
}

// streams always answers with the same events.
func streams(data ...string) behaviour {
	return func(_ *server, w http.ResponseWriter, _ *http.Request, _ seen) { events(w, data...) }
}

// answers always answers with the same body.
func answers(body string) behaviour {
	return func(_ *server, w http.ResponseWriter, _ *http.Request, _ seen) {
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		_, _ = io.WriteString(w, body)
	}
}

// refuses answers with an error of Google's form.
func refuses(status int, word, message string, details ...string) behaviour {
	return func(_ *server, w http.ResponseWriter, _ *http.Request, _ seen) {
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error":{"code":%d,"message":%q,"status":%q,"details":[%s]}}`, status, message, word, strings.Join(details, ","))
	}
}

// hangs does not answer while the caller waits.
func hangs(s *server, _ http.ResponseWriter, r *http.Request, _ seen) {
	select {
	case <-r.Context().Done():
	case <-s.stop:
	}
}

// stalls hangs after some text.
func stalls(s *server, w http.ResponseWriter, r *http.Request, in seen) {
	events(w, chunk("Well, ", ""))
	hangs(s, w, r, in)
}

// cuts breaks the connection after some events.
func cuts(data ...string) behaviour {
	return func(_ *server, w http.ResponseWriter, _ *http.Request, _ seen) {
		events(w, data...)
		panic(http.ErrAbortHandler)
	}
}

func quote(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}

// chunk is one response with text; an empty reason means that more follows.
func chunk(text, reason string) string {
	finish := ""
	if reason != "" {
		finish = `,"finishReason":` + quote(reason)
	}
	return `{"candidates":[{"content":{"role":"model","parts":[{"text":` + quote(text) + `}]}` + finish +
		`,"index":0}],"modelVersion":"gemini-test","responseId":"r1"}`
}

// chats is a model that repeats the last message, thinks first, and keeps to the
// limit of tokens; a token is a word.
func chats(_ *server, w http.ResponseWriter, _ *http.Request, in seen) {
	text := "You said:"
	for _, p := range in.last().Parts {
		text += " " + p.Text
	}
	words, reason := strings.SplitAfter(text, " "), "STOP"
	if most := in.body.GenerationConfig.MaxOutputTokens; most > 0 && len(words) > most {
		words, reason = words[:most], "MAX_TOKENS"
	}
	out := []string{`{"candidates":[{"content":{"role":"model","parts":[{"text":"a secret thought","thought":true}]},"index":0}]}`}
	for _, word := range words {
		out = append(out, chunk(word, ""))
	}
	out = append(out, fmt.Sprintf(`{"candidates":[{"content":{"role":"model","parts":[{"text":"","thoughtSignature":"c2ln"}]},"finishReason":%q,"index":0}],`+
		`"usageMetadata":{"promptTokenCount":12,"candidatesTokenCount":%d,"thoughtsTokenCount":3,"totalTokenCount":%d}}`, reason, len(words), 15+len(words)))
	events(w, out...)
}
