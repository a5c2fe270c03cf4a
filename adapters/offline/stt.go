package offline

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.STTPort = (*STT)(nil)

const opSTT = "offline.stt"

const (
	sphinxRate = 16_000
	// maxHeard is the longest clip: pocketsphinx takes about half of a clip's length
	// to hear it, which nobody waits for beyond this.
	maxHeard = 2 * time.Minute
	// maxWords bounds what the engine may write.
	maxWords = 64 << 10
)

// STT hears English with pocketsphinx, in Ogg/Opus and WAV clips of up to two
// minutes. It gives no confidence.
type STT struct {
	sphinx string
	model  model
	slots  slots
}

// NewSTT finds the engine. Its error names the Debian packages to install.
func NewSTT(cfg Config) (*STT, error) {
	s := &STT{model: cfg.model(), slots: cfg.slots()}
	var err error
	if s.sphinx, err = cfg.find(progSphinx); err != nil {
		return nil, missing("the offline ear pocketsphinx", pkgSphinx, pkgModel)
	}
	if !s.model.complete() {
		return nil, missing("the English model of pocketsphinx", pkgModel)
	}
	return s, nil
}

// Transcribe implements ports.STTPort. The transcript is always taken for English;
// when only other languages may be spoken the clip is KindUnsupported.
func (s *STT) Transcribe(ctx context.Context, clip domain.Audio, opt ports.STTOptions) (domain.Transcript, error) {
	if clip.Empty() {
		return domain.Transcript{}, fail(ctx, opSTT, ports.KindInvalid, errors.New("there is no clip"))
	}
	language, ok := english(opt.Languages)
	if !ok {
		return domain.Transcript{}, fail(ctx, opSTT, ports.KindUnsupported, errors.New("the engine hears English only"))
	}
	if err := s.slots.take(ctx, opSTT); err != nil {
		return domain.Transcript{}, err
	}
	defer s.slots.free()
	pcm, err := decode(ctx, clip)
	if err != nil {
		return domain.Transcript{}, fail(ctx, opSTT, ports.KindUnsupported, err)
	}
	out, err := run(ctx, opSTT, s.sphinx, []string{
		"-infile", "/dev/stdin", // anything not named .wav is read as raw samples
		"-samprate", "16000",
		"-hmm", s.model.acoustic, "-lm", s.model.language, "-dict", s.model.dictionary,
		"-logfn", "/dev/null",
	}, wav.Bytes(nil, pcm), maxWords)
	if err != nil {
		return domain.Transcript{}, err
	}
	words := strings.Fields(string(out))
	if len(words) == 1 && slices.Contains(noiseWords, words[0]) {
		words = nil
	}
	return domain.Transcript{Text: strings.Join(words, " "), Language: language}, nil
}

// noiseWords are what the engine makes of steady noise. Nobody sends a voice note
// of one of them alone.
var noiseWords = strings.Fields("a ah an and but eh hm hmm huh if in it mm of oh or the to uh um")

// decode turns a clip into mono samples at the engine's rate. The length is looked
// at before anything is decoded.
func decode(ctx context.Context, clip domain.Audio) ([]int16, error) {
	errLong := errors.New("the clip is longer than two minutes")
	switch clip.Type() {
	case "audio/ogg", "audio/opus":
		length, err := oggopus.Length(clip.Bytes())
		if err != nil {
			return nil, err
		}
		if length > maxHeard {
			return nil, errLong
		}
		var out []int16
		for pcm, err := range oggopus.PCM(clip.Bytes(), sphinxRate) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return nil, err
			}
			out = append(out, pcm...)
		}
		return out, nil
	case domain.MIMEWAV, "audio/x-wav", "audio/wave":
		p, err := wav.Decode(clip.Bytes())
		if err != nil {
			return nil, err
		}
		if p.Duration() > maxHeard {
			return nil, errLong
		}
		return wav.Resample(p.Mono(), p.Rate, sphinxRate), nil
	}
	return nil, errors.New("the clip is neither Ogg/Opus nor WAV")
}

// english picks the English tag out of those that may be spoken.
func english(languages []string) (tag string, ok bool) {
	if len(languages) == 0 {
		return "en", true
	}
	i := slices.IndexFunc(languages, func(l string) bool { return primary(l) == "en" })
	if i < 0 {
		return "", false
	}
	return languages[i], true
}

// primary is the language of a BCP 47 tag without script and region.
func primary(tag string) string {
	p, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(tag), "_", "-"), "-")
	return p
}
