package bot

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"whatsappnode/adapters/redisstore"
	"whatsappnode/adapters/settings"
	"whatsappnode/domain"
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
		if cfg.AgentsFile != "" {
			err = withoutRequired(err)
		}
		if err != nil {
			faults = append(faults, err)
		}
	}
	if role != "" {
		cfg.Role = role
	}
	if cfg.Role != roleAll && cfg.storeKind() == storeEmbedded {
		faults = append(faults, fmt.Errorf("ROLE: %s needs a store that several processes share (REDIS_URL), and STORE=embedded belongs to one process", cfg.Role))
	}
	faults = append(faults, storeFaults(cfg)...)
	faults = append(faults, cfg.Trace.faults()...)
	faults = append(faults, safetyFaults(cfg.Safety)...)
	faults = append(faults, budgetFaults(cfg)...)
	faults = append(faults, cfg.Handoff.faults()...)
	if err := tooManySecrets(cfg.WhatsApp.AppSecret); err != nil {
		faults = append(faults, fmt.Errorf("WHATSAPP_APP_SECRET %w", err))
	}
	if err := languageFault(cfg.Dialogue.Languages); err != nil {
		faults = append(faults, fmt.Errorf("LANGUAGES %w", err))
	}
	for variable, fault := range peopleFaults(cfg.People) {
		faults = append(faults, fmt.Errorf("%s %w", variable, fault))
	}
	return cfg, faults
}

// withoutRequired takes the faults of what is missing out of an error: an agents file
// can give all that is required without one, and says itself what it lacks.
func withoutRequired(err error) error {
	var all settings.Faults
	if !errors.As(err, &all) {
		return err
	}
	all = slices.DeleteFunc(slices.Clone(all), func(f *settings.Fault) bool { return f.Problem == "is required" })
	if len(all) == 0 {
		return nil
	}
	return all
}

// tooManySecrets: two are accepted while one replaces the other.
func tooManySecrets(secret settings.Source) error {
	if n := len(secret.Secrets()); n > 2 {
		return fmt.Errorf("holds %d secrets, and at most two are accepted", n)
	}
	return nil
}

func languageFault(languages []string) error {
	for _, l := range languages {
		if _, ok := domain.CleanLanguage(l); !ok {
			return errors.New("must hold language tags such as es or pt-BR")
		}
	}
	return nil
}

// storeFaults checks what the tags of StoreConfig cannot say.
func storeFaults(cfg Config) []error {
	var faults []error
	if cfg.storeKind() == storeRedis && cfg.Store.RedisURL == "" {
		faults = append(faults, errors.New("REDIS_URL is required with STORE=redis"))
	}
	faults = append(faults, keyFaults(cfg.Store)...)
	if _, err := redisstore.ParseAck(cfg.Store.RedisAck); err != nil {
		faults = append(faults, fmt.Errorf("REDIS_ACK: %w", err))
	}
	if cfg.storeKind() == storeRedis {
		faults = append(faults, redisAccessFaults(cfg)...)
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
	"WHATSAPP_", "GRAPH_", "MEDIA_", "STORE_", "REDIS_", "LLM_", "STT_", "TTS_", "REPLY_", "FALLBACK_", "HISTORY_", "BURST_", "RETAIN_", "SETTLE_", "SEND_", "TURN_", "LOG_", "ADMIN_", "AGENTS_", "DRAIN_", "RATE_", "LOOP_", "OUTPUT_", "BUDGET_", "PRICES_", "FILTER_", "FILTERS_", "MCP_", "TOOL",
	"PAUSE_", "OPT_", "ALLOWED_", "BLOCKED_", "HANDOFF",
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

// hashKey is the key of the hashes in the log. Deriving it from the app secrets
// keeps the hashes of one deployment stable without another setting.
func hashKey(c Config, all agents) []byte {
	if c.Log.Key != "" {
		return []byte(c.Log.Key.Reveal())
	}
	var secrets []string
	for _, a := range all {
		secrets = append(secrets, a.appSecret.Current())
	}
	slices.Sort(secrets)
	sum := sha256.Sum256([]byte("log hash key\x00" + strings.Join(slices.Compact(secrets), "\x00")))
	return sum[:]
}
