package genai_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/genai"
	"whatsappnode/ports"
)

func key() string { return testKey }

func TestConstructorsListAllFaults(t *testing.T) {
	_, err := genai.NewLLM(genai.LLMConfig{Config: genai.Config{BaseURL: "http://example.org/?key=" + testKey}, Model: "a b", ThinkingLevel: "much"})
	for _, fault := range []string{"API key function", "base URL", "model's name", "thinking level"} {
		assert.ErrorContains(t, err, fault)
	}
	assert.NotContains(t, err.Error(), testKey)

	_, err = genai.NewSTT(genai.STTConfig{Config: genai.Config{Vertex: &genai.Vertex{Location: "here/there"}}, Model: "gemini-3.5-transcribe", ThinkingLevel: "LOW"})
	for _, fault := range []string{"project", "location", "credentials", "dedicated transcriber", "thinking level"} {
		assert.ErrorContains(t, err, fault)
	}

	_, err = genai.NewTTS(genai.TTSConfig{Model: "../secrets"})
	for _, fault := range []string{"API key function", "model's name", "Opus encoder"} {
		assert.ErrorContains(t, err, fault)
	}
}

func TestBaseURLs(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://gateway.example.org/gemini": true,
		"http://127.0.0.1:8080":              true,
		"http://localhost":                   true,
		"http://[::1]:8080":                  true,
		"http://gateway.example.org":         false,
		"https://user:pw@example.org":        false,
		"https://example.org?key=1":          false,
		"https://example.org#x":              false,
		"ftp://example.org":                  false,
		"example.org":                        false,
		"https://exa mple.org":               false,
	} {
		_, err := genai.NewLLM(genai.LLMConfig{Config: genai.Config{APIKey: key, BaseURL: url}})
		assert.Equal(t, ok, err == nil, "%s: %v", url, err)
	}
}

func TestModelNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"gemini-3.5-flash-lite": true, "models/gemini-x": true, "tunedModels/shop-1": true, "publishers/google/models/gemini-x@001": true,
		"gemini?x": false, "a/../b": false, "a b": false, "a{b}": false, "a%2fb": false, "-x": false, strings.Repeat("a", 300): false,
	} {
		_, err := genai.NewLLM(genai.LLMConfig{Config: genai.Config{APIKey: key}, Model: name})
		assert.Equal(t, ok, err == nil, "%s: %v", name, err)
	}
}

// addresses asks a model where it calls.
func addresses(t *testing.T, cfg genai.Config) string {
	t.Helper()
	address := ""
	cfg.Client = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		_ = r.Body.Close()
		address = r.URL.Scheme + "://" + r.URL.Host + r.URL.Path
		return nil, io.ErrUnexpectedEOF
	})}
	l, err := genai.NewLLM(genai.LLMConfig{Config: cfg, Model: "m"})
	require.NoError(t, err)
	require.Error(t, generate(t, l, question("Hello")).err)
	return address
}

func TestWhereCallsGo(t *testing.T) {
	vertex := func(location, base string) genai.Config {
		return genai.Config{Vertex: &genai.Vertex{Project: "p", Location: location}, BaseURL: base}
	}
	const method = ":streamGenerateContent"
	for _, c := range []struct {
		cfg  genai.Config
		want string
	}{
		{genai.Config{APIKey: key}, "https://generativelanguage.googleapis.com/v1beta/models/m"},
		{genai.Config{APIKey: key, BaseURL: "https://gateway.example.org/gemini/"}, "https://gateway.example.org/gemini/v1beta/models/m"},
		{vertex("", ""), "https://aiplatform.googleapis.com/v1beta1/projects/p/locations/global/publishers/google/models/m"},
		{vertex("eu", ""), "https://aiplatform.eu.rep.googleapis.com/v1beta1/projects/p/locations/eu/publishers/google/models/m"},
		{vertex("us", ""), "https://aiplatform.us.rep.googleapis.com/v1beta1/projects/p/locations/us/publishers/google/models/m"},
		{vertex("asia-south1", ""), "https://asia-south1-aiplatform.googleapis.com/v1beta1/projects/p/locations/asia-south1/publishers/google/models/m"},
		{vertex("asia-south1", "https://gateway.example.org"), "https://gateway.example.org/v1beta1/projects/p/locations/asia-south1/publishers/google/models/m"},
	} {
		assert.Equal(t, c.want+method, addresses(t, c.cfg))
	}
}

