package bot

import (
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"

	"whatsappnode/adapters/fake"
	"whatsappnode/adapters/offline"
	"whatsappnode/ports"
)

// The vendors, one line each. A name that is not here fails at start, and the
// message lists the ones that are.
var (
	llms = map[string]func(*workshop) (ports.LLMPort, error){
		"anthropic": func(w *workshop) (ports.LLMPort, error) { return orNil[ports.LLMPort](w.anthropic()) },
		"fake":      func(w *workshop) (ports.LLMPort, error) { return withKnobs[ports.LLMPort](w, fake.NewLLM) },
		"gemini":    func(w *workshop) (ports.LLMPort, error) { return orNil[ports.LLMPort](w.gemini()) },
		"genai":     func(w *workshop) (ports.LLMPort, error) { return orNil[ports.LLMPort](w.genaiLLM()) },
		"offline":   func(*workshop) (ports.LLMPort, error) { return offline.NewLLM(), nil },
		"openai":    func(w *workshop) (ports.LLMPort, error) { return orNil[ports.LLMPort](w.openaiLLM()) },
		"patternai": func(w *workshop) (ports.LLMPort, error) { return orNil[ports.LLMPort](w.patternLLM()) },
	}
	stts = map[string]func(*workshop) (ports.STTPort, error){
		"deepgram":     func(w *workshop) (ports.STTPort, error) { return orNil[ports.STTPort](w.deepgramSTT()) },
		"elevenlabs":   func(w *workshop) (ports.STTPort, error) { return orNil[ports.STTPort](w.elevenSTT()) },
		"fake":         func(w *workshop) (ports.STTPort, error) { return withKnobs[ports.STTPort](w, fake.NewSTT) },
		"genai":        func(w *workshop) (ports.STTPort, error) { return orNil[ports.STTPort](w.genaiSTT()) },
		"googlespeech": func(w *workshop) (ports.STTPort, error) { return orNil[ports.STTPort](w.googleSTT()) },
		"offline":      func(*workshop) (ports.STTPort, error) { return orNil[ports.STTPort](offline.NewSTT(demoEngines)) },
		"openai":       func(w *workshop) (ports.STTPort, error) { return orNil[ports.STTPort](w.openaiSTT()) },
		"patternai":    func(w *workshop) (ports.STTPort, error) { return orNil[ports.STTPort](w.patternSTT()) },
	}
	ttss = map[string]func(*workshop) (ports.TTSPort, error){
		"deepgram":   func(w *workshop) (ports.TTSPort, error) { return orNil[ports.TTSPort](w.deepgramTTS()) },
		"elevenlabs": func(w *workshop) (ports.TTSPort, error) { return orNil[ports.TTSPort](w.elevenTTS()) },
		"fake":       func(w *workshop) (ports.TTSPort, error) { return withKnobs[ports.TTSPort](w, fake.NewTTS) },
		"genai":      func(w *workshop) (ports.TTSPort, error) { return orNil[ports.TTSPort](w.genaiTTS()) },
		"googletts":  func(w *workshop) (ports.TTSPort, error) { return orNil[ports.TTSPort](w.googleTTS()) },
		"offline":    func(*workshop) (ports.TTSPort, error) { return orNil[ports.TTSPort](offline.NewTTS(demoEngines)) },
		"openai":     func(w *workshop) (ports.TTSPort, error) { return orNil[ports.TTSPort](w.openaiTTS()) },
		"patternai":  func(w *workshop) (ports.TTSPort, error) { return orNil[ports.TTSPort](w.patternTTS()) },
	}
)

// defaultProvider answers when no vendor is named and no key is present.
const defaultProvider = "offline"

// byKey chooses, where nothing is named, by the first setting that is present. One
// vendor only: another must not get people's words because its key happened to be
// there.
func byKey(v VendorConfig, stage string) []string {
	for _, c := range []struct {
		present bool
		name    string
		stages  string
	}{
		{v.Gemini.Key.Current() != "" || v.Gemini.Vertex, "genai", "LLM STT TTS"},
		{v.OpenAI.Key.Current() != "" || v.OpenAI.BaseURL != "", "openai", "LLM STT TTS"},
		{v.Claude.Key.Current() != "", "anthropic", "LLM"},
		{v.Eleven.Key.Current() != "", "elevenlabs", "STT TTS"},
		{v.Deepgram.Key.Current() != "", "deepgram", "STT TTS"},
		{v.Pattern.BaseURL != "", "patternai", "LLM STT TTS"},
		{v.Google.SpeechEndpoint != "" || v.Google.Project != "", "googlespeech", "STT"},
		{v.Google.TTSEndpoint != "" || v.Google.Project != "", "googletts", "TTS"},
	} {
		if c.present && strings.Contains(c.stages, stage) {
			return []string{c.name}
		}
	}
	return nil
}

var demoEngines = offline.Config{LookPath: exec.LookPath}

// orNil keeps a nil pointer from becoming an interface that is not nil.
func orNil[P any, T any](vendor T, err error) (P, error) {
	var none P
	if err != nil {
		return none, err
	}
	return any(vendor).(P), nil
}

// withKnobs builds a fake vendor that behaves as FAKE_KNOBS says.
func withKnobs[P any, T any](w *workshop, build func(fake.Knobs) (T, error)) (P, error) {
	var none P
	knobs, err := fake.ParseKnobs(w.cfg.Vendors.Fake)
	if err != nil {
		return none, fmt.Errorf("FAKE_KNOBS: %w", err)
	}
	return orNil[P](build(knobs))
}

// unknown lists the providers there are.
func unknown[P any](name string, known map[string]func(*workshop) (P, error)) error {
	return fmt.Errorf("unknown provider %q; known are %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
}
