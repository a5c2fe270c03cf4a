package offline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.TTSPort = (*TTS)(nil)

const opTTS = "offline.tts"

const (
	// maxText is the longest text in bytes, about five minutes of speech.
	maxText = 5000
	// maxSound bounds the sound file of an engine: twelve minutes at 22 kHz.
	maxSound = 32 << 20
	// maxClip bounds the encoded clip.
	maxClip = oggopus.MaxVoiceNote
)

// TTS speaks English with flite's voice slt and other languages with espeak-ng,
// which also speaks English where flite is missing. Texts may have up to 5,000
// bytes. The formats are Ogg/Opus at about 24 kbit/s, mono, and WAV. The same text
// always yields the same bytes.
type TTS struct {
	flite, espeak, opusenc string // empty: not there
	temp                   string
	slots                  slots
}

// NewTTS finds the engines. Its error names the Debian packages to install.
func NewTTS(cfg Config) (*TTS, error) {
	t := &TTS{temp: cfg.TempDir, slots: cfg.slots()}
	var err error
	if t.opusenc, err = cfg.find(progOpus); err != nil {
		return nil, missing("the Opus encoder opusenc", pkgOpus)
	}
	t.flite, _ = cfg.find(progFlite)
	t.espeak, _ = cfg.find(progEspeak)
	if t.flite == "" && t.espeak == "" {
		return nil, missing("an offline voice", pkgFlite, pkgEspeak)
	}
	return t, nil
}

// Synthesize implements ports.TTSPort. Options.Voice is a name of flite's ("slt",
// "rms", "kal", "awb") or one of espeak-ng's variants ("f2", "m3"); an unknown
// voice is KindUnsupported.
func (t *TTS) Synthesize(ctx context.Context, text string, opt ports.TTSOptions) (domain.Audio, error) {
	refuse := func(kind ports.Kind, reason string) (domain.Audio, error) {
		return domain.Audio{}, fail(ctx, opTTS, kind, errors.New(reason))
	}
	asWAV := opt.Format == domain.MIMEWAV
	text = clean(text)
	switch {
	case !asWAV && opt.Format != "" && opt.Format != domain.MIMEOggOpus && opt.Format != "audio/ogg":
		return refuse(ports.KindUnsupported, "the format is neither Ogg/Opus nor WAV")
	case !strings.ContainsFunc(text, pronounced):
		return refuse(ports.KindInvalid, "there is nothing to say")
	case len(text) > maxText:
		return refuse(ports.KindUnsupported, fmt.Sprintf("the text is longer than %d bytes", maxText))
	}
	speaker, err := t.speaker(opt)
	if err != nil {
		return domain.Audio{}, fail(ctx, opTTS, ports.KindUnsupported, err)
	}
	if err := t.slots.take(ctx, opTTS); err != nil {
		return domain.Audio{}, err
	}
	defer t.slots.free()
	sound, err := t.speak(ctx, speaker, text)
	if err != nil {
		return domain.Audio{}, err
	}
	return t.deliver(ctx, sound, asWAV)
}

// speaker is the program that speaks, with its arguments.
type speaker struct {
	path   string
	args   []string
	toFile bool // it writes to the file named by the last argument, not to its output
}

func (t *TTS) speaker(opt ports.TTSOptions) (speaker, error) {
	if t.flite != "" && (opt.Language == "" || primary(opt.Language) == "en") {
		voice := opt.Voice
		switch voice {
		case "":
			voice = "slt"
		case "slt", "rms", "kal", "kal16", "awb":
		default:
			return speaker{}, errors.New("the voice is unknown")
		}
		// flite rewrites the header of its output as it goes, so it needs a file.
		return speaker{path: t.flite, args: []string{"-voice", voice, "-f", "/dev/stdin", "-o"}, toFile: true}, nil
	}
	if t.espeak == "" {
		return speaker{}, errors.New("without espeak-ng only English is spoken")
	}
	voice, ok := espeakVoice(opt.Language)
	if !ok {
		return speaker{}, errors.New("there is no voice for the language")
	}
	if opt.Voice != "" {
		if !variant(opt.Voice) {
			return speaker{}, errors.New("the voice is unknown")
		}
		voice += "+" + opt.Voice
	}
	return speaker{path: t.espeak, args: []string{"-v", voice, "-b", "1", "--stdin", "--stdout"}}, nil
}

