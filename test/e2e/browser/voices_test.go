package browser_test

import (
	"context"
	"fmt"
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
)

// What is said in the tests. The engine hears these sentences well.
const (
	spokenAtMicrophone = "Please tell me the opening hours for Saturday."
	spokenInFile       = "My package was damaged and I want my money back."
	spokenForTimeline  = "What is the weather like in London today?"
)

// lead is silence before the words at the microphone: the page begins to record a
// moment after the browser begins to play the file.
const lead = 1500 * time.Millisecond

// speak makes a WAV file of a sentence.
func speak(dir, name, sentence string) (path string, err error) {
	path = filepath.Join(dir, name+".wav")
	if out, err := exec.Command("flite", "-voice", "slt", "-t", sentence, "-o", path).CombinedOutput(); err != nil {
		return "", fmt.Errorf("flite: %w: %s", err, out)
	}
	return path, nil
}

// speakAtMicrophone makes the file that stands in for a microphone. length is how
// long one has to record to have all of it.
func speakAtMicrophone(dir string) (path string, length time.Duration, err error) {
	if path, err = speak(dir, "microphone", spokenAtMicrophone); err != nil {
		return "", 0, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", 0, err
	}
	sound, err := wav.Decode(data)
	if err != nil {
		return "", 0, err
	}
	silence := make([]int16, int(lead.Seconds()*float64(sound.Rate)))
	all := append(silence, sound.Mono()...)
	return path, lead + sound.Duration(), os.WriteFile(path, wav.Encode(all, sound.Rate), 0o600)
}

const (
	earRate = 16_000
	// listening is how much of a voice note is heard: what was said is repeated by
	// then, and the ear is slow.
	listening = 9 * time.Second
)

// hear tells the words at the beginning of a voice note.
func hear(t *testing.T, note []byte) string {
	t.Helper()
	ear, err := offline.NewSTT(offline.Config{LookPath: exec.LookPath})
	require.NoError(t, err)
	sound, err := oggopus.DecodePCM(note, earRate)
	require.NoError(t, err)
	sound = sound[:min(len(sound), int(listening.Seconds())*earRate)]
	clip, err := domain.NewAudio(domain.MIMEWAV, wav.Encode(sound, earRate), 0)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	heard, err := ear.Transcribe(ctx, clip, ports.STTOptions{})
	require.NoError(t, err)
	return strings.ToLower(heard.Text)
}

// maxVoiceNote is the size up to which phones show a voice note as one (Meta's page
// "Audio messages").
const maxVoiceNote = 512 << 10

// requireVoiceNote looks at a file with opus-tools, which shares no code with the
// bot.
func requireVoiceNote(t *testing.T, note []byte) {
	t.Helper()
	require.Less(t, len(note), maxVoiceNote)
	path := filepath.Join(t.TempDir(), "note.ogg")
	require.NoError(t, os.WriteFile(path, note, 0o600))
	out, err := exec.CommandContext(t.Context(), "opusinfo", path).CombinedOutput()
	require.NoError(t, err, string(out))
	text := string(out)
	require.NotContains(t, strings.ToLower(text), "warning")
	require.NotContains(t, strings.ToLower(text), "error")
	require.Equal(t, 1, strings.Count(text, "Opus stream"), text)
	require.Regexp(t, `(?m)^\s*Channels: 1\s*$`, text)
	require.Contains(t, text, "Logical stream 1 ended")
}

// requireWords: enough of the distinctive words were heard. An engine may miss one.
func requireWords(t *testing.T, heard string, words ...string) {
	t.Helper()
	found := 0
	for _, w := range words {
		if strings.Contains(" "+heard+" ", " "+w+" ") {
			found++
		}
	}
	require.GreaterOrEqual(t, found, max(1, len(words)-1), "of %q was heard: %q", words, heard)
}
