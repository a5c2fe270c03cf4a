package googletts_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/googletts"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// TestLive speaks a word with the real service, in every format. It needs
// credentials, and is no part of CI.
func TestLive(t *testing.T) {
	if os.Getenv("GOOGLE_APPLICATION_CREDENTIALS") == "" {
		t.Skip("GOOGLE_APPLICATION_CREDENTIALS is not set")
	}
	v, err := googletts.NewTTS(googletts.Config{})
	require.NoError(t, err)
	defer func() { require.NoError(t, v.Close()) }()
	for _, format := range []string{domain.MIMEOggOpus, domain.MIMEWAV, domain.MIMEMP3} {
		clip, err := v.Synthesize(t.Context(), "Hello", ports.TTSOptions{Format: format})
		require.NoError(t, err)
		t.Logf("%s: %d bytes, %v", format, len(clip.Bytes()), measure(t, clip))
	}
}
