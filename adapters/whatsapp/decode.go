package whatsapp

import (
	"errors"
	"slices"
	"time"

	"whatsappnode/domain"
)

// Bounds of a webhook. Meta sends up to 1,000 updates a POST and nests about a
// dozen levels.
const (
	MaxUpdates = 10_000
	MaxDepth   = 64
)

// Errors of Decode. They do not quote the body.
var (
	ErrNotJSON    = errors.New("the webhook is not JSON")
	ErrNotWebhook = errors.New(`the webhook is not an object with "object" and "entry"`)
	ErrTooDeep    = errors.New("the webhook is nested too deeply")
	ErrTooMany    = errors.New("the webhook holds too many updates")
)

// Reasons of domain.OtherEvent, beside the ones its documentation names.
const (
	ReasonField     = "field"     // a webhook field we do not subscribe to
	ReasonObject    = "object"    // a webhook of another product than WhatsApp
	ReasonType      = "type"      // a message type we do not know; the message itself is kept
	ReasonStatus    = "status"    // a delivery state we do not know
	ReasonMalformed = "malformed" // unreadable, or a part that is needed is missing
	ReasonError     = "error"     // Meta reports an error of the account, see Code
	ReasonEmpty     = "empty"     // a change that says nothing we know
)

const businessAccount = "whatsapp_business_account"

// Decode reads one webhook POST whose signature was checked. It walks every entry,
// change, message, status and error in order.
//
// It fails only when the whole is not a webhook or goes beyond the bounds above.
// What it cannot read or does not know inside of one goes to Others with a reason
// and leaves its neighbours alone. A message of an unknown type from a known person
// is there twice: as domain.Unsupported, so that the person gets an answer, and in
// Others, so that it is counted. Every message returned is valid.
func Decode(raw []byte) (domain.Envelope, error) {
	if err := checkDepth(raw, MaxDepth); err != nil {
		return domain.Envelope{}, err
	}
	wire, err := parse(raw)
	if err != nil {
		return domain.Envelope{}, err
	}
	d := decoder{}
	for _, entry := range wire.Entry {
		if entry.bad {
			d.other("", ReasonMalformed, 0)
		}
		for _, change := range entry.Changes {
			d.change(wire.Object, change)
		}
		if d.updates() > MaxUpdates {
			return domain.Envelope{}, ErrTooMany
		}
	}
	return d.env, nil
}

type decoder struct{ env domain.Envelope }

func (d *decoder) updates() int { return len(d.env.Messages) + len(d.env.Statuses) + len(d.env.Others) }

func (d *decoder) other(field, reason string, code int) {
	d.env.Others = append(d.env.Others, domain.OtherEvent{Field: field, Reason: reason, Code: code})
}

func (d *decoder) change(object string, c wireChange) {
	v := &c.Value
	switch {
	case object != businessAccount:
		d.other(c.Field, ReasonObject, 0)
		return
	case c.bad:
		d.other(c.Field, ReasonMalformed, 0)
		return
	case !readFields[c.Field]:
		// history holds messages too, but nobody wrote them now.
		d.other(c.Field, ReasonField, 0)
		return
	}
	before := d.updates()
	for i := range v.Messages {
		d.message(v, &v.Messages[i])
	}
	for i := range v.Statuses {
		d.status(v, &v.Statuses[i])
	}
	for _, e := range v.Errors {
		if e.bad || !e.Code.Valid {
			d.other(c.Field, ReasonMalformed, 0)
			continue
		}
		d.other(c.Field, ReasonError, int(e.Code.N))
	}
	d.echoes(c.Field, v)
	if d.updates() == before {
		d.other(c.Field, ReasonEmpty, 0)
	}
}

func (d *decoder) message(v *wireValue, w *wireMessage) {
	at, timed := instant(w.Timestamp)
	number := domain.NumberID(v.Metadata.NumberID)
	content, known := contentOf(&w.wireContent, number)
	if !known {
		d.other("messages", ReasonType, errorCode(w.Errors))
	}
	m := domain.Message{
		ID: domain.MessageID(w.ID), Number: number, From: sender(v, w),
		SentAt: at, Content: content,
		ReplyTo:   domain.MessageID(w.Context.ID),
		Forwarded: w.Context.Forwarded || w.Context.FrequentlyForwarded,
		Group:     w.GroupID,
	}
	switch {
	case !w.bad && timed && m.Validate() == nil:
		d.env.Messages = append(d.env.Messages, m)
	case known: // an unknown type is in Others already
		d.other("messages", ReasonMalformed, 0)
	}
}

// sender joins what the message and the contact list say of its writer. Either
// identity may be missing: the phone number when the person hides it behind a
// username, the user id in older payloads (Meta, "Business-scoped user IDs").
func sender(v *wireValue, w *wireMessage) domain.Contact {
	from := domain.Contact{UserID: domain.UserID(w.FromUserID), Phone: phone(w.From)}
	c, ok := contactOf(v, w)
	if !ok {
		return from
	}
	known := domain.Contact{UserID: domain.UserID(c.UserID), Phone: phone(c.WaID), Name: c.Profile.Name}
	return known.Merge(from)
}

// contactOf finds the writer in the contact list: by user id, by phone number, or
// because there is one contact and one writer, since wa_id need not equal from.
// Two user ids are never the same person.
func contactOf(v *wireValue, w *wireMessage) (wireContact, bool) {
	for _, c := range v.Contacts {
		if w.FromUserID != "" && c.UserID == w.FromUserID {
			return c, true
		}
	}
	fits := func(c wireContact) bool { return c.UserID == "" || w.FromUserID == "" }
	for _, c := range v.Contacts {
		if w.From != "" && c.WaID == w.From && fits(c) {
			return c, true
		}
	}
	if len(v.Contacts) == 1 && fits(v.Contacts[0]) && !slices.ContainsFunc(v.Messages, func(o wireMessage) bool {
		return o.From != w.From || o.FromUserID != w.FromUserID
	}) {
		return v.Contacts[0], true
	}
	return wireContact{}, false
}

// phone keeps what is a telephone number.
func phone(s string) domain.Phone {
	digits, ok := phoneDigits(domain.Phone(s))
	if !ok {
		return ""
	}
	return domain.Phone(digits)
}

// maxUnix is the end of the year 9999; later instants do not fit our records.
const maxUnix = 253402300799

func instant(f flexInt) (time.Time, bool) {
	if !f.Valid || f.N <= 0 || f.N > maxUnix {
		return time.Time{}, false
	}
	return time.Unix(f.N, 0).UTC(), true
}

func errorCode(errs []wireError) int {
	for _, e := range errs {
		if e.Code.Valid {
			return int(e.Code.N)
		}
	}
	return 0
}
