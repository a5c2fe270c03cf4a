package decorate

import (
	"context"
	"errors"
	"time"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// The limits Meta grants (Meta, "Messaging limits" and "Throughput"): 80 messages a
// second for a business number, and for each recipient a burst of 45, which one
// message in 6 seconds refills.
const (
	DefaultNumberRate     = 80
	DefaultRecipientBurst = 45
	DefaultRecipientEvery = 6 * time.Second
	// DefaultMaxWait is how long a send waits for its turn before it is refused. A
	// worker that waits holds a lease and a slot that others could use.
	DefaultMaxWait = time.Second
)

// pacerBudget bounds each call of the pacer: a limit that cannot be asked must not
// keep an answer from a person.
const pacerBudget = 500 * time.Millisecond

// Limits configure Paced; the zero value is usable.
type Limits struct {
	// NumberRate is how many messages a second a business number sends, and how many
	// it may send at once; DefaultNumberRate when zero.
	NumberRate int
	// RecipientBurst is how many messages one person gets at once, and one more each
	// RecipientEvery; the defaults when zero.
	RecipientBurst int
	RecipientEvery time.Duration
	// MaxWait is the longest wait inside Send, for both limits together;
	// DefaultMaxWait when zero.
	MaxWait time.Duration
	// Secret keys the hashes that name the buckets, and must be the same in all
	// processes. All phone numbers can be tried against a hash without one.
	Secret []byte
	// OnError is told when the pacer failed: at PacingTake a send went out unpaced, at
	// PacingHold the others do not learn of a hold. The context is that of the send. It
	// may be called concurrently; nil ignores it.
	OnError func(ctx context.Context, at PacingStep, err error)
}

// PacingStep is what a pacer was asked for.
type PacingStep string

// The steps of pacing.
const (
	PacingTake PacingStep = "take" // whether a send may go out now
	PacingHold PacingStep = "hold" // to let nothing out for a while
)

func (l Limits) withDefaults() Limits {
	if l.NumberRate <= 0 {
		l.NumberRate = DefaultNumberRate
	}
	if l.RecipientBurst <= 0 {
		l.RecipientBurst = DefaultRecipientBurst
	}
	if l.RecipientEvery <= 0 {
		l.RecipientEvery = DefaultRecipientEvery
	}
	if l.MaxWait <= 0 {
		l.MaxWait = DefaultMaxWait
	}
	if l.OnError == nil {
		l.OnError = func(context.Context, PacingStep, error) {}
	}
	return l
}

// Paced sends through messenger no faster than the limits allow, in all processes
// that share the pacer together. A short wait is waited for; a longer one fails the
// send with KindRateLimited and the wait, before the network is asked, so that a
// held recipient delays nobody else. When the network itself says that there was too
// much for a recipient or from a number, that one is held, in all processes.
//
// A pacer that fails does not stop sends: they go out unpaced. Only sends are
// paced. The result has ports.ReadMarker and ports.MediaUploader exactly when
// messenger has them.
func Paced(messenger ports.MessengerPort, pacer ports.PacerPort, limits Limits) ports.MessengerPort {
	limits = limits.withDefaults()
	p := &paced{MessengerPort: messenger, pacer: pacer, limits: limits, refusals: newRefusals()}
	marker, marks := messenger.(ports.ReadMarker)
	uploader, uploads := messenger.(ports.MediaUploader)
	switch {
	case marks && uploads:
		return struct {
			*paced
			ports.ReadMarker
			ports.MediaUploader
		}{p, marker, uploader}
	case marks:
		return struct {
			*paced
			ports.ReadMarker
		}{p, marker}
	case uploads:
		return struct {
			*paced
			ports.MediaUploader
		}{p, uploader}
	}
	return p
}

type paced struct {
	ports.MessengerPort
	pacer    ports.PacerPort
	limits   Limits
	refusals *refusals
}

// Send implements ports.MessengerPort.
func (p *paced) Send(ctx context.Context, out domain.Outbound) (domain.MessageID, error) {
	if out.Validate() != nil {
		return p.MessengerPort.Send(ctx, out) // which says what is wrong with it
	}
	number, recipient := p.buckets(out)
	deadline := time.Now().Add(p.limits.MaxWait)
	// A token of the number that goes unused is back in a moment; one of the recipient
	// would cost that person six seconds.
	if err := p.take(ctx, number, ports.ScopeNumber, deadline); err != nil {
		return "", err
	}
	if err := p.take(ctx, recipient, ports.ScopeRecipient, deadline); err != nil {
		return "", err
	}
	id, err := p.MessengerPort.Send(ctx, out)
	if err == nil {
		p.refusals.forget(number.Key, recipient.Key)
		return id, nil
	}
	return id, p.heed(ctx, err, number, recipient)
}

// take waits for a token until the deadline at most.
func (p *paced) take(ctx context.Context, b ports.Bucket, scope ports.Scope, deadline time.Time) error {
	const op = "paced send"
	for {
		wait, err := p.ask(ctx, b)
		switch {
		case ctx.Err() != nil:
			return ports.FromContext(ctx, op)
		case err != nil:
			p.limits.OnError(ctx, PacingTake, err)
			return nil
		case wait <= 0:
			return nil
		case time.Now().Add(wait).After(deadline):
			return &ports.Error{Op: op, Kind: ports.KindRateLimited, RetryAfter: wait, Scope: scope, Err: errTooMuch}
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ports.FromContext(ctx, op)
		case <-timer.C:
		}
	}
}

var errTooMuch = errors.New("the limit is reached; nothing was sent")

func (p *paced) ask(ctx context.Context, b ports.Bucket) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, pacerBudget)
	defer cancel()
	return p.pacer.Take(ctx, b)
}

// heed holds what the network says is too much, and returns err with the time to
// wait in it.
func (p *paced) heed(ctx context.Context, err error, number, recipient ports.Bucket) error {
	var e *ports.Error
	if !errors.As(err, &e) || e.Kind != ports.KindRateLimited {
		return err
	}
	var b ports.Bucket
	var growth time.Duration
	switch e.Scope {
	case ports.ScopeRecipient:
		b, growth = recipient, recipientGrowth
	case ports.ScopeNumber:
		b, growth = number, numberGrowth
	default:
		return err
	}
	wait := p.refusals.next(b.Key, growth, time.Now())
	if e.RetryAfter > 0 {
		wait = e.RetryAfter
	}
	// The call may have used up its time, and the hold is for the others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pacerBudget)
	defer cancel()
	if failed := p.pacer.Hold(ctx, b, wait); failed != nil {
		p.limits.OnError(ctx, PacingHold, failed)
	}
	if e.RetryAfter > 0 {
		return err
	}
	told := *e
	told.RetryAfter = wait
	return &told
}
