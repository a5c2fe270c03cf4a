package operate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// errWho does not quote what was typed: it may be somebody's number.
var errWho = errors.New("that is neither a phone number with its country code (digits, perhaps with a leading +) nor a user id (two letters, a dot, letters and digits)")

var (
	userID  = regexp.MustCompile(`^[A-Z]{2}\.[A-Za-z0-9]{1,128}$`)
	number  = regexp.MustCompile(`^[0-9]{7,15}$`) // E.164 allows 15 digits
	spacing = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "", "+", "")
)

// ParseUser reads a phone number or a user id as a person would type it.
func ParseUser(s string) (domain.Contact, error) {
	s = strings.TrimSpace(s)
	if userID.MatchString(s) {
		return domain.Contact{UserID: domain.UserID(s)}, nil
	}
	digits := spacing.Replace(strings.TrimPrefix(s, "+"))
	if strings.Count(s, "+") > 1 || strings.Index(s, "+") > 0 || !number.MatchString(digits) {
		return domain.Contact{}, errWho
	}
	return domain.Contact{Phone: domain.Phone(digits)}, nil
}

// eraseView is the answer of Erase as JSON shows it.
type eraseView struct {
	Who     personView              `json:"who"`
	Found   []domain.ConversationID `json:"found"`
	Erased  bool                    `json:"erased"`
	At      time.Time               `json:"erased_at,omitzero"`
	Removed *removedView            `json:"removed,omitempty"`
}

type removedView struct {
	Conversations int `json:"conversations"`
	Messages      int `json:"messages"`
	Turns         int `json:"turns"`
	DeadLetters   int `json:"dead_letters"`
	MessageIDs    int `json:"message_ids"`
	Names         int `json:"names"`
}

// Erase removes everything that is stored about a person, given by phone number or
// user id, and writes what that was. Without Yes it writes what it found, removes
// nothing and returns ErrNotConfirmed.
func Erase(ctx context.Context, port ports.ErasurePort, out io.Writer, user string, opt Options) error {
	who, err := ParseUser(user)
	if err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	found, err := port.Find(ctx, who)
	if err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	v := eraseView{Who: opt.person(who), Found: append([]domain.ConversationID{}, found...)}
	if !opt.Yes {
		if err := writeFound(out, v, opt); err != nil {
			return err
		}
		return ErrNotConfirmed
	}
	// Also when nothing was found: an erasure that was cut short may have left work.
	gone, err := port.Erase(ctx, who)
	if err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	removed := removedView(gone)
	v.Erased, v.At, v.Removed = true, time.Now().UTC().Truncate(time.Second), &removed
	if opt.JSON {
		return document(out, v)
	}
	return writeRemoved(out, v)
}

func writeFound(out io.Writer, v eraseView, opt Options) error {
	if opt.JSON {
		return document(out, v)
	}
	if len(v.Found) == 0 {
		return say(out, "No conversation of %s is stored.", v.Who)
	}
	if err := say(out, "%s of %s would be removed, with all that belongs to it:", plural(len(v.Found), "conversation", "conversations"), v.Who); err != nil {
		return err
	}
	for _, id := range v.Found {
		if err := say(out, "  %s", id); err != nil {
			return err
		}
	}
	return nil
}

func writeRemoved(out io.Writer, v eraseView) error {
	if *v.Removed == (removedView{}) {
		return say(out, "Nothing was stored about %s.", v.Who)
	}
	r := v.Removed
	return say(out, "Removed everything about %s at %s: %s, %s, %s, %s, %s, %s.", v.Who, stamp(v.At),
		plural(r.Conversations, "conversation", "conversations"), plural(r.Messages, "message", "messages"),
		plural(r.Turns, "turn", "turns"), plural(r.DeadLetters, "dead letter", "dead letters"),
		plural(r.MessageIDs, "message id", "message ids"), plural(r.Names, "name", "names"))
}
