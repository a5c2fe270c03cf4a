package anthropic

import (
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	sdk "github.com/anthropics/anthropic-sdk-go"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// maxMedia bounds the media of one request, in bytes before base64 makes a third
// more of them: a request may be 32 MB (Anthropic, "API errors", request size
// limits).
const maxMedia = 22 << 20

// params makes the body of POST /v1/messages, or says why there can be none.
func (l *LLM) params(req ports.LLMRequest) (sdk.MessageNewParams, error) {
	p := sdk.MessageNewParams{
		Model: l.cfg.Model, MaxTokens: int64(l.cfg.MaxTokens), System: system(req),
	}
	if req.MaxTokens > 0 {
		p.MaxTokens = int64(req.MaxTokens)
	}
	if req.Temperature != nil && takesTemperature(l.cfg.Model) {
		p.Temperature = sdk.Float(min(*req.Temperature, 1)) // the port's range is 0..2, the vendor's 0..1
	}
	if req.User != "" {
		p.Metadata.UserID = sdk.String(req.User)
	}
	offer(&p, req)
	var err error
	p.Messages, err = messages(req.Messages)
	return p, err
}

// languageTag is what a BCP 47 tag can look like; the tag ends up in the prompt,
// and a speech engine may have made it.
var languageTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$`)

// system is the system prompt. The API has no parameter for the language of the
// answer, so that is asked for in words.
func system(req ports.LLMRequest) []sdk.TextBlockParam {
	var blocks []sdk.TextBlockParam
	if !blank(req.System) {
		blocks = append(blocks, sdk.TextBlockParam{Text: req.System})
	}
	if tag := strings.ReplaceAll(req.Language, "_", "-"); languageTag.MatchString(tag) && !strings.EqualFold(tag, "und") {
		blocks = append(blocks, sdk.TextBlockParam{Text: "Answer in the language with the BCP 47 tag " + tag + "."})
	}
	return blocks
}

// messages turns the conversation into the vendor's form, in which the roles
// alternate and the user begins: neighbours of one role become one message, and
// answers before the first question, whose question was forgotten, are left out.
// Blank texts are left out too; the API refuses them.
func messages(all []ports.LLMMessage) ([]sdk.MessageParam, error) {
	var out []sdk.MessageParam
	total := 0
	for _, m := range all {
		role := sdk.MessageParamRoleUser
		if m.Role == domain.RoleAssistant {
			role = sdk.MessageParamRoleAssistant
		}
		blocks, size, err := content(m)
		if err != nil {
			return nil, err
		}
		if total += size; total > maxMedia {
			return nil, &ports.Error{Op: opLLM, Kind: ports.KindUnsupported, Err: fmt.Errorf("the media of one request are over %d MiB", maxMedia>>20)}
		}
		switch last := len(out) - 1; {
		case len(blocks) == 0, last < 0 && role == sdk.MessageParamRoleAssistant:
		case last >= 0 && out[last].Role == role:
			out[last].Content = append(out[last].Content, blocks...)
		default:
			out = append(out, sdk.MessageParam{Role: role, Content: blocks})
		}
	}
	return out, nil
}

// content is what one message holds, results before anything else, media before the
// words about them, as the vendor advises, and the size of the media in bytes.
func content(m ports.LLMMessage) (blocks []sdk.ContentBlockParamUnion, size int, err error) {
	blocks = telling(m)
	for _, media := range m.Media {
		block, err := mediaBlock(media)
		if err != nil {
			return nil, 0, err
		}
		blocks, size = append(blocks, block), size+len(media.Data)
	}
	if len(m.Calls) > 0 {
		return append(blocks, asking(m)...), size, nil
	}
	if !blank(m.Text) {
		blocks = append(blocks, sdk.NewTextBlock(m.Text))
	}
	return blocks, size, nil
}

func blank(text string) bool { return strings.TrimSpace(text) == "" }

func mediaBlock(m domain.Media) (sdk.ContentBlockParamUnion, error) {
	kind, _, err := mime.ParseMediaType(m.MIME)
	if len(m.Data) == 0 {
		return sdk.ContentBlockParamUnion{}, &ports.Error{Op: opLLM, Kind: ports.KindInvalid, Err: errors.New("a media object is empty")}
	}
	switch {
	case err != nil:
	case kind == "image/jpg": // not a registered type, but some phones say it
		return sdk.NewImageBlockBase64("image/jpeg", base64.StdEncoding.EncodeToString(m.Data)), nil
	case kind == "image/jpeg", kind == "image/png", kind == "image/gif", kind == "image/webp":
		return sdk.NewImageBlockBase64(kind, base64.StdEncoding.EncodeToString(m.Data)), nil
	case kind == "application/pdf":
		return sdk.NewDocumentBlock(sdk.Base64PDFSourceParam{Data: base64.StdEncoding.EncodeToString(m.Data)}), nil
	case kind == "text/plain" && utf8.Valid(m.Data):
		return sdk.NewDocumentBlock(sdk.PlainTextSourceParam{Data: string(m.Data)}), nil
	}
	return sdk.ContentBlockParamUnion{}, &ports.Error{
		Op: opLLM, Kind: ports.KindUnsupported,
		Err: errors.New("the model reads JPEG, PNG, GIF and WebP images, PDF documents and plain text in UTF-8, no other media"),
	}
}

// modelVersion finds the version in names like "claude-3-5-haiku-20241022",
// "claude-sonnet-4-6" and "claude-sonnet-4-20250514", also behind a gateway's
// prefix.
var modelVersion = regexp.MustCompile(`claude-(?:[a-z]+-)?([0-9]{1,2})(?:[-.]([0-9]{1,2}))?(?:[^0-9]|$)`)

// takesTemperature reports whether a model may be given a temperature. Those that
// came after version 4.6 answer it with status 400 ("temperature is deprecated for
// this model"), and a name that cannot be read is taken for a newer one: an answer
// at the vendor's temperature is better than none.
func takesTemperature(model string) bool {
	m := modelVersion.FindStringSubmatch(model)
	if m == nil {
		return false
	}
	major, _ := strconv.Atoi(m[1]) // two digits at most
	minor, _ := strconv.Atoi(m[2]) // or none, for zero
	return major < 4 || major == 4 && minor <= 6
}
