package decorate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"whatsappnode/ports"
)

// late is the cause of an attempt that we ended: one of its deadlines passed.
type late struct {
	what  string
	limit time.Duration
}

func (l late) Error() string {
	return fmt.Sprintf("%s within %s", l.what, l.limit.Round(time.Millisecond))
}

// Unwrap makes it a deadline to errors.Is.
func (l late) Unwrap() error { return context.DeadlineExceeded }

// explain gives an attempt's failure its right kind. own is the context the
// provider was called with, and caller the one it is derived from. A provider calls
// the end of own what it likes; we know who ended it.
func explain(operation string, caller, own context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case caller.Err() != nil:
		return ports.FromContext(caller, operation)
	case own.Err() != nil:
		return &ports.Error{Op: operation, Kind: ports.KindTimeout, Err: context.Cause(own)}
	}
	return err
}

// failsOver reports whether another provider might do better. A provider that calls
// a request invalid is no exception: what is wrong with the request itself was found
// before anybody was asked, so it is a matter of this provider's own, such as a
// model it does not have.
func failsOver(err error) bool {
	switch ports.KindOf(err) {
	case ports.KindCanceled, ports.KindBlocked:
		return false
	}
	return true
}

// failures are what the providers of a call answered, in order.
type failures []failure

type failure struct {
	provider string
	err      error
}

// Error reads "first: cause; second: cause".
func (f failures) Error() string {
	var parts []string
	for _, each := range f {
		parts = append(parts, each.provider+": "+each.err.Error())
	}
	return strings.Join(parts, "; ")
}

// Unwrap gives every provider's error to errors.Is and errors.As.
func (f failures) Unwrap() []error {
	var out []error
	for _, each := range f {
		out = append(out, each.err)
	}
	return out
}

// together makes the error of a call that every provider failed. Its kind is that
// of the last failure a repeat may mend, and else of the last: the caller may give
// up for good only when no provider leaves hope.
func (f failures) together(operation string) error {
	if len(f) == 1 {
		return f[0].err
	}
	said := f[len(f)-1].err
	for _, each := range f {
		if ports.Retryable(each.err) {
			said = each.err
		}
	}
	out := &ports.Error{Op: operation, Kind: ports.KindOf(said), Err: f}
	var e *ports.Error
	if errors.As(said, &e) {
		out.Code, out.RetryAfter, out.Scope = e.Code, e.RetryAfter, e.Scope
	}
	return out
}
