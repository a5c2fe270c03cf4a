package openai

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// stereoRate is the rate at which Opus that is no voice note is decoded, in Hz: one
// that loses nothing a voice has.
const stereoRate = 24_000

// deliver brings what the server said into the format the caller wants. Servers are
// not believed: what counts is how the bytes begin.
func (t *TTS) deliver(ctx context.Context, sound []byte, asked, want string) (domain.Audio, error) {
	got := soundOf(sound)
	switch {
	case len(sound) == 0:
		return domain.Audio{}, transient(opTTS, "the server said nothing")
	case got == "" && saysFailure(sound):
		return domain.Audio{}, readFailure(sound).fault(opTTS, 0, nil)
	case got == "" && asked == FormatPCM && len(sound)%2 == 0:
		got = FormatPCM
	case got == "":
		return domain.Audio{}, transient(opTTS, "the answer is no sound")
	}
	switch want {
	case domain.MIMEWAV:
		return asWAV(sound, got)
	case domain.MIMEMP3:
		if got != FormatMP3 {
			return domain.Audio{}, unsupported(opTTS, "the server answered "+got+" although MP3 was asked for")
		}
		return clipOf(domain.MIMEMP3, sound, 0)
	}
	return t.asNote(ctx, sound, got)
}

// soundOf tells the format by the first bytes, or is empty. Raw samples and text
// look like nothing.
func soundOf(b []byte) string {
	switch {
	case isOgg(b):
		return FormatOpus
	case isWAV(b):
		return FormatWAV
	case isMP3(b):
		return FormatMP3
	}
	return ""
}

// isVorbis looks at the first packet of an Ogg file, behind a page header with one
// lacing value. Some servers call every Ogg file Opus.
func isVorbis(b []byte) bool {
	const header = 28
	return isOgg(b) && len(b) > header && bytes.HasPrefix(b[header:], []byte("\x01vorbis"))
}

func asWAV(sound []byte, got string) (domain.Audio, error) {
	if got != FormatWAV {
		return domain.Audio{}, unsupported(opTTS, "the server answered "+got+" although WAV was asked for")
	}
	pcm, err := wav.Decode(sound)
	if err != nil {
		return domain.Audio{}, unsupported(opTTS, err.Error())
	}
	if len(pcm.Samples) == 0 {
		return domain.Audio{}, transient(opTTS, "the server said nothing")
	}
	// Written anew, because servers that stream leave the lengths in the header open.
	return clipOf(domain.MIMEWAV, wav.Encode(pcm.Mono(), pcm.Rate), pcm.Duration())
}

// asNote makes a voice note. Sound Opus is one already; everything else goes through
// the encoder.
func (t *TTS) asNote(ctx context.Context, sound []byte, got string) (domain.Audio, error) {
	mime := map[string]string{FormatWAV: domain.MIMEWAV, FormatMP3: domain.MIMEMP3, FormatPCM: fmt.Sprintf("%s; rate=%d", domain.MIMEPCM, t.pcmRate)}[got]
	if got == FormatOpus {
		info, fault := oggopus.Examine(sound)
		switch {
		case fault == nil:
			return clipOf(domain.MIMEOggOpus, sound, info.Duration)
		case isVorbis(sound):
			return domain.Audio{}, unsupported(opTTS, "the server answered Vorbis although Opus was asked for: it needs another response format")
		case errors.Is(fault, oggopus.ErrUnended):
			return domain.Audio{}, transient(opTTS, "the Opus clip breaks off: a server that always does so, such as an old Kokoro-FastAPI, needs another response format")
		case !errors.Is(fault, oggopus.ErrNotMono) && !errors.Is(fault, oggopus.ErrChained):
			return domain.Audio{}, transient(opTTS, fault.Error())
		case t.encoding == nil:
			return domain.Audio{}, unsupported(opTTS, fault.Error()+", and there is no encoder to mend it")
		}
		pcm, err := oggopus.DecodePCM(sound, stereoRate)
		if err != nil {
			return domain.Audio{}, transient(opTTS, err.Error())
		}
		mime, sound = domain.MIMEWAV, wav.Encode(pcm, stereoRate)
	}
	if t.encoding == nil {
		return domain.Audio{}, unsupported(opTTS, "the server answered "+got+" although Opus was asked for, and there is no encoder")
	}
	clip, err := clipOf(mime, sound, 0)
	if err != nil {
		return domain.Audio{}, err
	}
	note, err := t.encoding.Encode(ctx, clip)
	if err != nil {
		return domain.Audio{}, &ports.Error{Op: opTTS, Kind: ports.KindOf(err), Err: fmt.Errorf("encode the voice: %w", err)}
	}
	return note, nil
}

func clipOf(mime string, data []byte, length time.Duration) (domain.Audio, error) {
	clip, err := domain.NewAudio(mime, data, length)
	if err != nil {
		return domain.Audio{}, &ports.Error{Op: opTTS, Kind: ports.KindUnknown, Err: err}
	}
	return clip, nil
}
