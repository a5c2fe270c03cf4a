package operate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// ControlStore is what the commands need that decide who is answered.
type ControlStore interface {
	ports.ControlPort
	Find(ctx context.Context, who domain.Contact) ([]domain.ConversationID, error)
}

// Target says which conversations a decision is about: one by its id, or all of a
// person, whom a phone number or a user id names.
type Target struct {
	Conversation domain.ConversationID
	Who          domain.Contact
}

// ParseTarget reads a target of which exactly one name is given.
func ParseTarget(conversation, phone, user string) (Target, error) {
	given := 0
	for _, s := range []string{conversation, phone, user} {
		if s != "" {
			given++
		}
	}
	if given != 1 {
		return Target{}, errors.New("name one conversation, one phone number or one user id")
	}
	if conversation != "" {
		return Target{Conversation: domain.ConversationID(conversation)}, nil
	}
	who, err := ParseUser(phone + user)
	if err == nil && (who.Phone == "") != (phone == "") {
		err = errWho
	}
	return Target{Who: who}, err
}

// ErrNobody says that a person has no conversation, so that there is nothing to decide
// about. Those who never wrote belong on the lists of the settings.
var ErrNobody error = &ports.Error{Op: "decide", Kind: ports.KindNotFound, Err: errors.New("no conversation of that person is stored")}

// Decide makes a change in every conversation of a target, and returns them with their
// controls after it. Without a conversation it fails with ErrNobody. It goes on after a
// failure, so that one conversation does not keep the others from what was decided.
func Decide(ctx context.Context, store ControlStore, target Target, change domain.ControlChange) ([]Decided, error) {
	ids := []domain.ConversationID{target.Conversation}
	if target.Conversation == "" {
		var err error
		if ids, err = store.Find(ctx, target.Who); err != nil {
			return nil, fmt.Errorf("find the person: %w", err)
		}
	}
	if len(ids) == 0 {
		return nil, ErrNobody
	}
	var out []Decided
	var faults []error
	for _, id := range ids {
		err := store.Control(ctx, id, change)
		var now domain.Controls
		if err == nil {
			now, err = store.Controls(ctx, id)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", change.Kind, err))
			continue
		}
		out = append(out, Decided{Conversation: id, PausedSeconds: int64(now.Paused / time.Second), PausedBy: now.PausedBy, OptedOut: now.OptedOut, Blocked: now.Blocked})
	}
	return out, errors.Join(faults...)
}

// Decided are the controls of a conversation, as they are shown.
type Decided struct {
	Conversation  domain.ConversationID `json:"conversation"`
	PausedSeconds int64                 `json:"paused_seconds"`
	PausedBy      domain.PausedBy       `json:"paused_by,omitempty"`
	OptedOut      bool                  `json:"opted_out"`
	Blocked       bool                  `json:"blocked"`
}

func (d Decided) String() string {
	state := "is answered"
	switch {
	case d.Blocked:
		state = "is blocked"
	case d.OptedOut:
		state = "has opted out"
	case d.PausedSeconds > 0:
		state = fmt.Sprintf("is paused for %s (%s)", time.Duration(d.PausedSeconds)*time.Second, d.PausedBy)
	}
	return string(d.Conversation) + " " + state
}

// Control makes a decision and writes what is in force now.
func Control(ctx context.Context, store ControlStore, out io.Writer, target Target, change domain.ControlChange, opt Options) error {
	decided, err := Decide(ctx, store, target, change)
	if opt.JSON && err == nil {
		return document(out, decided)
	}
	for _, d := range decided {
		if err := say(out, "%s", d); err != nil {
			return err
		}
	}
	return err
}
