package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// Exporter is a store that finds people and reads out what it has of them.
type Exporter interface {
	Find(ctx context.Context, who domain.Contact) ([]domain.ConversationID, error)
	Controls(ctx context.Context, id domain.ConversationID) (domain.Controls, error)
	ports.ExportPort
}

// Everything a person may ask for is in the answer, in full: it is for that person.
type (
	exportedConversation struct {
		Number      string       `json:"number"`
		With        personView   `json:"with"`
		Language    string       `json:"language,omitempty"`
		LastInbound time.Time    `json:"last_inbound,omitzero"`
		History     []remarkView `json:"history"`
	}
	exportedMessage struct {
		ID      string         `json:"id"`
		Number  string         `json:"number"`
		From    personView     `json:"from"`
		SentAt  time.Time      `json:"sent_at"`
		Kind    string         `json:"kind"`
		Content domain.Content `json:"content"`
		ReplyTo string         `json:"reply_to,omitempty"`
		Group   string         `json:"group,omitempty"`
	}
	exportedControls struct {
		PausedSeconds int64           `json:"paused_seconds"`
		PausedBy      domain.PausedBy `json:"paused_by,omitempty"`
		OptedOut      bool            `json:"opted_out"`
		Blocked       bool            `json:"blocked"`
	}
	exportedTurn struct {
		turnView
		Handoff  string           `json:"handoff,omitempty"`
		To       personView       `json:"to"`
		Statuses []exportedStatus `json:"statuses"`
	}
	exportedStatus struct {
		State     string     `json:"state"`
		At        time.Time  `json:"at,omitzero"`
		MessageID string     `json:"message_id,omitempty"`
		Recipient personView `json:"recipient"`
	}
	exportedLetter struct {
		Turn     string            `json:"turn"`
		Died     time.Time         `json:"died"`
		Messages []exportedMessage `json:"messages"`
	}
)

// exportFormat names the form of the document; a change that readers notice gets
// another number.
const exportFormat = "whatsapp-node export 1"

// Export writes everything that is stored about a person, given by phone number or user
// id, as one JSON document: what was decided about each conversation and what it remembers, and all its waiting
// messages, turns and dead letters. It holds one record at a time. When it fails, the
// document is cut short and no valid JSON.
func Export(ctx context.Context, store Exporter, out io.Writer, user string) error {
	who, err := ParseUser(user)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if err := ExportPerson(ctx, store, out, who, time.Now()); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}

// ExportTo is Export into a new file, or to out when none is named. A file that cannot
// be completed is removed.
func ExportTo(ctx context.Context, store Exporter, out io.Writer, file, user string) (err error) {
	if file == "" {
		return Export(ctx, store, out, user)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // #nosec G304 -- the operator names the file on the command line
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	err = Export(ctx, store, f, user)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	return say(out, "Written to %s.", file)
}

// ExportPerson is Export for a person that is known, at a time.
func ExportPerson(ctx context.Context, store Exporter, out io.Writer, who domain.Contact, now time.Time) error {
	found, err := store.Find(ctx, who)
	if err != nil {
		return err
	}
	e := &exporting{out: out, opt: Options{Words: true}}
	e.text(`{"format":`)
	e.value(exportFormat)
	e.text(`,"exported_at":`)
	e.value(now.UTC().Truncate(time.Second))
	e.text(`,"who":`)
	e.value(e.opt.person(who))
	e.text(`,"conversations":[`)
	for i, id := range found {
		if i > 0 {
			e.text(",")
		}
		e.text("\n" + `{"conversation":`)
		e.value(id)
		e.section = ""
		if err := e.controls(ctx, store, id); err != nil {
			return err
		}
		if err := store.Export(ctx, id, e.visit); err != nil {
			return err
		}
		e.leave()
		e.text("}")
	}
	e.text("]}\n")
	return e.err
}

// exporting writes a document piece by piece and keeps the first error.
type exporting struct {
	out     io.Writer
	opt     Options
	section string // the list that is open
	err     error
}

func (e *exporting) text(s string) {
	if e.err != nil {
		return
	}
	if _, err := io.WriteString(e.out, s); err != nil {
		e.err = fmt.Errorf("write the answer: %w", err)
	}
}

func (e *exporting) value(v any) {
	data, err := json.Marshal(v)
	if err != nil && e.err == nil {
		e.err = errors.New("write the answer: a value has no JSON form")
	}
	e.text(string(data))
}

// item writes one item of a list, which follows the lists before it.
func (e *exporting) item(section string, v any) {
	if e.section == section {
		e.text(",\n")
	} else {
		e.leave()
		e.section = section
		e.text(",\n" + `"` + section + `":[`)
	}
	e.value(v)
}

func (e *exporting) leave() {
	if e.section != "" {
		e.text("]")
	}
	e.section = ""
}

func (e *exporting) visit(s ports.Stored) error {
	switch {
	case s.Conversation != nil:
		e.text(`,"remembered":`)
		e.value(e.conversation(*s.Conversation))
	case s.Waiting != nil:
		e.item("waiting", e.message(*s.Waiting))
	case s.Turn != nil:
		e.item("turns", e.turn(*s.Turn, s.Facts))
	case s.Letter != nil:
		l := exportedLetter{Turn: string(s.Letter.Turn.ID()), Died: s.Letter.At.UTC(), Messages: []exportedMessage{}}
		for _, m := range s.Letter.Messages {
			l.Messages = append(l.Messages, e.message(m))
		}
		e.item("dead_letters", l)
	}
	return e.err
}

// controls writes what was decided about a conversation. One that was erased since it was
// found has none.
func (e *exporting) controls(ctx context.Context, store Exporter, id domain.ConversationID) error {
	now, err := store.Controls(ctx, id)
	if ports.KindOf(err) == ports.KindNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	e.text(`,"controls":`)
	e.value(exportedControls{int64(now.Paused / time.Second), now.PausedBy, now.OptedOut, now.Blocked})
	return nil
}

func (e *exporting) conversation(c domain.Conversation) exportedConversation {
	v := exportedConversation{
		Number: string(c.Number()), With: e.opt.person(c.Contact()), Language: c.Language(), History: []remarkView{},
	}
	if !c.LastInbound().IsZero() {
		v.LastInbound = c.LastInbound().UTC()
	}
	for _, r := range c.History() {
		remark := remarkView{Role: string(r.Role), Turn: string(r.Turn), Text: r.Text}
		if !r.At.IsZero() {
			remark.At = r.At.UTC()
		}
		v.History = append(v.History, remark)
	}
	return v
}

func (e *exporting) message(m domain.Message) exportedMessage {
	return exportedMessage{
		ID: string(m.ID), Number: string(m.Number), From: e.opt.person(m.From), SentAt: m.SentAt.UTC(),
		Kind: string(m.Content.Kind()), Content: m.Content, ReplyTo: string(m.ReplyTo), Group: m.Group,
	}
}

func (e *exporting) turn(t domain.Turn, facts []domain.Status) exportedTurn {
	v := exportedTurn{turnView: e.opt.turn(t), Handoff: string(t.Handoff().State), To: e.opt.person(t.To()), Statuses: []exportedStatus{}}
	for _, f := range facts {
		st := exportedStatus{State: string(f.State), MessageID: string(f.Message), Recipient: e.opt.person(f.Recipient)}
		if !f.At.IsZero() {
			st.At = f.At.UTC()
		}
		v.Statuses = append(v.Statuses, st)
	}
	return v
}
