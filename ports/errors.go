package ports

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says what a failure calls for, whoever the vendor is.
type Kind string

// The kinds. Retryable lists those a repeat may mend.
const (
	KindUnknown     Kind = "unknown"      // nobody knows; treated as not retryable
	KindInvalid     Kind = "invalid"      // the request is wrong and stays wrong
	KindDenied      Kind = "denied"       // credentials, permission, account or payment
	KindBlocked     Kind = "blocked"      // content policy or a person who blocked us
	KindUnsupported Kind = "unsupported"  // the vendor cannot do this: format, language, length
	KindNotFound    Kind = "not_found"    // the object does not exist, or no more
	KindTransient   Kind = "transient"    // outage or broken connection; may pass
	KindRateLimited Kind = "rate_limited" // too much at once; may pass, see RetryAfter
	KindTimeout     Kind = "timeout"      // our deadline or theirs passed
	KindCanceled    Kind = "canceled"     // the caller gave up
)

// Error is the one error type adapters return. It never holds secrets, personal
// data or message text: Err's text must be safe to log.
type Error struct {
	Op   string // what was tried, "whatsapp.send"
	Kind Kind
	// Code is the vendor's own code, for the operator; empty when there is none.
	Code string
	// RetryAfter is how long the vendor asks us to wait, or zero.
	RetryAfter time.Duration
	// MaybeDone marks a send that may have taken effect: the request left and no
	// answer came. It must not be repeated blindly.
	MaybeDone bool
	// Scope says whom a rate limit or refusal concerns.
	Scope Scope
	Err   error
}

// Scope is whom a failure concerns.
type Scope string

// The scopes; the zero value means the one call.
const (
	ScopeCall      Scope = ""
	ScopeRecipient Scope = "recipient" // this recipient only
	ScopeNumber    Scope = "number"    // everything this business number sends
	ScopeAccount   Scope = "account"   // every call with these credentials
	ScopeMedia     Scope = "media"     // the clip, not its words
	ScopeWindow    Scope = "window"    // free text to this person, until they write again
)

// Error reads "op: kind (code): cause".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	b.WriteString(": ")
	b.WriteString(string(e.Kind))
	if e.Code != "" {
		fmt.Fprintf(&b, " (code %s)", e.Code)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the outermost Error in err's tree. A bare context
// error has the kind of its name, any other foreign error KindUnknown, and nil
// the empty kind.
func KindOf(err error) Kind {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Kind
	case errors.Is(err, context.DeadlineExceeded):
		return KindTimeout
	case errors.Is(err, context.Canceled):
		return KindCanceled
	}
	return KindUnknown
}

// Retryable reports whether a repeat of the same call may succeed and cannot do
// harm. A send that may have taken effect is not retryable.
func Retryable(err error) bool {
	if MaybeDone(err) {
		return false
	}
	switch KindOf(err) {
	case KindTransient, KindRateLimited, KindTimeout:
		return true
	}
	return false
}

// MaybeDone reports whether the failed call may have taken effect all the same.
func MaybeDone(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.MaybeDone
}

// RetryAfter returns how long the vendor asks us to wait, or zero.
func RetryAfter(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

// FromContext turns the end of ctx into an Error with the right kind, keeping the
// context's own error for errors.Is. It returns nil while ctx lives.
func FromContext(ctx context.Context, op string) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	kind := KindCanceled
	if errors.Is(err, context.DeadlineExceeded) {
		kind = KindTimeout
	}
	return &Error{Op: op, Kind: kind, Err: err}
}
