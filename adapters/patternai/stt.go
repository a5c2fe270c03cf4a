package patternai

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"whatsappnode/adapters/oggopus"
	"whatsappnode/adapters/voicenote"
	"whatsappnode/adapters/wav"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.STTPort = (*STT)(nil)

const opSTT = "patternai.stt"

const (
	// sttPatience is the deadline of a call that brings none.
	sttPatience = 3 * time.Minute
	// maxTranscript bounds the answer: hours of speech are some 100 KiB of text.
	maxTranscript = 4 << 20
)

// STT hears with POST /stt. Any type of sound is passed on as it is, raw samples in
// a WAV file; whether it can be heard is for the service to say. The transcript's
// language is the allowed one if there is one only, and its confidence unknown. It
// is safe for concurrent use.
type STT struct {
	client *Client
	model  string
}

// NewSTT checks the config and lists all its faults.
func NewSTT(cfg STTConfig) (*STT, error) {
	c, err := newClient(ClientConfig{BaseURL: cfg.BaseURL, APIKey: cfg.APIKey, Client: cfg.Client}, "speech-to-text", checkModel(cfg.Model))
	if err != nil {
		return nil, err
	}
	return &STT{client: c, model: cfg.Model}, nil
}

// Close frees the connections that only this engine uses.
func (s *STT) Close() error { return s.client.Close() }

// Transcribe implements ports.STTPort.
func (s *STT) Transcribe(ctx context.Context, clip domain.Audio, opt ports.STTOptions) (domain.Transcript, error) {
	if err := ports.FromContext(ctx, opSTT); err != nil {
		return domain.Transcript{}, err
	}
	if clip.Empty() {
		return domain.Transcript{}, &ports.Error{Op: opSTT, Kind: ports.KindInvalid, Err: errors.New("there is no clip")}
	}
	kind, data, err := upload(clip)
	if err != nil {
		return domain.Transcript{}, &ports.Error{Op: opSTT, Kind: ports.KindUnsupported, Err: err}
	}
	ctx, cancel := bounded(ctx, sttPatience)
	defer cancel()
	_, body, err := s.client.fetch(ctx, call{
		op: opSTT, method: http.MethodPost, path: "stt", mime: kind, model: [2]string{"STT-Model", s.model},
		body: func() io.ReadCloser { return io.NopCloser(bytes.NewReader(data)) }, size: int64(len(data)),
	}, maxTranscript)
	if err != nil {
		return domain.Transcript{}, err
	}
	r, err := parseReport(opSTT, body)
	if err == nil {
		err = r.failure(opSTT)
	}
	if err == nil && r.Transcription == nil {
		err = malformed(opSTT, r.RequestID, "the answer has no transcription")
	}
	if err != nil {
		return domain.Transcript{}, err
	}
	text := strings.TrimSpace(*r.Transcription)
	if text == "" {
		return domain.Transcript{}, nil
	}
	heard := domain.Transcript{Text: text}
	if len(opt.Languages) == 1 {
		heard.Language = opt.Languages[0]
	}
	return heard, nil
}

// upload is a clip as it is sent. What plainly cannot be heard costs no call; its
// errors mean that the clip is unsupported.
func upload(clip domain.Audio) (kind string, data []byte, err error) {
	data = clip.Bytes()
	kind, params, err := mime.ParseMediaType(clip.MIME())
	if err != nil || !strings.HasPrefix(kind, "audio/") {
		return "", nil, errors.New("the clip's type is no kind of sound")
	}
	switch kind {
	case "audio/ogg", "audio/opus":
		_, err = oggopus.Length(data)
	case "audio/wav", "audio/x-wav", "audio/wave":
		err = unless(voicenote.LooksWAV(data))
	case "audio/mpeg", "audio/mp3":
		err = unless(voicenote.LooksMP3(data))
	case domain.MIMEPCM:
		// The type means big-endian samples to everybody else (RFC 2586).
		data, err = wrapPCM(data, params["rate"])
		kind, params = domain.MIMEWAV, nil
	}
	if err != nil {
		return "", nil, err
	}
	return mime.FormatMediaType(kind, params), data, nil
}

func unless(fits bool) error {
	if !fits {
		return errors.New("the clip is not what its type says")
	}
	return nil
}

func wrapPCM(raw []byte, parameter string) ([]byte, error) {
	rate, err := strconv.Atoi(parameter)
	if err != nil || rate < 8000 || rate > 192_000 || len(raw)%2 != 0 {
		return nil, errors.New("the raw samples have no usable rate, or an odd number of bytes")
	}
	samples := make([]int16, len(raw)/2)
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(raw[2*i:])) // #nosec G115 -- a sample, of which all bits count
	}
	return wav.Encode(samples, rate), nil
}
