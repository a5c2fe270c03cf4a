package fake

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.STTPort = (*STT)(nil)

const opSTT = "fake.stt"

// STT is a scripted ear. It hears what TTS or Clip put into a clip; of any other
// clip it hears the next line of its script, and without one "[voice message of N
// seconds]". It reads Ogg/Opus and WAV.
type STT struct {
	desk[STTCall]
	script chan string
}

// STTCall is one logged call. The clip is not kept.
type STTCall struct {
	At       time.Time
	MIME     string
	Bytes    int
	Duration time.Duration
	Options  ports.STTOptions
}

// NewSTT makes an ear with the given knobs.
func NewSTT(k Knobs) (*STT, error) {
	if err := k.Validate(); err != nil {
		return nil, err
	}
	s := &STT{script: make(chan string, maxScript)}
	s.knobs = k
	return s, nil
}

// Script queues what is heard in the next clips that carry no words of their own.
// More than 1,000 waiting lines are an error of the test that calls it, and panic.
func (s *STT) Script(lines ...string) { enqueue(s.script, lines) }

// Transcribe implements ports.STTPort.
func (s *STT) Transcribe(ctx context.Context, clip domain.Audio, opt ports.STTOptions) (domain.Transcript, error) {
	if err := ports.FromContext(ctx, opSTT); err != nil {
		return domain.Transcript{}, err
	}
	if clip.Empty() {
		return domain.Transcript{}, &ports.Error{Op: opSTT, Kind: ports.KindInvalid, Err: errors.New("there is no clip")}
	}
	words, carried, length, err := listen(clip)
	if err != nil {
		return domain.Transcript{}, err
	}
	k, fails := s.begin(STTCall{At: time.Now(), MIME: clip.MIME(), Bytes: len(clip.Bytes()), Duration: length, Options: opt})
	if err := k.wait(ctx, opSTT, k.Transcribe); err != nil {
		return domain.Transcript{}, err
	}
	if fails {
		k.explode(words)
		return domain.Transcript{}, k.failure(opSTT)
	}
	if k.Empty {
		return domain.Transcript{}, nil
	}
	if !carried {
		words = s.next(length)
	}
	t := domain.Transcript{Text: words, Confidence: 1}
	if len(opt.Languages) > 0 {
		t.Language = opt.Languages[0]
	}
	return t, nil
}

func (s *STT) next(length time.Duration) string {
	select {
	case line := <-s.script:
		return line
	default:
		return fmt.Sprintf("[voice message of %d seconds]", int(math.Round(length.Seconds())))
	}
}

// listen measures a clip and looks for words in it.
func listen(clip domain.Audio) (words string, carried bool, length time.Duration, err error) {
	switch clip.Type() {
	case "audio/ogg":
		var info oggopus.Info
		if info, err = oggopus.Inspect(clip.Bytes()); err == nil {
			words, carried = info.Get(transcriptTag)
			return words, carried, info.Duration, nil
		}
	case domain.MIMEWAV:
		var pcm wav.PCM
		if pcm, err = wav.Decode(clip.Bytes()); err == nil {
			return "", false, pcm.Duration(), nil
		}
	default:
		err = errors.New("the clip is neither Ogg/Opus nor WAV")
	}
	return "", false, 0, &ports.Error{Op: opSTT, Kind: ports.KindUnsupported, Err: err}
}
