package anthropic_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/anthropic"
	"whatsappnode/ports"
)

// TestLive asks the real service. It costs a fraction of a cent, so it runs only
// where a key is in the environment.
func TestLive(t *testing.T) {
	key := os.Getenv("ANTHROPIC_API_KEY")
	if key == "" {
		t.Skip("ANTHROPIC_API_KEY is not set")
	}
	m, err := anthropic.NewLLM(anthropic.Config{APIKey: func() string { return key }, Model: os.Getenv("ANTHROPIC_MODEL")})
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req := ask("Say the word umbrella and nothing else.")
	req.Language, req.User = "en", "live-test"
	text, last, err := ports.Collect(m.Generate(ctx, req))
	require.NoError(t, err)
	assert.Contains(t, strings.ToLower(text), "umbrella")
	require.NotNil(t, last.Usage)
	assert.Positive(t, last.Usage.Input)
	assert.Positive(t, last.Usage.Output)
}
