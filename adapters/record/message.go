package record

import (
	"encoding/json"
	"fmt"
	"time"

	"whatsappnode/domain"
)

type contact struct {
	UserID domain.UserID `json:"u,omitempty"`
	Phone  domain.Phone  `json:"p,omitempty"`
	Name   string        `json:"n,omitempty"`
}

type message struct {
	V         int                `json:"v"`
	ID        domain.MessageID   `json:"id"`
	Number    domain.NumberID    `json:"nr"`
	From      contact            `json:"f"`
	SentAt    moment             `json:"t,omitzero"`
	Kind      domain.ContentKind `json:"k"`
	Content   json.RawMessage    `json:"c"`
	ReplyTo   domain.MessageID   `json:"re,omitempty"`
	Forwarded bool               `json:"fw,omitempty"`
	Group     string             `json:"g,omitempty"`
	Hold      time.Duration      `json:"h,omitempty"`
	Received  moment             `json:"rt,omitzero"`
	Pause     time.Duration      `json:"ps,omitempty"`
	Trace     string             `json:"tr,omitempty"`
}

// EncodeMessage writes a message. The message must be valid.
func EncodeMessage(m domain.Message) ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	kind, content, err := encodeContent(m.Content, 0)
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	return marshal("message", message{
		V: Version, ID: m.ID, Number: m.Number, From: contact(m.From), SentAt: stamp(m.SentAt),
		Kind: kind, Content: content, ReplyTo: m.ReplyTo, Forwarded: m.Forwarded, Group: m.Group,
		Hold: m.Hold, Pause: m.Pause, Received: stamp(m.ReceivedAt), Trace: m.Trace,
	})
}

// DecodeMessage reads what EncodeMessage wrote; the message it returns is valid.
func DecodeMessage(data []byte) (domain.Message, error) {
	var r message
	if err := open("message", data, &r); err != nil {
		return domain.Message{}, err
	}
	content, err := decodeContent(r.Kind, r.Content, 0)
	if err != nil {
		return domain.Message{}, fmt.Errorf("decode message: %w", err)
	}
	m := domain.Message{
		ID: r.ID, Number: r.Number, From: domain.Contact(r.From), SentAt: r.SentAt.Time, Content: content,
		ReplyTo: r.ReplyTo, Forwarded: r.Forwarded, Group: r.Group, Hold: r.Hold, Pause: r.Pause, ReceivedAt: r.Received.Time, Trace: r.Trace,
	}
	if err := m.Validate(); err != nil {
		return domain.Message{}, fmt.Errorf("decode message: %w: %w", ErrMalformed, err)
	}
	return m, nil
}
