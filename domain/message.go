package domain

import (
	"errors"
	"fmt"
	"time"
)

// Message is one message of a user as Meta delivered it. It is immutable once
// admitted.
type Message struct {
	ID     MessageID
	Number NumberID // the business number it was sent to
	From   Contact
	// SentAt is Meta's timestamp, in whole seconds. The 24-hour service window
	// is counted from it, not from the moment we read the message.
	SentAt  time.Time
	Content Content
	// ReplyTo is the message the user quoted, or empty.
	ReplyTo MessageID
	// Forwarded is true for a message the user forwarded from elsewhere.
	Forwarded bool
	// Group is the group id when the message was written in a group, else empty.
	Group string
	// Hold is how long the inbox waits for more messages before the conversation
	// becomes due. Zero means at once.
	Hold time.Duration
	// ReceivedAt is when its webhook came, by our clock; zero for one of an older
	// release. What a person waited is counted from it.
	ReceivedAt time.Time
	// Pause is how long the bot keeps silent in the conversation from the moment the
	// message is admitted; zero leaves that as it is. It comes with an Echo.
	Pause time.Duration
	// Trace is the W3C traceparent of the webhook, or empty.
	Trace string
}

// Sentinels a caller branches on.
var (
	ErrNoMessageID = errors.New("message has no id")
	ErrNoNumber    = errors.New("message names no business number")
	ErrNoContent   = errors.New("message has no content")
)

// Validate reports the first rule the message breaks, or nil.
func (m Message) Validate() error {
	switch {
	case m.ID == "":
		return ErrNoMessageID
	case m.Number == "":
		return ErrNoNumber
	case m.Content == nil:
		return ErrNoContent
	case m.Hold < 0:
		return fmt.Errorf("message hold %s is negative", m.Hold)
	case m.Pause < 0 || m.Pause > MaxPause:
		return fmt.Errorf("message pause %s is out of range", m.Pause)
	}
	return m.From.Validate()
}

// Envelope is all that one webhook POST said, in its order.
type Envelope struct {
	Messages []Message
	Statuses []Status
	// Others are the events we acknowledge and count but do not act on.
	Others []OtherEvent
}

// OtherEvent is an event outside messages and statuses, or one we cannot read.
type OtherEvent struct {
	Field  string // changes[].field, for example "account_update"
	Reason string // why it was set aside: "field", "type", "malformed", ...
	Code   int    // Meta's error code for value-level errors, else 0
}
