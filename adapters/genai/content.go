package genai

import (
	"regexp"
	"strings"

	sdk "google.golang.org/genai"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// maxInline is how many bytes of media one request may hold. The API takes 20 MB
// in all (Gemini API, "Audio understanding"); base64 makes four bytes of three.
const maxInline = 14 << 20

// inlineTypes names the media types that models read, by what senders call them
// (Gemini API, pages on images, audio, video and documents).
var inlineTypes = map[string]string{
	"audio/ogg": "audio/ogg", "audio/opus": "audio/ogg",
	"audio/wav": "audio/wav", "audio/x-wav": "audio/wav", "audio/wave": "audio/wav",
	"audio/mpeg": "audio/mp3", "audio/mp3": "audio/mp3",
	"audio/aac": "audio/aac", "audio/flac": "audio/flac", "audio/aiff": "audio/aiff",
	"audio/mp4": "audio/m4a", "audio/m4a": "audio/m4a", "audio/x-m4a": "audio/m4a",
	"image/png": "image/png", "image/jpeg": "image/jpeg", "image/webp": "image/webp",
	"image/heic": "image/heic", "image/heif": "image/heif",
	"video/mp4": "video/mp4", "video/mpeg": "video/mpeg", "video/webm": "video/webm",
	"video/quicktime": "video/quicktime", "video/3gpp": "video/3gpp",
	"application/pdf": "application/pdf", "application/json": "text/plain",
}

// inlineType is the name the API wants, without parameters.
func inlineType(mime string) (string, bool) {
	base, _, _ := strings.Cut(mime, ";")
	base = strings.ToLower(strings.TrimSpace(base))
	if strings.HasPrefix(base, "text/") {
		return "text/plain", true
	}
	name, ok := inlineTypes[base]
	return name, ok
}

// contentsOf turns a conversation into the API's form. Remarks without content
// are left out: the API refuses them.
func contentsOf(op string, messages []ports.LLMMessage) ([]*sdk.Content, error) {
	var out []*sdk.Content
	size, ours := 0, false
	for _, m := range messages {
		if len(m.Calls) > 0 {
			ours = isOurs(m) // and so are the results behind it
		}
		c := &sdk.Content{Role: sdk.RoleUser}
		if m.Role == domain.RoleAssistant {
			c.Role = sdk.RoleModel
		}
		for _, media := range m.Media {
			mime, ok := inlineType(media.MIME)
			if !ok {
				return nil, refuse(op, ports.KindUnsupported, "the model does not read this kind of file")
			}
			if len(media.Data) == 0 {
				return nil, refuse(op, ports.KindInvalid, "a file is empty")
			}
			if size += len(media.Data); size > maxInline {
				return nil, refuse(op, ports.KindUnsupported, "the files are larger than 14 MB together")
			}
			c.Parts = append(c.Parts, &sdk.Part{InlineData: &sdk.Blob{MIMEType: mime, Data: media.Data}})
		}
		if len(m.Results) > 0 {
			c.Parts = append(c.Parts, toolParts(m, ours)...)
		}
		if strings.TrimSpace(m.Text) != "" {
			c.Parts = append(c.Parts, &sdk.Part{Text: m.Text})
		}
		if len(m.Calls) > 0 {
			c.Parts = append(c.Parts, toolParts(m, ours)...)
		}
		if len(c.Parts) > 0 {
			out = append(out, c)
		}
	}
	return out, nil
}

// instruction is a system instruction, or nil for none.
func instruction(paragraphs ...string) *sdk.Content {
	var text []string
	for _, p := range paragraphs {
		if strings.TrimSpace(p) != "" {
			text = append(text, p)
		}
	}
	if len(text) == 0 {
		return nil
	}
	return &sdk.Content{Parts: []*sdk.Part{{Text: strings.Join(text, "\n\n")}}}
}

var tagPattern = regexp.MustCompile(`^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$`)

// languageTag lets through what has the form of a BCP 47 tag. Tags may come from
// what a model heard, and become part of what another is told.
func languageTag(s string) string {
	if s = strings.TrimSpace(s); !tagPattern.MatchString(s) || strings.EqualFold(s, "und") {
		return ""
	}
	return strings.ReplaceAll(s, "_", "-")
}

// primary is the language of a tag without script and region.
func primary(tag string) string {
	p, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(tag), "_", "-"), "-")
	return p
}
