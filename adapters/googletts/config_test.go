package googletts_test

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"whatsappnode/adapters/googletts"
	"whatsappnode/ports"
	"whatsappnode/test/googlefake"
)

func TestFaultsAreListedTogether(t *testing.T) {
	_, err := googletts.NewTTS(googletts.Config{
		Language: "!", Location: "the moon", Endpoint: "ftp://user:pw@x", Voices: map[string]string{"?": "x", "de": "no voice", "fr": ""},
	})
	for _, want := range []string{`language "!"`, `"the moon" is none`, "neither host:port", `"?" of a voice`, `"no voice" for de`, `"" for fr`} {
		assert.ErrorContains(t, err, want)
	}
	assert.NotContains(t, err.Error(), "pw")
}

func TestTarget(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg    googletts.Config
		target string
		plain  bool
	}{
		"default":     {googletts.Config{}, "texttospeech.googleapis.com:443", false},
		"global":      {googletts.Config{Location: "global"}, "texttospeech.googleapis.com:443", false},
		"europe":      {googletts.Config{Location: "eu"}, "eu-texttospeech.googleapis.com:443", false},
		"given":       {googletts.Config{Location: "eu", Endpoint: "tts.example:8443"}, "tts.example:8443", false},
		"given https": {googletts.Config{Endpoint: "https://tts.example"}, "tts.example:443", false},
		"given plain": {googletts.Config{Endpoint: "http://127.0.0.1:1234"}, "127.0.0.1:1234", true},
	} {
		t.Run(name, func(t *testing.T) {
			target, plain, err := googletts.Target(tt.cfg)
			require.NoError(t, err)
			assert.Equal(t, tt.target, target)
			assert.Equal(t, tt.plain, plain)
		})
	}
}

func TestMissingCredentialsTellWhatToSet(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(t.TempDir(), "none.json"))
	_, err := googletts.NewTTS(googletts.Config{})
	require.ErrorContains(t, err, "GOOGLE_APPLICATION_CREDENTIALS")
	require.ErrorContains(t, err, "does not exist")

	s := googlefake.Start(t) // which needs none
	_, err = voice(t, s, googletts.Config{}).Synthesize(t.Context(), "Hello", ports.TTSOptions{})
	require.NoError(t, err)
}

// TestOptionsWin: a connection of the caller's own, without any port.
func TestOptionsWin(t *testing.T) {
	l := bufconn.Listen(1 << 16)
	s := googlefake.Serve(l)
	t.Cleanup(s.Stop)
	conn, err := grpc.NewClient("passthrough:///fake", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	require.NoError(t, err)
	v, err := googletts.NewTTS(googletts.Config{Options: []option.ClientOption{option.WithGRPCConn(conn)}})
	require.NoError(t, err)
	_, err = v.Synthesize(t.Context(), "Hello", ports.TTSOptions{})
	require.NoError(t, err)
	require.NoError(t, v.Close())
	_, err = v.Synthesize(t.Context(), "Hello", ports.TTSOptions{})
	require.Error(t, err, "a closed voice speaks no more")
	assert.Len(t, s.Speakings(), 1)
}

// TestLibraryDoesNotLog: the library would print every text to stderr when this
// variable is set.
func TestLibraryDoesNotLog(t *testing.T) {
	t.Setenv("GOOGLE_SDK_GO_LOGGING_LEVEL", "debug")
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	require.NoError(t, err)
	stderr := os.Stderr
	os.Stderr = file
	t.Cleanup(func() { os.Stderr = stderr; _ = file.Close() })
	s := googlefake.Start(t)
	_, err = voice(t, s, googletts.Config{}).Synthesize(t.Context(), secret, ports.TTSOptions{})
	require.NoError(t, err)
	_, err = file.Seek(0, io.SeekStart)
	require.NoError(t, err)
	text, err := io.ReadAll(file)
	require.NoError(t, err)
	assert.Empty(t, string(text))
}
