package googlefake

import (
	"slices"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"cloud.google.com/go/texttospeech/apiv1/texttospeechpb"
)

// keep is how many requests are remembered.
const keep = 1000

// Hearing is one request to hear, complete or not.
type Hearing struct {
	Version    int // of the API
	Streamed   bool
	Recognizer string // version 2
	Model      string
	Languages  []string
	Phrases    []string
	Sound      []byte
	Messages   []int         // lengths of a stream's messages of sound
	Config     proto.Message // *speechpb.RecognitionConfig of the version
	Header     metadata.MD
}

// Speaking is one request to speak.
type Speaking struct {
	Text     string
	Voice    string
	Language string
	Encoding texttospeechpb.AudioEncoding
	Request  *texttospeechpb.SynthesizeSpeechRequest
	Header   metadata.MD
}

// Result is one stretch of what is heard.
type Result struct {
	Text       string
	Language   string // as Google writes it; empty is the first language asked for
	Confidence float32
	Interim    bool // only streams have these
}

// Hears settles what is heard in every clip; nothing means silence.
func (s *Server) Hears(results ...Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard, s.fixed = slices.Clone(results), true
}

// Hearings are the requests to hear so far, oldest first; the sound of a stream is
// there when it has ended.
func (s *Server) Hearings() []Hearing {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Hearing, 0, len(s.notes))
	for _, h := range s.notes {
		out = append(out, *h)
	}
	return out
}

// Speakings are the requests to speak so far, oldest first.
func (s *Server) Speakings() []Speaking {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.said)
}

// Reset forgets the requests, the faults and what Hears said.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes, s.said, s.heard, s.fixed = nil, nil, nil, false
	s.speech, s.voice = faults{}, faults{}
}

// noteHearing records a request; the function it returns records how it ended.
func (s *Server) noteHearing(h Hearing) (end func(Hearing)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = appendLast(s.notes, &h)
	return func(final Hearing) {
		s.mu.Lock()
		defer s.mu.Unlock()
		h = final
	}
}

func (s *Server) noteSpeaking(sp Speaking) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = appendLast(s.said, sp)
}

func appendLast[T any](list []T, next T) []T {
	if len(list) == keep {
		list = slices.Clone(list[1:])
	}
	return append(list, next)
}
