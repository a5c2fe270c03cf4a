package operate

import (
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// letterView is a dead letter as JSON shows it.
type letterView struct {
	turnView
	Died         time.Time     `json:"died"`
	Conversation string        `json:"conversation"`
	Number       string        `json:"number"`
	To           personView    `json:"to"`
	Messages     []messageView `json:"messages"`
}

type messageView struct {
	ID     string    `json:"id"`
	Kind   string    `json:"kind"`
	SentAt time.Time `json:"sent_at"`
	Text   string    `json:"text,omitempty"`
}

type turnView struct {
	Turn      string     `json:"turn"`
	State     string     `json:"state"`
	Reason    string     `json:"reason,omitempty"`
	StartedAt time.Time  `json:"started_at"`
	Attempt   int        `json:"attempt"`
	Inputs    int        `json:"inputs"`
	Apology   bool       `json:"apology,omitempty"`
	Heard     []string   `json:"heard,omitempty"`
	Reply     string     `json:"reply,omitempty"`
	Parts     []partView `json:"parts"`
}

type partView struct {
	Kind       string    `json:"kind"`
	State      string    `json:"state"`
	Attempt    int       `json:"attempt"`
	IntendedAt time.Time `json:"intended_at,omitzero"`
	MessageID  string    `json:"message_id,omitempty"`
	Failure    string    `json:"failure,omitempty"`
	Code       int       `json:"code,omitempty"`
	Text       string    `json:"text,omitempty"`
}

type remarkView struct {
	Role string    `json:"role"`
	At   time.Time `json:"at,omitzero"`
	Turn string    `json:"turn,omitempty"`
	Text string    `json:"text"`
}

func (o Options) letter(l ports.DeadLetter) letterView {
	v := letterView{
		turnView: o.turn(l.Turn), Died: l.At.UTC(), Conversation: string(l.Turn.Conversation()), Number: string(l.Turn.Number()),
		To: o.person(l.Turn.To()), Messages: []messageView{},
	}
	for _, m := range l.Messages {
		v.Messages = append(v.Messages, messageView{
			ID: o.wamid(m.ID), Kind: string(m.Content.Kind()), SentAt: m.SentAt.UTC(), Text: o.text(wordsOf(m.Content)),
		})
	}
	return v
}

func (o Options) turn(t domain.Turn) turnView {
	v := turnView{
		Turn: string(t.ID()), State: string(t.State()), Reason: t.Reason(), StartedAt: t.StartedAt().UTC(), Attempt: t.Attempt(),
		Inputs: len(t.Inputs()), Apology: t.Apology(), Reply: o.text(t.Reply().Text), Parts: []partView{},
	}
	for _, id := range t.Inputs() {
		if heard, ok := t.Transcript(id); ok && o.Words {
			v.Heard = append(v.Heard, heard.Text)
		}
	}
	for _, p := range t.Parts() {
		part := partView{
			Kind: string(p.Kind), State: string(p.State), Attempt: p.Attempt, IntendedAt: p.IntendedAt.UTC(),
			MessageID: o.wamid(p.MessageID), Text: o.text(p.Text),
		}
		if p.IntendedAt.IsZero() {
			part.IntendedAt = time.Time{}
		}
		if p.Failure != nil {
			part.Failure, part.Code = string(p.Failure.Class), p.Failure.Code
		}
		v.Parts = append(v.Parts, part)
	}
	return v
}

// wordsOf returns what a person wrote, as far as a message holds words.
func wordsOf(content domain.Content) string {
	switch c := content.(type) {
	case domain.Text:
		return c.Body
	case domain.Image:
		return c.Caption
	case domain.Video:
		return c.Caption
	case domain.Document:
		return c.Caption
	case domain.ButtonReply:
		return c.Title
	case domain.ListReply:
		return c.Title
	case domain.FlowReply:
		return c.Body
	case domain.Order:
		return c.Note
	case domain.Edit:
		return wordsOf(c.Content)
	}
	return ""
}
