package offline_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whatsappnode/adapters/offline"
	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// The engines are Debian programs that the Makefile installs, so a missing one is
// a failure and not a skip.
var engines = offline.Config{LookPath: exec.LookPath}

// only finds one program in a place of the test's choosing and the others where
// they are.
func only(name, path string) func(string) (string, error) {
	return func(program string) (string, error) {
		if program == name {
			return path, nil
		}
		return exec.LookPath(program)
	}
}

// script writes a program that stands in for an engine.
func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "engine")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700))
	return path
}

// hanging is an engine that starts a child and waits for it.
func hanging(t *testing.T) string { return script(t, "sleep 600 &\nwait") }

func newSTT(t *testing.T, cfg offline.Config) ports.STTPort {
	t.Helper()
	s, err := offline.NewSTT(cfg)
	require.NoError(t, err)
	return s
}

func newTTS(t *testing.T, cfg offline.Config) ports.TTSPort {
	t.Helper()
	v, err := offline.NewTTS(cfg)
	require.NoError(t, err)
	return v
}

func TestLLMContract(t *testing.T) {
	porttest.TestLLM(t, porttest.LLMHarness{
		New:       func(*testing.T) ports.LLMPort { return offline.NewLLM() },
		Echoes:    true,
		Truncates: true,
	})
}

func TestSTTContract(t *testing.T) {
	voice := newTTS(t, engines)
	var all []porttest.Spoken // made once: an engine takes a while
	for word, format := range map[string]string{"saturday": domain.MIMEOggOpus, "money": domain.MIMEWAV} {
		text := map[string]string{"saturday": "Can you tell me the opening hours for Saturday", "money": "My package was damaged and I want my money back"}[word]
		clip, err := voice.Synthesize(t.Context(), text, ports.TTSOptions{Format: format})
		require.NoError(t, err)
		all = append(all, porttest.Spoken{Clip: clip, Word: word})
	}
	porttest.TestSTT(t, porttest.STTHarness{
		New:     func(t *testing.T) ports.STTPort { return newSTT(t, engines) },
		Spoken:  func(*testing.T) []porttest.Spoken { return all },
		Silence: func(t *testing.T) domain.Audio { return silence(t, time.Second) },
		Corrupt: func(t *testing.T) []domain.Audio {
			flipped := bytes.Clone(silence(t, time.Second).Bytes())
			flipped[len(flipped)-1] ^= 1
			whole := silence(t, time.Second).Bytes()
			return []domain.Audio{audio(t, domain.MIMEOggOpus, flipped), audio(t, domain.MIMEOggOpus, whole[:len(whole)/2]), audio(t, domain.MIMEWAV, whole)}
		},
		TooLong: func(t *testing.T) domain.Audio { return silence(t, 121*time.Second) },
		Hang: func(t *testing.T) ports.STTPort {
			return newSTT(t, offline.Config{LookPath: only("pocketsphinx_continuous", hanging(t))})
		},
		Fail: map[ports.Kind]func(*testing.T) ports.STTPort{
			ports.KindUnknown: func(t *testing.T) ports.STTPort {
				return newSTT(t, offline.Config{LookPath: only("pocketsphinx_continuous", script(t, "cat >/dev/null; exit 3"))})
			},
			ports.KindTransient: func(t *testing.T) ports.STTPort {
				return newSTT(t, offline.Config{LookPath: only("pocketsphinx_continuous", "/nonexistent/engine")})
			},
			ports.KindUnsupported: func(t *testing.T) ports.STTPort {
				return newSTT(t, offline.Config{LookPath: only("pocketsphinx_continuous", script(t, "cat /dev/zero"))})
			},
		},
	})
}

func TestTTSContract(t *testing.T) {
	testTTS(t, "flite", exec.LookPath)
}

func TestTTSContractWithoutFlite(t *testing.T) {
	testTTS(t, "espeak-ng", func(program string) (string, error) {
		if program == "flite" {
			return "", exec.ErrNotFound
		}
		return exec.LookPath(program)
	})
}

func testTTS(t *testing.T, engine string, look func(string) (string, error)) {
	replaced := func(program, path string) offline.Config {
		return offline.Config{LookPath: func(name string) (string, error) {
			if name == program {
				return path, nil
			}
			return look(name)
		}}
	}
	porttest.TestTTS(t, porttest.TTSHarness{
		New:             func(t *testing.T) ports.TTSPort { return newTTS(t, offline.Config{LookPath: look}) },
		Duration:        measure,
		Formats:         []string{domain.MIMEWAV},
		TooLong:         strings.Repeat("on and on ", 501),
		UnknownLanguage: "tlh",
		Hang:            func(t *testing.T) ports.TTSPort { return newTTS(t, replaced(engine, hanging(t))) },
		Fail: map[ports.Kind]func(*testing.T) ports.TTSPort{
			ports.KindUnknown: func(t *testing.T) ports.TTSPort {
				return newTTS(t, replaced("opusenc", script(t, "cat >/dev/null; echo no")))
			},
			ports.KindTransient:   func(t *testing.T) ports.TTSPort { return newTTS(t, replaced(engine, "/nonexistent/engine")) },
			ports.KindUnsupported: func(t *testing.T) ports.TTSPort { return newTTS(t, replaced("opusenc", script(t, "cat /dev/zero"))) },
		},
	})
}

func audio(t *testing.T, mime string, data []byte) domain.Audio {
	t.Helper()
	a, err := domain.NewAudio(mime, data, 0)
	require.NoError(t, err)
	return a
}

func silence(t *testing.T, length time.Duration) domain.Audio {
	t.Helper()
	data, err := oggopus.Encode(func(yield func([]byte) bool) {
		for range length / (20 * time.Millisecond) {
			if !yield(oggopus.SilencePacket()) {
				return
			}
		}
	}, oggopus.Options{})
	require.NoError(t, err)
	return audio(t, domain.MIMEOggOpus, data)
}

func measure(t *testing.T, clip domain.Audio) time.Duration {
	t.Helper()
	if clip.Type() == domain.MIMEWAV {
		p, err := wav.Decode(clip.Bytes())
		require.NoError(t, err)
		return p.Duration()
	}
	require.NoError(t, oggopus.Check(clip.Bytes()))
	info, err := oggopus.Inspect(clip.Bytes())
	require.NoError(t, err)
	return info.Duration
}
