package openai

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

var _ ports.STTPort = (*STT)(nil)

const opSTT = "openai.stt"

// DefaultSTTModel is asked where no model is named.
const DefaultSTTModel = "gpt-transcribe"

const (
	// maxUpload is the largest clip OpenAI takes (OpenAI, "Speech to text": 25 MB).
	maxUpload = 25_000_000
	// maxTranscript bounds the answer: hours of speech with every word's times.
	maxTranscript = 16 << 20
)

// The forms in which a transcript can be asked for.
const (
	// TranscriptAuto is TranscriptVerbose but for models that refuse it: OpenAI's
	// "transcribe" models and Voxtral, which are asked for TranscriptJSON.
	TranscriptAuto = "auto"
	// TranscriptVerbose tells the language and, by segment, how sure the model is.
	TranscriptVerbose = "verbose_json"
	// TranscriptJSON tells the text, and gpt-transcribe the languages.
	TranscriptJSON = "json"
	// TranscriptText is the bare text.
	TranscriptText = "text"
)

var transcriptForms = []string{TranscriptAuto, TranscriptVerbose, TranscriptJSON, TranscriptText}

// STTConfig says which model listens, and where. The zero value but for APIKey asks
// OpenAI.
type STTConfig struct {
	// APIKey, BaseURL and Organization are as in LLMConfig.
	APIKey       func() string
	BaseURL      string
	Organization string
	// Model is the model's name at the server; empty means DefaultSTTModel.
	Model string
	// ResponseFormat is the form to ask for: TranscriptAuto (also when empty),
	// TranscriptVerbose, TranscriptJSON or TranscriptText. Without the verbose form a
	// Whisper model's language is not known and its inventions in silence are taken
	// for speech.
	ResponseFormat string
	// SendWAV decodes Ogg/Opus clips before they are sent, for servers that cannot:
	// whisper.cpp's without ffmpeg. At 16 kHz the upload limit is then reached after
	// 13 minutes.
	SendWAV bool
	// Client's transport makes the calls, redirects are not followed; nil makes a private one.
	Client *http.Client
}

// STT is a speech recogniser behind POST /audio/transcriptions. It may be used
// concurrently.
//
// It takes Ogg/Opus, WAV, MP3, MP4/M4A, WebM, FLAC, AAC and AMR clips of up to 25
// MB; what of these the server reads is the server's affair. One allowed language is
// told to the server, several only to gpt-transcribe, which has a field for them.
// Clips in which nobody speaks give an empty transcript; see transcription.heard.
type STT struct {
	api     *endpoint
	model   string
	form    string
	sendWAV bool
}

// NewSTT checks the configuration and lists all its faults. It does not dial.
func NewSTT(cfg STTConfig) (*STT, error) {
	api, faults := newEndpoint(cfg.APIKey, cfg.BaseURL, cfg.Organization, cfg.Client)
	if cfg.Model == "" {
		cfg.Model = DefaultSTTModel
	}
	switch {
	case cfg.ResponseFormat != "" && !slices.Contains(transcriptForms, cfg.ResponseFormat):
		faults = append(faults, fmt.Errorf("the transcript's response format must be one of %s", strings.Join(transcriptForms, ", ")))
	case cfg.ResponseFormat == "" || cfg.ResponseFormat == TranscriptAuto:
		cfg.ResponseFormat = formFor(cfg.Model)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("openai speech recognition: %w", err)
	}
	return &STT{api: api, model: cfg.Model, form: cfg.ResponseFormat, sendWAV: cfg.SendWAV}, nil
}

func formFor(model string) string {
	name := strings.ToLower(model)
	if strings.Contains(name, "transcribe") || strings.Contains(name, "voxtral") {
		return TranscriptJSON
	}
	return TranscriptVerbose
}

// Close gives up idle connections.
func (s *STT) Close() error {
	s.api.close()
	return nil
}

// Transcribe implements ports.STTPort.
func (s *STT) Transcribe(ctx context.Context, clip domain.Audio, opt ports.STTOptions) (domain.Transcript, error) {
	if err := ports.FromContext(ctx, opSTT); err != nil {
		return domain.Transcript{}, err
	}
	if clip.Empty() {
		return domain.Transcript{}, invalid(opSTT, "there is no clip")
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	up, err := s.upload(ctx, clip)
	if err != nil {
		return domain.Transcript{}, failed(ctx, opSTT, err)
	}
	body, contentType, err := s.request(up, opt)
	if err != nil {
		return domain.Transcript{}, failed(ctx, opSTT, err)
	}
	data, err := s.ask(ctx, body, contentType)
	var known *ports.Error
	if errors.As(err, &known) && known.Code == "audio_too_short" {
		return domain.Transcript{}, nil // a tenth of a second: nobody spoke
	}
	if err != nil {
		return domain.Transcript{}, failed(ctx, opSTT, err)
	}
	tr, err := s.understand(data)
	if err != nil {
		return domain.Transcript{}, err
	}
	return tr.heard(opt.Languages), nil
}

func (s *STT) ask(ctx context.Context, body *bytes.Buffer, contentType string) ([]byte, error) {
	resp, err := s.api.post(ctx, opSTT, "/audio/transcriptions", contentType, body)
	if err != nil {
		return nil, err
	}
	return readAll(opSTT, resp, maxTranscript)
}

// request writes the form (OpenAI, "Create transcription").
func (s *STT) request(up upload, opt ports.STTOptions) (*bytes.Buffer, string, error) {
	body := bytes.NewBuffer(make([]byte, 0, len(up.data)+2048))
	form := multipart.NewWriter(body)
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="` + up.name + `"`},
		"Content-Type":        {up.mime},
	})
	if err == nil {
		_, err = part.Write(up.data)
	}
	for _, f := range s.fields(opt) {
		if err == nil {
			err = form.WriteField(f[0], f[1])
		}
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil { // a buffer takes everything, so this is a fault of ours
		return nil, "", &ports.Error{Op: opSTT, Kind: ports.KindUnknown, Err: errors.New("the form cannot be written")}
	}
	return body, form.FormDataContentType(), nil
}

func (s *STT) fields(opt ports.STTOptions) [][2]string {
	fields := [][2]string{{"model", s.model}, {"response_format", s.form}}
	switch {
	case strings.HasPrefix(bare(s.model), "gpt-transcribe"):
		for _, l := range codes(opt.Languages) {
			fields = append(fields, [2]string{"languages[]", l})
		}
	case len(opt.Languages) == 1:
		fields = append(fields, [2]string{"language", whisperCode(opt.Languages[0])})
	}
	if opt.Hint != "" {
		fields = append(fields, [2]string{"prompt", opt.Hint})
	}
	return fields
}
