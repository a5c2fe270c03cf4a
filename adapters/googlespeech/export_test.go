package googlespeech

import (
	"context"
	"time"
)

// For the tests of this package.
var (
	Phrases     = phrases
	GoogleTag   = googleTag
	StandardTag = standardTag
	OpusRate    = opusRate
)

// Pieces cuts a file as a stream does.
func Pieces(data []byte) [][]byte { return clip{data: data}.pieces() }

// WaitPaced waits until sound at a position may be sent, counted from now.
func WaitPaced(ctx context.Context, speed float64, at time.Duration) error {
	return pacer{start: time.Now(), speed: speed}.wait(ctx, at)
}

// OwnDeadline is how long a call without a deadline may take for a clip.
func OwnDeadline(s *STT, length time.Duration) time.Duration {
	ctx, cancel := s.bounded(context.Background(), clip{length: length})
	defer cancel()
	at, _ := ctx.Deadline()
	return time.Until(at)
}

// Model is the model that would be asked for.
func Model(c Config) (string, error) {
	p, err := c.plan()
	return p.model, err
}

// Place is the recognizer and the address that a configuration leads to.
func Place(c Config) (recognizer, target string, plain bool, err error) {
	p, err := c.plan()
	return p.recognizer, p.address.Target, p.address.Plain, err
}
