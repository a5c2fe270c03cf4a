package ports

import (
	"context"

	"whatsappnode/domain"
)

// STTPort turns one whole clip into text.
//
// Transcribe blocks until the whole transcript is there or ctx ends (KindCanceled
// or KindTimeout). It may be called concurrently and does not retry. Silence and
// noise are no error: the transcript's text is empty then. A clip in a format the
// engine cannot read, or one that is corrupt or too long for it, is
// KindUnsupported; a zero clip is KindInvalid. The clip is not kept.
type STTPort interface {
	Transcribe(ctx context.Context, clip domain.Audio, opt STTOptions) (domain.Transcript, error)
}

// STTOptions guide the engine.
type STTOptions struct {
	// Languages are the BCP 47 tags that may be spoken, the likeliest first; empty
	// means that the engine decides.
	Languages []string
	// Hint is text that makes names and terms likelier, or empty.
	Hint string
}

// TTSPort speaks a text.
//
// Synthesize blocks until the whole clip is there or ctx ends. It may be called
// concurrently and does not retry. The clip is in the asked format, and its bytes
// are what its MIME type says; a format the engine cannot deliver is
// KindUnsupported, never another format. Text without anything to say is
// KindInvalid, text over the engine's limit KindUnsupported.
type TTSPort interface {
	Synthesize(ctx context.Context, text string, opt TTSOptions) (domain.Audio, error)
}

// TTSOptions say how to speak.
type TTSOptions struct {
	// Format is the MIME type of the clip; empty means domain.MIMEOggOpus, mono.
	Format string
	// Language is the BCP 47 tag of the text, or empty for the engine's default.
	Language string
	// Voice is the vendor's name of a voice, or empty for the default of Language.
	Voice string
}
