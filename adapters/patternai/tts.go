package patternai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.TTSPort = (*TTS)(nil)

const opTTS = "patternai.tts"

const (
	// ttsPatience is the deadline of a call that brings none.
	ttsPatience = 2 * time.Minute
	// maxSound bounds the answer: ten minutes of samples at 48 kHz.
	maxSound = 64 << 20
)

// TTS speaks Ogg/Opus with POST /tts; what comes in another format is converted. It
// is safe for concurrent use.
type TTS struct {
	client *Client
	cfg    TTSConfig
}

// NewTTS checks the config and lists all its faults.
func NewTTS(cfg TTSConfig) (*TTS, error) {
	if cfg.MaxChars == 0 {
		cfg.MaxChars = DefaultMaxChars
	}
	c, err := newClient(ClientConfig{BaseURL: cfg.BaseURL, APIKey: cfg.APIKey, Client: cfg.Client}, "text-to-speech", cfg.faults())
	if err != nil {
		return nil, err
	}
	return &TTS{client: c, cfg: cfg}, nil
}

// Close frees the connections that only this engine uses.
func (t *TTS) Close() error { return t.client.Close() }

// Synthesize implements ports.TTSPort. The protocol knows voices by their model
// only: Options.Voice is a value of TTS-Model for this one call.
func (t *TTS) Synthesize(ctx context.Context, text string, opt ports.TTSOptions) (domain.Audio, error) {
	if err := ports.FromContext(ctx, opTTS); err != nil {
		return domain.Audio{}, err
	}
	refuse := func(kind ports.Kind, reason string) (domain.Audio, error) {
		return domain.Audio{}, &ports.Error{Op: opTTS, Kind: kind, Err: errors.New(reason)}
	}
	text = strings.TrimSpace(strings.ToValidUTF8(text, ""))
	model, spoken := t.cfg.model(opt.Language)
	if opt.Voice != "" {
		model, spoken = opt.Voice, true
	}
	switch {
	case opt.Format != "" && opt.Format != domain.MIMEOggOpus && opt.Format != "audio/ogg":
		return refuse(ports.KindUnsupported, "the format is not Ogg/Opus")
	case !strings.ContainsFunc(text, pronounced):
		return refuse(ports.KindInvalid, "there is nothing to say")
	case utf8.RuneCountInString(text) > t.cfg.MaxChars:
		return refuse(ports.KindUnsupported, fmt.Sprintf("the text is longer than %d characters", t.cfg.MaxChars))
	case !spoken:
		return refuse(ports.KindUnsupported, "there is no model for the language")
	case model != "" && !isModel(model):
		return refuse(ports.KindInvalid, "the voice's name is malformed")
	}
	data, err := json.Marshal(struct {
		Message string `json:"message"`
	}{text})
	if err != nil {
		return refuse(ports.KindInvalid, "the request cannot be built")
	}
	ctx, cancel := bounded(ctx, ttsPatience)
	defer cancel()
	resp, body, err := t.client.fetch(ctx, call{
		op: opTTS, method: http.MethodPost, path: "tts", mime: "application/json", model: [2]string{"TTS-Model", model},
		body: func() io.ReadCloser { return io.NopCloser(bytes.NewReader(data)) }, size: int64(len(data)),
	}, maxSound)
	if err != nil {
		return domain.Audio{}, err
	}
	return t.deliver(ctx, resp.Header.Get("Content-Type"), body)
}

// pronounced reports whether a character is spoken: a full stop alone is not.
func pronounced(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r)
}
