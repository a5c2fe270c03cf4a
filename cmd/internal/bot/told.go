package bot

import (
	"fmt"
	"net/url"

	"whatsappnode/adapters/settings"
	"whatsappnode/domain"
)

// held lists the secrets of this process: of the settings, and of what an agents file
// names.
func held(cfg Config, all agents) []settings.Held {
	out := settings.HeldSecrets(cfg)
	if u, err := url.Parse(cfg.Store.RedisURL.Reveal()); err == nil && u.User != nil {
		if password, ok := u.User.Password(); ok {
			out = append(out, settings.Held{Var: "REDIS_URL", Current: func() []string { return []string{password} }})
		}
	}
	for _, a := range all {
		for _, source := range []settings.Source{a.token, a.appSecret, a.verifyToken} {
			out = append(out, settings.Held{Var: a.name, Current: func() []string {
				var values []string
				for _, s := range source.Secrets() {
					values = append(values, s.Reveal())
				}
				return values
			}})
		}
	}
	return out
}

// secrets gives the values that no answer may hold, as they are at the time.
func secrets(cfg Config, all agents) func() []string {
	known := held(cfg, all)
	return func() []string {
		var values []string
		for _, h := range known {
			values = append(values, h.Current()...)
		}
		return values
	}
}

// toldSecrets are faults: what stands in a prompt is told to a vendor with every
// question, and a model can be talked into repeating it.
func toldSecrets(cfg Config, all agents) []error {
	var faults []error
	for _, h := range held(cfg, all) {
		values := domain.NewSecrets(h.Current()...)
		for _, a := range all {
			for name, text := range map[string]string{"SYSTEM_PROMPT": a.persona.SystemPrompt, "FALLBACK_MESSAGE": a.persona.Fallback} {
				if !values.In(text) {
					continue
				}
				if a.number != "" {
					name = fmt.Sprintf("AGENTS_FILE agent %s: %s", a.name, name)
				}
				faults = append(faults, fmt.Errorf("%s: holds the value of a secret (%s), which a model must not be told", name, h.Var))
			}
		}
	}
	return distinct(faults)
}
