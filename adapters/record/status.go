package record

import (
	"whatsappnode/domain"
)

type partRef struct {
	Conversation domain.ConversationID `json:"c,omitempty"`
	Turn         domain.TurnID         `json:"t,omitempty"`
	Part         int                   `json:"p,omitempty"`
	Attempt      int                   `json:"a,omitempty"`
	Trace        string                `json:"tr,omitempty"`
}

type pricing struct {
	Billable bool   `json:"b,omitempty"`
	Category string `json:"c,omitempty"`
	Type     string `json:"t,omitempty"`
	Model    string `json:"m,omitempty"`
}

type status struct {
	V         int                  `json:"v"`
	Message   domain.MessageID     `json:"id,omitempty"`
	Number    domain.NumberID      `json:"nr,omitempty"`
	Recipient contact              `json:"to"`
	State     domain.DeliveryState `json:"s"`
	At        moment               `json:"t,omitzero"`
	Ref       partRef              `json:"rf,omitzero"`
	HasRef    bool                 `json:"hr,omitempty"`
	Failure   *failure             `json:"f,omitempty"`
	Pricing   *pricing             `json:"pr,omitempty"`
}

// EncodeStatus writes a status.
func EncodeStatus(s domain.Status) ([]byte, error) {
	return marshal("status", status{
		V: Version, Message: s.Message, Number: s.Number, Recipient: contact(s.Recipient), State: s.State,
		At: stamp(s.At), Ref: partRef(s.Ref), HasRef: s.HasRef, Failure: (*failure)(s.Failure), Pricing: (*pricing)(s.Pricing),
	})
}

// DecodeStatus reads what EncodeStatus wrote. Statuses have no rules of their
// own, so any well-formed record is one.
func DecodeStatus(data []byte) (domain.Status, error) {
	var in status
	if err := open("status", data, &in); err != nil {
		return domain.Status{}, err
	}
	return domain.Status{
		Message: in.Message, Number: in.Number, Recipient: domain.Contact(in.Recipient), State: in.State,
		At: in.At.Time, Ref: domain.PartRef(in.Ref), HasRef: in.HasRef,
		Failure: (*domain.Failure)(in.Failure), Pricing: (*domain.Pricing)(in.Pricing),
	}, nil
}
