package googlefake

import (
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"whatsappnode/adapters/oggopus"
)

// transcriptTag names the comment that holds a clip's words.
const transcriptTag = "TRANSCRIPT"

// What Google takes (Google, "Quotas and limits").
const (
	maxUnary   = 60 * time.Second
	maxClip    = 10 << 20
	maxStream  = 305 * time.Second
	maxPiece   = 25 << 10
	maxPhrases = 1000
	maxPhrase  = 100
)

// tagPattern is a language with a region, which Google insists on.
var tagPattern = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z][a-z]{3})?-[A-Z]{2}$`)

// heardIn says what is heard in a clip, and how long it lasts.
func (s *Server) heardIn(clip []byte) ([]Result, time.Duration, error) {
	info, err := oggopus.Inspect(clip)
	if err != nil {
		return nil, 0, invalid("Audio data does not appear to be in a supported encoding. If you believe this to be incorrect, try explicitly specifying the decoding parameters.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fixed {
		return slices.Clone(s.heard), info.Duration, nil
	}
	words, _ := info.Get(transcriptTag)
	if strings.TrimSpace(words) == "" {
		return nil, info.Duration, nil
	}
	return []Result{{Text: words, Confidence: 0.9}}, info.Duration, nil
}

// checkPhrases looks at the phrases that are to be likelier.
func checkPhrases(phrases []string) error {
	if len(phrases) > maxPhrases {
		return invalid("The total number of phrases in a request should not exceed %d.", maxPhrases)
	}
	for _, p := range phrases {
		switch {
		case p == "" || utf8.RuneCountInString(p) > maxPhrase:
			return invalid("A phrase should have 1 to %d characters.", maxPhrase)
		case strings.Contains(p, "$"):
			return invalid("Unknown class token.")
		}
	}
	return nil
}

// takeSound receives a stream's sound until the client has sent all. It is over
// before that when the faults say so.
func (s *Server) takeSound(ctx context.Context, f Faults, h *Hearing, receive func() ([]byte, error)) (over bool, err error) {
	for {
		if len(h.Messages) == f.AfterAudio {
			if err := s.strike(ctx, f); err != nil {
				return true, err
			}
			if f.EndStream || f.InAnswer {
				return true, nil
			}
		}
		sound, err := receive()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return true, err
		}
		h.Messages = append(h.Messages, len(sound))
		h.Sound = append(h.Sound, sound...)
		switch {
		case len(sound) == 0:
			return true, invalid("Audio chunk is empty.")
		case len(sound) > maxPiece:
			return true, invalid("Audio chunk can be of a maximum of 25600 bytes, but received: %d.", len(sound))
		case len(h.Sound) > maxClip:
			return true, invalid("Request payload size exceeds the limit: %d bytes.", maxClip)
		}
	}
}

// heardInStream is heardIn with the limit of a stream.
func (s *Server) heardInStream(clip []byte) ([]Result, error) {
	results, length, err := s.heardIn(clip)
	if err == nil && length > maxStream {
		err = status.Error(codes.OutOfRange, "Exceeded maximum allowed stream duration of 305 seconds.")
	}
	return results, err
}

// heardAtOnce is heardIn with the limits of one request, of which the sentence tells.
func (s *Server) heardAtOnce(clip []byte, tooLong string) ([]Result, error) {
	if len(clip) > maxClip {
		return nil, invalid("Request payload size exceeds the limit: %d bytes.", maxClip)
	}
	results, length, err := s.heardIn(clip)
	if err == nil && length > maxUnary {
		err = invalid("%s", tooLong)
	}
	return results, err
}
