package porttest_test

import (
	"context"
	"errors"
	"testing"

	"whatsappnode/adapters/fake"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

// receiver is a HandoffPort of one function.
type receiver func(ctx context.Context, h ports.Handoff) error

func (r receiver) Request(ctx context.Context, h ports.Handoff) error { return r(ctx, h) }

// spoil makes a harness of a receiver that is wrong in one way.
func spoil(change func(good *fake.Handoffs) receiver) porttest.HandoffHarness {
	return porttest.HandoffHarness{
		New: func(*testing.T) (ports.HandoffPort, func() []ports.Handoff) {
			good := &fake.Handoffs{}
			return change(good), good.Received
		},
		Broken: func(_ *testing.T, kind ports.Kind) ports.HandoffPort {
			return change(&fake.Handoffs{Fail: func(int) error { return &ports.Error{Op: "test", Kind: kind, Err: errors.New("scripted")} }})
		},
	}
}

func TestHandoffRejectsBrokenReceivers(t *testing.T) {
	broken := map[string]func(good *fake.Handoffs) receiver{
		"forgets the language": func(good *fake.Handoffs) receiver {
			return func(ctx context.Context, h ports.Handoff) error { h.Language = ""; return good.Request(ctx, h) }
		},
		"forgets that nobody was told": func(good *fake.Handoffs) receiver {
			return func(ctx context.Context, h ports.Handoff) error { h.Unsaid = false; return good.Request(ctx, h) }
		},
		"swallows failures": func(good *fake.Handoffs) receiver {
			return func(ctx context.Context, h ports.Handoff) error { _ = good.Request(ctx, h); return nil }
		},
		"tells whom": func(good *fake.Handoffs) receiver {
			return func(ctx context.Context, h ports.Handoff) error {
				err := good.Request(ctx, h)
				if err != nil {
					err = &ports.Error{Op: "test", Kind: ports.KindOf(err), Err: errors.New(string(h.Contact.Phone))}
				}
				return err
			}
		},
		"ignores the context": func(good *fake.Handoffs) receiver {
			return func(_ context.Context, h ports.Handoff) error { return good.Request(context.Background(), h) }
		},
		"says each time it may be done": func(good *fake.Handoffs) receiver {
			return func(ctx context.Context, h ports.Handoff) error {
				err := good.Request(ctx, h)
				if err != nil {
					err = &ports.Error{Op: "test", Kind: ports.KindOf(err), MaybeDone: true}
				}
				return err
			}
		},
		"takes only the first": func(good *fake.Handoffs) receiver {
			return func(ctx context.Context, h ports.Handoff) error {
				if len(good.Received()) > 0 {
					return ctx.Err()
				}
				return good.Request(ctx, h)
			}
		},
	}
	rejects(t, map[string]string{
		"forgets the language": "TellsEverything", "forgets that nobody was told": "TellsEverything", "swallows failures": "FailureHasItsKind", "tells whom": "FailureHasItsKind",
		"ignores the context": "EndOfContextEndsIt", "says each time it may be done": "FailureHasItsKind", "takes only the first": "ManyAtOnce",
	}, func(t *testing.T, name string) { porttest.TestHandoff(t, spoil(broken[name])) })
}
