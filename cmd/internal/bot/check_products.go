package bot

import (
	"fmt"
	"net/url"
	"strings"

	"whatsappnode/adapters/anthropic"
	"whatsappnode/adapters/deepgram"
	"whatsappnode/adapters/elevenlabs"
	"whatsappnode/adapters/gemini"
	"whatsappnode/adapters/genai"
	"whatsappnode/adapters/googlespeech"
	"whatsappnode/adapters/openai"
	"whatsappnode/ports"
)

// product is what a stage buys from a provider, and which variables decide about it.
type product struct {
	provider, model string
	// sold is the model's name in the price list where that is another.
	sold string
	// free is work of this machine; unlisted is sold by somebody whose prices are not
	// the vendor's list prices: a server of another, a region with a surcharge.
	free, unlisted bool
	// The variables, or words for what stands in their place; empty where there is
	// none.
	key, address, name string
}

// named puts the model before a remark.
func (p product) named(remark string) string {
	if p.model == "" {
		return remark
	}
	return p.model + ": " + remark
}

const googleCredentials = "the application default credentials (GOOGLE_APPLICATION_CREDENTIALS)"

// product describes a provider in a stage.
func (c *checker) product(stage, provider string) product {
	v := c.cfg.Vendors
	pick := func(llm, stt, tts string) string { return map[string]string{"LLM": llm, "STT": stt, "TTS": tts}[stage] }
	p := product{provider: provider}
	switch provider {
	case "genai":
		g := v.Gemini
		p.key, p.address, p.name = "GEMINI_API_KEY", "GEMINI_BASE_URL", pick("GEMINI_MODEL", "GEMINI_STT_MODEL", "GEMINI_TTS_MODEL")
		p.model = pick(either(g.Model, genai.DefaultModel), either(g.STTModel, genai.DefaultModel), either(g.TTSModel, genai.DefaultVoiceModel))
		if g.Vertex {
			p.key, p.address = googleCredentials+" or GOOGLE_CLOUD_PROJECT", "VERTEX_LOCATION"
			p.unlisted = g.Location != "" && g.Location != genai.DefaultLocation
		}
	case "gemini":
		p.key, p.address, p.name, p.model = "GEMINI_API_KEY", "GEMINI_BASE_URL", "GEMINI_MODEL", either(v.Gemini.Model, gemini.DefaultModel)
	case "googlespeech":
		g := v.Google
		p.key, p.address, p.name, p.model = googleCredentials, "GOOGLE_SPEECH_ENDPOINT or GOOGLE_SPEECH_LOCATION", "GOOGLE_SPEECH_MODEL", g.SpeechModel
		if g.SpeechAPI == "v1" || g.Recognizer != "" {
			p.unlisted = true // another price, or a model that only the recognizer knows
		} else if p.model == "" {
			p.model = googlespeech.DefaultModel
		}
	case "googletts":
		p.key, p.address, p.name = googleCredentials, "GOOGLE_TTS_ENDPOINT or GOOGLE_TTS_LOCATION", "GOOGLE_TTS_VOICES"
		p.model = voiceFamily(v.Google.TTSVoices)
	case "openai":
		o := v.OpenAI
		p.key, p.name = "OPENAI_API_KEY", pick("OPENAI_LLM_MODEL", "OPENAI_STT_MODEL", "OPENAI_TTS_MODEL")
		p.model = pick(either(o.LLMModel, openai.DefaultLLMModel), either(o.STTModel, openai.DefaultSTTModel), either(o.TTSModel, openai.DefaultTTSModel))
		own, variable := pick("", o.STTBaseURL, o.TTSBaseURL), pick("", "OPENAI_STT_BASE_URL", "OPENAI_TTS_BASE_URL")
		p.address = "OPENAI_BASE_URL"
		if own != "" {
			p.address = variable
		}
		p.unlisted = !sameHost(either(own, o.BaseURL), openai.DefaultBaseURL)
	case "anthropic":
		p.key, p.address, p.name, p.model = "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "ANTHROPIC_MODEL", either(v.Claude.Model, string(anthropic.DefaultModel))
	case "elevenlabs":
		p.key, p.address, p.name = "ELEVENLABS_API_KEY", "ELEVENLABS_BASE_URL", pick("", "ELEVENLABS_STT_MODEL", "ELEVENLABS_TTS_MODEL or ELEVENLABS_TTS_VOICE")
		p.model = pick("", either(v.Eleven.STTModel, elevenlabs.DefaultSTTModel), either(v.Eleven.TTSModel, elevenlabs.DefaultTTSModel))
	case "deepgram":
		p.key, p.address, p.name = "DEEPGRAM_API_KEY", "DEEPGRAM_BASE_URL", pick("", "DEEPGRAM_STT_MODEL", "DEEPGRAM_TTS_MODEL or DEEPGRAM_TTS_VOICES")
		p.model = pick("", either(v.Deepgram.STTModel, deepgram.DefaultSTTModel), either(v.Deepgram.TTSModel, deepgram.DefaultTTSModel))
		p.sold = pick("", "", voiceGeneration(p.model, v.Deepgram.TTSVoices))
	case "patternai":
		p.key, p.address, p.name = "PATTERNAI_API_KEY", "PATTERNAI_BASE_URL", pick("PATTERNAI_LLM_MODEL", "PATTERNAI_STT_MODEL", "PATTERNAI_TTS_MODEL")
		p.model, p.unlisted = pick(v.Pattern.LLMModel, v.Pattern.STTModel, v.Pattern.TTSModel), true
	case "offline", "fake":
		p.free = true
	default: // a vendor of whom this file knows nothing yet
		p.key, p.address, p.name, p.unlisted = "its key", "its address", "model", true
	}
	return p
}

