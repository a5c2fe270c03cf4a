package genai_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/auth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/genai"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// failureOf asks a model of a server and returns the error it must end with.
func failureOf(t *testing.T, s *server) *ports.Error {
	t.Helper()
	got := generate(t, newLLM(t, s), question(secret))
	var e *ports.Error
	require.ErrorAs(t, got.err, &e)
	for _, private := range []string{secret, testKey, testToken, testProject, "127.0.0.1", "gemini-test"} {
		assert.NotContains(t, got.err.Error(), private)
	}
	return e
}

func TestRefusals(t *testing.T) {
	const account = ports.ScopeAccount
	retryIn := func(d string) string {
		return `{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"` + d + `"}`
	}
	reason := func(r string) string {
		return `{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"` + r + `","domain":"googleapis.com"}`
	}
	for _, c := range []struct {
		name   string
		behave behaviour
		want   ports.Error
	}{
		{"no credentials", refuses(401, "UNAUTHENTICATED", secret), ports.Error{Kind: ports.KindDenied, Code: "UNAUTHENTICATED", Scope: account}},
		{"no permission", refuses(403, "PERMISSION_DENIED", secret), ports.Error{Kind: ports.KindDenied, Code: "PERMISSION_DENIED", Scope: account}},
		{"wrong key", refuses(400, "INVALID_ARGUMENT", "API key not valid.", reason("API_KEY_INVALID")), ports.Error{Kind: ports.KindDenied, Code: "INVALID_ARGUMENT", Scope: account}},
		{"country not served", refuses(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), ports.Error{Kind: ports.KindDenied, Code: "FAILED_PRECONDITION", Scope: account}},
		{"unknown model", refuses(404, "NOT_FOUND", "models/gemini-test is not found, or is not supported for generateContent"), ports.Error{Kind: ports.KindInvalid, Code: "NOT_FOUND"}},
		{"invalid request", refuses(400, "INVALID_ARGUMENT", secret), ports.Error{Kind: ports.KindInvalid, Code: "INVALID_ARGUMENT"}},
		{"conversation too long", refuses(400, "INVALID_ARGUMENT", "The input token count (1200293) exceeds the maximum number of tokens allowed (1048576)."), ports.Error{Kind: ports.KindUnsupported, Code: "INVALID_ARGUMENT"}},
		{"request too large", refuses(400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes."), ports.Error{Kind: ports.KindUnsupported, Code: "INVALID_ARGUMENT"}},
		{"file of a wrong type", refuses(400, "INVALID_ARGUMENT", "Unsupported MIME type: video/3gpp"), ports.Error{Kind: ports.KindUnsupported, Code: "INVALID_ARGUMENT"}},
		{"too large for the server", refuses(413, "", secret), ports.Error{Kind: ports.KindUnsupported}},
		{"quota", refuses(429, "RESOURCE_EXHAUSTED", secret, reason("RATE_LIMIT_EXCEEDED"), retryIn("34.5s")), ports.Error{Kind: ports.KindRateLimited, Code: "RESOURCE_EXHAUSTED", Scope: account, RetryAfter: 34500 * time.Millisecond}},
		{"quota with a delay out of reason", refuses(429, "RESOURCE_EXHAUSTED", secret, retryIn("9000h")), ports.Error{Kind: ports.KindRateLimited, Code: "RESOURCE_EXHAUSTED", Scope: account, RetryAfter: 24 * time.Hour}},
		{"quota with a delay that is none", refuses(429, "RESOURCE_EXHAUSTED", secret, retryIn("soon"), retryIn("-5s")), ports.Error{Kind: ports.KindRateLimited, Code: "RESOURCE_EXHAUSTED", Scope: account}},
		{"quota with the header", withHeader("Retry-After", "7", refuses(429, "RESOURCE_EXHAUSTED", secret)), ports.Error{Kind: ports.KindRateLimited, Code: "RESOURCE_EXHAUSTED", Scope: account, RetryAfter: 7 * time.Second}},
		{"error in a list", raw(429, `[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"`+secret+`","details":[`+retryIn("3s")+`]}}]`), ports.Error{Kind: ports.KindRateLimited, Code: "RESOURCE_EXHAUSTED", Scope: account, RetryAfter: 3 * time.Second}},
		{"overloaded", refuses(503, "UNAVAILABLE", "The model is overloaded."), ports.Error{Kind: ports.KindTransient, Code: "UNAVAILABLE"}},
		{"internal", refuses(500, "INTERNAL", secret), ports.Error{Kind: ports.KindTransient, Code: "INTERNAL"}},
		{"deadline of theirs", refuses(504, "DEADLINE_EXCEEDED", secret), ports.Error{Kind: ports.KindTimeout, Code: "DEADLINE_EXCEEDED"}},
		{"canceled by them", refuses(499, "CANCELLED", secret), ports.Error{Kind: ports.KindTransient, Code: "CANCELLED"}},
		{"a proxy's page", raw(502, "<html>"+secret+"</html>"), ports.Error{Kind: ports.KindTransient}},
		{"no body", raw(500, ""), ports.Error{Kind: ports.KindTransient}},
		{"status that is no code", refuses(500, secret, secret), ports.Error{Kind: ports.KindTransient}},
		{"body without an end", endless(503), ports.Error{Kind: ports.KindTransient}},
		{"body that breaks off", func(_ *server, w http.ResponseWriter, _ *http.Request, _ seen) {
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(503)
			_, _ = io.WriteString(w, `{"error":{`)
		}, ports.Error{Kind: ports.KindTransient}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, vertex bool) {
				s := start(t, c.behave, vertex)
				e := failureOf(t, s)
				got := ports.Error{Kind: e.Kind, Code: e.Code, Scope: e.Scope, RetryAfter: e.RetryAfter, MaybeDone: e.MaybeDone}
				assert.Equal(t, c.want, got, "%v", e)
				assert.Equal(t, "genai.llm", e.Op)
				assert.Equal(t, 1, s.calls())
			})
		})
	}
}

