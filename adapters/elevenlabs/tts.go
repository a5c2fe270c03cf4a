package elevenlabs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.TTSPort = (*TTS)(nil)

const opTTS = "elevenlabs.tts"

const (
	// ttsPatience is the deadline of a call that brings none; the slowest models take
	// about as long as half of the speech.
	ttsPatience = 2 * time.Minute
	// maxSound bounds the answer: ten minutes of samples at 48 kHz.
	maxSound = 64 << 20
)

// unguided are the models that find the language by themselves. They ignore
// language_code or, as they did at first, answer it with an error ("Create
// speech"); every later model enforces it.
var unguided = map[string]bool{
	"eleven_monolingual_v1":  true,
	"eleven_multilingual_v1": true,
	"eleven_multilingual_v2": true,
	"eleven_turbo_v2":        true,
	"eleven_flash_v2":        true,
}

// TTS speaks Ogg/Opus. It is safe for concurrent use.
type TTS struct {
	api     *api
	cfg     TTSConfig
	casting casting
}

// NewTTS checks the config and lists all its faults.
func NewTTS(cfg TTSConfig) (*TTS, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, fmt.Errorf("elevenlabs text-to-speech: %w", err)
	}
	a, err := newAPI(cfg.BaseURL, cfg.APIKey, cfg.Client, cfg.ZeroRetention)
	if err != nil {
		return nil, fmt.Errorf("elevenlabs text-to-speech: %w", err)
	}
	return &TTS{api: a, cfg: cfg, casting: newCasting(cfg.Voices, cfg.Voice)}, nil
}

// Close frees the connections that only this engine uses.
func (t *TTS) Close() error {
	t.api.close()
	return nil
}

// Synthesize implements ports.TTSPort. Options.Voice is the id of a voice of the
// account; a voice it does not have is KindInvalid.
func (t *TTS) Synthesize(ctx context.Context, text string, opt ports.TTSOptions) (domain.Audio, error) {
	if err := ports.FromContext(ctx, opTTS); err != nil {
		return domain.Audio{}, err
	}
	refuse := func(kind ports.Kind, reason string) (domain.Audio, error) {
		return domain.Audio{}, &ports.Error{Op: opTTS, Kind: kind, Err: errors.New(reason)}
	}
	text = strings.TrimSpace(strings.ToValidUTF8(text, ""))
	voice := opt.Voice
	if voice == "" {
		voice = t.casting.voice(opt.Language)
	}
	lang, known := primary(opt.Language)
	switch {
	case opt.Format != "" && opt.Format != domain.MIMEOggOpus && opt.Format != "audio/ogg":
		return refuse(ports.KindUnsupported, "the format is not Ogg/Opus")
	case !strings.ContainsFunc(text, pronounced):
		return refuse(ports.KindInvalid, "there is nothing to say")
	case utf8.RuneCountInString(text) > t.cfg.MaxChars:
		return refuse(ports.KindUnsupported, fmt.Sprintf("the text is longer than %d characters", t.cfg.MaxChars))
	case opt.Language != "" && !known:
		return refuse(ports.KindUnsupported, "the language is unknown")
	case !isName(voice):
		return refuse(ports.KindInvalid, "the voice id is malformed")
	}
	c, err := t.request(text, voice, lang)
	if err != nil {
		return refuse(ports.KindInvalid, "the request cannot be built")
	}
	got, err := t.api.post(ctx, c)
	if err != nil {
		return domain.Audio{}, err
	}
	return t.deliver(ctx, got)
}

func (t *TTS) request(text, voice, lang string) (call, error) {
	if unguided[t.cfg.Model] {
		lang = ""
	}
	data, err := json.Marshal(struct {
		Text     string `json:"text"`
		Model    string `json:"model_id"`
		Language string `json:"language_code,omitempty"`
	}{text, t.cfg.Model, lang})
	return call{
		op: opTTS, path: []string{"v1", "text-to-speech", voice},
		query: url.Values{"output_format": {t.cfg.OutputFormat}},
		mime:  "application/json", size: int64(len(data)), limit: maxSound, patience: ttsPatience,
		body: func() io.ReadCloser { return io.NopCloser(bytes.NewReader(data)) },
	}, err
}

// pronounced reports whether a character is spoken: a full stop alone is not.
func pronounced(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r)
}
