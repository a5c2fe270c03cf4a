package bot

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"

	"whatsappnode/adapters/redisstore"
	"whatsappnode/adapters/settings"
)

// Load reads and checks the settings. A role that is not empty wins over ROLE. The
// error lists all faults with their variables.
func Load(getenv settings.Getenv, role string) (Config, error) {
	cfg, faults := load(getenv, role)
	if len(faults) > 0 {
		return Config{}, settingsError(faults)
	}
	return cfg, nil
}

// load goes on after a fault, so that whoever checks further finds all of them.
func load(getenv settings.Getenv, role string) (Config, []error) {
	var cfg Config
	var faults []error
	if err := settings.Load(getenv, &cfg); err != nil {
		faults = append(faults, err)
	}
	if role != "" {
		cfg.Role = role
	}
	if cfg.Role != roleAll && cfg.storeKind() == storeEmbedded {
		faults = append(faults, fmt.Errorf("ROLE: %s needs a store that several processes share (REDIS_URL), and STORE=embedded belongs to one process", cfg.Role))
	}
	faults = append(faults, storeFaults(cfg)...)
	if n := len(cfg.appSecrets()); n > 2 {
		faults = append(faults, fmt.Errorf("WHATSAPP_APP_SECRET: at most two secrets are accepted, %d are given", n))
	}
	return cfg, faults
}

// storeFaults checks what the tags of StoreConfig cannot say.
func storeFaults(cfg Config) []error {
	var faults []error
	if cfg.storeKind() == storeRedis && cfg.Store.RedisURL == "" {
		faults = append(faults, errors.New("REDIS_URL is required with STORE=redis"))
	}
	if _, err := redisstore.ParseAck(cfg.Store.RedisAck); err != nil {
		faults = append(faults, fmt.Errorf("REDIS_ACK: %w", err))
	}
	return faults
}

// Environment is the process environment, and below it the variables of a file
// such as .env, which need not exist.
func Environment(path string) (settings.Getenv, error) {
	vars, err := settings.ReadDotEnv(path)
	if err != nil {
		return nil, settingsError([]error{err})
	}
	return settings.Overlay(os.Getenv, vars), nil
}

// prefixes are those of our variables, under which an unknown name is likely a
// misspelt one.
var prefixes = []string{
	"WHATSAPP_", "GRAPH_", "MEDIA_", "STORE_", "REDIS_", "LLM_", "STT_", "TTS_", "REPLY_", "FALLBACK_", "HISTORY_", "BURST_", "SETTLE_", "SEND_", "TURN_", "LOG_", "ADMIN_",
}

// The roles of a process.
const (
	roleAll    = "all"
	roleServe  = "serve"
	roleWorker = "worker"
)

// ErrSettings says that the settings are wrong; the process must not start.
var ErrSettings = errors.New("the settings are wrong")

func settingsError(faults []error) error {
	return fmt.Errorf("%w:\n%w", ErrSettings, errors.Join(faults...))
}

// listenAddr is the address of the public listener.
func (c Config) listenAddr() string {
	if c.HTTP.ListenAddr != "" {
		return c.HTTP.ListenAddr
	}
	return fmt.Sprintf("0.0.0.0:%d", c.HTTP.Port)
}

// appSecrets splits the app secret: two are accepted while one replaces the other.
func (c Config) appSecrets() []string {
	var out []string
	for _, s := range strings.Split(c.WhatsApp.AppSecret.Current(), ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// hashKey is the key of the hashes in the log. Deriving it from the app secret
// keeps the hashes of one deployment stable without another setting.
func hashKey(c Config) []byte {
	if c.Log.Key != "" {
		return []byte(c.Log.Key.Reveal())
	}
	sum := sha256.Sum256([]byte("log hash key\x00" + c.WhatsApp.AppSecret.Current()))
	return sum[:]
}
