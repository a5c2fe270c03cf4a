package bot

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"whatsappnode/adapters/settings"
	"whatsappnode/adapters/sqlitestore"
	"whatsappnode/ports"
)

// SpendingBooks is what the costs command reads.
type SpendingBooks interface {
	Spending(ctx context.Context, days []string) ([]ports.Entry, error)
	Close() error
}

// OpenBooks opens the books and says in which zone their days begin. It works beside a
// running bot, with the embedded store, too: of that it reads the books alone.
func OpenBooks(ctx context.Context, getenv settings.Getenv) (SpendingBooks, *time.Location, error) {
	var cfg Config
	if err := errors.Join(settings.Load(getenv, &cfg.Store), settings.Load(getenv, &cfg.Budget)); err != nil {
		return nil, nil, settingsError([]error{err})
	}
	if faults := storeFaults(cfg); len(faults) > 0 {
		return nil, nil, settingsError(faults)
	}
	if cfg.storeKind() == storeEmbedded {
		books, err := sqlitestore.OpenBooks(cfg.Store.Path)
		return books, cfg.Budget.zone(), err
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	s, err := openStore(ctx, cfg, zap.NewNop())
	return s, cfg.Budget.zone(), err
}
