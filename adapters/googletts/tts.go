package googletts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	texttospeech "cloud.google.com/go/texttospeech/apiv1"
	"cloud.google.com/go/texttospeech/apiv1/texttospeechpb"

	"whatsappnode/adapters/googlecloud"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.TTSPort = (*TTS)(nil)

const op = "googletts.tts"

const (
	// maxText is the longest text in bytes, not characters (Google, "Quotas and limits").
	maxText = 5000
	// maxAnswer bounds a clip: the longest text lasts some ten minutes, of which WAV at
	// 24 kHz takes 29 MB.
	maxAnswer = 32 << 20
	// patience bounds a call whose context has no deadline.
	patience = time.Minute
)

// TTS speaks texts of up to 5,000 bytes. The formats are Ogg/Opus, WAV and MP3, all
// mono. It may be used concurrently.
type TTS struct {
	plan   plan
	client *texttospeech.Client
}

// NewTTS makes a voice. It looks for credentials, which may ask the metadata server of
// Google Cloud, and fails with what to set when there are none; the service itself
// is not called. Close ends its connections.
func NewTTS(cfg Config) (*TTS, error) {
	p, err := cfg.plan()
	if err != nil {
		return nil, err
	}
	client, err := texttospeech.NewClient(context.Background(), googlecloud.ClientOptions(p.address, cfg.Options)...) // the context is for dialling, which comes later
	if err != nil {
		return nil, googlecloud.NoClient("googletts", err)
	}
	client.CallOptions.SynthesizeSpeech = googlecloud.Once(maxAnswer)
	return &TTS{plan: p, client: client}, nil
}

// Close ends the connections. Calls that are under way fail.
func (t *TTS) Close() error { return t.client.Close() }

// Synthesize implements ports.TTSPort. Options.Voice is a name of Google's, which
// also settles the language.
func (t *TTS) Synthesize(ctx context.Context, text string, opt ports.TTSOptions) (domain.Audio, error) {
	if err := ports.FromContext(ctx, op); err != nil {
		return domain.Audio{}, err
	}
	req, f, err := t.request(text, opt)
	if err != nil {
		return domain.Audio{}, err
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	resp, err := t.client.SynthesizeSpeech(ctx, req)
	if err != nil {
		return domain.Audio{}, failure(ctx, err)
	}
	return deliver(resp.GetAudioContent(), f)
}

// request checks the call before it costs anything.
func (t *TTS) request(text string, opt ports.TTSOptions) (*texttospeechpb.SynthesizeSpeechRequest, format, error) {
	refuse := func(kind ports.Kind, reason string) (*texttospeechpb.SynthesizeSpeechRequest, format, error) {
		return nil, format{}, &ports.Error{Op: op, Kind: kind, Err: errors.New(reason)}
	}
	f, ok := formatOf(opt.Format)
	if !ok {
		return refuse(ports.KindUnsupported, "the format is none of Ogg/Opus, WAV and MP3")
	}
	text = strings.TrimSpace(strings.ToValidUTF8(text, " "))
	if !strings.ContainsFunc(text, pronounced) {
		return refuse(ports.KindInvalid, "there is nothing to say")
	}
	if len(text) > maxText {
		return refuse(ports.KindUnsupported, fmt.Sprintf("the text is longer than %d bytes", maxText))
	}
	tag := t.plan.language
	if opt.Language != "" {
		if tag, ok = parseTag(opt.Language); !ok {
			return refuse(ports.KindUnsupported, "the language is no BCP 47 tag")
		}
	}
	name := opt.Voice
	if name == "" {
		name = t.plan.voices.find(tag)
	} else if !voicePattern.MatchString(name) {
		return refuse(ports.KindUnsupported, "the voice is unknown")
	}
	code, ok := languageOf(name)
	if !ok {
		code = googleTag(tag)
	}
	return &texttospeechpb.SynthesizeSpeechRequest{
		Input:       &texttospeechpb.SynthesisInput{InputSource: &texttospeechpb.SynthesisInput_Text{Text: text}},
		Voice:       &texttospeechpb.VoiceSelectionParams{LanguageCode: code, Name: name},
		AudioConfig: &texttospeechpb.AudioConfig{AudioEncoding: f.encoding},
	}, f, nil
}

// pronounced reports whether a voice makes a sound of a character.
func pronounced(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// deliver looks at what came back.
func deliver(data []byte, f format) (domain.Audio, error) {
	if len(data) == 0 {
		return domain.Audio{}, &ports.Error{Op: op, Kind: ports.KindUnknown, Err: errors.New("the answer holds no sound")}
	}
	data, length, err := f.check(data)
	if err != nil {
		return domain.Audio{}, &ports.Error{Op: op, Kind: ports.KindTransient, Err: fmt.Errorf("the answer is not what was asked for: %w", err)}
	}
	clip, err := domain.NewAudio(f.mime, data, length)
	if err != nil {
		return domain.Audio{}, &ports.Error{Op: op, Kind: ports.KindTransient, Err: err}
	}
	return clip, nil
}

// bounded gives a call without a deadline its own.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, patience)
}
