package patternai

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"whatsappnode/ports"
)

// DefaultMaxChars is the longest text that is spoken, about five minutes of speech.
const DefaultMaxChars = 5000

// ClientConfig says where the services are. Only BaseURL is required.
type ClientConfig struct {
	// BaseURL is what "/stt", "/llm", "/tts" and "/health" are appended to. Plain
	// http is for services inside a network of one's own: it hides neither the key
	// nor what people say.
	BaseURL string
	// APIKey returns the bearer token in force; it is asked at every call, so that
	// it can be rotated without a restart, and must be safe for concurrent use. Nil,
	// or an empty token, sends none.
	APIKey func() string
	// Client makes the requests; a copy of it is taken that follows no redirect and
	// has no timeout of its own. Nil means a private one.
	Client *http.Client
}

// STTConfig says how to hear. Only BaseURL is required.
type STTConfig struct {
	// BaseURL, APIKey and Client are as in ClientConfig.
	BaseURL string
	APIKey  func() string
	Client  *http.Client
	// Model is the header STT-Model; empty leaves it out, and the choice to the
	// service.
	Model string
}

// LLMConfig says whom to ask. Only BaseURL is required.
type LLMConfig struct {
	// BaseURL, APIKey and Client are as in ClientConfig.
	BaseURL string
	APIKey  func() string
	Client  *http.Client
	// Model and AgentID are the request's model_name and agent_id, perhaps empty.
	Model   string
	AgentID string
}

// TTSConfig says how to speak. BaseURL is required, and either Encoder or OpusOnly.
type TTSConfig struct {
	// BaseURL, APIKey and Client are as in ClientConfig.
	BaseURL string
	APIKey  func() string
	Client  *http.Client
	// Model is the header TTS-Model for every language that Models does not name;
	// empty leaves it out.
	Model string
	// Models are values of TTS-Model by BCP 47 tag: "es", "pt-BR". With some here and
	// no Model, other languages are unsupported.
	Models map[string]string
	// MaxChars is the longest text in characters; a longer one is refused without
	// asking.
	MaxChars int
	// Encoder makes a voice note of MP3, WAV and raw samples.
	Encoder ports.EncoderPort
	// OpusOnly says that the service is known to answer with Ogg/Opus, so that there
	// may be no Encoder.
	OpusOnly bool
}

func (c ClientConfig) faults() []error {
	u, err := url.Parse(c.BaseURL)
	switch {
	case c.BaseURL == "":
		return []error{errors.New("the base URL is missing")}
	// The URL is not printed: somebody may have put a key into it.
	case err != nil || u.Host == "" || u.Opaque != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "",
		u.Scheme != "http" && u.Scheme != "https":
		return []error{errors.New("the base URL must be http or https, host and perhaps a path, nothing else")}
	}
	return nil
}

// modelPattern is what can stand in a header: printable ASCII.
var modelPattern = regexp.MustCompile(`^[!-~]([ -~]{0,126}[!-~])?$`)

func isModel(s string) bool { return modelPattern.MatchString(s) }

func checkModel(s string) []error {
	if s != "" && !isModel(s) {
		return []error{errors.New("the model's name is not up to 128 printable ASCII characters")}
	}
	return nil
}

func (c TTSConfig) faults() []error {
	faults := checkModel(c.Model)
	for tag, model := range c.Models {
		if tag == "" || !isModel(model) {
			faults = append(faults, fmt.Errorf("the model for the language %q is empty or malformed, or the language is", tag))
		}
	}
	if c.MaxChars < 0 {
		faults = append(faults, errors.New("the limit of characters is negative"))
	}
	if c.Encoder == nil && !c.OpusOnly {
		faults = append(faults, errors.New("the service speaks MP3, which needs an encoder, and there is none"))
	}
	return faults
}

// model is the one for a language tag: for the tag itself, for its language, or
// the one for all. It is false where no model speaks the language.
func (c TTSConfig) model(tag string) (string, bool) {
	base := subtag(tag)
	inBase := ""
	for name, model := range c.Models {
		switch {
		case strings.EqualFold(name, tag):
			return model, true
		case strings.EqualFold(name, base):
			inBase = model
		}
	}
	switch {
	case inBase != "":
		return inBase, true
	case c.Model != "" || tag == "" || len(c.Models) == 0:
		return c.Model, true
	}
	return "", false
}

// subtag is the language of a BCP 47 tag.
func subtag(tag string) string {
	base, _, _ := strings.Cut(tag, "-")
	return base
}
