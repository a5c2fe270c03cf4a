package googlespeech_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/googlespeech"
	"whatsappnode/ports"
)

// TestLive asks the real service for the words of a second of silence. It needs
// credentials and a project, and is no part of CI.
func TestLive(t *testing.T) {
	project := os.Getenv("GOOGLE_CLOUD_PROJECT")
	if os.Getenv("GOOGLE_APPLICATION_CREDENTIALS") == "" || project == "" {
		t.Skip("GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_CLOUD_PROJECT is not set")
	}
	for name, cfg := range map[string]googlespeech.Config{
		"v2": {Project: project},
		"v1": {API: googlespeech.V1, Languages: []string{"en"}},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := googlespeech.NewSTT(cfg)
			require.NoError(t, err)
			defer func() { require.NoError(t, e.Close()) }()
			tr, err := e.Transcribe(t.Context(), recording(t, "", time.Second), ports.STTOptions{})
			require.NoError(t, err)
			t.Logf("heard %q in %q", tr.Text, tr.Language)
		})
	}
}
