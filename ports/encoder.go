package ports

import (
	"context"

	"whatsappnode/domain"
)

// EncoderPort makes a voice note of what an engine delivered.
//
// Encode takes one whole clip of domain.MIMEWAV (16-bit PCM), domain.MIMEPCM (with
// its rate parameter, and channels=2 when there are two) or domain.MIMEMP3, of one
// or two channels, and returns it as mono Ogg/Opus (domain.MIMEOggOpus) of about 24
// kbit/s: as long as the clip was to within 100 ms, as loud to within 1 dB, both
// channels mixed. What is mono Ogg/Opus already comes back with the same bytes,
// after its checksums were looked at; Ogg/Opus of two channels is encoded again.
//
// Encode blocks until the whole voice note is there or ctx ends (KindCanceled or
// KindTimeout). It may be called concurrently and does not retry. A clip of another
// type, one that is corrupt, or one over ten minutes is KindUnsupported; a zero
// clip, or one without samples, is KindInvalid. The clip is neither changed nor
// kept.
type EncoderPort interface {
	Encode(ctx context.Context, clip domain.Audio) (domain.Audio, error)
}