// variant reports whether a name is one of espeak-ng's voice variants f1 to f5 and
// m1 to m8, which fit every language.
func variant(name string) bool {
	return len(name) == 2 && (name[0] == 'f' && name[1] >= '1' && name[1] <= '5' || name[0] == 'm' && name[1] >= '1' && name[1] <= '8')
}

// speak runs the engine and reads its sound.
func (t *TTS) speak(ctx context.Context, s speaker, text string) (wav.PCM, error) {
	var (
		data []byte
		err  error
	)
	if s.toFile {
		data, err = t.throughFile(ctx, s, text)
	} else {
		data, err = run(ctx, opTTS, s.path, s.args, []byte(text), maxSound)
	}
	if err != nil {
		return wav.PCM{}, err
	}
	sound, err := wav.Decode(data)
	if err == nil && len(sound.Samples) == 0 {
		err = errors.New("the engine said nothing")
	}
	if err != nil {
		return wav.PCM{}, fail(ctx, opTTS, ports.KindUnknown, err)
	}
	return sound, nil
}

// throughFile lets the engine write into a directory that only this process may
// enter, and removes it whatever happens.
func (t *TTS) throughFile(ctx context.Context, s speaker, text string) (data []byte, err error) {
	dir, err := os.MkdirTemp(t.temp, "offline-voice-")
	if err != nil {
		return nil, fail(ctx, opTTS, ports.KindTransient, fmt.Errorf("make a directory: %w", err))
	}
	defer func() {
		if left := os.RemoveAll(dir); left != nil && err == nil {
			data, err = nil, fail(ctx, opTTS, ports.KindTransient, fmt.Errorf("clean up: %w", left))
		}
	}()
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fail(ctx, opTTS, ports.KindTransient, err)
	}
	file := filepath.Join(dir, "speech.wav")
	if _, err := run(ctx, opTTS, s.path, append(s.args, file), []byte(text), maxWords); err != nil {
		return nil, err
	}
	info, err := os.Stat(file)
	if err == nil && info.Size() > maxSound {
		err = errors.New("the engine wrote too much")
	}
	if err == nil {
		data, err = os.ReadFile(file) // #nosec G304 -- a file of a directory that was made for this call
	}
	if err != nil {
		return nil, fail(ctx, opTTS, ports.KindUnknown, err)
	}
	return data, nil
}

// deliver brings the sound into the asked format.
func (t *TTS) deliver(ctx context.Context, sound wav.PCM, asWAV bool) (domain.Audio, error) {
	data := wav.Encode(sound.Mono(), sound.Rate)
	mime, length := domain.MIMEWAV, sound.Duration()
	if !asWAV {
		var err error
		if data, length, err = t.encode(ctx, data); err != nil {
			return domain.Audio{}, err
		}
		mime = domain.MIMEOggOpus
	}
	clip, err := domain.NewAudio(mime, data, length)
	if err != nil {
		return domain.Audio{}, fail(ctx, opTTS, ports.KindUnknown, err)
	}
	return clip, nil
}

// encode turns a WAV file into Ogg/Opus.
func (t *TTS) encode(ctx context.Context, sound []byte) ([]byte, time.Duration, error) {
	encoded, err := run(ctx, opTTS, t.opusenc, []string{
		"--quiet", "--speech", "--cvbr", "--bitrate", "24", "--downmix-mono", "-", "-",
	}, sound, maxClip)
	if err != nil {
		return nil, 0, err
	}
	data, info, err := oggopus.Rewrite(encoded)
	if err != nil {
		return nil, 0, fail(ctx, opTTS, ports.KindUnknown, err)
	}
	return data, info.Duration, nil
}

// clean makes text safe for engines that read plain text: no control characters,
// no invalid UTF-8.
func clean(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " ")))
}

// pronounced reports whether an engine makes a sound of a character.
func pronounced(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
