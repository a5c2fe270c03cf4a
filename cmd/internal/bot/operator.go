package bot

import (
	"context"
	"time"

	"go.uber.org/zap"

	"whatsappnode/adapters/settings"
	"whatsappnode/ports"
)

// OperatorStore is what the operator's commands work on.
type OperatorStore interface {
	ports.ConversationPort
	ports.DeadLetterPort
	ports.ErasurePort
	ports.ExportPort
	Reseal(ctx context.Context) (int, error)
	ports.ControlPort
	Close() error
}

// openTimeout bounds how long a command waits for a store that does not answer.
const openTimeout = 15 * time.Second

// StandardPause is PAUSE_FOR, for a command that is not told how long.
func StandardPause(getenv settings.Getenv) (time.Duration, error) {
	var people PeopleConfig
	if err := settings.Load(getenv, &people); err != nil {
		return 0, settingsError([]error{err})
	}
	return people.PauseFor, nil
}

// OpenStore opens the store for a command. It reads only the store's settings, so
// it works without the credentials. The embedded store belongs to one process: while
// the bot runs, the error says so.
func OpenStore(ctx context.Context, getenv settings.Getenv) (OperatorStore, error) {
	var cfg Config
	if err := settings.Load(getenv, &cfg.Store); err != nil {
		return nil, settingsError([]error{err})
	}
	if faults := storeFaults(cfg); len(faults) > 0 {
		return nil, settingsError(faults)
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	return openStore(ctx, cfg, zap.NewNop())
}
