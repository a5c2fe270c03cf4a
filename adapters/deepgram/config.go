package deepgram

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"whatsappnode/adapters/baseurl"
)

// Defaults of the configs.
const (
	DefaultBaseURL  = "https://api.deepgram.com"
	DefaultSTTModel = "nova-3"
	// DefaultTTSModel is the voice of Deepgram's own examples.
	DefaultTTSModel = "aura-2-thalia-en"
	// MaxChars is the longest text of a call to an Aura voice, in characters.
	MaxChars = 2000
)

// STTConfig says how to hear. Only APIKey is required.
type STTConfig struct {
	// APIKey returns the key in force; it is asked at every call, so that a key can
	// be rotated without a restart. It must be safe for concurrent use.
	APIKey func() string
	// BaseURL is the API's address, https unless its host is a loopback one.
	BaseURL string
	// Model is the model that hears.
	Model string
	// Client makes the requests; a copy of it is taken that follows no redirect and
	// has no timeout of its own. Nil means a private one.
	Client *http.Client
	// Training lets Deepgram improve its models with what it is sent, which it does
	// for a lower price unless told otherwise (Deepgram, "Model Improvement Program").
	Training bool
}

// TTSConfig says how to speak. Only APIKey is required.
type TTSConfig struct {
	// APIKey, BaseURL, Client and Training are as in STTConfig.
	APIKey   func() string
	BaseURL  string
	Client   *http.Client
	Training bool
	// Model is the voice of a text whose language is not known, and of its own
	// language, which its name ends in.
	Model string
	// Voices are models by BCP 47 tag: "es", "pt-BR". They go before Model and before
	// the voices that the package knows.
	Voices map[string]string
}

// namePattern fits what Deepgram calls its models.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// complete fills in the defaults and checks everything, all faults at once.
func (c STTConfig) complete() (STTConfig, error) {
	setDefault(&c.BaseURL, DefaultBaseURL)
	setDefault(&c.Model, DefaultSTTModel)
	return c, errors.Join(checkAccount(c.APIKey, c.BaseURL, c.Model)...)
}

func (c TTSConfig) complete() (TTSConfig, error) {
	setDefault(&c.BaseURL, DefaultBaseURL)
	setDefault(&c.Model, DefaultTTSModel)
	faults := checkAccount(c.APIKey, c.BaseURL, c.Model)
	for tag, voice := range c.Voices {
		if primary(tag) == "" {
			faults = append(faults, fmt.Errorf("the language %q of a voice is not a BCP 47 tag", tag))
		}
		if !namePattern.MatchString(voice) {
			faults = append(faults, fmt.Errorf("the voice for the language %q is malformed", tag))
		}
	}
	return c, errors.Join(faults...)
}

func setDefault(p *string, value string) {
	if *p == "" {
		*p = value
	}
}

func checkAccount(key func() string, base, model string) []error {
	var faults []error
	if key == nil {
		faults = append(faults, errors.New("the API key function is missing"))
	}
	if err := baseurl.Check(base); err != nil {
		faults = append(faults, fmt.Errorf("the base URL %w", err))
	}
	if !namePattern.MatchString(model) {
		faults = append(faults, errors.New("the model's name is malformed"))
	}
	return faults
}
