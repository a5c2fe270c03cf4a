package record

import (
	"fmt"

	"whatsappnode/domain"
)

type remark struct {
	Role domain.Role   `json:"r"`
	Text string        `json:"t"`
	At   moment        `json:"at,omitzero"`
	Turn domain.TurnID `json:"tn,omitempty"`
}

type conversation struct {
	V           int                   `json:"v"`
	ID          domain.ConversationID `json:"id"`
	Number      domain.NumberID       `json:"nr"`
	Contact     contact               `json:"c"`
	Language    string                `json:"l,omitempty"`
	LastInbound moment                `json:"t,omitzero"`
	History     []remark              `json:"h,omitempty"`
}

// EncodeConversation writes a conversation.
func EncodeConversation(c domain.Conversation) ([]byte, error) {
	r := c.Record()
	out := conversation{
		V: Version, ID: r.ID, Number: r.Number, Contact: contact(r.Contact), Language: r.Language,
		LastInbound: stamp(r.LastInbound),
	}
	for _, h := range r.History {
		out.History = append(out.History, remark{Role: h.Role, Text: h.Text, At: stamp(h.At), Turn: h.Turn})
	}
	return marshal("conversation", out)
}

// DecodeConversation reads what EncodeConversation wrote and checks it as
// domain.RestoreConversation does.
func DecodeConversation(data []byte) (domain.Conversation, error) {
	var in conversation
	if err := open("conversation", data, &in); err != nil {
		return domain.Conversation{}, err
	}
	r := domain.ConversationRecord{
		ID: in.ID, Number: in.Number, Contact: domain.Contact(in.Contact), Language: in.Language,
		LastInbound: in.LastInbound.Time,
	}
	for _, h := range in.History {
		r.History = append(r.History, domain.Remark{Role: h.Role, Text: h.Text, At: h.At.Time, Turn: h.Turn})
	}
	c, err := domain.RestoreConversation(r)
	if err != nil {
		return domain.Conversation{}, fmt.Errorf("decode conversation: %w", ErrMalformed)
	}
	return c, nil
}
