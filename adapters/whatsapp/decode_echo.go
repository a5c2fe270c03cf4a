package whatsapp

import "whatsappnode/domain"

// readFields are the webhook fields that are read: what users write and what became of
// our sends, and what the business itself wrote from its phone or another program.
var readFields = map[string]bool{FieldMessages: true, FieldAppEchoes: true, FieldEchoes: true}

// echoes reads what the business wrote to people. Each is a message in that person's
// conversation, and the person is known as the writer of a message is.
func (d *decoder) echoes(field string, v *wireValue) {
	people := wireValue{Contacts: v.Contacts, Messages: make([]wireMessage, len(v.Echoes))}
	for i, w := range v.Echoes {
		people.Messages[i] = wireMessage{From: w.To, FromUserID: w.ToUserID}
	}
	number := domain.NumberID(v.Metadata.NumberID)
	for i := range v.Echoes {
		w := &v.Echoes[i]
		at, timed := instant(w.Timestamp)
		content, _ := contentOf(&w.wireContent, number)
		m := domain.Message{
			ID: domain.MessageID(w.ID), Number: number, From: sender(&people, &people.Messages[i]), SentAt: at,
			Content: domain.Echo{Content: content}, Group: w.GroupID,
		}
		if w.bad || !timed || m.Validate() != nil {
			d.other(field, ReasonMalformed, 0)
			continue
		}
		d.env.Messages = append(d.env.Messages, m)
	}
}
