package domain

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The identifiers of the project. They are distinct types so that the compiler
// refuses a phone number where a user id belongs.
type (
	// MessageID is Meta's id of one message, a "wamid".
	MessageID string
	// ConversationID is our own opaque id of one person's chat with one business
	// number. It survives a changed phone number and holds no personal data.
	ConversationID string
	// TurnID is our own opaque id of one turn of a conversation.
	TurnID string
	// UserID is Meta's business-scoped user id, "CC." and up to 128 letters and
	// digits. It is present on every message since April 2026.
	UserID string
	// Phone is a telephone number as digits with country code and without "+",
	// the form webhooks use.
	Phone string
	// NumberID is the id of a business phone number (phone_number_id).
	NumberID string
	// MediaID is the id of an uploaded or received media object.
	MediaID string
)

// Contact is how one person is known at a moment. UserID and Phone may each be
// absent, never both: a user with a username may hide the phone number, and an
// old payload may lack the user id.
type Contact struct {
	UserID UserID
	Phone  Phone
	// Name is the profile name the person chose. It is personal data and may be empty.
	Name string
}

// ErrNoIdentity says that a contact has neither a user id nor a phone number.
var ErrNoIdentity = errors.New("contact has neither user id nor phone number")

// Validate reports whether the contact can be told apart from others.
func (c Contact) Validate() error {
	if c.UserID == "" && c.Phone == "" {
		return ErrNoIdentity
	}
	return nil
}

// Merge completes c with what a newer sighting adds. A newer non-empty value
// wins, so a phone number that appears later or changes is picked up, and one
// that is merely left out is not forgotten.
func (c Contact) Merge(newer Contact) Contact {
	if newer.UserID != "" {
		c.UserID = newer.UserID
	}
	if newer.Phone != "" {
		c.Phone = newer.Phone
	}
	if newer.Name != "" {
		c.Name = newer.Name
	}
	return c
}

// PartRef names one attempt to send one part of one turn. It travels in every
// send as biz_opaque_callback_data (at most 512 characters) and comes back in
// every status of it, which is how a send without an answer is settled.
type PartRef struct {
	Conversation ConversationID
	Turn         TurnID
	Part         int // index in Turn.Parts
	Attempt      int // 1 for the first try
	// Trace is the W3C traceparent of the send, or empty. It comes back like the rest.
	Trace string
}

// refVersion leads the encoded form so that a later form can be told apart.
const refVersion = "v1"

// String encodes the reference. The ids must not contain "/"; ours never do.
func (r PartRef) String() string {
	s := fmt.Sprintf("%s/%s/%s/%d/%d", refVersion, r.Conversation, r.Turn, r.Part, r.Attempt)
	if r.Trace != "" {
		s += "/" + r.Trace
	}
	return s
}

// traceparentLength is that of version 00 (W3C, "Trace Context").
const traceparentLength = 55

// ParsePartRef reads what String wrote. It reports false for any other text:
// callback data may have been set by another system on the same number.
func ParsePartRef(s string) (PartRef, bool) {
	f := strings.Split(s, "/")
	trace := ""
	if len(f) == 6 && len(f[5]) == traceparentLength {
		trace, f = f[5], f[:5]
	}
	if len(f) != 5 || f[0] != refVersion || f[1] == "" || f[2] == "" {
		return PartRef{}, false
	}
	part, err := strconv.Atoi(f[3])
	if err != nil || part < 0 {
		return PartRef{}, false
	}
	attempt, err := strconv.Atoi(f[4])
	if err != nil || attempt < 0 {
		return PartRef{}, false
	}
	return PartRef{Conversation: ConversationID(f[1]), Turn: TurnID(f[2]), Part: part, Attempt: attempt, Trace: trace}, true
}
