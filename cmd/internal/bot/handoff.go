package bot

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"whatsappnode/adapters/handoff"
	"whatsappnode/adapters/settings"
	"whatsappnode/ports"
)

const varHandoffSecret = "HANDOFF_SECRET" // #nosec G101 -- the name of a variable, no credential

// HandoffConfig is about who is told when a person asks for a human.
type HandoffConfig struct {
	URL    settings.Secret `env:"HANDOFF_URL" doc:"Address that gets a signed webhook when a person asks for a human; https, or http on this machine, without a query; docs/takeover.md. Unset: only the log tells."`
	Secret settings.Source `env:"HANDOFF_SECRET" doc:"Secret that signs these webhooks; required with HANDOFF_URL."`
}

// handoffNotice is told at the start of a bot that hands people over to nobody.
const handoffNotice = "Who asks for a human is told so and is not answered for PAUSE_FOR, and nobody is told elsewhere: set HANDOFF_URL and HANDOFF_SECRET, watch the log for handoff.asked, or set HANDOFF=false."

func (c HandoffConfig) faults() []error {
	if c.URL == "" {
		return nil
	}
	var faults []error
	if err := handoff.CheckURL(c.URL.Reveal()); err != nil {
		faults = append(faults, fmt.Errorf("HANDOFF_URL: %w", err))
	}
	if c.Secret.Current() == "" {
		faults = append(faults, errors.New(varHandoffSecret+" is required with HANDOFF_URL"))
	}
	return faults
}

// newHandoffs is nil when nobody is to be told. The transport stays its caller's.
func newHandoffs(c HandoffConfig, transport http.RoundTripper) (ports.HandoffPort, error) {
	if c.URL == "" {
		return nil, nil
	}
	w, err := handoff.New(c.URL.Reveal(), c.Secret.Current, transport)
	if err != nil {
		return nil, err
	}
	return w, nil
}

// handOver reports whether any number hands people over to humans.
func (all agents) handOver() bool {
	return slices.ContainsFunc(all, func(a agent) bool { return a.persona.Handing.On })
}
