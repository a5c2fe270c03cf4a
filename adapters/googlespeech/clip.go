package googlespeech

import (
	"errors"
	"io"
	"time"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/domain"
)

// What Google takes (Google, "Quotas and limits"), with room for its own way of
// counting.
const (
	maxUnary      = 55 * time.Second
	maxStream     = 290 * time.Second
	maxUnaryBytes = 9_900_000
	// maxPiece is one message of a stream: 25 KB are allowed.
	maxPiece = 24_000
)

// clip is a checked Ogg/Opus file.
type clip struct {
	data     []byte
	length   time.Duration // of its packets, whatever the file claims
	channels int
	rate     int // of the recording in Hz, or 0
}

// measure reads every page and packet. Each error means that Google could not read
// the clip either.
func measure(audio domain.Audio) (clip, error) {
	switch audio.Type() {
	case "audio/ogg", "audio/opus", "application/ogg":
	default:
		return clip{}, errors.New("the clip is not Ogg/Opus")
	}
	r, err := oggopus.NewReader(audio.Bytes())
	if err != nil {
		return clip{}, err
	}
	c := clip{data: audio.Bytes(), channels: r.Head().Channels, rate: r.Head().InputRate}
	samples := int64(0)
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return clip{}, err
		}
		if p.Stream > 0 {
			return clip{}, errors.New("the file holds several streams, of which only the first would be heard")
		}
		samples += int64(p.Samples)
	}
	if samples == 0 {
		return clip{}, errors.New("the file holds no sound")
	}
	c.length = time.Duration(samples) * time.Second / oggopus.ClockRate
	if c.length > maxStream {
		return clip{}, errors.New("the clip is longer than 290 seconds")
	}
	return c, nil
}

// short reports whether the clip goes in one request.
func (c clip) short() bool { return c.length <= maxUnary && len(c.data) <= maxUnaryBytes }

// pieces cuts the file into messages of a stream, between pages.
func (c clip) pieces() [][]byte {
	var out [][]byte
	for rest := c.data; len(rest) > 0; {
		end := 0
		for end < len(rest) {
			n := pageLength(rest[end:])
			if end+n > maxPiece {
				break
			}
			end += n
		}
		if end == 0 { // one page is larger than a message
			end = min(maxPiece, len(rest))
		}
		out = append(out, rest[:end])
		rest = rest[end:]
	}
	return out
}

// pageLength is the length of the page at the beginning of b (RFC 3533, section 6),
// or of all of b where no page begins.
func pageLength(b []byte) int {
	const header = 27
	if len(b) < header || string(b[:4]) != "OggS" || len(b) < header+int(b[26]) {
		return len(b)
	}
	n := header + int(b[26])
	for _, segment := range b[header:n] {
		n += int(segment)
	}
	return min(n, len(b))
}
