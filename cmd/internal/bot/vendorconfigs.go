package bot

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"whatsappnode/adapters/anthropic"
	"whatsappnode/adapters/deepgram"
	"whatsappnode/adapters/elevenlabs"
	"whatsappnode/adapters/gemini"
	"whatsappnode/adapters/genai"
	"whatsappnode/adapters/googlespeech"
	"whatsappnode/adapters/googletts"
	"whatsappnode/adapters/openai"
	"whatsappnode/adapters/patternai"
	"whatsappnode/adapters/settings"
)

// The functions below turn settings into what each vendor's constructor takes.

// required is the fault of a setting that a provider cannot do without.
func required(variable string) error { return fmt.Errorf("%s is required", variable) }

// client shares the warm connections among all vendors.
func (w *workshop) client(vendor, base, otherwise string) *http.Client {
	w.visits.name(vendor, either(base, otherwise))
	return w.connections.Client(either(base, otherwise))
}

func (w *workshop) genai() (genai.Config, error) {
	g := w.cfg.Vendors.Gemini
	cfg := genai.Config{APIKey: g.Key.Current, BaseURL: g.BaseURL}
	if !g.Vertex { // which brings a client with its own way in
		cfg.Client = w.client("genai", g.BaseURL, genai.DefaultBaseURL)
	}
	switch {
	case g.Vertex && w.cfg.Vendors.Google.Project == "":
		return cfg, required("GOOGLE_CLOUD_PROJECT")
	case g.Vertex:
		creds, err := genai.DefaultCredentials()
		if err != nil {
			return cfg, err
		}
		cfg.Vertex = &genai.Vertex{Project: w.cfg.Vendors.Google.Project, Location: g.Location, Credentials: creds}
	case g.Key.Current() == "":
		return cfg, required("GEMINI_API_KEY")
	}
	return cfg, nil
}

func (w *workshop) genaiLLM() (*genai.LLM, error) {
	cfg, err := w.genai()
	if err != nil {
		return nil, err
	}
	g := w.cfg.Vendors.Gemini
	return genai.NewLLM(genai.LLMConfig{Config: cfg, Model: g.Model, ThinkingLevel: g.Thinking})
}

func (w *workshop) genaiSTT() (*genai.STT, error) {
	cfg, err := w.genai()
	if err != nil {
		return nil, err
	}
	return genai.NewSTT(genai.STTConfig{Config: cfg, Model: w.cfg.Vendors.Gemini.STTModel})
}

func (w *workshop) genaiTTS() (*genai.TTS, error) {
	cfg, err := w.genai()
	if err != nil {
		return nil, err
	}
	g := w.cfg.Vendors.Gemini
	return genai.NewTTS(genai.TTSConfig{Config: cfg, Model: g.TTSModel, Voice: g.TTSVoice, Encoder: w.encoder})
}

func (w *workshop) gemini() (*gemini.LLM, error) {
	g := w.cfg.Vendors.Gemini
	if g.Key.Current() == "" {
		return nil, required("GEMINI_API_KEY")
	}
	return gemini.NewLLM(gemini.Config{
		APIKey: g.Key.Current, BaseURL: g.BaseURL, Client: w.client("gemini", g.BaseURL, gemini.DefaultBaseURL), Model: g.Model,
	})
}

func (w *workshop) googleSTT() (*googlespeech.STT, error) {
	g := w.cfg.Vendors.Google
	return googlespeech.NewSTT(googlespeech.Config{
		API: g.SpeechAPI, Project: g.Project, Location: g.SpeechLocation, Recognizer: g.Recognizer, Model: g.SpeechModel,
		Languages: w.cfg.Dialogue.Languages, Endpoint: g.SpeechEndpoint,
	})
}

func (w *workshop) googleTTS() (*googletts.TTS, error) {
	g := w.cfg.Vendors.Google
	voices, err := pairs("GOOGLE_TTS_VOICES", g.TTSVoices)
	if err != nil {
		return nil, err
	}
	return googletts.NewTTS(googletts.Config{Voices: voices, Language: g.TTSLanguage, Location: g.TTSLocation, Endpoint: g.TTSEndpoint})
}

func (w *workshop) openaiLLM() (*openai.LLM, error) {
	o := w.cfg.Vendors.OpenAI
	return openai.NewLLM(openai.LLMConfig{
		APIKey: o.Key.Current, BaseURL: o.BaseURL, Client: w.client("openai", o.BaseURL, openai.DefaultBaseURL), Organization: o.Organization, Model: o.LLMModel, TokenLimit: o.TokenLimit, ReasoningEffort: o.Effort,
		OmitUsage: o.OmitUsage, OmitUser: o.OmitUser,
	})
}

func (w *workshop) openaiSTT() (*openai.STT, error) {
	o := w.cfg.Vendors.OpenAI
	base := either(o.STTBaseURL, o.BaseURL)
	return openai.NewSTT(openai.STTConfig{
		APIKey: o.Key.Current, BaseURL: base, Client: w.client("openai", base, openai.DefaultBaseURL), Organization: o.Organization, Model: o.STTModel,
		ResponseFormat: o.STTFormat, SendWAV: o.SendWAV,
	})
}

