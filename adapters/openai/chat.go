package openai

import (
	"encoding/base64"
	"slices"
	"strings"

	goopenai "github.com/sashabaranov/go-openai"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// maxImages bounds the images of one request, in bytes before their encoding.
const maxImages = 20 << 20

// imageTypes are what vision models read (OpenAI, "Images and vision").
var imageTypes = []string{"image/jpeg", "image/png", "image/gif", "image/webp"}

// chat turns a request into the library's.
func (l *LLM) chat(req ports.LLMRequest) (goopenai.ChatCompletionRequest, error) {
	messages, err := l.messages(req)
	out := goopenai.ChatCompletionRequest{Model: l.model, Messages: messages, ReasoningEffort: l.effort}
	if l.usage {
		out.StreamOptions = &goopenai.StreamOptions{IncludeUsage: true}
	}
	if l.user {
		out.User = req.User
	}
	if l.newTokens {
		out.MaxCompletionTokens = req.MaxTokens
	} else {
		//lint:ignore SA1019 the field that all other servers know
		out.MaxTokens = req.MaxTokens
	}
	if req.Temperature != nil && !fixedSampling(l.model, l.effort) {
		out.Temperature = float32(*req.Temperature)
	}
	offer(&out, req)
	return out, err
}

// messages writes the system instruction and the conversation. Remarks of one side
// in a row become one, since the templates of some open models insist on turns.
// Media other than images cannot be sent: those of the last message make the
// request KindUnsupported, those of older ones are left out.
func (l *LLM) messages(req ports.LLMRequest) ([]goopenai.ChatCompletionMessage, error) {
	var out []goopenai.ChatCompletionMessage
	if strings.TrimSpace(req.System) != "" {
		out = append(out, goopenai.ChatCompletionMessage{Role: goopenai.ChatMessageRoleSystem, Content: req.System})
	}
	size := 0
	for _, m := range joined(req.Messages) {
		if len(m.Calls) > 0 {
			out = append(out, asking(m))
			continue
		}
		out = append(out, telling(m)...)
		msg := goopenai.ChatCompletionMessage{Role: string(m.Role), Content: m.Text}
		var pictures []goopenai.ChatMessagePart
		for _, media := range m.Media {
			if m.Role != domain.RoleUser || !isImage(media) {
				continue
			}
			size += len(media.Data)
			pictures = append(pictures, picture(media))
		}
		if len(pictures) > 0 {
			msg.Content = ""
			if strings.TrimSpace(m.Text) != "" {
				msg.MultiContent = append(msg.MultiContent, goopenai.ChatMessagePart{Type: goopenai.ChatMessagePartTypeText, Text: m.Text})
			}
			msg.MultiContent = append(msg.MultiContent, pictures...)
		}
		if msg.Content != "" || len(msg.MultiContent) > 0 {
			out = append(out, msg)
		}
	}
	last := req.Messages[len(req.Messages)-1]
	switch {
	case slices.ContainsFunc(last.Media, func(m domain.Media) bool { return !isImage(m) }):
		return nil, unsupported(opLLM, "media other than JPEG, PNG, GIF and WebP images cannot be sent")
	case size > maxImages:
		return nil, unsupported(opLLM, "the images are larger than 20 MB together")
	}
	return out, nil
}

func joined(messages []ports.LLMMessage) []ports.LLMMessage {
	var out []ports.LLMMessage
	for _, m := range messages {
		tools := len(m.Calls)+len(m.Results) > 0
		if strings.TrimSpace(m.Text) == "" && len(m.Media) == 0 && !tools {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Role == m.Role && !tools && len(out[n-1].Calls) == 0 {
			before := &out[n-1]
			if before.Text != "" && m.Text != "" {
				before.Text += "\n"
			}
			before.Text += m.Text
			before.Media = slices.Concat(before.Media, m.Media)
			continue
		}
		out = append(out, m)
	}
	return out
}

func isImage(m domain.Media) bool { return slices.Contains(imageTypes, mediaType(m.MIME)) }

func mediaType(mime string) string {
	t, _, _ := strings.Cut(mime, ";")
	t = strings.ToLower(strings.TrimSpace(t))
	if t == "image/jpg" {
		return "image/jpeg"
	}
	return t
}

func picture(m domain.Media) goopenai.ChatMessagePart {
	return goopenai.ChatMessagePart{
		Type:     goopenai.ChatMessagePartTypeImageURL,
		ImageURL: &goopenai.ChatMessageImageURL{URL: "data:" + mediaType(m.MIME) + ";base64," + base64.StdEncoding.EncodeToString(m.Data)},
	}
}
