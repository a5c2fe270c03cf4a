package simulator

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of Messages > Text messages, Audio messages and of the callback data.
const (
	maxTextRunes     = 4096
	maxCallbackRunes = 512
	maxVoicePlayIcon = 512 << 10 // a larger voice note gets a download icon
	customerWindow   = 24 * time.Hour
)

// accepted is what is known of a valid send.
type accepted struct {
	input     string // as the bot wrote it
	byUserID  bool
	text      string
	media     *Media
	contextID string
	flags     []string
	late      failure // accepted, but told as failed afterwards
}

// validateSend returns either what to do or why not; u is nil when the recipient could not be told. The caller holds
// the lock.
func (s *Simulator) validateSend(req sendRequest) (u *user, out *accepted, f failure) {
	u, out, f = s.recipient(req)
	if f.Code != 0 {
		return nil, nil, f
	}
	var late failure
	if e, ok := s.recipientError(u); ok && s.faults.ErrorsByStatus {
		late = failure{Code: e.Code}
	} else if ok {
		return u, nil, failure{Code: e.Code, HTTP: e.HTTPStatus}
	}
	for _, check := range []func(*user, sendRequest, *accepted) failure{s.checkFrame, s.checkContent, s.checkLimits, s.checkWindow} {
		if f = check(u, req, out); f.Code != 0 {
			return u, nil, f
		}
	}
	if late.Code != 0 {
		out.late = late
	} else if code := s.faults.LateFailureCode; code != 0 && (!isMediaCode(code) || out.media != nil) {
		out.late = failure{Code: code}
	}
	return u, out, failure{}
}

func isMediaCode(code int) bool { return code == codeMediaDownload || code == codeMediaUpload }

// recipient reads `to`, which wins, or `recipient`.
func (s *Simulator) recipient(req sendRequest) (*user, *accepted, failure) {
	if req.RecipientType != "" && req.RecipientType != "individual" {
		return nil, nil, parameter("Param recipient_type must be one of {INDIVIDUAL}", "The simulator has no groups.")
	}
	switch {
	case req.To != "":
		phone := stripPhone(req.To)
		full, plus := strings.CutPrefix(phone, "+")
		if !plus {
			full = countryCode(s.cfg.DisplayPhone) + full
		}
		if !isPhone(full) {
			return nil, nil, invalidValue("to is not a phone number.")
		}
		if full == s.cfg.DisplayPhone {
			return nil, nil, failure{Code: codeSenderRecipient, Details: "The sender and the recipient are the same number."}
		}
		u := s.byPhone[full]
		if u == nil {
			details := "Message Undeliverable."
			if !plus && s.byPhone[phone] != nil {
				details = "Message Undeliverable. Without a plus sign the country code of the business number is put before `to`."
			}
			return nil, nil, failure{Code: s.cfg.UnknownRecipientCode, Details: details}
		}
		return u, &accepted{input: req.To}, failure{}
	case req.Recipient != "":
		if !bsuidPattern.MatchString(req.Recipient) {
			return nil, nil, invalidValue("recipient is not a business-scoped user id.")
		}
		u := s.byBSUID[req.Recipient]
		if u == nil {
			return nil, nil, failure{Code: codeUndeliverable}
		}
		return u, &accepted{input: req.Recipient, byUserID: true}, failure{}
	}
	return nil, nil, parameter("The parameter to is required.", "Either to or recipient must be given.")
}

// checkFrame looks at what all types have in common.
func (s *Simulator) checkFrame(u *user, req sendRequest, out *accepted) failure {
	if utf8.RuneCountInString(req.CallbackData) > maxCallbackRunes {
		return parameter("Param biz_opaque_callback_data must be at most 512 characters long.", "biz_opaque_callback_data is too long.")
	}
	if req.Context == nil {
		return failure{}
	}
	m := s.byID[req.Context.MessageID]
	if req.Type == "reaction" {
		return invalidValue("A reaction takes no context.")
	}
	if m == nil || m.User != u.ID {
		return invalidValue("context.message_id is no message of this chat.")
	}
	out.contextID = m.ID
	return failure{}
}

// outboundTypes are the kinds of message the endpoint knows.
var outboundTypes = []string{"audio", "contacts", "document", "image", "interactive", "location", "reaction", "sticker", "template", "text", "video"}

// allowedKeys are the members of the objects the bot sends most; Meta refuses any other.
var allowedKeys = map[string][]string{
	"text": {"body", "preview_url"}, "audio": {"id", "link", "voice"}, "context": {"message_id"},
	"image": {"id", "link", "caption"}, "video": {"id", "link", "caption"}, "sticker": {"id", "link"},
	"document": {"id", "link", "caption", "filename"},
}

