package deepgram_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/deepgram"
	"whatsappnode/ports"
)

// TestLive speaks a sentence and hears it again, at the cost of some 30 characters
// and three seconds. It runs only where there is a key.
func TestLive(t *testing.T) {
	secret := os.Getenv("DEEPGRAM_API_KEY")
	if secret == "" {
		t.Skip("DEEPGRAM_API_KEY is not set")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	apiKey := func() string { return secret }
	voice, err := deepgram.NewTTS(deepgram.TTSConfig{APIKey: apiKey})
	require.NoError(t, err)
	defer voice.Close()
	clip, err := voice.Synthesize(ctx, "The umbrella is in the kitchen.", ports.TTSOptions{Language: "en"})
	require.NoError(t, err)
	assert.Greater(t, measure(t, clip), time.Second)

	ear, err := deepgram.NewSTT(deepgram.STTConfig{APIKey: apiKey})
	require.NoError(t, err)
	defer ear.Close()
	got, err := ear.Transcribe(ctx, clip, ports.STTOptions{Languages: []string{"en", "es"}})
	require.NoError(t, err)
	assert.Contains(t, strings.ToLower(got.Text), "umbrella")
	assert.Equal(t, "en", got.Language)
	assert.Positive(t, got.Confidence)
}
