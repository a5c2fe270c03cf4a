package whatsapp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

var (
	_ ports.MessengerPort = (*Messenger)(nil)
	_ ports.ReadMarker    = (*Messenger)(nil)
	_ ports.MediaUploader = (*Messenger)(nil)
)

// Messenger sends and fetches over the Graph API. All methods are safe for
// concurrent use. It starts no goroutine of its own; Close frees the connections
// it keeps to the media hosts.
type Messenger struct {
	cfg    Config
	graph  *http.Client
	media  *http.Client
	guard  *MediaGuard
	health health
}

// New makes a messenger. Graph calls go through client, of which a copy is taken:
// redirects are switched off, and its own Timeout is replaced by those of cfg.
//
// Media are downloaded over connections of their own, because each must pass the
// guard against requests into our own network: they take the TLS settings of
// client's transport when that is an *http.Transport, and never use a proxy, whose
// address would hide the one that is dialled.
func New(cfg Config, client *http.Client) (*Messenger, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, fmt.Errorf("whatsapp: %w", err)
	}
	if client == nil {
		return nil, errors.New("whatsapp: the HTTP client is missing")
	}
	guard, err := NewMediaGuard(cfg.MediaHosts)
	if err != nil {
		return nil, fmt.Errorf("whatsapp: %w", err)
	}
	graph := *client
	graph.Timeout = 0
	graph.Jar = nil
	graph.CheckRedirect = keepRedirect
	return &Messenger{cfg: cfg, graph: &graph, media: guard.client(client.Transport), guard: guard}, nil
}

func keepRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Close frees idle connections to the media hosts. Calls under way are not disturbed.
func (m *Messenger) Close() error {
	m.media.CloseIdleConnections()
	return nil
}

// message is the body of POST /{number}/messages (Meta, "Send messages").
type message struct {
	Product       string       `json:"messaging_product"`
	RecipientType string       `json:"recipient_type"`
	To            string       `json:"to,omitempty"`
	Recipient     string       `json:"recipient,omitempty"`
	Type          string       `json:"type"`
	Text          *textBody    `json:"text,omitempty"`
	Audio         *audioBody   `json:"audio,omitempty"`
	Context       *contextBody `json:"context,omitempty"`
	Callback      string       `json:"biz_opaque_callback_data,omitempty"`
}

type textBody struct {
	Body       string `json:"body"`
	PreviewURL bool   `json:"preview_url"`
}

type audioBody struct {
	ID    string `json:"id"`
	Voice bool   `json:"voice"`
}

type contextBody struct {
	MessageID string `json:"message_id"`
}

// maxCallback is the longest biz_opaque_callback_data, in characters.
const maxCallback = 512

const opSend = "whatsapp.send"

// Send implements ports.MessengerPort. A voice note with audio is uploaded first;
// when that fails nothing was sent, and the error is that of Upload.
func (m *Messenger) Send(ctx context.Context, out domain.Outbound) (domain.MessageID, error) {
	if err := ports.FromContext(ctx, opSend); err != nil {
		return "", err
	}
	body, err := newMessage(out)
	if err != nil {
		return "", &ports.Error{Op: opSend, Kind: ports.KindInvalid, Err: err}
	}
	switch c := out.Content.(type) {
	case domain.OutboundText:
		body.Type, body.Text = "text", &textBody{Body: c.Body}
	case domain.OutboundVoice:
		id := c.Media
		if id == "" {
			if id, err = m.Upload(ctx, out.Number, c.Audio); err != nil {
				return "", err
			}
		}
		body.Type, body.Audio = "audio", &audioBody{ID: string(id), Voice: true}
	}
	var answer struct {
		Messages []struct {
			ID domain.MessageID `json:"id"`
		} `json:"messages"`
	}
	c, err := postMessage(opSend, out.Number, body, m.cfg.SendTimeout)
	if err != nil {
		return "", err
	}
	c.once, c.out = true, &answer
	if err := m.do(ctx, c); err != nil {
		return "", err
	}
	if len(answer.Messages) == 0 || answer.Messages[0].ID == "" {
		return "", c.unreadable()
	}
	return answer.Messages[0].ID, nil
}

// newMessage fills in everything but the content.
func newMessage(out domain.Outbound) (message, error) {
	if err := out.Validate(); err != nil {
		return message{}, err
	}
	if !isObjectID(string(out.Number)) {
		return message{}, errors.New("the business number's id is malformed")
	}
	body := message{Product: "whatsapp", RecipientType: "individual"}
	switch digits, ok := phoneDigits(out.To.Phone); {
	case ok:
		// Without "+" Meta would prepend the business number's own country code.
		body.To = "+" + digits
	case out.To.Phone != "":
		return message{}, errors.New("the phone number is not made of digits")
	default:
		body.Recipient = string(out.To.UserID)
	}
	if out.ReplyTo != "" {
		body.Context = &contextBody{MessageID: string(out.ReplyTo)}
	}
	if out.Ref != (domain.PartRef{}) {
		body.Callback = out.Ref.String()
		if domain.TextUnits(body.Callback) > maxCallback {
			return message{}, fmt.Errorf("the reference of the part is over %d characters", maxCallback)
		}
	}
	return body, nil
}

// MarkRead implements ports.ReadMarker (Meta, "Mark messages as read" and "Typing
// indicators"). Earlier messages of the conversation become read with this one.
func (m *Messenger) MarkRead(ctx context.Context, number domain.NumberID, message domain.MessageID, typing bool) error {
	const op = "whatsapp.mark_read"
	if !isObjectID(string(number)) || message == "" {
		return &ports.Error{Op: op, Kind: ports.KindInvalid, Err: errors.New("a receipt needs a business number and a message")}
	}
	type indicator struct {
		Type string `json:"type"`
	}
	body := struct {
		Product string           `json:"messaging_product"`
		Status  string           `json:"status"`
		Message domain.MessageID `json:"message_id"`
		Typing  *indicator       `json:"typing_indicator,omitempty"`
	}{Product: "whatsapp", Status: "read", Message: message}
	if typing {
		body.Typing = &indicator{Type: "text"}
	}
	c, err := postMessage(op, number, body, m.cfg.MarkTimeout)
	if err != nil {
		return err
	}
	var answer struct {
		Success bool `json:"success"`
	}
	c.out = &answer
	if err := m.do(ctx, c); err != nil {
		return err
	}
	if !answer.Success {
		return &ports.Error{Op: op, Kind: ports.KindUnknown, Err: errors.New("the answer does not say success")}
	}
	return nil
}

func postMessage(op string, number domain.NumberID, body any, timeout time.Duration) (call, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return call{}, &ports.Error{Op: op, Kind: ports.KindInvalid, Err: errors.New("the message cannot be encoded")}
	}
	return call{
		op: op, method: http.MethodPost, path: []string{string(number), "messages"},
		mime: "application/json", size: int64(len(data)), timeout: timeout,
		body: func() io.ReadCloser { return io.NopCloser(bytes.NewReader(data)) },
	}, nil
}
