package whatsapp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// MaxVoiceBytes is the largest audio Meta takes: 16 MB (Meta, "Media"), read as
// the smaller of both meanings.
const MaxVoiceBytes = 16_000_000

const opUpload = "whatsapp.upload"

// Upload implements ports.MediaUploader. Only what Meta plays as a voice note is
// taken: one channel of Opus in Ogg; all else is KindUnsupported, ScopeMedia. The
// id lives 30 days.
func (m *Messenger) Upload(ctx context.Context, number domain.NumberID, clip domain.Audio) (domain.MediaID, error) {
	if err := ports.FromContext(ctx, opUpload); err != nil {
		return "", err
	}
	if !isObjectID(string(number)) || clip.Empty() {
		return "", &ports.Error{Op: opUpload, Kind: ports.KindInvalid, Err: errors.New("an upload needs a business number and a clip")}
	}
	if err := checkVoice(clip); err != nil {
		return "", &ports.Error{Op: opUpload, Kind: ports.KindUnsupported, Scope: ports.ScopeMedia, Err: err}
	}
	head, tail, mime, err := uploadForm()
	if err != nil {
		return "", &ports.Error{Op: opUpload, Kind: ports.KindUnknown, Err: err}
	}
	var answer struct {
		ID domain.MediaID `json:"id"`
	}
	c := call{
		op: opUpload, method: http.MethodPost, path: []string{string(number), "media"}, mime: mime,
		size: int64(len(head) + len(clip.Bytes()) + len(tail)), timeout: m.cfg.UploadTimeout, out: &answer,
		body: func() io.ReadCloser { // the clip is not copied: it may be large
			return io.NopCloser(io.MultiReader(bytes.NewReader(head), bytes.NewReader(clip.Bytes()), bytes.NewReader(tail)))
		},
	}
	if err := m.do(ctx, c); err != nil {
		return "", uploadError(err)
	}
	if answer.ID == "" {
		return "", c.unreadable()
	}
	return answer.ID, nil
}

// uploadError: what Meta calls an invalid parameter of an upload is the file.
func uploadError(err error) error {
	var e *ports.Error
	if errors.As(err, &e) && e.Kind == ports.KindInvalid && e.Code == "100" {
		e.Kind, e.Scope = ports.KindUnsupported, ports.ScopeMedia
	}
	return err
}

// uploadForm makes the multipart form around the file's bytes. Meta's table asks
// for the field "type" and Meta's example leaves it out and types the file part:
// both are sent.
func uploadForm() (head, tail []byte, mime string, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	err = errors.Join(w.WriteField("messaging_product", "whatsapp"), w.WriteField("type", "audio/ogg"))
	_, partErr := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="voice.ogg"`},
		"Content-Type":        {"audio/ogg"},
	})
	head = bytes.Clone(b.Bytes())
	b.Reset()
	err = errors.Join(err, partErr, w.Close())
	return head, bytes.Clone(b.Bytes()), w.FormDataContentType(), err
}

// checkVoice looks at the first Ogg page, which holds the Opus head and nothing
// else (RFC 7845, section 3).
func checkVoice(clip domain.Audio) error {
	data := clip.Bytes()
	switch {
	case clip.Type() != "audio/ogg":
		return errors.New("a voice note must be audio/ogg")
	case len(data) > MaxVoiceBytes:
		return errors.New("the clip is over 16 MB")
	case len(data) < 28 || !bytes.HasPrefix(data, []byte("OggS")):
		return errors.New("the clip is not an Ogg file")
	}
	head := data[min(27+int(data[26]), len(data)):]
	switch {
	case len(head) < 19 || !bytes.HasPrefix(head, []byte("OpusHead")):
		return errors.New("the Ogg file does not hold Opus")
	case head[9] != 1:
		return errors.New("a voice note must have one channel")
	}
	return nil
}