func withHeader(name, value string, then behaviour) behaviour {
	return func(s *server, w http.ResponseWriter, r *http.Request, in seen) {
		w.Header().Set(name, value)
		then(s, w, r, in)
	}
}

func raw(status int, body string) behaviour {
	return func(_ *server, w http.ResponseWriter, _ *http.Request, _ seen) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func endless(status int) behaviour {
	return func(_ *server, w http.ResponseWriter, _ *http.Request, _ seen) {
		w.WriteHeader(status)
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}
}

func TestQuotaInTheStreamNamesItsDelay(t *testing.T) {
	s := newServer(t, streams(`{"error":{"code":429,"message":"`+secret+`","status":"RESOURCE_EXHAUSTED","details":[`+
		`{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"12s"}]}}`))
	e := failureOf(t, s)
	assert.Equal(t, 12*time.Second, e.RetryAfter)
	assert.Equal(t, ports.ScopeAccount, e.Scope)
}

// A redirect would carry the key to wherever it points.
func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := newServer(t, chats)
	for _, status := range []int{301, 302, 307, 308} {
		s := newServer(t, func(_ *server, w http.ResponseWriter, _ *http.Request, in seen) {
			w.Header().Set("Location", elsewhere.URL+in.path+"?alt=sse")
			w.WriteHeader(status)
		})
		e := failureOf(t, s)
		assert.Equal(t, ports.KindUnknown, e.Kind)
		assert.Zero(t, elsewhere.calls())
	}
}

func TestKeyIsAskedAtEveryCall(t *testing.T) {
	s := newServer(t, chats)
	cfg := s.config()
	keys := []string{testKey, "", testKey}
	cfg.APIKey = func() string {
		key := keys[0]
		keys = keys[1:]
		return key
	}
	l, err := genai.NewLLM(genai.LLMConfig{Config: cfg})
	require.NoError(t, err)
	require.NoError(t, generate(t, l, question("Hello")).err)
	got := generate(t, l, question("Hello"))
	assert.Equal(t, ports.KindDenied, ports.KindOf(got.err))
	assert.Equal(t, 1, s.calls(), "a request without a key left")
	require.NoError(t, generate(t, l, question("Hello")).err)
	assert.Empty(t, keys)
}

func TestTokenThatIsNotGiven(t *testing.T) {
	refusal := func(status int) error {
		return &auth.Error{Response: &http.Response{StatusCode: status}, Body: []byte(secret)}
	}
	for name, c := range map[string]struct {
		err  error
		kind ports.Kind
	}{
		"account without permission": {refusal(403), ports.KindDenied},
		"invalid grant":              {refusal(400), ports.KindDenied},
		"token server busy":          {refusal(503), ports.KindTransient},
		"token server overrun":       {refusal(429), ports.KindRateLimited},
		"no connection":              {errors.New(secret), ports.KindTransient},
	} {
		t.Run(name, func(t *testing.T) {
			s := newVertex(t, chats)
			cfg := s.config()
			cfg.Vertex.Credentials = credentialsOf("", c.err)
			l, err := genai.NewLLM(genai.LLMConfig{Config: cfg})
			require.NoError(t, err)
			got := generate(t, l, question("Hello"))
			var e *ports.Error
			require.ErrorAs(t, got.err, &e)
			assert.Equal(t, c.kind, e.Kind, "%v", e)
			assert.Equal(t, ports.ScopeAccount, e.Scope)
			assert.NotContains(t, e.Error(), secret)
			assert.Zero(t, s.calls())
		})
	}
}

