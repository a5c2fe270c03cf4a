package openai

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	goopenai "github.com/sashabaranov/go-openai"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.TTSPort = (*TTS)(nil)

const opTTS = "openai.tts"

// Defaults of TTSConfig.
const (
	// DefaultTTSModel is OpenAI's last model on this endpoint; see the package comment
	// for its end.
	DefaultTTSModel = "gpt-4o-mini-tts"
	DefaultTTSVoice = "alloy"
	// DefaultMaxText is the longest text OpenAI speaks, in characters (OpenAI, "Create
	// speech").
	DefaultMaxText = 4096
	// DefaultPCMRate is the rate of OpenAI's and Kokoro's raw samples, in Hz.
	DefaultPCMRate = 24_000
)

// The formats a server may be asked for.
const (
	FormatOpus = "opus"
	FormatWAV  = "wav"
	FormatMP3  = "mp3"
	FormatPCM  = "pcm"
)

var speechFormats = []string{FormatOpus, FormatWAV, FormatMP3, FormatPCM}

// maxSpeech bounds an answer: a quarter of an hour of samples at 24 kHz.
const maxSpeech = 48 << 20

// TTSConfig says which model speaks, and where. The zero value but for APIKey asks
// OpenAI.
type TTSConfig struct {
	// APIKey, BaseURL and Organization are as in LLMConfig.
	APIKey       func() string
	BaseURL      string
	Organization string
	// Model is the model's name at the server; empty means DefaultTTSModel.
	Model string
	// Voice is the voice of every language that Voices does not name; empty means
	// DefaultTTSVoice, which only OpenAI is sure to have.
	Voice string
	// Voices are voices by language, for servers whose voices speak one each: keys
	// are BCP 47 tags, of which the whole ("pt-br") is looked for before the language
	// ("pt").
	Voices map[string]string
	// ResponseFormat is what the server is asked for when a voice note is wanted:
	// FormatOpus (also when empty), taken as it is, or one of the others, for servers
	// without Opus or with a bad one. The others need an Encoder.
	ResponseFormat string
	// PCMRate is the rate of FormatPCM in Hz; 0 means DefaultPCMRate.
	PCMRate int
	// MaxText is the longest text in characters; 0 means DefaultMaxText.
	MaxText int
	// Encoder makes a voice note of what is not one. It may be nil with FormatOpus;
	// then a server that answers with another format is KindUnsupported.
	Encoder ports.EncoderPort
	// Client's transport makes the calls, redirects are not followed; nil makes a private one.
	Client *http.Client
}

// TTS is a voice behind POST /audio/speech. It delivers Ogg/Opus, WAV and MP3, and
// may be used concurrently.
//
// The API has no field for the language: OpenAI's voices speak that of the text, and
// for others the voice is the language. An unknown voice is for the server to
// refuse.
type TTS struct {
	api      *endpoint
	model    string
	voice    string
	voices   map[string]string
	format   string
	pcmRate  int
	maxText  int
	encoding ports.EncoderPort
}

// NewTTS checks the configuration and lists all its faults. It does not dial.
func NewTTS(cfg TTSConfig) (*TTS, error) {
	api, faults := newEndpoint(cfg.APIKey, cfg.BaseURL, cfg.Organization, cfg.Client)
	t := &TTS{
		api: api, model: cfg.Model, voice: cfg.Voice, voices: map[string]string{}, format: cfg.ResponseFormat,
		pcmRate: cfg.PCMRate, maxText: cfg.MaxText, encoding: cfg.Encoder,
	}
	setDefault(&t.model, DefaultTTSModel)
	setDefault(&t.voice, DefaultTTSVoice)
	setDefault(&t.format, FormatOpus)
	setDefault(&t.pcmRate, DefaultPCMRate)
	setDefault(&t.maxText, DefaultMaxText)
	for tag, voice := range cfg.Voices {
		if !tagPattern.MatchString(tag) || voice == "" {
			faults = append(faults, fmt.Errorf("the voice of the language %q needs a BCP 47 tag and a name", tag))
		}
		t.voices[strings.ToLower(tag)] = voice
	}
	switch {
	case !slices.Contains(speechFormats, t.format):
		faults = append(faults, fmt.Errorf("the speech response format must be one of %s", strings.Join(speechFormats, ", ")))
	case t.format != FormatOpus && t.encoding == nil:
		faults = append(faults, fmt.Errorf("the speech response format %s needs an Opus encoder, and there is none", t.format))
	}
	if t.pcmRate < 8000 || t.pcmRate > 48_000 {
		faults = append(faults, errors.New("the rate of raw samples must be 8000 to 48000 Hz"))
	}
	if t.maxText < 0 {
		faults = append(faults, errors.New("the longest text must not be negative"))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("openai speech: %w", err)
	}
	return t, nil
}

func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

// Close gives up idle connections.
func (t *TTS) Close() error {
	t.api.close()
	return nil
}

// Synthesize implements ports.TTSPort.
func (t *TTS) Synthesize(ctx context.Context, text string, opt ports.TTSOptions) (domain.Audio, error) {
	if err := ports.FromContext(ctx, opTTS); err != nil {
		return domain.Audio{}, err
	}
	ask, ok := t.askFor(opt.Format)
	switch {
	case !ok:
		return domain.Audio{}, unsupported(opTTS, "the format is none of Ogg/Opus, WAV and MP3")
	case !strings.ContainsFunc(text, pronounced):
		return domain.Audio{}, invalid(opTTS, "there is nothing to say")
	case utf8.RuneCountInString(text) > t.maxText:
		return domain.Audio{}, unsupported(opTTS, fmt.Sprintf("the text is longer than %d characters", t.maxText))
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	sound, err := t.speak(ctx, text, t.voiceFor(opt), ask)
	if err != nil {
		return domain.Audio{}, failed(ctx, opTTS, err)
	}
	clip, err := t.deliver(ctx, sound, ask, opt.Format)
	if err != nil {
		return domain.Audio{}, failed(ctx, opTTS, err)
	}
	return clip, nil
}

// pronounced reports whether a voice makes a sound of a character.
func pronounced(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// askFor is the format to ask the server for when the caller wants a MIME type.
func (t *TTS) askFor(mime string) (string, bool) {
	switch mime {
	case "", domain.MIMEOggOpus, "audio/ogg":
		return t.format, true
	case domain.MIMEWAV:
		return FormatWAV, true
	case domain.MIMEMP3:
		return FormatMP3, true
	}
	return "", false
}

func (t *TTS) voiceFor(opt ports.TTSOptions) string {
	if opt.Voice != "" {
		return opt.Voice
	}
	tag := strings.ToLower(strings.ReplaceAll(opt.Language, "_", "-"))
	for _, t2 := range []string{tag, primary(tag)} {
		if v, ok := t.voices[t2]; ok {
			return v
		}
	}
	return t.voice
}

func (t *TTS) speak(ctx context.Context, text, voice, format string) ([]byte, error) {
	req, err := t.api.drafted(func(library *goopenai.Client) error {
		_, err := library.CreateSpeech(ctx, goopenai.CreateSpeechRequest{
			Model: goopenai.SpeechModel(t.model), Input: text, Voice: goopenai.SpeechVoice(voice),
			ResponseFormat: goopenai.SpeechResponseFormat(format),
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	resp, err := t.api.send(opTTS, req)
	if err != nil {
		return nil, err
	}
	return readAll(opTTS, resp, maxSpeech)
}