func (s *Simulator) checkContent(u *user, req sendRequest, out *accepted) failure {
	if !slices.Contains(outboundTypes, req.Type) {
		return parameter("Param type must be one of {"+strings.ToUpper(strings.Join(outboundTypes, ", "))+"}", "type is missing or unknown.")
	}
	raw, given := req.body.get(req.Type)
	if !given {
		return parameter("The parameter "+req.Type+" is required.", "The object named by type is missing.")
	}
	for _, name := range []string{req.Type, "context"} {
		for _, f := range req.body.sub(name) {
			if keys, strict := allowedKeys[name]; strict && !slices.Contains(keys, f.key) {
				return parameter(fmt.Sprintf("Unexpected key %q on param %q.", f.key, name), "An object has a member it must not have.")
			}
		}
	}
	switch req.Type {
	case "text":
		return checkText(req.Text, out)
	case "audio", "image", "video", "document", "sticker":
		var m mediaRequest
		if json.Unmarshal(raw, &m) != nil {
			return parameter("Invalid parameter", req.Type+" is not an object of the right shape.")
		}
		return s.checkMedia(req.Type, m, out)
	case "reaction":
		target := s.byID[req.body.sub("reaction").str("message_id")]
		if target == nil || target.User != u.ID {
			return invalidValue("reaction.message_id is no message of this chat.")
		}
	case "template":
		t := req.body.sub("template")
		if t.str("name") == "" || t.sub("language").str("code") == "" {
			return parameter("The parameter template['name'] and template['language']['code'] are required.", "The template is not named.")
		}
	case "interactive":
		if req.body.sub("interactive").str("type") == "" {
			return parameter("The parameter interactive['type'] is required.", "interactive.type is missing.")
		}
		out.text = req.body.sub("interactive").sub("body").str("text")
	}
	return failure{}
}

func checkText(t *textRequest, out *accepted) failure {
	switch {
	case t == nil || strings.TrimSpace(t.Body) == "":
		return parameter("The parameter text['body'] is required.", "The text is empty.")
	case utf8.RuneCountInString(t.Body) > maxTextRunes:
		return parameter("Param text['body'] must be at most 4096 characters long.", "The text is too long.")
	}
	out.text = t.Body
	return failure{}
}

func (s *Simulator) checkMedia(kind string, m mediaRequest, out *accepted) failure {
	out.text = m.Caption
	switch {
	case m.ID != "" && m.Link != "":
		return parameter("Only one of id and link can be given for "+kind+".", "Both id and link were given.")
	case m.ID == "" && m.Link == "":
		return parameter("One of id and link is required for "+kind+".", "Neither id nor link was given.")
	case m.Link != "":
		u, err := url.Parse(m.Link)
		if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
			return parameter("Param "+kind+"['link'] must be a valid URI.", "The link is no http or https address.")
		}
		out.media = &Media{Voice: m.Voice, Filename: m.Filename} // the simulator fetches nothing
		return failure{}
	}
	item, ok := s.liveMedia(m.ID)
	if !ok {
		return parameter("Param "+kind+"['id'] is not a valid whatsapp business account media attachment ID", "The media id is unknown or expired.")
	}
	out.media = &Media{ID: item.id, MIME: item.mime, Size: len(item.blob.data), Voice: m.Voice, Filename: m.Filename}
	if bare := bareMIME(item.mime); mediaKind(bare) != kind && !(kind == "document") {
		return failure{Code: codeMediaUpload, Details: "The media type " + bare + " cannot be sent as " + kind + "."}
	}
	if kind == "audio" {
		return checkAudio(item, m.Voice, out)
	}
	return failure{}
}

func mediaKind(mime string) string {
	if mime == "image/webp" {
		return "sticker"
	}
	return mediaTypeOf(mime)
}

// checkAudio holds audio to Messages > Audio messages: Ogg must be Opus and mono, and a voice note must be Ogg.
func checkAudio(item *mediaItem, voice bool, out *accepted) failure {
	data := item.blob.data
	if len(data) > maxUploadAudio {
		return failure{Code: codeMediaUpload, Details: "The audio file is over 16 MB."}
	}
	if bareMIME(item.mime) != "audio/ogg" {
		if voice {
			return failure{Code: codeMediaUpload, Details: "A voice message must be an audio/ogg file with the Opus codec."}
		}
		return failure{}
	}
	info, err := parseOgg(data)
	switch {
	case err != nil:
		return failure{Code: codeMediaUpload, Details: "The file was declared audio/ogg with the Opus codec, but " + err.Error() + "."}
	case info.channels != 1:
		return failure{Code: codeMediaUpload, Details: fmt.Sprintf("The Ogg Opus stream has %d channels; only mono is supported.", info.channels)}
	}
	out.media.DurationMS = info.durationMS()
	if info.chained {
		out.flags = append(out.flags, "chained_stream")
	}
	if voice && len(data) > maxVoicePlayIcon {
		out.media.Oversized = true
		out.flags = append(out.flags, "oversized_voice")
	}
	return failure{}
}

func (s *Simulator) checkLimits(u *user, _ sendRequest, _ *accepted) failure {
	if s.faults.ThroughputLimit && !s.number.take(s.now(), throughputBurst, throughputFill) {
		return failure{Code: codeThroughput, Details: "Cloud API message throughput has been reached."}
	}
	if s.faults.PairRateLimit && !u.pair.take(s.now(), pairBurst, pairRefill) {
		return failure{Code: codePairLimit, Details: "Message failed to send because there were too many messages sent from this phone number to the same phone number in a short period of time."}
	}
	return failure{}
}

// checkWindow allows only templates when the user has not written for 24 hours.
func (s *Simulator) checkWindow(u *user, req sendRequest, out *accepted) failure {
	open := !u.lastInbound.IsZero() && s.now().Sub(u.lastInbound) < customerWindow
	if open || req.Type == "template" {
		return failure{}
	}
	if s.faults.ErrorsByStatus {
		out.late = failure{Code: codeWindowClosed}
		return failure{}
	}
	return failure{Code: codeWindowClosed}
}
