package genai

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"

	"whatsappnode/adapters/baseurl"
)

// Defaults of the configuration.
const (
	// DefaultBaseURL is the Gemini API's address. The one of Vertex AI depends on
	// the location.
	DefaultBaseURL = "https://generativelanguage.googleapis.com"
	// DefaultLocation lets Vertex AI choose the region, and has every model.
	DefaultLocation = "global"
	// DefaultModel thinks and hears. It is a small model that hardly thinks before
	// it answers, which matters more in a conversation than the last bit of wit.
	DefaultModel = "gemini-3.5-flash-lite"
	// DefaultVoiceModel speaks. Vertex AI serves it at the locations global, us and
	// eu only.
	DefaultVoiceModel = "gemini-3.8-flash-lite-tts"
	// DefaultVoice is one of the thirty prebuilt voices, which speak all languages
	// (Gemini API, "Text-to-speech generation").
	DefaultVoice = "Kore"
)

// The versions of the two APIs that have everything used here.
const (
	geminiVersion = "v1beta"
	vertexVersion = "v1beta1"
)

// Config says whose models to use, and where.
type Config struct {
	// APIKey returns the Gemini API key in force. It is asked at every call, so that
	// a key can be rotated without a restart, and must be safe for concurrent use.
	// With Vertex it is not used and may be nil.
	APIKey func() string
	// Vertex selects Vertex AI; nil means the Gemini API.
	Vertex *Vertex
	// BaseURL replaces the API's address, for a proxy or a private endpoint. It must
	// be https unless its host is a loopback one.
	BaseURL string
	// Client makes the calls; nil means a private one. Redirects are never followed,
	// since the key would travel with them.
	Client *http.Client
}

// Vertex is a Google Cloud project that pays for Vertex AI.
type Vertex struct {
	Project string
	// Location is a region, "us", "eu" or "global"; empty means DefaultLocation.
	Location string
	// Credentials authorize every call; DefaultCredentials finds those of the
	// machine. They may be nil only when Config.Client is given and authenticates by
	// itself.
	Credentials *auth.Credentials
}

// DefaultCredentials finds the application default credentials of Google Cloud: the
// file that GOOGLE_APPLICATION_CREDENTIALS names, the file gcloud left, or the
// metadata server of the machine. It reads the environment and files and may ask
// the metadata server; the constructors of this package do none of this.
func DefaultCredentials() (*auth.Credentials, error) {
	creds, err := credentials.DetectDefault(&credentials.DetectOptions{
		Scopes: []string{"https://www.googleapis.com/auth/cloud-platform"},
	})
	if err != nil {
		return nil, fmt.Errorf("find application default credentials: %w", err)
	}
	return creds, nil
}

var (
	modelPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@/-]{0,255}$`)
	namePattern  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`)
)

// complete fills in the defaults and checks everything, all faults at once.
func (c Config) complete() (Config, error) {
	var faults []error
	if c.Vertex == nil {
		setDefault(&c.BaseURL, DefaultBaseURL)
		if c.APIKey == nil {
			faults = append(faults, errors.New("the API key function is missing"))
		}
	} else {
		v := *c.Vertex
		setDefault(&v.Location, DefaultLocation)
		setDefault(&c.BaseURL, vertexBaseURL(v.Location))
		if !namePattern.MatchString(v.Project) {
			faults = append(faults, errors.New("the Google Cloud project is missing or malformed"))
		}
		if !namePattern.MatchString(v.Location) {
			faults = append(faults, errors.New("the Vertex AI location is malformed"))
		}
		if v.Credentials == nil && c.Client == nil {
			faults = append(faults, errors.New("Vertex AI needs Google Cloud credentials"))
		}
		c.Vertex = &v
	}
	if err := baseurl.Check(c.BaseURL); err != nil {
		faults = append(faults, fmt.Errorf("the base URL %w", err))
	}
	return c, errors.Join(faults...)
}

// vertexBaseURL is the address of a location (Vertex AI, "Locations and
// endpoints").
func vertexBaseURL(location string) string {
	switch location {
	case "global":
		return "https://aiplatform.googleapis.com"
	case "us", "eu":
		return "https://aiplatform." + location + ".rep.googleapis.com"
	}
	return "https://" + location + "-aiplatform.googleapis.com"
}

// checkModel looks at a name that becomes part of a URL.
func checkModel(name string) error {
	if !modelPattern.MatchString(name) || strings.Contains(name, "..") {
		return errors.New("the model's name is malformed")
	}
	return nil
}

// thinkingLevels are how long a model may think before it answers (Gemini API,
// "Thinking"). Not every model has every level.
var thinkingLevels = []string{"minimal", "low", "medium", "high"}

func checkThinking(level string) error {
	if level != "" && !slices.Contains(thinkingLevels, level) {
		return fmt.Errorf("the thinking level is none of %s", strings.Join(thinkingLevels, ", "))
	}
	return nil
}

func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}