// The library takes what it misses from these variables. Here it must miss nothing.
func TestEnvironmentChangesNothing(t *testing.T) {
	trap := newServer(t, chats)
	for name, value := range map[string]string{
		"GOOGLE_GENAI_USE_VERTEXAI": "true", "GOOGLE_GENAI_USE_ENTERPRISE": "false",
		"GOOGLE_API_KEY": "stray-key-1", "GEMINI_API_KEY": "stray-key-2",
		"GOOGLE_CLOUD_PROJECT": "stray-project", "GOOGLE_CLOUD_LOCATION": "stray-location", "GOOGLE_CLOUD_REGION": "stray-region",
		"GOOGLE_GEMINI_BASE_URL": trap.URL, "GOOGLE_VERTEX_BASE_URL": trap.URL,
		"GOOGLE_APPLICATION_CREDENTIALS": "/nonexistent/stray.json", "GOOGLE_CLOUD_QUOTA_PROJECT": "stray-quota",
	} {
		t.Setenv(name, value)
	}
	printed := capture(t)
	onBoth(t, func(t *testing.T, vertex bool) {
		s := start(t, chats, vertex) // it checks path and credentials itself
		require.NoError(t, generate(t, newLLM(t, s), question("Hello")).err)
		in := s.only()
		for name, values := range in.header {
			assert.NotContains(t, strings.Join(values, " "), "stray", name)
		}
		assert.NotContains(t, in.path, "stray")
	})
	assert.Equal(t, "https://generativelanguage.googleapis.com/v1beta/models/m:streamGenerateContent", addresses(t, genai.Config{APIKey: key}))
	assert.Equal(t, "https://aiplatform.googleapis.com/v1beta1/projects/p/locations/global/publishers/google/models/m:streamGenerateContent",
		addresses(t, genai.Config{Vertex: &genai.Vertex{Project: "p"}}))
	assert.Zero(t, trap.calls())
	said := printed()
	for line := range strings.Lines(said) {
		assert.Contains(t, line, "Both GOOGLE_API_KEY and GEMINI_API_KEY are set", "more is printed than the one line the documentation owns up to")
	}
	assert.NotContains(t, said, "stray")
}

func TestDefaultCredentialsSayWhatIsMissing(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/credentials.json")
	_, err := genai.DefaultCredentials()
	assert.ErrorContains(t, err, "application default credentials")
}

func TestDefaultCredentialsAreFound(t *testing.T) {
	file := filepath.Join(t.TempDir(), "credentials.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}`), 0o600))
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
	creds, err := genai.DefaultCredentials()
	require.NoError(t, err)
	_, err = genai.NewLLM(genai.LLMConfig{Config: genai.Config{Vertex: &genai.Vertex{Project: "p", Credentials: creds}}})
	require.NoError(t, err)
}

func TestEnginesAreClosed(t *testing.T) {
	cfg := genai.Config{APIKey: key} // a client of its own
	l, err := genai.NewLLM(genai.LLMConfig{Config: cfg})
	require.NoError(t, err)
	require.NoError(t, l.Close())
	e, err := genai.NewSTT(genai.STTConfig{Config: cfg})
	require.NoError(t, err)
	require.NoError(t, e.Close())
	v, err := genai.NewTTS(genai.TTSConfig{Config: cfg, WAVOnly: true})
	require.NoError(t, err)
	require.NoError(t, v.Close())
}

// An engine without a given client has one of its own, and that reaches the server
// too.
func TestPrivateClient(t *testing.T) {
	s := newServer(t, chats)
	cfg := s.config()
	cfg.Client = nil
	l, err := genai.NewLLM(genai.LLMConfig{Config: cfg})
	require.NoError(t, err)
	text, done, err := ports.Collect(l.Generate(t.Context(), question("Hello")))
	require.NoError(t, err)
	assert.Equal(t, "You said: Hello", text)
	assert.True(t, done.Done)
	require.NoError(t, l.Close())
}
