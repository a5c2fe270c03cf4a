package bot

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"cloud.google.com/go/auth/credentials"
)

// authGoogle is the REDIS_AUTH of Memorystore with IAM authentication.
const authGoogle = "google"

// cloudScope is what Memorystore wants a token for (Memorystore for Valkey, "Manage
// IAM authentication").
const cloudScope = "https://www.googleapis.com/auth/cloud-platform"

// redisAccessFaults checks the settings about reaching Redis that tags cannot say.
func redisAccessFaults(cfg Config) (faults []error) {
	if _, err := redisTLS(cfg); err != nil {
		faults = append(faults, err)
	}
	if cfg.Store.RedisAuth != authGoogle {
		return faults
	}
	if cfg.Store.RedisPassword.Current() != "" {
		faults = append(faults, errors.New("REDIS_AUTH: google takes its own password; unset REDIS_PASSWORD"))
	}
	if !speaksTLS(cfg) {
		faults = append(faults, errors.New("REDIS_AUTH: google sends a token, which needs a rediss:// address"))
	}
	return faults
}

// redisCredentials is what the store asks at each new connection; nil leaves it to the
// URL. A token of Google's is fetched when the one before it is about to expire.
func redisCredentials(cfg Config) (func(context.Context) (user, password string, err error), error) {
	if cfg.Store.RedisAuth == authGoogle {
		creds, err := credentials.DetectDefault(&credentials.DetectOptions{Scopes: []string{cloudScope}})
		if err != nil {
			return nil, errors.New("REDIS_AUTH: google needs the credentials of a service account, and none are found here")
		}
		return func(ctx context.Context) (string, string, error) {
			token, err := creds.Token(ctx)
			if err != nil {
				return "", "", fmt.Errorf("token for Redis: %w", err)
			}
			return cfg.Store.RedisUser, token.Value, nil
		}, nil
	}
	password := cfg.Store.RedisPassword
	if password.Current() == "" {
		return nil, nil
	}
	return func(context.Context) (string, string, error) {
		return cfg.Store.RedisUser, password.Current(), nil
	}, nil
}

// redisTLS trusts REDIS_CA and nobody else; nil without one.
func redisTLS(cfg Config) (*tls.Config, error) {
	pem := cfg.Store.RedisCA.Reveal()
	if pem == "" {
		return nil, nil
	}
	if !speaksTLS(cfg) {
		return nil, errors.New("REDIS_CA: is of use only with a rediss:// address")
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(pem)) {
		return nil, errors.New("REDIS_CA: holds no certificate in PEM form")
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

func speaksTLS(cfg Config) bool {
	scheme, _, _ := strings.Cut(cfg.Store.RedisURL.Reveal(), "://")
	first, _, _ := strings.Cut(scheme, "+")
	return first == "rediss" || first == "valkeys"
}
