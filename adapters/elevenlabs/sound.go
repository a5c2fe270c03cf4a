package elevenlabs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"strings"

	"whatsappnode/adapters/voicenote"
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
		return voicenote.Take(opTTS, b)
	case voicenote.LooksWAV(b):
		return voicenote.Convert(ctx, opTTS, t.cfg.Encoder, domain.MIMEWAV, b)
	case codec == "pcm" && !bytes.HasPrefix(b, []byte("ID3")):
		// Quiet samples look like the beginning of an MP3 frame. Half a sample at the
		// end is nothing to hear.
		return voicenote.Convert(ctx, opTTS, t.cfg.Encoder, fmt.Sprintf("%s; rate=%d", domain.MIMEPCM, rate), b[:len(b)&^1])
	case voicenote.LooksMP3(b):
		return voicenote.Convert(ctx, opTTS, t.cfg.Encoder, domain.MIMEMP3, b)
	}
	return domain.Audio{}, malformed(opTTS, "the answer is no sound that is known")
}
