package domain

import (
	"errors"
	"strings"
	"time"
)

// MIME types the project speaks of.
const (
	// MIMEOggOpus is what WhatsApp records and what a voice note must be.
	MIMEOggOpus = "audio/ogg; codecs=opus"
	MIMEWAV     = "audio/wav"
	MIMEMP3     = "audio/mpeg"
	// MIMEPCM is raw signed 16-bit little-endian mono; the rate is a parameter,
	// as in "audio/l16; rate=24000" (RFC 2586 names the type).
	MIMEPCM = "audio/l16"
)

// ErrEmptyAudio says that a clip holds no bytes.
var ErrEmptyAudio = errors.New("audio clip is empty")

// Audio is one whole clip in memory with its MIME type. The bytes are shared,
// not copied: neither side may change them after handing them over.
type Audio struct {
	mime     string
	data     []byte
	duration time.Duration
}

// NewAudio makes a clip. Duration is zero where nobody measured it.
func NewAudio(mime string, data []byte, duration time.Duration) (Audio, error) {
	if len(data) == 0 {
		return Audio{}, ErrEmptyAudio
	}
	if baseType(mime) == "" {
		return Audio{}, errors.New("audio clip has no MIME type")
	}
	if duration < 0 {
		return Audio{}, errors.New("audio duration is negative")
	}
	return Audio{mime: mime, data: data, duration: duration}, nil
}

// MIME is the type with its parameters as given.
func (a Audio) MIME() string { return a.mime }

// Type is the MIME type without parameters, in lower case: "audio/ogg".
func (a Audio) Type() string { return baseType(a.mime) }

// Bytes is the encoded clip. It must not be changed.
func (a Audio) Bytes() []byte { return a.data }

// Duration is how long the clip plays, or zero when unknown.
func (a Audio) Duration() time.Duration { return a.duration }

// Empty reports whether this is the zero value.
func (a Audio) Empty() bool { return len(a.data) == 0 }

// Media is a downloaded object. The download was checked against the size cap,
// the checksum and the magic bytes before it got here.
type Media struct {
	MIME string
	Data []byte
}

func baseType(mime string) string {
	t, _, _ := strings.Cut(mime, ";")
	return strings.ToLower(strings.TrimSpace(t))
}
