package echohttp

import (
	"sync/atomic"

	"whatsappnode/ports"
)

// Snapshot is how requests ended since the start. Fields count requests, except
// New and Seen, which count messages.
type Snapshot struct {
	New, Seen int64 // messages of answered webhooks
	Ignored   int64 // webhooks without a message
	Others    int64 // events that were acknowledged and set aside, such as unknown fields
	// Refusals of the webhook, by the word in the answer.
	BadSignature, BadJSON, TooLarge, Timeout, Unreadable, Busy, Unavailable, Forbidden int64
	// NotFound, NotAllowed and Internal also count other paths; Panics is part of
	// Internal.
	NotFound, NotAllowed, Internal, Panics int64
}

type counters struct {
	isNew, seen, ignored, others                                                       atomic.Int64
	badSignature, badJSON, tooLarge, timeout, unreadable, busy, unavailable, forbidden atomic.Int64
	notFound, notAllowed, internal, panics                                             atomic.Int64
}

func (c *counters) received(r ports.Receipt) {
	if len(r.Messages) == 0 {
		c.ignored.Add(1)
	}
	for _, m := range r.Messages {
		if m.New {
			c.isNew.Add(1)
		} else {
			c.seen.Add(1)
		}
	}
}

func (c *counters) refused(word string) {
	switch word {
	case "bad_signature":
		c.badSignature.Add(1)
	case "bad_json":
		c.badJSON.Add(1)
	case "too_large":
		c.tooLarge.Add(1)
	case "timeout":
		c.timeout.Add(1)
	case "unreadable":
		c.unreadable.Add(1)
	case "busy":
		c.busy.Add(1)
	case "unavailable":
		c.unavailable.Add(1)
	case "forbidden":
		c.forbidden.Add(1)
	case "not_found":
		c.notFound.Add(1)
	case "method_not_allowed":
		c.notAllowed.Add(1)
	default:
		c.internal.Add(1)
	}
}

func (c *counters) snapshot() Snapshot {
	return Snapshot{
		New: c.isNew.Load(), Seen: c.seen.Load(), Ignored: c.ignored.Load(), Others: c.others.Load(),
		BadSignature: c.badSignature.Load(), BadJSON: c.badJSON.Load(), TooLarge: c.tooLarge.Load(),
		Timeout: c.timeout.Load(), Unreadable: c.unreadable.Load(), Busy: c.busy.Load(),
		Unavailable: c.unavailable.Load(), Forbidden: c.forbidden.Load(),
		NotFound: c.notFound.Load(), NotAllowed: c.notAllowed.Load(), Internal: c.internal.Load(), Panics: c.panics.Load(),
	}
}
