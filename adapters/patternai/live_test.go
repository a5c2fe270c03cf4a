package patternai_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/patternai"
	"whatsappnode/ports"
)

// TestLive asks an agent's health and one question, has a sentence spoken, and lets
// the ear hear it. It runs only where an address is given.
func TestLive(t *testing.T) {
	base := os.Getenv("PATTERNAI_BASE_URL")
	if base == "" {
		t.Skip("PATTERNAI_BASE_URL is not set")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	secret := func() string { return os.Getenv("PATTERNAI_API_KEY") }
	c, err := patternai.NewClient(patternai.ClientConfig{BaseURL: base, APIKey: secret})
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Health(ctx))
	model, err := patternai.NewLLM(patternai.LLMConfig{
		BaseURL: base, APIKey: secret, Model: os.Getenv("PATTERNAI_LLM_MODEL"), AgentID: os.Getenv("PATTERNAI_AGENT_ID"),
	})
	require.NoError(t, err)
	defer model.Close()
	text, _, err := ports.Collect(model.Generate(ctx, ask("Say hello in one word.")))
	require.NoError(t, err)
	assert.NotContains(t, strings.ToLower(text), "request_id")

	heard := &encoder{give: spoken(t, "stands for the voice note")} // and keeps what the service spoke
	voice, err := patternai.NewTTS(patternai.TTSConfig{BaseURL: base, APIKey: secret, Model: os.Getenv("PATTERNAI_TTS_MODEL"), Encoder: heard})
	require.NoError(t, err)
	defer voice.Close()
	clip, err := voice.Synthesize(ctx, "The umbrella is in the kitchen.", ports.TTSOptions{})
	require.NoError(t, err)
	if !heard.got.Empty() {
		clip = heard.got
	}
	ear, err := patternai.NewSTT(patternai.STTConfig{BaseURL: base, APIKey: secret, Model: os.Getenv("PATTERNAI_STT_MODEL")})
	require.NoError(t, err)
	defer ear.Close()
	said, err := ear.Transcribe(ctx, clip, ports.STTOptions{})
	require.NoError(t, err)
	assert.Contains(t, strings.ToLower(said.Text), "umbrella")
}
