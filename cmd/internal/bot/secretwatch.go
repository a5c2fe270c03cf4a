package bot

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"whatsappnode/adapters/settings"
)

// secretWatch is how often the log is brought up to date about files with secrets.
// They are read again without it, whenever one is used.
const secretWatch = time.Second

// secret is one that is followed in a file.
type secret struct {
	variable string
	source   settings.Source
}

// followed are the secrets in files, each variable once.
func followed(cfg Config, all agents) (out []secret) {
	add := func(variable string, source settings.Source) {
		variable += "_FILE"
		known := slices.ContainsFunc(out, func(s secret) bool { return s.variable == variable })
		if source.Followed() && !known {
			out = append(out, secret{variable, source})
		}
	}
	for _, a := range all {
		names := []string{varAccessToken, varAppSecret, varVerifyToken}
		if len(a.named) == len(names) {
			names = a.named
		}
		add(names[0], a.token)
		add(names[1], a.appSecret)
		add(names[2], a.verifyToken)
	}
	add("REDIS_PASSWORD", cfg.Store.RedisPassword)
	add(varHandoffSecret, cfg.Handoff.Secret)
	return out
}

// watchSecrets logs when a secret was taken anew from its file, and when a file can no
// longer be read, so that an operator who rotates a secret sees that it worked. It
// blocks until ctx ends and returns nil.
func watchSecrets(ctx context.Context, secrets []secret, log *zap.Logger) error {
	if len(secrets) == 0 {
		return nil
	}
	tick := time.NewTicker(secretWatch)
	defer tick.Stop()
	changes, ill := make([]int64, len(secrets)), make([]bool, len(secrets))
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for i, s := range secrets {
			s.source.Current() // looks at the file when it is time to
			if n := s.source.Changes(); n != changes[i] {
				changes[i] = n
				log.Info("secret.changed", zap.String("variable", s.variable))
			}
			err := s.source.Err()
			if err != nil && !ill[i] {
				log.Warn("secret.unreadable", zap.String("variable", s.variable), zap.String("problem", "the old value stays in force"), zap.Error(err))
			}
			ill[i] = err != nil
		}
	}
}
