package genai

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"mime"
	"slices"
	"strconv"
	"strings"
	"unicode"

	sdk "google.golang.org/genai"

	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.TTSPort = (*TTS)(nil)

const opTTS = "genai.tts"

const (
	// maxText is the longest text in bytes: about seven minutes of speech. The
	// models stop after eleven (16,384 tokens of sound), and voice notes end long
	// before.
	maxText = 6000
	// maxSpeech bounds the answer on the wire: eleven minutes in base64.
	maxSpeech = 48 << 20
	// defaultRate is what the models deliver when they do not say (Gemini API,
	// "Text-to-speech generation").
	defaultRate = 24_000
	minRate     = 8_000
	maxRate     = 192_000
)

// TTSConfig describes a voice.
type TTSConfig struct {
	Config
	// Model is the name of a text-to-speech model; empty means DefaultVoiceModel.
	Model string
	// Voice is a prebuilt voice's name, used when a call names none; empty means
	// DefaultVoice. Every voice speaks every language of the model.
	Voice string
	// Style says how to speak, in English: "warm, unhurried". It is for models from
	// Gemini 3.8 on; older ones ignore or refuse it.
	Style string
	// Languages bound what the voice may be asked to speak, as BCP 47 tags of which
	// only the language counts; empty means no bound. The models find out by
	// themselves which language a text is in.
	Languages []string
	// Encoder makes Ogg/Opus of what the model delivers. It is needed unless WAVOnly
	// is set.
	Encoder ports.EncoderPort
	// WAVOnly declares that nothing but WAV will be asked for.
	WAVOnly bool
}

// TTS is a Gemini text-to-speech model. It delivers mono Ogg/Opus and WAV, and
// takes texts of up to 6,000 bytes.
type TTS struct {
	engine
	voice, style string
	languages    []string // without script and region
	encoder      ports.EncoderPort
}

// NewTTS checks the configuration and lists all its faults. It does not dial.
func NewTTS(cfg TTSConfig) (*TTS, error) {
	setDefault(&cfg.Model, DefaultVoiceModel)
	setDefault(&cfg.Voice, DefaultVoice)
	base, err := cfg.complete()
	var encoder error
	if cfg.Encoder == nil && !cfg.WAVOnly {
		encoder = errors.New("an Opus encoder is missing: the model delivers PCM, and voice notes are Ogg/Opus")
	}
	if err := errors.Join(err, checkModel(cfg.Model), encoder); err != nil {
		return nil, fmt.Errorf("gemini voice: %w", err)
	}
	e, err := newEngine(base, cfg.Model)
	if err != nil {
		return nil, fmt.Errorf("gemini voice: %w", err)
	}
	t := &TTS{engine: e, voice: cfg.Voice, style: strings.TrimSpace(cfg.Style), encoder: cfg.Encoder}
	for _, l := range cfg.Languages {
		t.languages = append(t.languages, primary(l))
	}
	return t, nil
}

// Synthesize implements ports.TTSPort. A voice that the model does not have is
// KindUnsupported.
func (t *TTS) Synthesize(ctx context.Context, text string, opt ports.TTSOptions) (domain.Audio, error) {
	text = strings.TrimSpace(strings.ToValidUTF8(text, ""))
	asWAV := opt.Format == domain.MIMEWAV
	asOpus := opt.Format == "" || opt.Format == domain.MIMEOggOpus || opt.Format == "audio/ogg"
	unsupported := func(reason string) (domain.Audio, error) {
		return domain.Audio{}, refuse(opTTS, ports.KindUnsupported, reason)
	}
	switch {
	case !asWAV && !asOpus:
		return unsupported("the format is neither Ogg/Opus nor WAV")
	case asOpus && t.encoder == nil:
		return unsupported("there is no encoder for Ogg/Opus")
	case !strings.ContainsFunc(text, pronounced):
		return domain.Audio{}, refuse(opTTS, ports.KindInvalid, "there is nothing to say")
	case len(text) > maxText:
		return unsupported(fmt.Sprintf("the text is longer than %d bytes", maxText))
	case opt.Language != "" && len(t.languages) > 0 && !slices.Contains(t.languages, primary(opt.Language)):
		return unsupported("the voice is not meant for the language")
	}
	if err := ports.FromContext(ctx, opTTS); err != nil {
		return domain.Audio{}, err
	}
	ctx, cancel := t.bounded(ctx)
	defer cancel()
	said := &sdk.Part{Text: text}
	if t.style != "" {
		said.SpeechMetadata = &sdk.SpeechMetadata{Style: t.style}
	}
	resp, err := t.ask(ctx, opTTS, maxSpeech, []*sdk.Content{{Role: sdk.RoleUser, Parts: []*sdk.Part{said}}}, t.config(opt.Voice))
	if err != nil {
		return domain.Audio{}, err
	}
	sound, err := soundOf(resp)
	if err != nil {
		return domain.Audio{}, err
	}
	return t.deliver(ctx, sound, asWAV)
}

