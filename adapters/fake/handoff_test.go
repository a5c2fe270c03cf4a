package fake_test

import (
	"errors"
	"testing"

	"whatsappnode/adapters/fake"
	"whatsappnode/ports"
	"whatsappnode/ports/porttest"
)

func TestHandoffContract(t *testing.T) {
	porttest.TestHandoff(t, porttest.HandoffHarness{
		New: func(*testing.T) (ports.HandoffPort, func() []ports.Handoff) {
			h := &fake.Handoffs{}
			return h, h.Received
		},
		Broken: func(_ *testing.T, kind ports.Kind) ports.HandoffPort {
			return &fake.Handoffs{Fail: func(int) error { return &ports.Error{Op: "fake", Kind: kind, Err: errors.New("scripted")} }}
		},
	})
}
