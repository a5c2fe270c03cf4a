package bot

import (
	"fmt"

	"whatsappnode/adapters/agentsfile"
	"whatsappnode/adapters/settings"
)

// The variables that hold a number's secrets where the agents file names no other.
const (
	varAccessToken = "WHATSAPP_ACCESS_TOKEN"
	varAppSecret   = "WHATSAPP_APP_SECRET" // #nosec G101 -- the name of a variable, no credential
	varVerifyToken = "WHATSAPP_VERIFY_TOKEN"
)

// vault finds the secrets that an agents file names, each once: numbers that name
// the same variable share its value, also when it changes.
type vault struct {
	getenv settings.Getenv
	known  map[string]settings.Source
}

func newVault(cfg Config, getenv settings.Getenv) *vault {
	return &vault{getenv: getenv, known: map[string]settings.Source{
		varAccessToken: cfg.WhatsApp.AccessToken, varAppSecret: cfg.WhatsApp.AppSecret, varVerifyToken: cfg.WhatsApp.VerifyToken,
	}}
}

// credentials begins an agent with what it may send, receive and verify with.
func (v *vault) credentials(written agentsfile.Agent) (agent, []error) {
	a := agent{name: written.Name, number: written.Number, appName: varAppSecret}
	var faults []error
	for _, c := range []struct {
		named    agentsfile.Value
		standard string
		into     *settings.Source
	}{
		{written.AccessTokenFrom, varAccessToken, &a.token},
		{written.AppSecretFrom, varAppSecret, &a.appSecret},
		{written.VerifyTokenFrom, varVerifyToken, &a.verifyToken},
	} {
		given := c.named.Text != ""
		name := c.named.Text
		switch {
		case !given && c.named.Line > 0:
			continue // what stands there is a fault already
		case !given:
			name = c.standard
		}
		source, err := v.find(name)
		switch {
		case err != nil && given:
			faults = append(faults, at(c.named, fmt.Errorf("cannot be used: %w", err)))
		case err != nil:
			faults = append(faults, fmt.Errorf("AGENTS_FILE line %d: %s is left out, and %w", written.Line, c.named.Key, err))
		}
		*c.into = source
		a.named = append(a.named, name)
		if c.standard != varAppSecret {
			continue
		}
		a.appName = name
		if err := tooManySecrets(source); err != nil && given {
			faults = append(faults, at(c.named, fmt.Errorf("cannot be used: %s %w", name, err)))
		}
	}
	return a, faults
}

// find gives the secret in a variable, or in the file that its other form names.
func (v *vault) find(name string) (settings.Source, error) {
	if s, ok := v.known[name]; ok {
		if s.Current() == "" {
			return s, fmt.Errorf("%s is not set", name)
		}
		return s, nil
	}
	value, path := v.getenv(name), v.getenv(name+"_FILE")
	var source settings.Source
	switch {
	case value != "" && path != "":
		return source, fmt.Errorf("%s and %s_FILE are both set; keep one", name, name)
	case value != "":
		source = settings.NewSource(settings.Secret(value))
	case path != "":
		var err error
		if source, err = settings.NewFileSource(path); err != nil {
			return source, fmt.Errorf("%s_FILE: %w", name, err)
		}
	default:
		return source, fmt.Errorf("%s is not set", name)
	}
	v.known[name] = source
	return source, nil
}
