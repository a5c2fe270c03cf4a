package operate

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// conversationView is the state of a conversation as JSON shows it.
type conversationView struct {
	Conversation string       `json:"conversation"`
	Finished     bool         `json:"finished"` // whether a turn of it was ever finished
	Number       string       `json:"number,omitempty"`
	With         personView   `json:"with"`
	Language     string       `json:"language,omitempty"`
	LastInbound  time.Time    `json:"last_inbound,omitzero"`
	WindowOpen   bool         `json:"window_open"`
	Remarks      int          `json:"remarks"`
	History      []remarkView `json:"history,omitempty"`
	Turns        []turnView   `json:"turns"`
}

// Inspect writes the state of a conversation: what is remembered of it, and its
// newest turns with their parts. What was said is left out unless Words is set.
func Inspect(ctx context.Context, port ports.ConversationPort, out io.Writer, id domain.ConversationID, opt Options) error {
	conv, err := port.Load(ctx, id)
	unfinished := ports.KindOf(err) == ports.KindNotFound
	if err != nil && !unfinished {
		return fmt.Errorf("inspect: %w", err)
	}
	turns, failed := port.Turns(ctx, id, opt.limit())
	switch {
	case failed != nil:
		return fmt.Errorf("inspect: %w", failed)
	case unfinished && len(turns) == 0:
		return explain(err, "inspect "+string(id))
	}
	v := conversationView{Conversation: string(id), Finished: !unfinished, Turns: []turnView{}}
	if !unfinished {
		v.remember(conv, opt)
	} else {
		v.Number, v.With = string(turns[0].Number()), opt.person(turns[0].To())
	}
	for _, t := range turns {
		v.Turns = append(v.Turns, opt.turn(t))
	}
	if opt.JSON {
		return document(out, v)
	}
	return writeConversation(out, v)
}

func (v *conversationView) remember(conv domain.Conversation, opt Options) {
	v.Number, v.With, v.Language = string(conv.Number()), opt.person(conv.Contact()), conv.Language()
	v.WindowOpen = conv.WindowOpen(time.Now())
	if !conv.LastInbound().IsZero() {
		v.LastInbound = conv.LastInbound().UTC()
	}
	history := conv.History()
	v.Remarks = len(history)
	if !opt.Words {
		return
	}
	for _, r := range history {
		remark := remarkView{Role: string(r.Role), Turn: string(r.Turn), Text: r.Text}
		if !r.At.IsZero() {
			remark.At = r.At.UTC()
		}
		v.History = append(v.History, remark)
	}
}

func writeConversation(out io.Writer, v conversationView) error {
	t := newTable(out, "Conversation", v.Conversation)
	t.row("Number", v.Number)
	t.row("With", v.With.String())
	if v.Finished {
		t.row("Language", v.Language)
		t.row("Last inbound", stamp(v.LastInbound))
		t.row("Window open", strconv.FormatBool(v.WindowOpen))
		t.row("Remembered", plural(v.Remarks, "remark", "remarks"))
	} else {
		t.row("Remembered", "nothing yet: no turn is finished")
	}
	if err := t.end(); err != nil {
		return err
	}
	if len(v.History) > 0 {
		if err := say(out, ""); err != nil {
			return err
		}
		t = newTable(out, "ROLE", "AT", "TURN", "TEXT")
		for _, r := range v.History {
			t.row(r.Role, stamp(r.At), r.Turn, visible(r.Text))
		}
		if err := t.end(); err != nil {
			return err
		}
	}
	for _, turn := range v.Turns {
		if err := writeTurn(out, turn); err != nil {
			return err
		}
	}
	return nil
}

func writeTurn(out io.Writer, v turnView) error {
	head := fmt.Sprintf("\nTurn %s: %s", v.Turn, v.State)
	if v.Reason != "" {
		head += " (" + visible(v.Reason) + ")"
	}
	if v.Apology {
		head += ", with the fallback message"
	}
	err := say(out, "%s, started %s, attempt %d, %s", head, stamp(v.StartedAt), v.Attempt, plural(v.Inputs, "message", "messages"))
	for _, heard := range v.Heard {
		if err == nil {
			err = say(out, "  heard: %s", visible(heard))
		}
	}
	if err == nil && v.Reply != "" {
		err = say(out, "  reply: %s", visible(v.Reply))
	}
	if err != nil {
		return err
	}
	return writeParts(out, v.Parts)
}

func writeParts(out io.Writer, parts []partView) error {
	if len(parts) == 0 {
		return nil
	}
	t := newTable(out, "  PART", "KIND", "STATE", "ATTEMPTS", "INTENDED", "MESSAGE", "FAILURE", "TEXT")
	for i, p := range parts {
		failure := p.Failure
		if p.Code != 0 {
			failure += " " + strconv.Itoa(p.Code)
		}
		t.row("  "+strconv.Itoa(i), p.Kind, p.State, strconv.Itoa(p.Attempt), stamp(p.IntendedAt), visible(p.MessageID), failure, visible(p.Text))
	}
	return t.end()
}