func TestCredentialsOfAPersonNameTheirProject(t *testing.T) {
	s := newVertex(t, chats)
	cfg := s.config()
	cfg.Vertex.Credentials = auth.NewCredentials(&auth.CredentialsOptions{
		TokenProvider: tokenFunc{testToken, nil}, JSON: []byte(`{"type":"authorized_user","quota_project_id":"quota-project"}`),
	})
	l, err := genai.NewLLM(genai.LLMConfig{Config: cfg})
	require.NoError(t, err)
	require.NoError(t, generate(t, l, question("Hello")).err)
	assert.Equal(t, "quota-project", s.only().header.Get("X-Goog-User-Project"))
}

// roundTrip is a transport of one function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestClientThatAuthenticates(t *testing.T) {
	s := newVertex(t, chats)
	cfg := s.config()
	cfg.Vertex.Credentials = nil
	cfg.Client = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		r.Header.Set("Authorization", "Bearer "+testToken)
		return s.client.Transport.RoundTrip(r)
	})}
	l, err := genai.NewLLM(genai.LLMConfig{Config: cfg})
	require.NoError(t, err)
	require.NoError(t, generate(t, l, question("Hello")).err)
}

// silentNetwork takes requests and never answers.
func silentNetwork() *http.Client {
	return &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		<-r.Context().Done()
		return nil, r.Context().Err()
	})}
}

func TestCallWithoutADeadlineEnds(t *testing.T) {
	clip := note(t, 1, time.Second)
	base := genai.Config{APIKey: func() string { return testKey }, Client: silentNetwork()}
	for name, call := range map[string]func(context.Context) error{
		"model": func(ctx context.Context) error {
			l, err := genai.NewLLM(genai.LLMConfig{Config: base})
			require.NoError(t, err)
			_, _, err = ports.Collect(l.Generate(ctx, question("Hello")))
			return err
		},
		"ear": func(ctx context.Context) error {
			e, err := genai.NewSTT(genai.STTConfig{Config: base})
			require.NoError(t, err)
			_, err = e.Transcribe(ctx, clip, ports.STTOptions{})
			return err
		},
		"voice": func(ctx context.Context) error {
			v, err := genai.NewTTS(genai.TTSConfig{Config: base, Encoder: opusStub{}})
			require.NoError(t, err)
			_, err = v.Synthesize(ctx, "Hello", ports.TTSOptions{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				err := call(context.Background())
				assert.Equal(t, ports.KindTimeout, ports.KindOf(err), "%v", err)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, 2*time.Minute, time.Since(begin))
			})
		})
	}
}

// canned is a network that answers from memory: an end of the context does not
// disturb it.
func canned(body string) *http.Client {
	return &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		_ = r.Body.Close()
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})}
}

// What has arrived already must not hide that the caller gave up.
func TestCancelIsSeenInAnAnswerThatHasArrived(t *testing.T) {
	body := "data: " + chunk("One, ", "") + "\n\ndata: " + chunk("two.", "STOP") + "\n\n"
	for read := 1; read <= 2; read++ {
		l, err := genai.NewLLM(genai.LLMConfig{Config: genai.Config{APIKey: key, Client: canned(body)}})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		pieces := 0
		for chunk, err := range l.Generate(ctx, question("Count")) {
			if err != nil {
				assert.Equal(t, ports.KindCanceled, ports.KindOf(err), "%v", err)
				require.ErrorIs(t, err, context.Canceled)
				break
			}
			assert.False(t, chunk.Done)
			if pieces++; pieces == read {
				cancel()
			}
		}
		cancel()
		assert.Equal(t, read, pieces)
	}
}

// The end of a call may look like anything from below.
func TestContextExplainsABrokenCall(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		_ = r.Body.Close()
		cancel()
		return nil, errors.New("stream closed")
	})}
	l, err := genai.NewLLM(genai.LLMConfig{Config: genai.Config{APIKey: key, Client: client}})
	require.NoError(t, err)
	_, _, err = ports.Collect(l.Generate(ctx, question("Hello")))
	assert.Equal(t, ports.KindCanceled, ports.KindOf(err), "%v", err)
	require.ErrorIs(t, err, context.Canceled)
}

