package elevenlabs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.STTPort = (*STT)(nil)

const opSTT = "elevenlabs.stt"

const (
	// sttPatience is the deadline of a call that brings none. Scribe is many times
	// faster than the speech; ten minutes of it take well under a minute.
	sttPatience = 3 * time.Minute
	// maxTranscript bounds the answer: some 200 bytes for each word and each space.
	maxTranscript = 16 << 20
	// sureOfLanguage is the probability from which a detected language is believed.
	// One that is wrong would be remembered for the whole conversation.
	sureOfLanguage = 0.5
)

// STT hears with a Scribe model. It reads Ogg/Opus, MP3, WAV, MP4, AAC, FLAC, WebM
// and raw samples, of at most ten hours; a clip under 100 ms, which ElevenLabs does
// not take, is silence. It is safe for concurrent use.
type STT struct {
	api   *api
	model string
	terms bool
}

// NewSTT checks the config and lists all its faults.
func NewSTT(cfg STTConfig) (*STT, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, fmt.Errorf("elevenlabs speech-to-text: %w", err)
	}
	a, err := newAPI(cfg.BaseURL, cfg.APIKey, cfg.Client, cfg.ZeroRetention)
	if err != nil {
		return nil, fmt.Errorf("elevenlabs speech-to-text: %w", err)
	}
	// The others answer a keyterm with 400 ("Errors").
	return &STT{api: a, model: cfg.Model, terms: cfg.Keyterms && strings.HasPrefix(cfg.Model, "scribe_v2")}, nil
}

// Close frees the connections that only this engine uses.
func (s *STT) Close() error {
	s.api.close()
	return nil
}

// Transcribe implements ports.STTPort. One allowed language is told to the model
// and taken for the transcript's; of several the model knows nothing, and what it
// detects may be another. A language it is not sure of is left empty.
//
// The confidence is the geometric mean of the words' probabilities. That of the
// language is another matter: it is low in a clear sentence of two languages.
func (s *STT) Transcribe(ctx context.Context, clip domain.Audio, opt ports.STTOptions) (domain.Transcript, error) {
	if err := ports.FromContext(ctx, opSTT); err != nil {
		return domain.Transcript{}, err
	}
	refuse := func(kind ports.Kind, err error) (domain.Transcript, error) {
		return domain.Transcript{}, &ports.Error{Op: opSTT, Kind: kind, Err: err}
	}
	if clip.Empty() {
		return refuse(ports.KindInvalid, errors.New("there is no clip"))
	}
	only := ""
	if len(opt.Languages) == 1 {
		var ok bool
		if only, ok = primary(opt.Languages[0]); !ok {
			return refuse(ports.KindInvalid, errors.New("the allowed language is not a BCP 47 tag"))
		}
	}
	u, err := newUpload(clip)
	switch {
	case err != nil:
		return refuse(ports.KindUnsupported, err)
	case u.length > maxClip:
		return refuse(ports.KindUnsupported, errors.New("the clip is longer than ten hours"))
	case u.length >= 0 && u.length < minClip:
		return domain.Transcript{}, nil
	}
	var terms []string
	if s.terms {
		terms = keyterms(opt.Hint)
	}
	f, err := newForm(s.model, only, terms, u)
	if err != nil {
		return refuse(ports.KindInvalid, errors.New("the request cannot be built"))
	}
	got, err := s.api.post(ctx, call{
		op: opSTT, path: []string{"v1", "speech-to-text"},
		mime: f.mime, body: f.body, size: f.size(), limit: maxTranscript, patience: sttPatience,
	})
	if err != nil {
		return domain.Transcript{}, err
	}
	return read(got.body, opt.Languages)
}

// transcript is the answer of "Create transcript".
type transcript struct {
	Text        *string  `json:"text"`
	Language    string   `json:"language_code"`
	Probability *float64 `json:"language_probability"`
	Words       []struct {
		Type    string   `json:"type"`
		Logprob *float64 `json:"logprob"`
	} `json:"words"`
}

func read(body []byte, allowed []string) (domain.Transcript, error) {
	var t transcript
	if json.Unmarshal(body, &t) != nil || t.Text == nil {
		return domain.Transcript{}, malformed(opSTT, "the answer is not a transcript")
	}
	text := strings.TrimSpace(*t.Text)
	if text == "" {
		return domain.Transcript{}, nil // silence or noise: whatever else it says means nothing
	}
	heard := domain.Transcript{Text: text, Confidence: t.confidence()}
	switch {
	case len(allowed) == 1:
		heard.Language = allowed[0]
	case t.Probability == nil || *t.Probability >= sureOfLanguage:
		heard.Language = among(allowed, t.Language)
	}
	return heard, nil
}

// confidence is 0, "does not say", also where every word is called certain: that is
// what models write that know no probabilities.
func (t transcript) confidence() float64 {
	sum, words := 0.0, 0
	for _, w := range t.Words {
		if w.Type != "word" || w.Logprob == nil {
			continue
		}
		sum += math.Min(*w.Logprob, 0)
		words++
	}
	if sum == 0 {
		return 0
	}
	return math.Exp(sum / float64(words))
}
