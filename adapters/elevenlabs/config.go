package elevenlabs

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"whatsappnode/adapters/baseurl"
	"whatsappnode/ports"
)

// Defaults of the configs.
const (
	DefaultBaseURL  = "https://api.elevenlabs.io"
	DefaultSTTModel = "scribe_v2"
	// DefaultTTSModel is the quickest of the voices, and one that keeps to the
	// language it is told ("Models").
	DefaultTTSModel = "eleven_flash_v2_5"
	// DefaultVoice is a voice that every account has; ElevenLabs' examples use it.
	DefaultVoice = "JBFqnCBsd6RMkjVDRZzb"
	// DefaultOutputFormat is Opus at 48 kHz and 32 kbit/s, the smallest one offered.
	DefaultOutputFormat = "opus_48000_32"
	// DefaultMaxChars is the smallest limit of the usual models ("Models"): about
	// five minutes of speech, far more than a voice note should last.
	DefaultMaxChars = 5000
)

// STTConfig says how to hear. Only APIKey is required.
type STTConfig struct {
	// APIKey returns the key in force; it is asked at every call, so that a key can
	// be rotated without a restart. It must be safe for concurrent use.
	APIKey func() string
	// BaseURL is the API's address, https unless its host is a loopback one.
	BaseURL string
	// Model is the Scribe model.
	Model string
	// Client makes the requests; a copy of it is taken that follows no redirect and
	// has no timeout of its own. Nil means a private one.
	Client *http.Client
	// Keyterms sends the terms of STTOptions.Hint, for which ElevenLabs charges
	// extra; without it the hint is not used. Only scribe_v2 takes them.
	Keyterms bool
	// ZeroRetention asks ElevenLabs to keep nothing of the call, which it grants to
	// enterprise accounts only.
	ZeroRetention bool
}

// TTSConfig says how to speak. Only APIKey is required.
type TTSConfig struct {
	// APIKey, BaseURL, Client and ZeroRetention are as in STTConfig.
	APIKey        func() string
	BaseURL       string
	Client        *http.Client
	ZeroRetention bool
	// Model is the model that speaks.
	Model string
	// Voice is the id of the voice for every language that Voices does not name.
	Voice string
	// Voices are voice ids by BCP 47 tag: "es", "pt-BR".
	Voices map[string]string
	// OutputFormat is one of ElevenLabs' opus_, mp3_, pcm_ or wav_ formats. All but
	// the opus_ ones need Encoder.
	OutputFormat string
	// MaxChars is the longest text in characters; a longer one is refused without
	// asking. The models' own limits are between 5,000 and 40,000.
	MaxChars int
	// Encoder makes a voice note of what is not Opus. Nil: there is none.
	Encoder ports.EncoderPort
}

var (
	// namePattern fits what ElevenLabs calls its models and voices.
	namePattern   = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
	formatPattern = regexp.MustCompile(`^(opus|mp3|pcm|wav)_([0-9]{4,6})(_[0-9]{2,3})?$`)
)

// complete fills in the defaults and checks everything, all faults at once.
func (c STTConfig) complete() (STTConfig, error) {
	setDefault(&c.BaseURL, DefaultBaseURL)
	setDefault(&c.Model, DefaultSTTModel)
	return c, errors.Join(checkAccount(c.APIKey, c.BaseURL, c.Model)...)
}

func (c TTSConfig) complete() (TTSConfig, error) {
	setDefault(&c.BaseURL, DefaultBaseURL)
	setDefault(&c.Model, DefaultTTSModel)
	setDefault(&c.Voice, DefaultVoice)
	setDefault(&c.OutputFormat, DefaultOutputFormat)
	setDefault(&c.MaxChars, DefaultMaxChars)
	faults := checkAccount(c.APIKey, c.BaseURL, c.Model)
	if !isName(c.Voice) {
		faults = append(faults, errors.New("the voice id is malformed"))
	}
	for tag, voice := range c.Voices {
		if _, ok := primary(tag); !ok {
			faults = append(faults, fmt.Errorf("the language %q of a voice is not a BCP 47 tag", tag))
		}
		if !isName(voice) {
			faults = append(faults, fmt.Errorf("the voice id for the language %q is malformed", tag))
		}
	}
	if c.MaxChars < 0 {
		faults = append(faults, errors.New("the limit of characters is negative"))
	}
	switch codec, _ := splitFormat(c.OutputFormat); {
	case codec == "":
		faults = append(faults, errors.New("the output format is none of ElevenLabs' opus_, mp3_, pcm_ and wav_ formats"))
	case codec != "opus" && c.Encoder == nil:
		faults = append(faults, errors.New("the output format needs an encoder and there is none"))
	}
	return c, errors.Join(faults...)
}

func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
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
	if !isName(model) {
		faults = append(faults, errors.New("the model's name is malformed"))
	}
	return faults
}

func isName(s string) bool { return namePattern.MatchString(s) && strings.Trim(s, ".") != "" }

// splitFormat takes "pcm_24000" apart; the codec is empty for a name that is not
// one of the usable formats.
func splitFormat(format string) (codec string, rate int) {
	m := formatPattern.FindStringSubmatch(format)
	if m == nil {
		return "", 0
	}
	rate, _ = strconv.Atoi(m[2]) // four to six digits
	return m[1], rate
}