// sameHost reports whether an address, empty for the standard one, is at the host of
// the standard one.
func sameHost(address, standard string) bool {
	a, err := url.Parse(either(address, standard))
	b, err2 := url.Parse(standard)
	return err == nil && err2 == nil && a.Host == b.Host
}

// voiceGeneration is what Deepgram charges for, where all voices are of one:
// "aura-2-thalia-en" is of aura-2.
func voiceGeneration(voice string, others []string) string {
	of := func(name string) string {
		parts := strings.Split(strings.TrimSpace(name), "-")
		return strings.Join(parts[:max(len(parts)-2, 0)], "-")
	}
	for _, each := range others {
		if _, name, _ := strings.Cut(each, "="); of(name) != of(voice) {
			return "voices of several generations"
		}
	}
	return of(voice)
}

// voiceFamily is what Google charges for, where all voices are of one family:
// "es-ES=es-ES-Chirp3-HD-Aoede" is of Chirp3-HD. Without a voice Google chooses one.
func voiceFamily(voices []string) string {
	family := ""
	for i, each := range voices {
		_, name, _ := strings.Cut(each, "=")
		parts := strings.Split(strings.TrimSpace(name), "-")
		if len(parts) < 4 {
			return ""
		}
		this := strings.Join(parts[2:len(parts)-1], "-")
		if i > 0 && this != family {
			return ""
		}
		family = this
	}
	return family
}

// vendorToDo names the setting that mends a failure of a vendor.
func (c *checker) vendorToDo(stage, provider string, err error) string {
	p := c.product(stage, provider)
	if p.free {
		if provider == "offline" {
			return "see that the programs of the demo engines run on this machine"
		}
		return "look at FAKE_KNOBS: a fake vendor fails as it is told to"
	}
	model := p.name
	if p.model != "" {
		model += " (" + p.model + ")"
	}
	switch ports.KindOf(err) {
	case ports.KindDenied:
		return fmt.Sprintf("correct %s: it was refused, or its account lacks the permission or the credit for this", p.key)
	case ports.KindInvalid, ports.KindNotFound:
		return fmt.Sprintf("correct %s: the vendor does not take the request; or %s", model, p.address)
	case ports.KindRateLimited:
		return fmt.Sprintf("wait, or have the quota of %s raised", p.key)
	case ports.KindBlocked:
		return fmt.Sprintf("set another %s: this one refuses a greeting", model)
	case ports.KindUnsupported:
		if stage == "TTS" {
			return fmt.Sprintf("set another %s, or install opus-tools if the voice needs an encoder", model)
		}
		return "set another " + model
	case ports.KindTimeout:
		return fmt.Sprintf("try again; if it stays slow see that this machine can reach %s, or set another %s", p.address, model)
	case ports.KindTransient:
		return fmt.Sprintf("see that this machine can reach %s; else the vendor has an outage: try again", p.address)
	}
	return fmt.Sprintf("set another %s: this one gave no answer", model)
}
