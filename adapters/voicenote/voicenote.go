// Package voicenote makes a voice note of the sound that came over HTTP from an
// engine that speaks, whatever the vendor.
package voicenote

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Take checks an Ogg file that came as a whole answer, and measures it. Its errors
// are Errors of op.
func Take(op string, b []byte) (domain.Audio, error) {
	info, err := oggopus.Examine(b)
	if errors.Is(err, oggopus.ErrUnended) {
		// HTTP says that the answer is whole. An encoder that wrote while the model
		// still spoke did not know which page would be the last.
		if b, err = finish(b); err == nil {
			info, err = oggopus.Examine(b)
		}
	}
	var clip domain.Audio
	if err == nil {
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
	return domain.Audio{}, &ports.Error{Op: op, Kind: kind, Err: err}
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
				return // Examine found every packet readable
			}
		}
	}, oggopus.Options{Serial: r.Serial(), PreSkip: head.PreSkip, InputRate: head.InputRate, Gain: head.Gain})
}

// Convert has the encoder make a voice note of an answer of the MIME type kind. A nil
// encoder is KindUnsupported.
func Convert(ctx context.Context, op string, encoder ports.EncoderPort, kind string, b []byte) (domain.Audio, error) {
	if encoder == nil {
		return domain.Audio{}, &ports.Error{Op: op, Kind: ports.KindUnsupported, Err: errors.New("the answer is not Opus and there is no encoder")}
	}
	clip, err := domain.NewAudio(kind, b, 0)
	if err != nil {
		return domain.Audio{}, &ports.Error{Op: op, Kind: ports.KindTransient, Err: errors.New("the answer is no sound")}
	}
	note, err := encoder.Encode(ctx, clip)
	switch {
	case err == nil:
		return note, nil
	case ports.KindOf(err) == ports.KindInvalid:
		// The encoder was given no sample: that is the answer's fault, not the caller's.
		return domain.Audio{}, &ports.Error{Op: op, Kind: ports.KindUnknown, Err: err}
	}
	return domain.Audio{}, fmt.Errorf("%s: encode: %w", op, err)
}

// LooksWAV and the others know a sound by its first bytes.
func LooksWAV(b []byte) bool {
	return len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WAVE"
}

// LooksMP3 knows a tag before MP3, or a frame of layers I to III.
func LooksMP3(b []byte) bool {
	return bytes.HasPrefix(b, []byte("ID3")) || looksFramed(b) && b[1]&0x06 != 0
}

// LooksAAC knows ADIF and ADTS, whose frames carry the layer that MPEG audio reserves.
func LooksAAC(b []byte) bool {
	return bytes.HasPrefix(b, []byte("ADIF")) || looksFramed(b) && b[1]&0x06 == 0
}

func looksFramed(b []byte) bool { return len(b) > 1 && b[0] == 0xff && b[1]&0xe0 == 0xe0 }
