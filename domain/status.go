package domain

import "time"

// DeliveryState is what Meta says became of a message we sent.
type DeliveryState string

// The delivery states. Meta promises no order between them and may skip some.
const (
	DeliverySent      DeliveryState = "sent"
	DeliveryDelivered DeliveryState = "delivered"
	DeliveryRead      DeliveryState = "read"
	DeliveryPlayed    DeliveryState = "played"
	DeliveryFailed    DeliveryState = "failed"
)

// Status is one status webhook entry. It is a fact about one send; facts arrive
// repeated and in any order.
type Status struct {
	Message   MessageID // the wamid of our send
	Number    NumberID
	Recipient Contact
	State     DeliveryState
	At        time.Time
	// Ref is what we put in biz_opaque_callback_data; HasRef is false for a send
	// that was not ours or an echo that Meta left out.
	Ref     PartRef
	HasRef  bool
	Failure *Failure // set when State is failed
	Pricing *Pricing // optional on any status
}

// Pricing is Meta's note on what a message cost.
type Pricing struct {
	Billable bool
	Category string // "service", "utility", ...
	Type     string // "regular", "free_customer_service", ...
	Model    string // "PMP"
}

// FailureClass says what a failed send calls for. It is the vendor-neutral half
// of the Graph API's error table.
type FailureClass string

// The failure classes.
const (
	// FailTransient may succeed later: outage, throttling, maintenance.
	FailTransient FailureClass = "transient"
	// FailRecipientHold is a limit on this recipient only.
	FailRecipientHold FailureClass = "recipient_hold"
	// FailMedia means our media was refused; words may still go through.
	FailMedia FailureClass = "media"
	// FailWindow means that the 24-hour service window is closed: no free text.
	FailWindow FailureClass = "window"
	// FailRecipient means that this person cannot be reached.
	FailRecipient FailureClass = "recipient"
	// FailConfig means that token, permission, number or payment is wrong: nothing
	// can be sent until somebody mends it.
	FailConfig FailureClass = "config"
	// FailPermanent is any other refusal that a repeat cannot change.
	FailPermanent FailureClass = "permanent"
)

// Failure is why a send failed, now or late.
type Failure struct {
	Code  int // the vendor's code, for the operator
	Class FailureClass
}

// passes reports whether the same send may succeed later.
func (f Failure) passes() bool { return f.Class == FailTransient || f.Class == FailRecipientHold }
