package elevenlabs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"strings"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// deliver makes a voice note of what came. The bytes are believed before their
// type and before what was asked for: an account that may not have Opus may be
// given MP3.
func (t *TTS) deliver(ctx context.Context, got answer) (domain.Audio, error) {
	codec, rate := splitFormat(t.cfg.OutputFormat)
	kind, _, _ := mime.ParseMediaType(got.header.Get("Content-Type"))
	b := got.body
	switch {
	case len(b) == 0:
		return domain.Audio{}, &ports.Error{Op: opTTS, Kind: ports.KindUnknown, Err: errors.New("the answer is empty")}
	case kind == "application/json", strings.HasPrefix(kind, "text/"):
		return domain.Audio{}, malformed(opTTS, "the answer is no sound")
	case bytes.HasPrefix(b, []byte("OggS")):
		return voiceNote(b)
	case looksWAV(b):
		return t.convert(ctx, domain.MIMEWAV, b)
	case codec == "pcm" && !bytes.HasPrefix(b, []byte("ID3")):
		// Quiet samples look like the beginning of an MP3 frame. Half a sample at the
		// end is nothing to hear.
		return t.convert(ctx, fmt.Sprintf("%s; rate=%d", domain.MIMEPCM, rate), b[:len(b)&^1])
	case looksMP3(b):
		return t.convert(ctx, domain.MIMEMP3, b)
	}
	return domain.Audio{}, malformed(opTTS, "the answer is no sound that is known")
}

// convert has the encoder make a voice note.
func (t *TTS) convert(ctx context.Context, kind string, b []byte) (domain.Audio, error) {
	if t.cfg.Encoder == nil {
		return domain.Audio{}, &ports.Error{Op: opTTS, Kind: ports.KindUnsupported, Err: errors.New("the answer is not Opus and there is no encoder")}
	}
	clip, err := domain.NewAudio(kind, b, 0)
	if err != nil {
		return domain.Audio{}, malformed(opTTS, "the answer is no sound")
	}
	note, err := t.cfg.Encoder.Encode(ctx, clip)
	switch {
	case err == nil:
		return note, nil
	case ports.KindOf(err) == ports.KindInvalid:
		// The encoder was given no sample: that is the answer's fault, not the caller's.
		return domain.Audio{}, &ports.Error{Op: opTTS, Kind: ports.KindUnknown, Err: err}
	}
	return domain.Audio{}, fmt.Errorf("%s: encode: %w", opTTS, err)
}

// voiceNote checks an Ogg file and measures it.
func voiceNote(b []byte) (domain.Audio, error) {
	err := oggopus.Check(b)
	if errors.Is(err, oggopus.ErrUnended) {
		// HTTP says that the answer is whole. An encoder that wrote while the model
		// still spoke did not know which page would be the last.
		if b, err = finish(b); err == nil {
			err = oggopus.Check(b)
		}
	}
	var clip domain.Audio
	if err == nil {
		info, _ := oggopus.Inspect(b) // Check has read it all
		clip, err = domain.NewAudio(domain.MIMEOggOpus, b, info.Duration)
	}
	if err == nil {
		return clip, nil
	}
	kind := ports.KindTransient
	switch {
	case errors.Is(err, oggopus.ErrNotMono), errors.Is(err, oggopus.ErrChained), errors.Is(err, oggopus.ErrTooLarge):
		kind = ports.KindUnsupported // and would be again
	case errors.Is(err, oggopus.ErrSilentFile):
		kind = ports.KindUnknown
	}
	return domain.Audio{}, &ports.Error{Op: opTTS, Kind: kind, Err: err}
}

// finish writes a stream anew, with its end.
func finish(b []byte) ([]byte, error) {
	r, err := oggopus.NewReader(b)
	if err != nil {
		return nil, err
	}
	head := r.Head()
	return oggopus.Encode(func(yield func([]byte) bool) {
		for p, err := range oggopus.Packets(b) {
			if err != nil || !yield(p.Data) {
				return // Check found every packet readable
			}
		}
	}, oggopus.Options{Serial: r.Serial(), PreSkip: head.PreSkip, InputRate: head.InputRate, Gain: head.Gain})
}
