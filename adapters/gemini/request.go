package gemini

import (
	"errors"
	"fmt"
	"math"
	"mime"
	"regexp"
	"slices"
	"strings"

	"github.com/google/generative-ai-go/genai"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// maxMedia bounds the media of one request, in bytes before base64 makes a third
// more of them: a request may be 20 MB (Google, "Gemini API, file input methods":
// inline data).
const maxMedia = 14 << 20

// The roles of the API.
const (
	roleUser  = "user"
	roleModel = "model"
)

// model is the library's model with the request's settings. The API has no place
// for LLMRequest.User.
func (l *LLM) model(req ports.LLMRequest) *genai.GenerativeModel {
	m := l.library.GenerativeModel(l.cfg.Model)
	if req.Temperature != nil {
		m.SetTemperature(float32(*req.Temperature))
	}
	if req.MaxTokens > 0 {
		m.SetMaxOutputTokens(int32(min(req.MaxTokens, math.MaxInt32)))
	}
	m.SystemInstruction = system(req)
	return m
}

// languageTag is what a BCP 47 tag can look like; the tag ends up in the prompt,
// and a speech engine may have made it.
var languageTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$`)

// system is the system instruction, or nil. The API has no parameter for the
// language of the answer, so that is asked for in words.
func system(req ports.LLMRequest) *genai.Content {
	var parts []genai.Part
	if strings.TrimSpace(req.System) != "" {
		parts = append(parts, text(req.System))
	}
	if tag := strings.ReplaceAll(req.Language, "_", "-"); languageTag.MatchString(tag) && !strings.EqualFold(tag, "und") {
		parts = append(parts, genai.Text("Answer in the language with the BCP 47 tag "+tag+"."))
	}
	if len(parts) == 0 {
		return nil
	}
	return &genai.Content{Parts: parts}
}

// text makes a part. The wire form is protobuf's, which refuses anything but UTF-8.
func text(s string) genai.Text { return genai.Text(strings.ToValidUTF8(s, "\uFFFD")) }

// contents turns the conversation into the vendor's form, in which the roles
// alternate and the user begins: neighbours of one role become one message, and
// answers before the first question, whose question was forgotten, are left out,
// as are blank texts. The last message is the user's and is not empty, since the
// request was validated.
func contents(all []ports.LLMMessage) ([]*genai.Content, error) {
	var out []*genai.Content
	total := 0
	for _, m := range all {
		role := roleUser
		if m.Role == domain.RoleAssistant {
			role = roleModel
		}
		parts, size, err := content(m)
		if err != nil {
			return nil, err
		}
		if total += size; total > maxMedia {
			return nil, &ports.Error{Op: opLLM, Kind: ports.KindUnsupported, Err: fmt.Errorf("the media of one request are over %d MiB", maxMedia>>20)}
		}
		switch last := len(out) - 1; {
		case len(parts) == 0, last < 0 && role == roleModel:
		case last >= 0 && out[last].Role == role:
			out[last].Parts = append(out[last].Parts, parts...)
		default:
			out = append(out, &genai.Content{Role: role, Parts: parts})
		}
	}
	return out, nil
}

// content is what one message holds, media before the words about them, and the
// size of the media in bytes.
func content(m ports.LLMMessage) (parts []genai.Part, size int, err error) {
	for _, media := range m.Media {
		kind, err := mediaType(media)
		if err != nil {
			return nil, 0, err
		}
		parts, size = append(parts, genai.Blob{MIMEType: kind, Data: media.Data}), size+len(media.Data)
	}
	if strings.TrimSpace(m.Text) != "" {
		parts = append(parts, text(m.Text))
	}
	return parts, size, nil
}

// readable are the types the models read, beside text, audio and video of any kind
// (Google, "Gemini API": image and document understanding).
var readable = []string{"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif", "application/pdf"}

// mediaType is the vendor's name for a medium's type.
func mediaType(m domain.Media) (string, error) {
	if len(m.Data) == 0 {
		return "", &ports.Error{Op: opLLM, Kind: ports.KindInvalid, Err: errors.New("a media object is empty")}
	}
	kind, _, err := mime.ParseMediaType(m.MIME)
	if kind == "image/jpg" { // not a registered type, but some phones say it
		kind = "image/jpeg"
	}
	family, _, _ := strings.Cut(kind, "/")
	if err == nil && (slices.Contains(readable, kind) || family == "text" || family == "audio" || family == "video") {
		return kind, nil
	}
	return "", &ports.Error{
		Op: opLLM, Kind: ports.KindUnsupported,
		Err: errors.New("the model reads PNG, JPEG, WebP and HEIC images, PDF documents, text, audio and video, no other media"),
	}
}