func TestClientsOwnTimeoutIsATimeout(t *testing.T) {
	for name, behave := range map[string]behaviour{"before the answer": hangs, "within it": stalls} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := startInside(t, behave, false)
				cfg := s.config()
				impatient := *s.client
				impatient.Timeout = 7 * time.Second
				cfg.Client = &impatient
				l, err := genai.NewLLM(genai.LLMConfig{Config: cfg})
				require.NoError(t, err)
				begin := time.Now()
				got := generate(t, l, question(secret))
				assert.Equal(t, ports.KindTimeout, ports.KindOf(got.err), "%v", got.err)
				assert.Equal(t, 7*time.Second, time.Since(begin))
				assert.NoError(t, t.Context().Err())
			})
		})
	}
}

func TestRefusedConnection(t *testing.T) {
	s := newServer(t, chats)
	cfg := s.config()
	l0, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	cfg.BaseURL = "http://" + l0.Addr().String()
	require.NoError(t, l0.Close())
	l, err := genai.NewLLM(genai.LLMConfig{Config: cfg})
	require.NoError(t, err)
	got := generate(t, l, question(secret))
	assert.Equal(t, ports.KindTransient, ports.KindOf(got.err))
	assert.ErrorContains(t, got.err, "connection refused")
	assert.NotContains(t, got.err.Error(), "http://")
}

// capture takes what the standard log package prints from now on, until the
// function it returns is called.
func capture(t *testing.T) func() string {
	var printed bytes.Buffer
	before := log.Writer()
	log.SetOutput(&printed)
	t.Cleanup(func() { log.SetOutput(before) })
	return func() string {
		log.SetOutput(before)
		return printed.String()
	}
}

// The library prints what goes wrong with a connection, and with it perhaps what
// was said.
func TestNothingIsPrinted(t *testing.T) {
	printed := capture(t)
	for _, behave := range []behaviour{
		cuts(chunk("Well, ", "")), cutWithin, streams("null"), streams(`{"candidates":[{"citationMetadata":""}]}`),
		streams(chunk(strings.Repeat("x", 17<<20), "")),
	} {
		require.Error(t, generate(t, newLLM(t, newServer(t, behave)), question(secret)).err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, err := range newLLM(t, newServer(t, stalls)).Generate(ctx, question(secret)) {
		if err != nil {
			require.ErrorIs(t, err, context.Canceled)
		}
		cancel()
	}
	_, err := newTTS(t, newServer(t, cuts())).Synthesize(t.Context(), secret, ports.TTSOptions{})
	require.Error(t, err)
	assert.Empty(t, printed())
}

func TestUnaryAnswersAreBoundedAndChecked(t *testing.T) {
	for name, c := range map[string]struct {
		behave behaviour
		kind   ports.Kind
	}{
		"cut": {func(_ *server, w http.ResponseWriter, _ *http.Request, _ seen) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"candidates":[`)
		}, ports.KindTransient},
		"cut before the body": {func(_ *server, w http.ResponseWriter, _ *http.Request, _ seen) {
			w.Header().Set("Content-Length", "1000")
		}, ports.KindTransient},
		"not JSON":                   {answers(secret), ports.KindTransient},
		"JSON of another shape":      {answers(`{"candidates":"` + secret + `"}`), ports.KindTransient},
		"candidate of another shape": {answers(`{"candidates":["` + secret + `"]}`), ports.KindTransient},
		"a list":                     {answers(`["` + secret + `"]`), ports.KindTransient},
		"without an end":             {endless(200), ports.KindUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, vertex bool) {
				s := start(t, c.behave, vertex)
				_, err := newSTT(t, s).Transcribe(t.Context(), note(t, 1, time.Second), ports.STTOptions{Hint: secret})
				assert.Equal(t, c.kind, ports.KindOf(err), "%v", err)
				assert.NotContains(t, err.Error(), secret)
				assert.Equal(t, 1, s.calls())
			})
		})
	}
	clip, err := newTTS(t, newServer(t, endless(200))).Synthesize(t.Context(), secret, ports.TTSOptions{Format: domain.MIMEWAV})
	assert.Equal(t, ports.KindUnknown, ports.KindOf(err), "%v", err)
	assert.True(t, clip.Empty())
}