// config asks for speech and nothing else: the models refuse a system instruction
// and a temperature.
func (t *TTS) config(voice string) *sdk.GenerateContentConfig {
	if voice == "" {
		voice = t.voice
	}
	return &sdk.GenerateContentConfig{
		ResponseModalities: []string{string(sdk.ModalityAudio)},
		SpeechConfig: &sdk.SpeechConfig{VoiceConfig: &sdk.VoiceConfig{
			PrebuiltVoiceConfig: &sdk.PrebuiltVoiceConfig{VoiceName: voice},
		}},
	}
}

// deliver brings the sound into the asked format.
func (t *TTS) deliver(ctx context.Context, sound wav.PCM, asWAV bool) (domain.Audio, error) {
	clip, err := domain.NewAudio(domain.MIMEWAV, wav.Encode(sound.Samples, sound.Rate), sound.Duration())
	if err != nil {
		return domain.Audio{}, &ports.Error{Op: opTTS, Kind: ports.KindUnknown, Err: err}
	}
	if asWAV {
		return clip, nil
	}
	note, err := t.encoder.Encode(ctx, clip)
	if err != nil {
		if ended := ports.FromContext(ctx, opTTS); ended != nil {
			return domain.Audio{}, ended
		}
		return domain.Audio{}, &ports.Error{Op: opTTS, Kind: ports.KindOf(err), Err: fmt.Errorf("encode: %w", err)}
	}
	return note, nil
}

// soundOf reads the speech out of an answer, as mono samples. Now and then a model
// writes where it should speak (Gemini API, "Text-to-speech generation",
// limitations); a repeat mends that.
func soundOf(resp *sdk.GenerateContentResponse) (wav.PCM, error) {
	c, err := candidate(opTTS, resp)
	if err != nil {
		return wav.PCM{}, err
	}
	silent := refuse(opTTS, ports.KindTransient, "the answer holds no sound")
	if c == nil {
		return wav.PCM{}, silent
	}
	end, err := endingOf(opTTS, c.FinishReason)
	if err != nil {
		if ports.KindOf(err) == ports.KindUnknown {
			silent.Code = codeOf(string(c.FinishReason))
			err = silent
		}
		return wav.PCM{}, err
	}
	if end == cutShort {
		return wav.PCM{}, refuse(opTTS, ports.KindUnsupported, "the text takes longer to say than the model speaks")
	}
	var sound wav.PCM
	for _, p := range parts(c) {
		if p.InlineData == nil {
			continue
		}
		piece, err := decode(p.InlineData)
		if err != nil || sound.Rate != 0 && piece.Rate != sound.Rate {
			return wav.PCM{}, &ports.Error{Op: opTTS, Kind: ports.KindTransient, Err: errMalformed}
		}
		sound = wav.PCM{Rate: piece.Rate, Channels: 1, Samples: append(sound.Samples, piece.Mono()...)}
	}
	if len(sound.Samples) == 0 {
		return wav.PCM{}, silent
	}
	return sound, nil
}

// decode reads "audio/L16;codec=pcm;rate=24000", which models up to Gemini 3.1
// deliver, and WAV, which later ones do. Against RFC 2586 the samples are
// little-endian.
func decode(b *sdk.Blob) (wav.PCM, error) {
	kind, params, err := mime.ParseMediaType(b.MIMEType)
	if err != nil {
		return wav.PCM{}, errMalformed
	}
	switch kind {
	case domain.MIMEWAV, "audio/x-wav", "audio/wave":
		return wav.Decode(b.Data)
	case domain.MIMEPCM, "audio/pcm":
	default:
		return wav.PCM{}, errMalformed
	}
	rate := defaultRate
	if r := params["rate"]; r != "" {
		if rate, err = strconv.Atoi(r); err != nil || rate < minRate || rate > maxRate {
			return wav.PCM{}, errMalformed
		}
	}
	if ch := params["channels"]; ch != "" && ch != "1" || len(b.Data)%2 != 0 {
		return wav.PCM{}, errMalformed
	}
	samples := make([]int16, len(b.Data)/2)
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(b.Data[2*i:])) // #nosec G115 -- a sample, of which all bits count
	}
	return wav.PCM{Rate: rate, Channels: 1, Samples: samples}, nil
}

// pronounced reports whether a voice makes a sound of a character.
func pronounced(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
