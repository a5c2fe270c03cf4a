package whatsapp

import (
	"whatsappnode/domain"
)

var deliveryStates = map[string]domain.DeliveryState{
	"sent": domain.DeliverySent, "delivered": domain.DeliveryDelivered, "read": domain.DeliveryRead,
	"played": domain.DeliveryPlayed, "failed": domain.DeliveryFailed,
}

// status reads one delivery report (Meta, "Status messages webhook reference").
func (d *decoder) status(v *wireValue, w *wireStatus) {
	at, timed := instant(w.Timestamp)
	if w.bad || w.ID == "" || !timed || v.Metadata.NumberID == "" {
		d.other("messages", ReasonMalformed, 0)
		return
	}
	state, known := deliveryStates[w.Status]
	if !known {
		d.other("messages", ReasonStatus, 0)
		return
	}
	s := domain.Status{
		Message: domain.MessageID(w.ID), Number: domain.NumberID(v.Metadata.NumberID),
		Recipient: recipient(w), State: state, At: at,
	}
	s.Ref, s.HasRef = domain.ParsePartRef(w.Callback)
	if state == domain.DeliveryFailed {
		failure := domain.Failure{Class: domain.FailPermanent} // failed without a reason
		for _, e := range w.Errors {
			if e.Code.Valid {
				failure = FailureOf(int(e.Code.N))
				break
			}
		}
		s.Failure = &failure
	}
	if p := w.Pricing; p != nil {
		s.Pricing = &domain.Pricing{Billable: p.Billable, Category: p.Category, Type: p.Type, Model: p.Model}
	}
	d.env.Statuses = append(d.env.Statuses, s)
}

// recipient is whom the report is about; in a group that is the participant.
func recipient(w *wireStatus) domain.Contact {
	id := w.Recipient
	if w.RecipientType == "group" {
		id = w.Participant
	}
	return domain.Contact{UserID: domain.UserID(w.RecipientUser), Phone: phone(id)}
}
