package deepgram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/voicenote"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.TTSPort = (*TTS)(nil)

const opTTS = "deepgram.tts"

const (
	// ttsPatience is the deadline of a call that brings none.
	ttsPatience = 2 * time.Minute
	// maxSound bounds the answer. At 48 kbit/s, Deepgram's default ("Bit Rate"), 2,000
	// characters are about 1 MB.
	maxSound = oggopus.MaxVoiceNote
)

// TTS speaks Ogg/Opus. It is safe for concurrent use.
type TTS struct {
	api      *api
	casting  casting
	training bool
}

// NewTTS checks the config and lists all its faults.
func NewTTS(cfg TTSConfig) (*TTS, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, fmt.Errorf("deepgram text-to-speech: %w", err)
	}
	a, err := newAPI(cfg.BaseURL, cfg.APIKey, cfg.Client)
	if err != nil {
		return nil, fmt.Errorf("deepgram text-to-speech: %w", err)
	}
	return &TTS{api: a, casting: newCasting(cfg.Voices, cfg.Model), training: cfg.Training}, nil
}

// Close frees the connections that only this engine uses.
func (t *TTS) Close() error {
	t.api.close()
	return nil
}

// Synthesize implements ports.TTSPort. Options.Voice is a model, such as
// aura-2-thalia-en.
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
	switch {
	case opt.Format != "" && opt.Format != domain.MIMEOggOpus && opt.Format != "audio/ogg":
		return refuse(ports.KindUnsupported, "the format is not Ogg/Opus")
	case !strings.ContainsFunc(text, pronounced):
		return refuse(ports.KindInvalid, "there is nothing to say")
	case utf8.RuneCountInString(text) > MaxChars:
		return refuse(ports.KindUnsupported, fmt.Sprintf("the text is longer than %d characters", MaxChars))
	case voice == "":
		return refuse(ports.KindUnsupported, "no voice speaks the language")
	case !namePattern.MatchString(voice):
		return refuse(ports.KindInvalid, "the voice's name is malformed")
	}
	data, err := json.Marshal(map[string]string{"text": text})
	if err != nil {
		return refuse(ports.KindInvalid, "the request cannot be built")
	}
	body, err := t.api.post(ctx, call{
		op: opTTS, path: "speak", query: private(url.Values{"model": {voice}, "encoding": {"opus"}, "container": {"ogg"}}, t.training),
		mime: "application/json", body: data, limit: maxSound, patience: ttsPatience,
	})
	if err != nil {
		return domain.Audio{}, err
	}
	return voiceNote(body)
}

// pronounced reports whether a character is spoken: a full stop alone is not.
func pronounced(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r)
}

// voiceNote checks the Ogg file that came and measures it.
func voiceNote(b []byte) (domain.Audio, error) {
	switch {
	case len(b) == 0:
		return domain.Audio{}, &ports.Error{Op: opTTS, Kind: ports.KindUnknown, Err: errors.New("the answer is empty")}
	case !bytes.HasPrefix(b, []byte("OggS")):
		return domain.Audio{}, malformed(opTTS, "the answer is not Ogg/Opus")
	}
	return voicenote.Take(opTTS, b)
}
