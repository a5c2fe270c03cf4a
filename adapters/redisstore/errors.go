package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/rueidis"

	"whatsappnode/adapters/record"
	"whatsappnode/ports"
)

// ErrClosed says that Close was called.
var ErrClosed = errors.New("the store is closed")

// errUnconfirmed says that a write was made and not confirmed in time.
var errUnconfirmed = errors.New("the write was not confirmed in time")

func opName(op string) string { return "redisstore: " + op }

// codeOf is the first word of an error that Redis answered, or "".
func codeOf(err error) string {
	if e, ok := rueidis.IsRedisErr(err); ok {
		code, _, _ := strings.Cut(e.Error(), " ")
		return code
	}
	return ""
}

// unexecuted lists the answers with which a server says that it did nothing, for a
// reason that passes: a failover, a start, a slot on its way to another node.
var unexecuted = map[string]bool{
	"LOADING": true, "READONLY": true, "TRYAGAIN": true, "CLUSTERDOWN": true, "MASTERDOWN": true, "MOVED": true, "ASK": true, "BUSY": true,
}

// again reports whether a failed call may be repeated at once without harm. A
// broken connection leaves open whether the server did it, so that only a call
// whose repeat changes nothing may follow.
func again(err error, harmless bool) bool {
	if code := codeOf(err); code != "" {
		return unexecuted[code]
	}
	return harmless && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) &&
		!errors.Is(err, errUnconfirmed) && !errors.Is(err, rueidis.ErrClosing)
}

// storeErr turns what went wrong into an Error. ctx is the caller's: when it has
// ended, that is the reason. Everything else Redis or the network reports is
// KindTransient: nothing was promised, and the same call may be repeated. What
// Redis answered is told by its code alone, because the rest may quote arguments.
func storeErr(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if ended := ports.FromContext(ctx, opName(op)); ended != nil {
		return ended
	}
	var e *ports.Error
	if errors.As(err, &e) || errors.Is(err, ports.ErrLeaseLost) {
		return err
	}
	if record.Unreadable(err) {
		return &ports.Error{Op: opName(op), Kind: ports.KindUnknown, Err: err}
	}
	code := codeOf(err)
	if code != "" {
		err = fmt.Errorf("redis answered %s", code)
	}
	return &ports.Error{Op: opName(op), Kind: ports.KindTransient, Code: code, Err: err}
}

func invalid(op string, err error) error {
	return &ports.Error{Op: opName(op), Kind: ports.KindInvalid, Err: err}
}

func notFound(op, what string) error {
	return &ports.Error{Op: opName(op), Kind: ports.KindNotFound, Err: errors.New(what)}
}
