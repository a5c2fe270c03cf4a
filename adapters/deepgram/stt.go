package deepgram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.STTPort = (*STT)(nil)

const opSTT = "deepgram.stt"

const (
	// sttPatience is the deadline of a call that brings none. Nova is many times
	// faster than the speech.
	sttPatience = 3 * time.Minute
	// maxTranscript bounds the answer: some 150 bytes for each word.
	maxTranscript = 16 << 20
	// sureOfLanguage is the confidence from which a detected language is believed. One
	// that is wrong would be remembered for the whole conversation.
	sureOfLanguage = 0.5
	// maxKeyterms is the most that Deepgram advises. All of them together have at most
	// 500 tokens, and a call with more is refused ("Keyterm Prompting"); a token is a
	// byte or more.
	maxKeyterms     = 50
	maxKeytermBytes = 450
)

// STT hears with a Nova model. It reads Ogg/Opus, MP3, WAV, MP4, AAC and FLAC. It is
// safe for concurrent use.
type STT struct {
	api      *api
	model    string
	training bool
}

// NewSTT checks the config and lists all its faults.
func NewSTT(cfg STTConfig) (*STT, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, fmt.Errorf("deepgram speech-to-text: %w", err)
	}
	a, err := newAPI(cfg.BaseURL, cfg.APIKey, cfg.Client)
	if err != nil {
		return nil, fmt.Errorf("deepgram speech-to-text: %w", err)
	}
	return &STT{api: a, model: cfg.Model, training: cfg.Training}, nil
}

// Close frees the connections that only this engine uses.
func (s *STT) Close() error {
	s.api.close()
	return nil
}

// Transcribe implements ports.STTPort. One allowed language is told to the model and
// taken for the transcript's; of several the one that is spoken is detected. A
// language that Deepgram is not sure of is left empty. The hint is used with one
// language only: with more, an older model that takes no terms may be the one that
// hears.
func (s *STT) Transcribe(ctx context.Context, clip domain.Audio, opt ports.STTOptions) (domain.Transcript, error) {
	if err := ports.FromContext(ctx, opSTT); err != nil {
		return domain.Transcript{}, err
	}
	refuse := func(kind ports.Kind, reason string) (domain.Transcript, error) {
		return domain.Transcript{}, &ports.Error{Op: opSTT, Kind: kind, Err: errors.New(reason)}
	}
	if clip.Empty() {
		return refuse(ports.KindInvalid, "there is no clip")
	}
	mime := readable(clip)
	if mime == "" {
		return refuse(ports.KindUnsupported, "the clip's type is not read, or its bytes are not of that type")
	}
	query := private(url.Values{"model": {s.model}, "smart_format": {"true"}}, s.training)
	if len(opt.Languages) == 1 {
		name := spokenName(opt.Languages[0])
		if name == "" {
			return refuse(ports.KindInvalid, "the allowed language is not a BCP 47 tag")
		}
		query.Set("language", name)
		if terms := keyterms(opt.Hint); len(terms) > 0 && strings.HasPrefix(s.model, "nova-3") {
			query["keyterm"] = terms
		}
	} else {
		query["detect_language"] = candidates(opt.Languages)
	}
	body, err := s.api.post(ctx, call{
		op: opSTT, path: "listen", query: query, mime: mime, body: clip.Bytes(), limit: maxTranscript, patience: sttPatience,
	})
	if err != nil {
		return domain.Transcript{}, err
	}
	return read(body, opt.Languages)
}

// readable looks a clip over, so that what cannot be heard costs no call. It is the
// type to send, or empty.
func readable(clip domain.Audio) string {
	b := clip.Bytes()
	framed := len(b) > 1 && b[0] == 0xff && b[1]&0xe0 == 0xe0 // MP3 and AAC alike
	good := false
	switch kind := clip.Type(); kind {
	case "audio/ogg", "audio/opus":
		_, err := oggopus.Length(b)
		if err != nil {
			return ""
		}
		return "audio/ogg"
	case "audio/mpeg", "audio/mp3", "audio/aac", "audio/x-aac":
		good = framed || bytes.HasPrefix(b, []byte("ID3")) || bytes.HasPrefix(b, []byte("ADIF"))
	case "audio/wav", "audio/x-wav", "audio/wave":
		good = len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WAVE"
	case "audio/mp4", "audio/m4a", "audio/x-m4a":
		good = len(b) >= 8 && string(b[4:8]) == "ftyp"
	case "audio/flac":
		good = bytes.HasPrefix(b, []byte("fLaC"))
	}
	if !good {
		return ""
	}
	return clip.Type()
}

// keyterms takes a hint apart at commas, semicolons and line ends.
func keyterms(hint string) []string {
	var terms []string
	room := maxKeytermBytes
	for _, t := range strings.FieldsFunc(strings.ToValidUTF8(hint, ""), func(r rune) bool { return strings.ContainsRune(",;\n\r", r) }) {
		t = strings.Join(strings.Fields(t), " ")
		if t != "" && len(t) <= room && len(terms) < maxKeyterms {
			terms = append(terms, t)
			room -= len(t)
		}
	}
	return terms
}

// read takes the first channel; without multichannel there is no other.
func read(body []byte, allowed []string) (domain.Transcript, error) {
	var answer struct {
		Results struct {
			Channels []struct {
				Language   string   `json:"detected_language"`
				Sure       *float64 `json:"language_confidence"`
				Utterances []struct {
					Text       string  `json:"transcript"`
					Confidence float64 `json:"confidence"`
				} `json:"alternatives"`
			} `json:"channels"`
		} `json:"results"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Results.Channels) == 0 {
		return domain.Transcript{}, malformed(opSTT, "the answer is not a transcript")
	}
	channel := answer.Results.Channels[0]
	if len(channel.Utterances) == 0 || strings.TrimSpace(channel.Utterances[0].Text) == "" {
		return domain.Transcript{}, nil // silence or noise: whatever else it says means nothing
	}
	best := channel.Utterances[0]
	heard := domain.Transcript{Text: strings.TrimSpace(best.Text), Confidence: min(max(best.Confidence, 0), 1)}
	switch {
	case len(allowed) == 1:
		heard.Language = allowed[0]
	case channel.Sure == nil || *channel.Sure >= sureOfLanguage:
		heard.Language = among(allowed, channel.Language)
	}
	return heard, nil
}