func (w *workshop) openaiTTS() (*openai.TTS, error) {
	o := w.cfg.Vendors.OpenAI
	voices, err := pairs("OPENAI_TTS_VOICES", o.TTSVoices)
	if err != nil {
		return nil, err
	}
	base := either(o.TTSBaseURL, o.BaseURL)
	return openai.NewTTS(openai.TTSConfig{
		Voices: voices, PCMRate: o.PCMRate,
		APIKey: o.Key.Current, BaseURL: base, Client: w.client("openai", base, openai.DefaultBaseURL), Organization: o.Organization, Model: o.TTSModel, Voice: o.TTSVoice,
		ResponseFormat: o.TTSFormat, Encoder: w.encoder,
	})
}

func (w *workshop) anthropic() (*anthropic.LLM, error) {
	a := w.cfg.Vendors.Claude
	if a.Key.Current() == "" {
		return nil, required("ANTHROPIC_API_KEY")
	}
	return anthropic.NewLLM(anthropic.Config{
		APIKey: a.Key.Current, BaseURL: a.BaseURL, Client: w.client("anthropic", a.BaseURL, anthropic.DefaultBaseURL), Model: a.Model,
	})
}

func (w *workshop) elevenSTT() (*elevenlabs.STT, error) {
	e := w.cfg.Vendors.Eleven
	if e.Key.Current() == "" {
		return nil, required("ELEVENLABS_API_KEY")
	}
	return elevenlabs.NewSTT(elevenlabs.STTConfig{
		APIKey: e.Key.Current, BaseURL: e.BaseURL, Client: w.client("elevenlabs", e.BaseURL, elevenlabs.DefaultBaseURL), Model: e.STTModel,
	})
}

func (w *workshop) elevenTTS() (*elevenlabs.TTS, error) {
	e := w.cfg.Vendors.Eleven
	if e.Key.Current() == "" {
		return nil, required("ELEVENLABS_API_KEY")
	}
	voices, err := pairs("ELEVENLABS_TTS_VOICES", e.TTSVoices)
	if err != nil {
		return nil, err
	}
	return elevenlabs.NewTTS(elevenlabs.TTSConfig{
		APIKey: e.Key.Current, BaseURL: e.BaseURL, Client: w.client("elevenlabs", e.BaseURL, elevenlabs.DefaultBaseURL), Model: e.TTSModel,
		Voice: e.TTSVoice, Voices: voices, OutputFormat: e.TTSFormat, Encoder: w.encoder,
	})
}

func (w *workshop) deepgramSTT() (*deepgram.STT, error) {
	d := w.cfg.Vendors.Deepgram
	if d.Key.Current() == "" {
		return nil, required("DEEPGRAM_API_KEY")
	}
	return deepgram.NewSTT(deepgram.STTConfig{
		APIKey: d.Key.Current, BaseURL: d.BaseURL, Client: w.client("deepgram", d.BaseURL, deepgram.DefaultBaseURL), Model: d.STTModel, Training: d.Training,
	})
}

func (w *workshop) deepgramTTS() (*deepgram.TTS, error) {
	d := w.cfg.Vendors.Deepgram
	if d.Key.Current() == "" {
		return nil, required("DEEPGRAM_API_KEY")
	}
	voices, err := pairs("DEEPGRAM_TTS_VOICES", d.TTSVoices)
	if err != nil {
		return nil, err
	}
	return deepgram.NewTTS(deepgram.TTSConfig{
		APIKey: d.Key.Current, BaseURL: d.BaseURL, Client: w.client("deepgram", d.BaseURL, deepgram.DefaultBaseURL), Model: d.TTSModel, Voices: voices, Training: d.Training,
	})
}

func (w *workshop) patternLLM() (*patternai.LLM, error) {
	p := w.cfg.Vendors.Pattern
	if p.BaseURL == "" {
		return nil, required("PATTERNAI_BASE_URL")
	}
	return patternai.NewLLM(patternai.LLMConfig{
		BaseURL: p.BaseURL, Client: w.client("patternai", p.BaseURL, ""), APIKey: p.Key.Current, Model: p.LLMModel, AgentID: p.AgentID,
	})
}

func (w *workshop) patternSTT() (*patternai.STT, error) {
	p := w.cfg.Vendors.Pattern
	if p.BaseURL == "" {
		return nil, required("PATTERNAI_BASE_URL")
	}
	return patternai.NewSTT(patternai.STTConfig{
		BaseURL: p.BaseURL, Client: w.client("patternai", p.BaseURL, ""), APIKey: p.Key.Current, Model: p.STTModel,
	})
}

func (w *workshop) patternTTS() (*patternai.TTS, error) {
	p := w.cfg.Vendors.Pattern
	if p.BaseURL == "" {
		return nil, required("PATTERNAI_BASE_URL")
	}
	return patternai.NewTTS(patternai.TTSConfig{
		BaseURL: p.BaseURL, Client: w.client("patternai", p.BaseURL, ""), APIKey: p.Key.Current, Model: p.TTSModel, Encoder: w.encoder, OpusOnly: p.OpusOnly,
	})
}

func either(first, second string) string {
	if first != "" {
		return first
	}
	return second
}

// pairs reads "es=Name,en=Name".
func pairs(variable string, list settings.List) (map[string]string, error) {
	out := map[string]string{}
	for _, item := range list {
		tag, voice, ok := strings.Cut(item, "=")
		tag, voice = strings.TrimSpace(tag), strings.TrimSpace(voice)
		if !ok || tag == "" || voice == "" {
			return nil, errors.New(variable + " must be pairs of language and voice, es=Name,en=Name")
		}
		out[tag] = voice
	}
	return out, nil
}
