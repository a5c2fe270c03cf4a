package patternai

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"strconv"
	"strings"

	"whatsappnode/adapters/voicenote"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

// deliver makes a voice note of what came. The first bytes are believed before the
// type, which servers get wrong; raw samples have nothing but their type.
func (t *TTS) deliver(ctx context.Context, header string, b []byte) (domain.Audio, error) {
	kind, params, _ := mime.ParseMediaType(header)
	switch {
	case len(b) == 0:
		return domain.Audio{}, empty(opTTS, "")
	case kind == "application/json":
		r, err := parseReport(opTTS, b)
		if err == nil {
			err = r.failure(opTTS)
		}
		if err == nil {
			err = malformed(opTTS, r.RequestID, "the answer is no sound")
		}
		return domain.Audio{}, err
	case bytes.HasPrefix(b, []byte("OggS")):
		return voicenote.Take(opTTS, b)
	case voicenote.LooksWAV(b):
		return voicenote.Convert(ctx, opTTS, t.cfg.Encoder, domain.MIMEWAV, b)
	case kind == domain.MIMEPCM || kind == "audio/pcm" || kind == "audio/x-pcm":
		// Before MP3: quiet samples look like the beginning of one of its frames.
		rate, err := strconv.Atoi(params["rate"])
		if err != nil || rate < 8000 || rate > 192_000 {
			return domain.Audio{}, unsupported(errors.New("the answer is raw samples of an unknown rate"))
		}
		return voicenote.Convert(ctx, opTTS, t.cfg.Encoder, fmt.Sprintf("%s; rate=%d", domain.MIMEPCM, rate), b[:len(b)&^1])
	case voicenote.LooksMP3(b):
		return voicenote.Convert(ctx, opTTS, t.cfg.Encoder, domain.MIMEMP3, b)
	case strings.HasPrefix(kind, "audio/") && kind != domain.MIMEMP3 && kind != domain.MIMEWAV:
		return domain.Audio{}, unsupported(errors.New("the answer is a kind of sound that cannot be converted"))
	}
	return domain.Audio{}, malformed(opTTS, "", "the answer is no sound")
}

func unsupported(err error) error {
	return &ports.Error{Op: opTTS, Kind: ports.KindUnsupported, Err: err}
}
